"""What a build needs of each release, worked out once: its areas, its offences, and what it changed in the one before.

Kept in data/cache, which can be deleted at any time. It keeps a build flat as vintages pile up: only the first release of a
quarter is read whole, and of the others only what they changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb

from sql import Model, quoted, read_models

FOLDER = "cache"


def load_changes(con: duckdb.DuckDBPyConnection, lake_dir: Path, releases: dict[str, Path]) -> None:
    """Make the views stage.first_published, area_digests, offence_digests and release_changes, digesting what is new.

    `releases` is release id → folder of its Parquet files; stage.release_quarters and stage.release_pairs are there already.
    stage.published_counts is all that the lake holds: only the checks read it, to hold the digests against it.
    """
    digests = {model.name: model for model in read_models("05_digests")}
    cache = lake_dir.parent / FOLDER / _version(digests.values())
    cache.mkdir(parents=True, exist_ok=True)
    areas, offences = [], []
    for folder in releases.values():
        areas.append(_digest(con, cache / f"{folder.name}.areas.parquet", digests["areas"], later=folder))
        offences.append(_digest(con, cache / f"{folder.name}.offences.parquet", digests["offences"], later=folder))
    pairs = con.execute("select from_release, to_release from stage.release_pairs order by all").fetchall()
    if not pairs:
        pairs = [(min(releases), min(releases))]  # a release changes nothing in itself; a view needs a file
    changes = [
        _digest(
            con,
            cache / f"{releases[later].name}.since.{releases[earlier].name}.parquet",
            digests["changes"],
            earlier=releases[earlier],
            later=releases[later],
        )
        for earlier, later in pairs
    ]
    _remove_others(cache, {*areas, *offences, *changes})
    firsts = con.execute(
        "select distinct release_id, quarter_key // 4 from stage.release_quarters join stage.releases using "
        "(release_key) where seq = 1 order by all"
    ).fetchall()
    views = {
        "first_published": [releases[release] / f"{year}-{(year + 1) % 100:02}.parquet" for release, year in firsts],
        "published_counts": [file for folder in releases.values() for file in _list_years(folder)],
        "area_digests": areas,
        "offence_digests": offences,
        "release_changes": changes,
    }
    for view, files in views.items():
        names = ", ".join(quoted(str(file)) for file in files)
        con.execute(f"create view stage.{view} as from read_parquet([{names}], hive_partitioning = false)")


def _list_years(folder: Path) -> list[Path]:
    """The Parquet files of a release, one a financial year, in order."""
    return sorted(folder.glob("[0-9]*.parquet"))


def _version(digests: Iterable[Model]) -> str:
    """A hash of what the digests depend on besides the releases."""
    text = duckdb.__version__ + "".join(model.query for model in digests)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _remove_others(cache: Path, needed: set[Path]) -> None:
    """Remove what older code wrote, and what a release that came in between has made idle."""
    for path in cache.parent.iterdir():
        if path != cache:
            shutil.rmtree(path)
    for path in cache.iterdir():
        if path not in needed:
            path.unlink()


def _digest(con: duckdb.DuckDBPyConnection, target: Path, digest: Model, **folders: Path) -> Path:
    """The file of a digest of releases; it is written beside its place and renamed, so a half-written one is never found."""
    if not target.exists():
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        con.execute(
            f"copy (\n{digest.query}\n) to {quoted(str(partial))} (format parquet, compression zstd)",
            {name: [str(file) for file in _list_years(folder)] for name, folder in folders.items()},
        )
        partial.replace(target)
    return target
