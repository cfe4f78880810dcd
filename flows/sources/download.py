"""Downloads one file: streamed to `<name>.part`, resumed after an interruption, checked, and left under that name.

The caller copies the finished `.part` into the raw store and then removes it and `DownloadedFile.notes`; nothing here overwrites
or deletes a stored file. Memory stays at one block whatever the size of the file.
"""

from __future__ import annotations

import contextlib
import email.utils
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import urllib3

from flows.common.file_names import MAX_BYTES, safe_file_name
from flows.sources.budget import Budget
from flows.sources.content_check import Kind, check_content, describe, is_sound, kind_for
from flows.sources.errors import ContentError, IncompleteError, SourceError
from flows.sources.http_client import Client, reason
from flows.sources.partial_download import Part, is_encoded
from transforms.errors import without_secrets

RESUMPTIONS = 5  # within one call; the next call resumes where this one stopped


@dataclass(frozen=True)
class DownloadedFile:
    """A whole file that waits under `path` to be stored.

    sha256: hexadecimal. size: bytes. etag, last_modified, content_type: as the server sent them, `None` where it did
    not; last_modified is aware, in UTC. notes: the small file beside `path` that resuming needs; remove it with the
    file.
    """

    path: Path
    notes: Path
    file_name: str
    url: str
    sha256: str
    size: int
    etag: str | None
    last_modified: datetime | None
    content_type: str | None


@dataclass(frozen=True)
class NotModified:
    """The server says (304) that the file is still the one with the validators that were passed in."""

    url: str
    etag: str | None
    last_modified: datetime | None


def download(
    client: Client,
    url: str,
    folder: Path,
    file_name: str,
    *,
    service: str,
    etag: str | None = None,
    last_modified: datetime | None = None,
    expected_size: int | None = None,
    kinds: Collection[Kind] | None = None,
) -> DownloadedFile | NotModified:
    """Fetch `url` into `folder` (made if absent) as `<file_name>.part`, or learn that it has not changed.

    etag, last_modified: those of the copy that is already kept; with either, one small request suffices while it is
    current. expected_size: bytes, where a listing tells. kinds: what the magic bytes may say; by default what the
    suffix of the name promises. A part left by an earlier call is resumed (Range, with If-Range on its validator, RFC
    9110) if it is of the same address; if the file has changed since, or the server ignores Range, it comes anew.

    Raises `FileNameError`, and the errors of `Client.open`; `IncompleteError` when the body was cut again and again
    (the part is kept), or the size does not fit or the pieces are of two versions (it is not); `ContentError` for an HTML
    page in place of a file.
    """
    name = safe_file_name(file_name, where=f"{service}, {url}")
    wanted = kinds or {kind_for(name, where=f"{service}, {url}")}
    folder.mkdir(parents=True, exist_ok=True)
    part = Part(folder / f"{name}.part", without_secrets(url))
    limits = client.limits
    with client.budget(service, url, seconds=limits.file_seconds, most=limits.file_bytes) as budget:
        return _fetch(client, url, part, name, budget, etag, last_modified, expected_size, wanted)


def _fetch(
    client: Client,
    url: str,
    part: Part,
    name: str,
    budget: Budget,
    etag: str | None,
    last_modified: datetime | None,
    expected_size: int | None,
    kinds: Collection[Kind],
) -> DownloadedFile | NotModified:
    """Ask again and again for what is missing of a part."""
    service, cut = budget.service, ""
    conditions = _conditions(etag, last_modified)
    most = MAX_BYTES if expected_size is None else min(MAX_BYTES, expected_size)
    for turn in range(RESUMPTIONS + 1):
        if turn:
            budget.wait(min(client.backoff * 2 ** (turn - 1), client.longest_wait), client.sleep)
        headers = {"Accept-Encoding": "identity", **conditions, **part.range()}
        accept = {200, *({304} if conditions else ()), *({206, 416} if part.size else ())}
        with client.open(url, budget=budget, headers=headers, accept=accept) as response:
            if response.status_code == 304:
                part.discard()
                return NotModified(url, response.headers.get("ETag", etag), _last_modified(response) or last_modified)
            conditions = {}
            if response.status_code == 416 or (response.status_code == 206 and not part.continues(response)):
                part.discard()
                cut = "an answer to another range than the one asked for"
                continue
            if response.status_code == 200:
                _check_start(response, expected_size, service)
                part.start(response)
            try:
                sha256 = part.receive(response, most)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                budget.remaining()
                cut = reason(error)
                continue
            if part.size > most:
                part.discard()
                raise _too_large(service, url, expected_size)
            if part.notes.total is None or part.size >= part.notes.total:
                pieces = response.status_code == 206
                return _checked(part, response, name, sha256, kinds, expected_size, service, pieces)
            cut = "the connection ended early"
    expected = f"{part.notes.total:,} bytes" if part.notes.total else "a whole file"
    raise IncompleteError(service, url, expected, f"{part.size:,} after {RESUMPTIONS + 1} attempts ({cut})")


def _too_large(service: str, url: str, expected_size: int | None) -> SourceError:
    if expected_size is None or expected_size > MAX_BYTES:
        return ContentError(service, url, f"at most {MAX_BYTES:,} bytes", "more")
    return IncompleteError(service, url, f"{expected_size:,} bytes, as listed", "more")


def _checked(
    part: Part,
    response: requests.Response,
    name: str,
    sha256: str,
    kinds: Collection[Kind],
    expected_size: int | None,
    service: str,
    pieces: bool,
) -> DownloadedFile:
    """The record of a part that is whole; one whose bytes or size are wrong is removed, lest it be resumed.

    A ZIP that came in `pieces` must agree with its own checksums: that all are of one version is only the server's word.
    """
    try:
        if check_content(part.path, kinds, service=service, url=part.url) == "zip" and pieces and not is_sound(part.path):
            raise IncompleteError(service, part.url, "the rest of the file", "a rest that does not fit its beginning")
        if expected_size is not None and part.size != expected_size:
            raise IncompleteError(service, part.url, f"{expected_size:,} bytes, as listed", f"{part.size:,}")
    except (ContentError, IncompleteError):
        part.discard()
        raise
    notes = part.notes
    kind = response.headers.get("Content-Type")
    return DownloadedFile(
        part.path, part.notes_path, name, part.url, sha256, part.size, notes.etag, _parse_date(notes.last_modified), kind
    )


def _check_start(response: requests.Response, expected_size: int | None, service: str) -> None:
    """Refuse by the headers alone, before an earlier part is given up for it and before megabytes are read."""
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        head: Any = response.raw.read(512, decode_content=True)
        found = describe(head) if head else "an HTML page"
        raise ContentError(service, response.url, "a file", f"{found} ({response.headers['Content-Type']})")
    length = response.headers.get("Content-Length", "")
    if expected_size is not None and length.isdigit() and not is_encoded(response) and int(length) != expected_size:
        raise IncompleteError(service, response.url, f"{expected_size:,} bytes, as listed", f"{int(length):,}")


def _conditions(etag: str | None, last_modified: datetime | None) -> dict[str, str]:
    headers = {"If-None-Match": etag} if etag else {}
    if last_modified:
        headers["If-Modified-Since"] = email.utils.format_datetime(last_modified.astimezone(UTC), usegmt=True)
    return headers


def _last_modified(response: requests.Response) -> datetime | None:
    return _parse_date(response.headers.get("Last-Modified"))


def _parse_date(text: str | None) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError):  # the last: the year 9999 in another time zone
        return email.utils.parsedate_to_datetime(text or "").astimezone(UTC)
    return None
