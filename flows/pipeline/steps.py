"""The steps of a run as plain functions over paths, so that they can be called, timed and tested without Prefect."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from flows.common.errors import is_disk_full
from flows.common.quality_check import Check
from flows.report import site
from flows.settings import Settings
from flows.sources import catalogue, local_folder
from flows.sources.http_client import Client
from flows.storage import lake, raw_store
from flows.storage.run_log import FileResult
from flows.warehouse import ducklake_publish, table_export, versions
from flows.warehouse.build import build as build_database
from flows.warehouse.build import database_name
from flows.warehouse.published import published
from transforms.errors import UsageError, display_text

log = logging.getLogger("crime_rates")


@dataclass(frozen=True)
class Folders:
    """Local folders in the place of live services; those that are not named are passed over."""

    releases: Path | None = None
    populations: Path | None = None
    lookups: Path | None = None

    @property
    def named(self) -> bool:
        return any((self.releases, self.populations, self.lookups))


@dataclass
class Batch:
    """Files that belong together: one release, or one population or lookup file. Local files, or an offer to fetch."""

    name: str
    kind: str  # offences, population, lookup
    found: list[raw_store.SourceFile] = field(default_factory=list)
    offer: catalogue.Offer | None = None


def catch_up(settings: Settings) -> None:
    """Know what runs on other hosts have brought in and normalised, where the data folder lies in a store."""
    settings.store.fetch_manifests(reconcile=True)


def discover_local(folders: Folders) -> list[Batch]:
    """What local folders hold. Raises FolderError or PublishedFileError."""
    batches: dict[tuple[str, str], Batch] = {}
    kinds = ((folders.lookups, "lookup"), (folders.populations, "population"), (folders.releases, "offences"))
    for folder, kind in kinds:
        if folder is None:
            continue
        found, others = local_folder.discover(folder, kind)
        if others:
            log.warning(
                "%s: passed over %s (expected files whose names end in .ods, .xlsx, .xls or .csv).",
                folder,
                display_text(", ".join(others), 400),
            )
        for file in found:
            name = lake.release_key(file.path.name) if kind == "offences" else file.path.name
            batches.setdefault((kind, name), Batch(display_text(name, 200), kind)).found.append(file)
    releases = [batch for batch in batches.values() if batch.kind == "offences"]
    rest = [batch for batch in batches.values() if batch.kind != "offences"]
    return [*rest, *sorted(releases, key=_size, reverse=True)]  # two at a time, the largest first: so they end together


def _size(batch: Batch) -> int:
    return sum(file.path.stat().st_size for file in batch.found)


def discover_live(settings: Settings, http: Client, level: str | None = None) -> tuple[list[Batch], list[FileResult]]:
    """(what the services offer, failed items); of the releases only those of `level`, if one is named."""
    offers, failed = catalogue.discover(settings, http)
    return [Batch(o.name, o.kind, offer=o) for o in offers if level is None or o.level in (None, level)], failed


def store_raw(settings: Settings, batch: Batch, http: Client | None = None, refetch: bool = False) -> tuple[list[Path], int]:
    """Put the files of a batch into the raw store; returns their folders, and how many files were downloaded."""
    if batch.offer is None:
        folders, downloaded = [raw_store.store(settings.data_dir / "raw", found)[0] for found in batch.found], 0
    else:
        assert http is not None  # an offer comes from a live service
        fetched = catalogue.fetch(settings, http, batch.offer, refetch)
        folders, downloaded = [fetched.folder], int(fetched.downloaded)
    for folder in folders:
        settings.store.store_partition(folder)
    return folders, downloaded


def build(settings: Settings) -> tuple[Path, list[Check]]:
    """Build and check the database of what the lake holds. Raises warehouse.BuildRefused.

    In a store, a database that another host has built of the same lake is pulled, and the lake's data only to build.
    """
    store, lake_dir = settings.store, settings.data_dir / "lake"
    store.fetch_manifests("lake", reconcile=True)  # workers on other hosts may have normalised some
    if store.fetch_file(f"warehouse/{database_name(lake_dir, settings.reference_dir)}") is None:
        store.fetch_partitions(folder for kind in lake.FOLDERS for folder in lake.folders(lake_dir, kind))
    try:
        return build_database(lake_dir, settings.reference_dir, settings.data_dir / "warehouse", settings.memory_limit)
    except duckdb.OutOfMemoryException as error:
        if is_disk_full(error):  # which it then has no room to spill on
            raise
        raise UsageError(
            f"CRIME_RATES_MEMORY_LIMIT: expected enough to build in, found that {settings.memory_limit} is too little."
        ) from error


def chosen(settings: Settings, database: Path) -> tuple[Path, list[str]]:
    """(the database that readers are to see, warnings): the one that was built, unless it was rolled back."""
    standing = published(settings.store)
    if standing is None or not versions.is_rolled_back(settings.store, database):
        return database, []
    return standing, [
        f"{database.stem} was rolled back, so it is not published again: "
        f"`crime-rates rollback --to {database.stem}` does that, or anything new in the lake."
    ]


def publish(settings: Settings, database: Path) -> bool:
    """Show readers this database; False when they see it already. Raises FolderBusy when another run holds the store now."""
    return versions.publish(settings.store, database, settings.keep_builds)


def publish_lakehouse(settings: Settings, database: Path) -> bool:
    """Show readers of the lakehouse this database; False when they see it already. Raises lakehouse.LakehouseError."""
    return ducklake_publish.publish(database, settings.lakehouse, settings.lakehouse_data, settings.keep_builds)


def export(settings: Settings, database: Path) -> int:
    """Write the tables of every half-year; returns how many pairs of files, 0 when they are up to date."""
    return table_export.export(settings.store, database)


def report(settings: Settings, database: Path) -> int:
    """Write the report of the newest half-year; returns how many pages, 0 when it is of this database already."""
    out = settings.data_dir / "report"
    return 0 if site.read_database_name(out) == database.name else site.write_site(settings.store, out).pages


def warnings_of(checks: Sequence[Check]) -> list[str]:
    """The checks that do not stop a publication and have something to say."""
    return [
        f"{check.name}: {check.examples}" + (f" … ({check.rows_broken:,} rows)" if check.rows_broken > 3 else "")
        for check in checks
        if not check.required and not check.passed
    ]
