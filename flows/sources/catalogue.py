"""What the live services offer, and how a file of theirs comes into the raw store: once, and again only when it has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from flows.common.atomic_files import read_json, write_json
from flows.settings import Settings
from flows.sources import geoportal, govuk, nomis, ons_files
from flows.sources.download import NotModified, download
from flows.sources.errors import SourceError
from flows.sources.http_client import Client, user_agent
from flows.storage import raw_store
from flows.storage.run_log import FileResult

ADDRESSES = "addresses.json"  # address → validators and the stored file, of every file fetched
INCOMING = ".incoming"
FIRST_YEAR = 2001  # of Nomis's estimates


@dataclass(frozen=True)
class Offer:
    """A file that a service offers. `optional`: its address is only inferred, so that its absence is worth no alarm."""

    kind: str  # offences, population, lookup
    name: str
    service: str
    url: str
    size: int | None = None  # bytes
    level: str | None = None
    published: date | None = None
    covers: str = ""
    note: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Fetched:
    """Where a file lies in the raw store, and whether this run brought its bytes."""

    folder: Path
    downloaded: bool


def client(settings: Settings) -> Client:
    """One polite session for a whole run."""
    return Client(user_agent(settings.contact or None), per_second=settings.requests_per_second)


def discover(settings: Settings, http: Client) -> tuple[list[Offer], list[FileResult]]:
    """(what all services offer, a failed item for each service or file that could not be listed)."""
    offers: list[Offer] = []
    failed: list[FileResult] = []
    for service, of_service in (
        (ons_files.SERVICE, _ons),
        (nomis.SERVICE, _nomis),
        (geoportal.SERVICE, _lookups),
        (govuk.SERVICE, _releases),
    ):
        try:
            found, problems = of_service(settings, http)
            offers += found
            failed += [FileResult(service, "service", "failed", f"{service}: {problem}") for problem in problems]
        except SourceError as error:
            failed.append(FileResult(service, "service", "failed", str(error)))
    return offers, failed


def _releases(settings: Settings, http: Client) -> tuple[list[Offer], tuple[str, ...]]:
    page = govuk.discover(http, settings.govuk_url)
    return [
        Offer("offences", a.file_name, govuk.SERVICE, a.url, a.file_size, a.level, note=a.title)
        for a in page.attachments
        if a.kind == "offences"
    ], page.problems


def _ons(settings: Settings, _: Client) -> tuple[list[Offer], tuple[str, ...]]:
    return [
        Offer(
            f.kind,
            f.file_name,
            ons_files.SERVICE,
            f.url(settings.ons_url),
            published=f.vintage,
            covers=str(f.first_year) if f.first_year == f.last_year else f"{f.first_year}-{f.last_year}",
            note=f.note,
            optional=f.source.startswith("inferred"),
        )
        for f in ons_files.ons_files(settings.reference_dir / "ons_files.csv")
    ], ()


def _nomis(settings: Settings, _: Client) -> tuple[list[Offer], tuple[str, ...]]:
    last = datetime.now(UTC).year - 1
    name = f"nomis_NM_2002_1_{nomis.GEOGRAPHY}_{FIRST_YEAR}-{last}.csv"
    return [
        Offer(
            "population",
            name,
            nomis.SERVICE,
            settings.nomis_url,
            covers=f"{FIRST_YEAR}-{last}",
            note="ONS mid-year estimates by local authority, as Nomis gave them",
        )
    ], ()


def _lookups(settings: Settings, _: Client) -> tuple[list[Offer], tuple[str, ...]]:
    return [
        Offer(
            "lookup",
            f"{service}.csv",
            geoportal.SERVICE,
            settings.geoportal_url,
            covers=service,
            note="ONS local authority to CSP to police force area",
        )
        for service in geoportal.LOOKUPS
    ], ()


def fetch(settings: Settings, http: Client, offer: Offer, refetch: bool = False) -> Fetched:
    """Bring an offered file into the raw store, or learn that it is there already.

    Raises the errors of the clients (SourceError); then the store is as it was, and a part waits to be resumed.
    """
    store = settings.data_dir / "raw"
    incoming = store / INCOMING
    incoming.mkdir(parents=True, exist_ok=True)
    answers: dict[str, Callable[[], tuple[str, str]]] = {
        nomis.SERVICE: lambda: _nomis_answer(http, offer),
        geoportal.SERVICE: lambda: _lookup_answer(http, offer),
    }
    if offer.service in answers:
        text, url = answers[offer.service]()
        path = incoming / offer.name
        path.write_text(text, encoding="utf-8", newline="")
        return _keep(store, offer, path, url, None)
    known = _addresses(store).get(offer.url)
    if known is not None and (refetch or not (store / str(known["folder"]) / raw_store.MANIFEST).exists()):
        known = None
    answer = download(
        http,
        offer.url,
        incoming,
        offer.name,
        service=offer.service,
        expected_size=offer.size,
        etag=known["etag"] if known else None,
        last_modified=datetime.fromisoformat(known["last_modified"]) if known and known["last_modified"] else None,
    )
    if isinstance(answer, NotModified):
        assert known is not None  # a 304 answers validators only
        return Fetched(store / str(known["folder"]), downloaded=False)
    kept = _keep(store, offer, answer.path, offer.url, answer.last_modified)
    answer.notes.unlink(missing_ok=True)
    addresses = _addresses(store)
    addresses[offer.url] = {
        "etag": answer.etag,
        "folder": str(kept.folder.relative_to(store)),
        "last_modified": answer.last_modified.isoformat() if answer.last_modified else None,
    }
    write_json(store / ADDRESSES, addresses)
    return kept


def is_held(store: Path, offer: Offer) -> bool:
    """Whether the store has a file of an offer, as far as can be told without asking."""
    if offer.service in (nomis.SERVICE, geoportal.SERVICE):
        return any(file.path.name == offer.name for file in raw_store.stored(store, offer.kind))
    known = _addresses(store).get(offer.url)
    return known is not None and (store / str(known["folder"]) / raw_store.MANIFEST).exists()


def _nomis_answer(http: Client, offer: Offer) -> tuple[str, str]:
    first, last = map(int, offer.covers.split("-"))
    answer = nomis.populations(http, offer.url, range(first, last + 1))
    return answer.text, answer.url


def _lookup_answer(http: Client, offer: Offer) -> tuple[str, str]:
    answer = geoportal.lookup(http, offer.url, offer.covers)
    return answer.csv(), answer.url


def _keep(store: Path, offer: Offer, path: Path, url: str, modified: datetime | None) -> Fetched:
    found = raw_store.SourceFile(
        path, offer.kind, offer.published, offer.covers, offer.note, url, modified.date() if modified else None, offer.name
    )
    folder, new = raw_store.store(store, found)
    path.unlink()
    return Fetched(folder, new)


def _addresses(store: Path) -> dict[str, dict[str, str | None]]:
    path = store / ADDRESSES
    return read_json(path) if path.exists() else {}
