"""Two builds to publish: the sample as delivered, and the sample with one more half-year.

The further half-year is invented, and its workbook says so: what matters is that a client can tell the two apart.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.pipeline import normalise, steps
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from flows.warehouse import versions as shelf
from tests.support.releases import PFA, cover, notes, write_ods
from tests.support.world import SAMPLE

FIGURES = "rank, area_name, offences, population, rate_per_10k, period_start, population_vintage"
NEWEST = (
    "level = 'pfa' and offence_level = 'total' "
    "and half_year = (select max(half_year) from half_years where level = 'pfa' and complete)"
)
# what every client is asked; the rows of all of them are compared with those that DuckDB itself reads
TOP = f"select {FIGURES} from ranked_rates where {NEWEST} and rank <= 5 order by rank"
MACRO = f"select {FIGURES} from ranked_rates_for(date '2100-01-01', null, null) where {NEWEST} and rank <= 5 order by rank"
TABLES = "select table_name from information_schema.tables where table_schema = 'main' order by table_name"

Rows = list[list[Any]]


@dataclass(frozen=True)
class Build:
    """A finished database, and the rows that a client has to get from it."""

    path: Path
    top: Rows
    tables: list[str]


def two_builds(folder: Path) -> tuple[Build, Build]:
    """(the sample, the sample and half a year more), built anew in `folder` by the project itself."""
    shutil.rmtree(folder, ignore_errors=True)
    further = folder / "further"
    further.mkdir(parents=True)
    settings = Settings(LocalStore(folder / "data"))
    _take_in(settings, steps.LocalFolders(SAMPLE / "releases", SAMPLE / "populations", SAMPLE / "lookups"))
    old, _ = steps.build(settings)
    _write_half_year(old, further)
    _take_in(settings, steps.LocalFolders(further))
    new, _ = steps.build(settings)
    return _read(old), _read(new)


def stage(folder: Path, builds: Iterable[Build]) -> list[Path]:
    """The builds in a warehouse folder of a client's own, the first of them published; returns their paths there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    warehouse = folder / "warehouse"
    warehouse.mkdir()
    staged = [warehouse / build.path.name for build in builds]
    for build, here in zip(builds, staged, strict=True):
        shutil.copy(build.path, here)
    shelf.publish(LocalStore(folder), staged[0], keep=len(staged))
    return staged


def as_json(rows: Iterable[Iterable[Any]]) -> Rows:
    """Rows as they are after a way through JSON, dates as text: doubles are exact to the bit."""
    plain: Rows = json.loads(json.dumps([list(row) for row in rows], default=str))
    return plain


def _take_in(settings: Settings, folders: steps.LocalFolders) -> None:
    for group in steps.discover_local(folders):
        stored, _ = steps.store_raw(settings, group)
        item = normalise.normalise(settings, group.name, group.kind, stored)
        if item.state == "failed":
            raise RuntimeError(item.message)


def _write_half_year(build: Path, folder: Path) -> None:
    """A release for the forces, of April to September 2016: the figures of the year before, grown unevenly."""
    with duckdb.connect(str(build), read_only=True) as con:
        rows = con.execute(
            """select c.quarter, c.area_name, o.offence_name, o.offence_group, o.subgroup, c.offence_code,
                      c.offences * (10 + length(c.area_name) % 7) // 10
               from offence_counts c join offences o on o.offence_level = 'code' and o.offence_code = c.offence_code
               where c.level = 'pfa' and c.financial_year = '2015/16' and c.quarter <= 2 and c.offences is not null
               order by all"""
        ).fetchall()
    published = date(2026, 7, 23)
    simulated = "SIMULATED: invented for the bench of clients. Not Home Office figures."
    sheets = [
        cover(published, simulated=simulated),
        notes([], published),
        ("2016_17", [PFA, *(["2016/17", *row] for row in rows)]),
    ]
    write_ods(folder / "prc-pfa-mar2017-bench-tables-230726.ods", sheets)


def _read(path: Path) -> Build:
    with duckdb.connect(str(path), read_only=True) as con:
        top = con.execute(TOP).fetchall()
        tables = [name for (name,) in con.execute(TABLES).fetchall()]
    return Build(path, as_json(top), tables)
