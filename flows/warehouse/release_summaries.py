"""What a build needs of each release, worked out once: its areas, its offences, and what it changed in the one before.

Kept in data/cache, which can be deleted at any time. It keeps a build flat as vintages pile up: only the first release of a
quarter is read whole, and of the others only what they changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import duckdb

from sql import models, quoted

FOLDER = "cache"


def load_changes(con: duckdb.DuckDBPyConnection, lake_dir: Path, releases: dict[str, Path]) -> None:
    """Make the views stage.first_published, area_digests, offence_digests and release_changes, digesting what is new.

    `releases` is release id → folder of its Parquet files; stage.release_quarters and stage.release_pairs are there already.
    stage.published_counts is all that the lake holds: only the checks read it, to hold the digests against it.
    """
    digests = {file.name.removesuffix(".sql"): file for file in models("05_digests")}
    home = lake_dir.parent / FOLDER / _version(digests)
    home.mkdir(parents=True, exist_ok=True)
    areas, offences = [], []
    for folder in releases.values():
        areas.append(_made(con, home / f"{folder.name}.areas.parquet", digests["areas"], later=folder))
        offences.append(_made(con, home / f"{folder.name}.offences.parquet", digests["offences"], later=folder))
    pairs = con.execute("select from_release, to_release from stage.release_pairs order by all").fetchall()
    if not pairs:
        pairs = [(min(releases), min(releases))]  # a release changes nothing in itself; a view needs a file
    changes = [
        _made(
            con,
            home / f"{releases[to].name}.since.{releases[since].name}.parquet",
            digests["changes"],
            earlier=releases[since],
            later=releases[to],
        )
        for since, to in pairs
    ]
    _remove_others(home, {*areas, *offences, *changes})
    firsts = con.execute(
        "select distinct release_id, quarter_key // 4 from stage.release_quarters join stage.releases using "
        "(release_key) where seq = 1 order by all"
    ).fetchall()
    years = [releases[release] / f"{year}-{(year + 1) % 100:02}.parquet" for release, year in firsts]
    all_years = [file for folder in releases.values() for file in _years(folder)]
    for view, files in (
        ("first_published", years),
        ("published_counts", all_years),
        ("area_digests", areas),
        ("offence_digests", offences),
    ):
        con.execute(f"create view stage.{view} as from read_parquet({parquet_paths(files)})")
    con.execute(f"create view stage.release_changes as from read_parquet({parquet_paths(changes)})")


def parquet_paths(files: list[Path]) -> str:
    """A list of files as SQL writes it."""
    return "[" + ", ".join(quoted(str(file)) for file in files) + "]"


def _years(folder: Path) -> list[Path]:
    return sorted(folder.glob("20*.parquet"))


def _version(digests: dict[str, Traversable]) -> str:
    text = duckdb.__version__.encode() + b"".join(file.read_bytes() for file in digests.values())
    return hashlib.sha256(text).hexdigest()[:12]


def _remove_others(home: Path, needed: set[Path]) -> None:
    """What older code wrote, and what a release that came in between has made idle."""
    for path in home.parent.iterdir():
        if path != home:
            shutil.rmtree(path)
    for path in home.iterdir():
        if path not in needed:
            path.unlink()


def _made(con: duckdb.DuckDBPyConnection, target: Path, digest: Traversable, **folders: Any) -> Path:
    """The digest file; written aside and renamed, so a half-written one is never found."""
    if not target.exists():
        for name, folder in folders.items():
            con.execute(f"create or replace temp view {name} as from read_parquet({parquet_paths(_years(folder))})")
        aside = target.with_name(f".{target.name}.{os.getpid()}.part")
        con.execute(f"copy ({digest.read_text(encoding='utf-8')}) to {quoted(str(aside))} (format parquet, compression zstd)")
        aside.replace(target)
    return target
