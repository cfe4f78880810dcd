"""The tables of a build, a pair of files for each half-year and level, are written once."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.pipeline import steps
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from sql.contract import RANKED_RATES
from tests.support.counts import rows
from tests.support.releases import figures
from tests.support.world import World

APRIL = date(2026, 4, 23)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Path]]:
    folder = tmp_path_factory.mktemp("exported")
    world = World(folder)
    world.worcestershire()
    world.release(APRIL, [*rows(), *rows(30, csp="North Worcestershire"), *rows(7, quarter=3)])
    world.release(APRIL, [figures("2015/16", q, "West Mercia", count=n) for q, n in ((1, 66), (2, 0), (3, 7))], stem="pfa")
    world.release(date(2026, 7, 23), [figures("2014/15", q, "West Mercia", count=1) for q in (1, 2)], stem="pfa")
    settings = Settings(LocalStore(world.data))
    database, _ = steps.build(settings)
    assert steps.export(settings, database) == 11
    yield settings, database


def test_each_half_year_and_level_has_a_pair_of_files(exported: tuple[Settings, Path]) -> None:
    tables = exported[0].data_dir / "tables"
    found = sorted(str(path.relative_to(tables)) for path in tables.rglob("[!.]*") if path.is_file())
    of_forces = [
        f"{half}/{level}" for half in ("2014-15-H1", "2015-16-H1", "2015-16-H2") for level in ("pfa", "region", "country")
    ]  # regions and countries are made of forces
    pairs = sorted(["2015-16-H1/csp", "2015-16-H2/csp", *of_forces])
    assert found == [f"{pair}.{suffix}" for pair in pairs for suffix in ("csv", "parquet")]


def test_a_table_is_ordered_by_offence_and_rank(exported: tuple[Settings, Path]) -> None:
    tables = exported[0].data_dir / "tables"
    table = pq.read_table(tables / "2015-16-H1/csp.parquet")
    assert table.schema.names == [c.name for c in RANKED_RATES.columns]
    assert table.schema.types == RANKED_RATES.arrow_schema().types
    shown = [(r["offence_level"], r["rank"], r["area_name"], r["offences"]) for r in table.to_pylist()]
    south, north = (1, "South Worcester", 36), (2, "North Worcestershire", 30)
    assert [row for row in shown if row[0] == "code"] == [("code", *south), ("code", *north)]
    assert [row[1] for row in shown] == [1, 2] * 4
    with (tables / "2015-16-H1/csp.csv").open(encoding="utf-8", newline="") as file:
        text = list(csv.DictReader(file))
    assert [(r["offence_level"], int(r["rank"]), r["area_name"], int(r["offences"])) for r in text] == shown
    assert float(text[0]["rate_per_10k"]) == 36 / 300_000 * 10_000  # unrounded


def test_tables_of_a_build_are_written_once(exported: tuple[Settings, Path]) -> None:
    settings, database = exported
    file = settings.data_dir / "tables/2015-16-H1/csp.csv"
    before = file.stat().st_mtime_ns
    assert steps.export(settings, database) == 0
    assert file.stat().st_mtime_ns == before


def test_tables_that_a_run_left_half_written_are_written_again(exported: tuple[Settings, Path]) -> None:
    settings, database = exported
    (settings.data_dir / "tables/.written.json").unlink()  # goes first, and comes back last
    assert steps.export(settings, database) == 11
