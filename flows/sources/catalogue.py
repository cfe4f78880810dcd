"""What the live services offer, and how one of their files gets into the raw store: once, and again only when it has changed.

How one service is asked belongs to its client (govuk, nomis, geoportal, ons_files); here their files become one list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypedDict

from flows.common.atomic_files import read_json, write_json
from flows.common.errors import describe_error, is_interrupt
from flows.settings import Settings
from flows.sources import geoportal, govuk, nomis, ons_files
from flows.sources.addresses import AllowList, without_credentials
from flows.sources.budget import MEGABYTE, Limits
from flows.sources.download import NotModified, download
from flows.sources.http_client import Client, user_agent
from flows.storage import raw_store
from flows.storage.raw_store import FileKind, SourceFile
from flows.storage.run_log import FileResult, ResultState
from transforms.errors import without_secrets

ADDRESSES = "addresses.json"  # address → validators and the stored file, of every file fetched
INCOMING = ".incoming"
FIRST_YEAR = 2001  # of Nomis's estimates


@dataclass(frozen=True)
class RemoteFile:
    """A file that a service offers, not fetched yet. `optional`: its address is only inferred, so its absence is no failure."""

    kind: FileKind
    name: str
    service: str
    url: str
    size: int | None = None  # bytes
    level: str | None = None
    published: date | None = None
    covers: str = ""
    note: str = ""
    optional: bool = False


@dataclass
class Listing:
    """What all services offer; a failed result for each service or file that could not be listed; what else they say."""

    files: list[RemoteFile] = field(default_factory=list)
    failed: list[FileResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FetchResult:
    """Where a fetched file lies in the raw store, and whether its bytes are new there."""

    folder: Path
    is_new: bool


class _KnownAddress(TypedDict):
    """What ADDRESSES says of one address: the validators of the last answer, and the folder of the file in the raw store."""

    etag: str | None
    last_modified: str | None  # ISO 8601
    folder: str


def open_client(settings: Settings) -> Client:
    """One polite session for a whole run."""
    return Client(
        user_agent(settings.contact or None),
        allowed=AllowList.from_settings(settings),
        limits=limits(settings),
        per_second=settings.requests_per_second,
    )


def limits(settings: Settings) -> Limits:
    """How much time and how many bytes a file, and all files of a run, may take."""
    return Limits(
        file_seconds=settings.file_seconds,
        file_bytes=int(settings.file_megabytes * MEGABYTE),
        run_seconds=settings.run_seconds,
        run_bytes=int(settings.run_megabytes * MEGABYTE),
    )


def discover(settings: Settings, http: Client) -> Listing:
    """What all services offer; what cannot be listed is a failed result, and the others go on."""
    listing = Listing()
    for service, list_files in (
        (ons_files.SERVICE, _list_ons_files),
        (nomis.SERVICE, _list_nomis_files),
        (geoportal.SERVICE, _list_lookups),
        (govuk.SERVICE, _list_releases),
    ):
        try:
            offered, problems, warnings = list_files(settings, http)
            listing.files += offered
            listing.failed += [FileResult(service, "service", ResultState.FAILED, f"{service}: {text}") for text in problems]
            listing.warnings += warnings
        except Exception as error:  # noqa: BLE001, whatever a service answers, the others go on
            if is_interrupt(error):
                raise
            listing.failed.append(FileResult(service, "service", ResultState.FAILED, describe_error(error)))
    return listing


_Offered = tuple[list[RemoteFile], Sequence[str], Sequence[str]]  # files, problems, warnings


def _list_releases(settings: Settings, http: Client) -> _Offered:
    page = govuk.discover(http, without_credentials(settings.govuk_url))
    files = [
        RemoteFile(FileKind.OFFENCES, a.file_name, govuk.SERVICE, a.url, a.file_size, a.level, note=a.title)
        for a in page.attachments
        if a.kind == "offences"
    ]
    return files, page.problems, [page.withdrawn] if page.withdrawn else []


def _list_ons_files(settings: Settings, _: Client) -> _Offered:
    files = [
        RemoteFile(
            FileKind(f.kind),
            f.file_name,
            ons_files.SERVICE,
            f.url(without_credentials(settings.ons_url)),
            published=f.vintage,
            covers=str(f.first_year) if f.first_year == f.last_year else f"{f.first_year}-{f.last_year}",
            note=f.note,
            optional=f.source.startswith("inferred"),
        )
        for f in ons_files.ons_files(settings.reference_dir / "ons_files.csv")
    ]
    return files, (), ()


def _list_nomis_files(settings: Settings, _: Client) -> _Offered:
    last = datetime.now(UTC).year - 1
    name = f"nomis_NM_2002_1_{nomis.GEOGRAPHY}_{FIRST_YEAR}-{last}.csv"
    files = [
        RemoteFile(
            FileKind.POPULATION,
            name,
            nomis.SERVICE,
            without_credentials(settings.nomis_url),
            covers=f"{FIRST_YEAR}-{last}",
            note="ONS mid-year estimates by local authority, as Nomis gave them",
        )
    ]
    return files, (), ()


def _list_lookups(settings: Settings, _: Client) -> _Offered:
    files = [
        RemoteFile(
            FileKind.LOOKUP,
            f"{service}.csv",
            geoportal.SERVICE,
            without_credentials(settings.geoportal_url),
            covers=service,
            note="ONS local authority to CSP to police force area",
        )
        for service in geoportal.LOOKUPS
    ]
    return files, (), ()


def fetch(settings: Settings, http: Client, remote: RemoteFile, refetch: bool = False) -> FetchResult:
    """Download a file into the raw store, unless the service says that the stored one is current.

    Raises the errors of the clients (SourceError); then the store is as it was, and an unfinished download can be resumed.
    """
    store = settings.data_dir / "raw"
    incoming = store / INCOMING
    incoming.mkdir(parents=True, exist_ok=True)
    downloads: dict[str, Callable[[], tuple[str, str]]] = {
        nomis.SERVICE: lambda: _download_populations(http, remote),
        geoportal.SERVICE: lambda: _download_lookup(http, remote),
    }
    if remote.service in downloads:
        text, url = downloads[remote.service]()
        path = incoming / remote.name
        path.write_text(text, encoding="utf-8", newline="")
        return _store(store, remote, path, url, None)
    address = without_secrets(remote.url)
    known = _read_addresses(store).get(address)
    if known is not None and (refetch or not (store / known["folder"] / raw_store.MANIFEST).exists()):
        known = None
    answer = download(
        http,
        remote.url,
        incoming,
        remote.name,
        service=remote.service,
        expected_size=remote.size,
        etag=known["etag"] if known else None,
        last_modified=datetime.fromisoformat(known["last_modified"]) if known and known["last_modified"] else None,
    )
    if isinstance(answer, NotModified):
        assert known is not None  # a 304 answers validators only
        return FetchResult(store / known["folder"], is_new=False)
    result = _store(store, remote, answer.path, address, answer.last_modified)
    answer.notes.unlink(missing_ok=True)
    addresses = _read_addresses(store)
    addresses[address] = _KnownAddress(
        etag=answer.etag,
        last_modified=answer.last_modified.isoformat() if answer.last_modified else None,
        folder=str(result.folder.relative_to(store)),
    )
    write_json(store / ADDRESSES, addresses)
    return result


def is_stored(store: Path, remote: RemoteFile) -> bool:
    """Whether the raw store has a version of a file; the service, which may have a newer one, is not asked."""
    if remote.service in (nomis.SERVICE, geoportal.SERVICE):
        return any(file.path.name == remote.name for file in raw_store.raw_files(store, remote.kind))
    known = _read_addresses(store).get(without_secrets(remote.url))
    return known is not None and (store / known["folder"] / raw_store.MANIFEST).exists()


def _download_populations(http: Client, remote: RemoteFile) -> tuple[str, str]:
    first, last = map(int, remote.covers.split("-"))
    answer = nomis.populations(http, remote.url, range(first, last + 1))
    return answer.text, answer.url


def _download_lookup(http: Client, remote: RemoteFile) -> tuple[str, str]:
    answer = geoportal.lookup(http, remote.url, remote.covers)
    return answer.csv(), answer.url


def _store(store: Path, remote: RemoteFile, path: Path, url: str, modified: datetime | None) -> FetchResult:
    source = SourceFile(
        path, remote.kind, remote.published, remote.covers, remote.note, url, modified.date() if modified else None, remote.name
    )
    folder, new = raw_store.store(store, source)
    path.unlink()
    return FetchResult(folder, new)


def _read_addresses(store: Path) -> dict[str, _KnownAddress]:
    path = store / ADDRESSES
    return read_json(path) if path.exists() else {}
