"""The steps of a run as plain functions over paths, so that they can be called, timed and tested without Prefect.

Their order, and what happens when one fails, belongs to update.py.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from flows.common.errors import is_disk_full
from flows.common.quality_check import Check
from flows.report import site
from flows.settings import Settings, lakehouse_access
from flows.sources import catalogue, local_folder
from flows.sources.http_client import Client
from flows.storage import lake, raw_store
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult
from flows.warehouse import ducklake_publish, table_export, versions
from flows.warehouse.build import build as build_database
from flows.warehouse.build import database_name
from flows.warehouse.published import published
from transforms.errors import PublishedFileError, UsageError, display_text

log = logging.getLogger("crime_rates")


@dataclass(frozen=True)
class LocalFolders:
    """Local folders in the place of live services; those that are not named are passed over."""

    releases: Path | None = None
    populations: Path | None = None
    lookups: Path | None = None

    @property
    def named(self) -> bool:
        """Whether any folder is named."""
        return any((self.releases, self.populations, self.lookups))


@dataclass
class FileGroup:
    """The files of one release, or one population or lookup file, which become one partition of the lake.

    Either local `files`, or the one `remote` file of a service that is to be fetched, or a refusal in their place.
    """

    name: str
    kind: FileKind
    files: list[raw_store.SourceFile] = field(default_factory=list)
    remote: catalogue.RemoteFile | None = None
    refusal: PublishedFileError | None = None


def fetch_manifests(settings: Settings) -> None:
    """Fetch the manifests of what runs on other hosts stored and normalised, where the data folder is in an object store."""
    settings.store.fetch_manifests(reconcile=True)


def discover_local(folders: LocalFolders) -> list[FileGroup]:
    """The files in local folders, the largest releases first; a folder or row that is refused is a group with that refusal.

    Raises FolderError.
    """
    groups: dict[tuple[FileKind, str], FileGroup] = {}
    refused: dict[str, FileGroup] = {}
    kinds = (
        (folders.lookups, FileKind.LOOKUP),
        (folders.populations, FileKind.POPULATION),
        (folders.releases, FileKind.OFFENCES),
    )
    for folder, kind in kinds:
        if folder is None:
            continue
        try:
            listing = local_folder.discover(folder, kind)
        except PublishedFileError as error:  # a manifest that cannot be read: nobody knows what its files are
            listing = local_folder.FolderListing(refusals=[error])
        if listing.others:
            log.warning(
                "%s: passed over %s (expected files whose names end in .ods, .xlsx, .xls or .csv).",
                folder,
                display_text(", ".join(listing.others), 400),
            )
        for refusal in listing.refusals:
            refused.setdefault(str(refusal), FileGroup(refusal.file, kind, refusal=refusal))
        for file in listing.files:
            name = lake.release_key(file.path.name) if kind is FileKind.OFFENCES else file.path.name
            groups.setdefault((kind, name), FileGroup(display_text(name, 200), kind)).files.append(file)
    releases = [group for group in groups.values() if group.kind is FileKind.OFFENCES]
    others_first = [group for group in groups.values() if group.kind is not FileKind.OFFENCES]
    return [
        *refused.values(),
        *others_first,
        *sorted(releases, key=_size, reverse=True),
    ]  # two at a time, the largest first: so they end together


def _size(group: FileGroup) -> int:
    return sum(file.path.stat().st_size for file in group.files)


def discover_live(
    settings: Settings, http: Client, level: str | None = None
) -> tuple[list[FileGroup], list[FileResult], list[str]]:
    """(what the services offer, failed results, warnings); of the releases only those of `level`, if one is named."""
    listing = catalogue.discover(settings, http)
    groups = [FileGroup(f.name, f.kind, remote=f) for f in listing.files if level is None or f.level in (None, level)]
    return groups, listing.failed, listing.warnings


def store_raw(settings: Settings, group: FileGroup, http: Client | None = None, refetch: bool = False) -> tuple[list[Path], int]:
    """Put the files of a group into the raw store; returns their folders, and how many files were downloaded.

    Raises the group's refusal, and what the store and the sources raise.
    """
    if group.refusal is not None:
        raise group.refusal
    if group.remote is None:
        folders, downloaded = [raw_store.store(settings.data_dir / "raw", file)[0] for file in group.files], 0
    else:
        assert http is not None  # a remote file comes from a live service
        result = catalogue.fetch(settings, http, group.remote, refetch)
        folders, downloaded = [result.folder], int(result.is_new)
    for folder in folders:
        settings.store.store_partition(folder)
    return folders, downloaded


def build(settings: Settings) -> tuple[Path, list[Check]]:
    """Build and check the database of what the lake holds. Raises warehouse.BuildRefused.

    In an object store, a database that another host built of the same lake is fetched; otherwise the lake's data is, to build it.
    """
    store, lake_dir = settings.store, settings.data_dir / "lake"
    if settings.dask_scheduler:  # workers on other hosts may have normalised some
        store.fetch_manifests("lake", reconcile=True)
    if store.fetch_file(f"warehouse/{database_name(lake_dir, settings.reference_dir)}") is None:
        store.fetch_partitions(folder for kind in lake.FOLDERS for folder in lake.partition_folders(lake_dir, kind))
    try:
        return build_database(lake_dir, settings.reference_dir, settings.data_dir / "warehouse", settings.memory_limit)
    except duckdb.OutOfMemoryException as error:
        if is_disk_full(error):  # DuckDB had no room to spill on
            raise
        raise UsageError(
            f"CRIME_RATES_MEMORY_LIMIT: expected enough to build in, found that {settings.memory_limit} is too little."
        ) from error


def choose_database(settings: Settings, database: Path) -> tuple[Path, list[str]]:
    """(the database to publish, warnings): the one that was built; the published one if that was rolled back."""
    current = published(settings.store) if versions.is_rolled_back(settings.store, database) else None
    if current is None:
        return database, []
    return current, [
        f"{database.stem} was rolled back, so it is not published again: "
        f"`crime-rates rollback --to {database.stem}` does that, or anything new in the lake."
    ]


def publish(settings: Settings, database: Path) -> bool:
    """Show readers this database; False when they see it already. Raises RunInProgress when another run holds the store now."""
    return versions.publish(settings.store, database, settings.keep_builds)


def publish_lakehouse(settings: Settings, database: Path) -> bool:
    """Show readers of the lakehouse this database; False when they see it already. Raises LakehouseError."""
    catalog, data = settings.lakehouse, settings.lakehouse_data
    return ducklake_publish.publish(database, catalog, data, settings.keep_builds, lakehouse_access())


def export(settings: Settings, database: Path) -> int:
    """Write the tables of every half-year; returns how many pairs of files, 0 when they are up to date."""
    return table_export.export(settings.store, database)


def report(settings: Settings, database: Path) -> int:
    """Write the report of the newest half-year; returns how many pages, 0 when it is of this database already."""
    out = settings.data_dir / "report"
    return 0 if site.read_database_name(out) == database.name else site.write_site(settings.store, out).pages


def check_warnings(checks: Sequence[Check]) -> list[str]:
    """A sentence for each failed check that does not stop publication."""
    return [
        f"{check.name}: {check.examples}" + (f" … ({check.rows_broken:,} rows)" if check.rows_broken > 3 else "")
        for check in checks
        if not check.required and not check.passed
    ]
