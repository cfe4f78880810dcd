"""GOV.UK: which release files stand on the Home Office's page, by the content API or, failing that, by the page itself.

What a release covers is read from its sheets by others; its title only tells a CSP table from a force table.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal

from flows.common.file_names import FileNameError, safe_file_name
from flows.sources.addresses import without_credentials
from flows.sources.content_check import TABLE_SUFFIXES
from flows.sources.errors import ContentError
from flows.sources.http_client import Client, join
from transforms.errors import display_text, quoted

SERVICE = "GOV.UK"
PAGE = "/government/statistical-data-sets/police-recorded-crime-and-outcomes-open-data-tables"
MOST_REDIRECTS = 5
MOST_ATTACHMENTS = 1000  # the page has 60
MOST_LINK = 4000  # characters of a link, its text included
_LINK = re.compile(r"<a(?=\s)", re.IGNORECASE)
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")

_TITLES: dict[str, re.Pattern[str]] = {
    "csp": re.compile(r"community\s+safety\s+partnership", re.IGNORECASE),
    "pfa": re.compile(r"police\s+force\s+area", re.IGNORECASE),
}
_NAMES = re.compile(r"prc-(csp|pfa)-", re.IGNORECASE)
_OTHER_TOPICS = re.compile(r"outcome|knife|sharp instrument|firearm|hate crime|reference|guide|subcode", re.IGNORECASE)
_AREAS = re.compile(r"geograph\w*\s+reference", re.IGNORECASE)
_AREAS_NAMES = re.compile(r"recrime-geo-|prc-geog-", re.IGNORECASE)
_CALLED = {"csp": "Community Safety Partnership", "pfa": "Police Force Area"}


@dataclass(frozen=True)
class Attachment:
    """A file to fetch. kind: as in a `manifest.csv`; level: of an offence table, `None` for the table of areas.

    url is absolute, as given; file_name is safe. file_size is in bytes, `None` where the page does not tell;
    public_updated_at is the page's (aware), and not the publication date of this file.
    """

    title: str
    url: str
    file_name: str
    content_type: str | None
    file_size: int | None
    kind: Literal["offences", "areas"]
    level: Literal["csp", "pfa"] | None
    public_updated_at: datetime | None


@dataclass(frozen=True)
class Discovery:
    """What stands on the page, in its order. found_on: the address that answered (after redirects).

    ignored: titles of attachments that are not ours. problems: a sentence for each one that may be ours but whose title
    and file name disagree, or whose address or name cannot be used, and for a table that is not there; each is a failed
    file, and the others go on.
    """

    attachments: tuple[Attachment, ...]
    ignored: tuple[str, ...]
    problems: tuple[str, ...]
    found_on: str
    withdrawn: str = ""  # what GOV.UK says where it has withdrawn the page, in a sentence


def discover(client: Client, base_url: str, page: str = PAGE) -> Discovery:
    """The release files on `page` under `base_url` (`https://www.gov.uk`).

    Redirect documents are followed, at most five. Raises `ContentError` for a redirect loop, and when neither the
    Community Safety Partnership nor the Police Force Area table is there (it names the titles found); and the errors
    of `Client`. Where only one of them is there, the other is a problem.
    """
    document, path, url = _document(client, base_url, page)
    updated = _moment(document.get("public_updated_at"))
    details = document.get("details")
    entries = _objects(details.get("attachments") if isinstance(details, dict) else None)
    if not entries:
        url = join(base_url, path)
        links = _links(client.get_text(url, service=SERVICE))
        entries = [{"title": title, "url": href} for href, title in links.items()]
    if len(entries) > MOST_ATTACHMENTS:
        raise ContentError(SERVICE, url, f"at most {MOST_ATTACHMENTS:,} attachments", f"{len(entries):,}")
    found: dict[str, Attachment] = {}
    ignored, problems = [], []
    for entry in entries:
        title = " ".join(str(entry.get("title") or "").split()) or "(no title)"
        try:
            address = urllib.parse.urljoin(url, str(entry.get("url") or ""))
            last = urllib.parse.unquote(urllib.parse.urlsplit(address).path.split("/")[-1])
        except ValueError as error:  # https://[
            problems.append(f"{quoted(title)}: expected an http(s) address; found {quoted(entry.get('url'))} ({error})")
            continue
        raw_name = str(entry.get("filename") or last)
        kind, level, doubt = _classify(title, raw_name)
        if doubt:
            problems.append(f"{quoted(title, 200)} ({display_text(raw_name, 200)}): {doubt}; it was not fetched")
            continue
        if kind is None:
            ignored.append(title)
            continue
        try:
            name = safe_file_name(raw_name, where=f"{SERVICE}, {url}")
        except FileNameError as error:
            problems.append(str(error))
            continue
        if not address.startswith(("https://", "http://")) or without_credentials(address) != address:
            problems.append(f"{quoted(title, 200)}: expected an http(s) address without a user; found {quoted(address, 200)}")
            continue
        size = entry.get("file_size")
        found.setdefault(
            address,
            Attachment(
                title,
                address,
                name,
                entry.get("content_type"),
                size if isinstance(size, int) else None,
                kind,
                level,
                updated,
            ),
        )
    missing = [called for level, called in _CALLED.items() if not any(one.level == level for one in found.values())]
    titles = "; ".join(str(entry.get("title")) for entry in entries) or "no attachment at all"
    if len(missing) == len(_CALLED):
        called = " or ".join(missing)
        doubts = f". In doubt: {'; '.join(problems)}" if problems else ""
        raise ContentError(SERVICE, url, f"a {called} table on the page", f"no {called} table among: {titles}{doubts}")
    problems += [
        f"expected a {called} table on the page {display_text(url, 200)}, found none among: {display_text(titles, 400)}"
        for called in missing
    ]
    return Discovery(tuple(found.values()), tuple(ignored), tuple(problems), url, _read_withdrawal(document))


def _read_withdrawal(document: dict[str, Any]) -> str:
    """What the content item says where its page has been withdrawn; "" where it stands."""
    notice = document.get("withdrawn_notice")
    if not isinstance(notice, dict) or not notice:
        return ""
    day = _moment(notice.get("withdrawn_at"))
    explanation = _text_of(str(notice.get("explanation") or "")[:5000])
    when = f" on {day.date()}" if day else ""
    return f"GOV.UK has withdrawn this page{when}" + (f": {display_text(explanation, 300).rstrip('.')}." if explanation else ".")


def _text_of(markup: str) -> str:
    """The words of a piece of HTML."""
    spaced = re.sub(r"</(p|div|li|ul|ol|h\d)>|<br\s*/?>", " ", markup, flags=re.IGNORECASE)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", spaced)).split())


def _document(client: Client, base_url: str, path: str) -> tuple[dict[str, Any], str, str]:
    """The content item at the end of its redirects, its path and its address in the content API."""
    trail: list[str] = []
    while True:
        url = join(base_url, f"/api/content{path}")
        if path in trail or len(trail) > MOST_REDIRECTS:
            steps = " → ".join([*trail, path])
            raise ContentError(SERVICE, url, f"a page within {MOST_REDIRECTS} redirects", f"the redirects {steps}")
        trail.append(path)
        document = client.get_json(url, service=SERVICE)
        if document.get("document_type") != "redirect" and document.get("schema_name") != "redirect":
            return document, path, url
        target = _destination(document, path)
        try:
            parts = urllib.parse.urlsplit(target)
        except ValueError as error:  # https://[
            raise ContentError(SERVICE, url, "a redirect to another page of GOV.UK", f"a redirect to {target!r}") from error
        ours = {"", "www.gov.uk", urllib.parse.urlsplit(base_url).netloc}
        stays = parts.scheme in ("", "http", "https") and parts.netloc in ours
        if not stays or not parts.path.startswith("/") or parts.path == "/":
            raise ContentError(SERVICE, url, "a redirect to another page of GOV.UK", f"a redirect to {target!r}")
        path = parts.path.rstrip("/")


def _destination(document: dict[str, Any], path: str) -> str:
    redirects = _objects(document.get("redirects"))
    exact = [item for item in redirects if item.get("path") == path]
    for item in exact or redirects:
        return str(item.get("destination") or "")
    return ""


def _classify(title: str, name: str) -> tuple[Literal["offences", "areas"] | None, Literal["csp", "pfa"] | None, str | None]:
    """Kind, level, and a doubt in words. The title is the witness; the file name is a second that must agree."""
    if PurePosixPath(name).suffix.lower() not in TABLE_SUFFIXES:
        return None, None, None
    by_title = [level for level, pattern in _TITLES.items() if pattern.search(title)]
    match = _NAMES.match(PurePosixPath(name).name)
    by_name = match[1].lower() if match else None
    if by_name is None and (_AREAS.search(title) or _AREAS_NAMES.match(name)):
        return "areas", None, None
    if by_name is None and (_OTHER_TOPICS.search(title) or "recorded crime" not in title.lower()):
        return None, None, None
    if by_name and by_name not in by_title:
        says = " and ".join(_CALLED[level] for level in by_title) or "neither table"
        return None, None, f"the file name says {_CALLED[by_name]}, the title names {says}"
    levels: tuple[Literal["csp", "pfa"], ...] = ("csp", "pfa")
    for level in levels:
        if level == by_name or (by_name is None and by_title == [level]):
            return "offences", level, None
    return None, None, "the title names both tables" if len(by_title) > 1 else None


def _objects(value: object) -> list[dict[str, Any]]:
    """The objects of a JSON list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _links(page: str) -> dict[str, str]:
    """Address → text, of the links that lead to a table file. An attachment has two: a thumbnail without text, and its title.

    In time that grows with the page only: html.parser takes minutes for some pages of a megabyte that nobody would write.
    """
    texts: dict[str, str] = {}
    for piece in _LINK.split(page)[1:]:
        tag, _, rest = piece[:MOST_LINK].partition(">")
        if match := _HREF.search(tag):
            href = html.unescape(match[1] or match[2])
            title = html.unescape(_TAG.sub("", rest.partition("</a")[0]))
            texts[href] = (texts.get(href, "") + title)[:MOST_LINK]
    return {
        href: " ".join(text.split())
        for href, text in texts.items()
        if PurePosixPath(re.split("[?#]", href)[0]).suffix.lower() in TABLE_SUFFIXES
    }
