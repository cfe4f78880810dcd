"""The steps of a run as plain functions over paths, so that they can be called, timed and tested without Prefect."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from flows import lake, raw, tables, warehouse
from flows.runs import Item
from flows.settings import Settings
from flows.sources import local
from transforms.areas import known_names, read_reference
from transforms.errors import PublishedFileError

log = logging.getLogger("crime_rates")


def discover(releases: Path | None, populations: Path | None, lookups: Path | None) -> dict[str, list[raw.Found]]:
    """What local folders offer: name → files that belong together (the CSV sheets of one stem are one release)."""
    groups: dict[str, list[raw.Found]] = {}
    for folder, kind in ((lookups, "lookup"), (populations, "population"), (releases, "offences")):
        if folder is None:
            continue
        found, others = local.discover(folder, kind)
        if others:
            log.warning("%s: passed over %s (expected names that end in .ods, .xlsx, .xls or .csv).", folder, ", ".join(others))
        for file in found:
            name = lake.release_key(file.path.name) if kind == "offences" else file.path.name
            groups.setdefault(name, []).append(file)
    return groups


def take_in(settings: Settings, name: str, group: Sequence[raw.Found]) -> Item:
    """Store the files of a release (or one population or lookup file) and normalise them into the lake.

    A file that is not what it should be gives an item of state `failed` with one sentence; it stays in the raw store.
    """
    kind = group[0].kind
    try:
        files = [raw.store(settings.data_dir / "raw", found) for found in group]
        lake_dir = settings.data_dir / "lake"
        if kind == "offences":
            known = known_names(read_reference(settings.reference_dir / "areas.csv"))
            release, new = lake.write_release(lake_dir, files, lambda level, area: (level, area) in known)
            return Item(name, kind, "new" if new else "unchanged", f"{release.rows:,} rows, "
                        f"{release.quarters[0]} to {release.quarters[-1]}, published {release.published} "
                        f"({release.published_source})")
        source, new = (lake.write_population if kind == "population" else lake.write_lookup)(lake_dir, files[0])
        return Item(name, kind, "new" if new else "unchanged",
                    f"{source.rows:,} rows, published {source.vintage} ({source.vintage_source})")
    except (PublishedFileError, OSError) as error:
        return Item(name, kind, "failed", str(error))


def build(settings: Settings) -> tuple[Path, list[warehouse.Check]]:
    """Build and check the database of what the lake holds. Raises warehouse.BuildRefused."""
    return warehouse.build(settings.data_dir / "lake", settings.reference_dir, settings.data_dir / "warehouse",
                           settings.memory_limit)


def publish(settings: Settings, database: Path) -> bool:
    """Show readers this database; False when they see it already."""
    return warehouse.publish(database, settings.keep_builds)


def export(settings: Settings, database: Path) -> int:
    """Write the tables of every half-year; returns how many pairs of files, 0 when they are up to date."""
    return tables.export(database, settings.data_dir / "tables")


def warnings_of(checks: Sequence[warehouse.Check]) -> list[str]:
    """The checks that do not stop a publication and have something to say."""
    return [f"{check.name}: {check.examples}" + (f" … ({check.rows_broken:,} rows)" if check.rows_broken > 3 else "")
            for check in checks if not check.required and not check.passed]
