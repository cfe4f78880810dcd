"""The steps of a run as plain functions over paths, so that they can be called, timed and tested without Prefect."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows import builds, carrying, lake, lakehouse_publishing, live, normalising, raw, shared, store, warehouse
from flows.checks import Check
from flows.files import no_room
from flows.report import site
from flows.runs import Item
from flows.settings import Settings
from flows.sources import local
from flows.sources.http import Client
from transforms.errors import PublishedFileError, shown

log = logging.getLogger("crime_rates")
LARGE_BYTES = 2_000_000  # of a workbook: what a process of its own costs, half a second, is little beside reading it


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
    found: list[raw.Found] = field(default_factory=list)
    offer: live.Offer | None = None


def catch_up(settings: Settings) -> None:
    """Know what runs on other hosts have brought in and normalised, where the data folder lies in a store."""
    carrying.catch_up(settings.data_dir)


def discover_local(folders: Folders) -> list[Batch]:
    """What local folders hold. Raises FolderError or PublishedFileError."""
    batches: dict[tuple[str, str], Batch] = {}
    kinds = ((folders.lookups, "lookup"), (folders.populations, "population"), (folders.releases, "offences"))
    for folder, kind in kinds:
        if folder is None:
            continue
        found, others = local.discover(folder, kind)
        if others:
            log.warning("%s: passed over %s (expected files whose names end in .ods, .xlsx, .xls or .csv).", folder,
                        shown(", ".join(others), 400))
        for file in found:
            name = lake.release_key(file.path.name) if kind == "offences" else file.path.name
            batches.setdefault((kind, name), Batch(shown(name, 200), kind)).found.append(file)
    releases = [batch for batch in batches.values() if batch.kind == "offences"]
    rest = [batch for batch in batches.values() if batch.kind != "offences"]
    return [*rest, *sorted(releases, key=_size, reverse=True)]  # two at a time, the largest first: so they end together


def _size(batch: Batch) -> int:
    return sum(file.path.stat().st_size for file in batch.found)


def discover_live(settings: Settings, http: Client, level: str | None = None) -> tuple[list[Batch], list[Item]]:
    """(what the services offer, failed items); of the releases only those of `level`, if one is named."""
    offers, failed = live.discover(settings, http)
    return [Batch(o.name, o.kind, offer=o) for o in offers if level is None or o.level in (None, level)], failed


def bring_in(settings: Settings, batch: Batch, http: Client | None = None, refetch: bool = False) -> tuple[list[Path], int]:
    """Put the files of a batch into the raw store; returns their folders, and how many files were downloaded."""
    if batch.offer is None:
        folders, downloaded = [raw.store(settings.data_dir / "raw", found)[0] for found in batch.found], 0
    else:
        assert http is not None  # an offer comes from a live service
        fetched = live.fetch(settings, http, batch.offer, refetch)
        folders, downloaded = [fetched.folder], int(fetched.downloaded)
    for folder in folders:
        carrying.push(settings.data_dir, folder)
    carrying.push_addresses(settings.data_dir)
    return folders, downloaded


def normalise(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> Item:
    """Normalise stored files into the lake: one release, or one population or lookup file.

    A file that is not what it should be gives an item of state `failed` with one sentence; it stays in the raw store.
    """
    settings, folders, moved = settings.on_this_host(folders)
    data_dir = settings.data_dir
    carrying.know(data_dir, *folders, anew=moved)
    partition = lake.folder_of(data_dir / "lake", kind, [raw.read(folder) for folder in folders])
    carrying.know(data_dir, partition, anew=moved)
    try:
        if not lake.is_known(partition, raw.read(folders[0])):
            carrying.bring(data_dir, *folders)
    except carrying.Corrupt as error:
        return Item(name, kind, "failed", str(error))
    item = _normalised(settings, name, kind, folders)
    if item.state != "failed":
        carrying.push(data_dir, partition)
    return item


def _normalised(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> Item:
    if kind == "offences":
        return _normalise_release(settings, name, folders)
    write = lake.write_population if kind == "population" else lake.write_lookup
    try:
        source, new = write(settings.data_dir / "lake", raw.read(folders[0]))
    except PublishedFileError as error:
        return Item(name, kind, "failed", str(error))
    said = f"{source.rows:,} rows, published {source.vintage} ({source.vintage_source})"
    return Item(name, kind, "new" if new else "unchanged", said)


def _normalise_release(settings: Settings, name: str, folders: Sequence[Path]) -> Item:
    files = [raw.read(folder) for folder in folders]
    large = sum(file.size for file in files) > LARGE_BYTES
    if not large or lake.holds(settings.data_dir / "lake", files):
        return normalising.release(settings.data_dir, settings.reference_dir, name, folders)
    try:
        return normalising.release_apart(settings.data_dir, settings.reference_dir, name, folders)
    except RuntimeError as error:
        if no_room(error):
            raise
        return Item(name, "offences", "failed", str(error))  # whatever ended that process, the other files go on


def build(settings: Settings) -> tuple[Path, list[Check]]:
    """Build and check the database of what the lake holds. Raises warehouse.BuildRefused.

    In a store, a database that another host has built of the same lake is pulled, and the lake's data only to build.
    """
    there = store.of(settings.data_dir)
    if there is not None:
        carrying.catch_up(settings.data_dir, "lake")  # workers on other hosts may have normalised some
        name = warehouse.file_name(settings.data_dir / "lake", settings.reference_dir)
        if not shared.pull_build(there, name):
            carrying.bring_lake(settings.data_dir)
    return warehouse.build(settings.data_dir / "lake", settings.reference_dir, settings.data_dir / "warehouse",
                           settings.memory_limit)


def chosen(settings: Settings, database: Path) -> tuple[Path, list[str]]:
    """(the database that readers are to see, warnings): the one that was built, unless it was rolled back."""
    standing = builds.published(settings.data_dir)
    if standing is None or not builds.is_rolled_back(database):
        return database, []
    return standing, [f"{database.stem} was rolled back, so it is not published again: "
                      f"`crime-rates rollback --to {database.stem}` does that, or anything new in the lake."]


def publish(settings: Settings, database: Path) -> bool:
    """Show readers this database; False when they see it already. Raises FolderBusy when another run holds the store now."""
    there = store.of(settings.data_dir)
    if there is not None:
        return shared.publish(there, database, settings.keep_builds)
    return builds.publish(database, settings.keep_builds)


def publish_lakehouse(settings: Settings, database: Path) -> bool:
    """Show readers of the lakehouse this database; False when they see it already. Raises lakehouse.LakehouseError."""
    return lakehouse_publishing.publish(database, settings.lakehouse, settings.lakehouse_data, settings.keep_builds)


def export(settings: Settings, database: Path) -> int:
    """Write the tables of every half-year; returns how many pairs of files, 0 when they are up to date."""
    return shared.export(settings.data_dir, database)


def report(settings: Settings, database: Path) -> int:
    """Write the report of the newest half-year; returns how many pages, 0 when it is of this database already."""
    out = settings.data_dir / "report"
    return 0 if site.database_of(out) == database.name else site.write(settings.data_dir, out).pages


def warnings_of(checks: Sequence[Check]) -> list[str]:
    """The checks that do not stop a publication and have something to say."""
    return [f"{check.name}: {check.examples}" + (f" … ({check.rows_broken:,} rows)" if check.rows_broken > 3 else "")
            for check in checks if not check.required and not check.passed]
