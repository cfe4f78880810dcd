"""The tables of a build, a pair of files for each half-year and level, are written once."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.pipeline import steps
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from flows.warehouse.table_export import ORDER, is_sorted
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
    assert [row[1] for row in shown] == [1, 2] * 5  # bundle, code, group, subgroup, total
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


def test_rows_that_the_database_gives_in_another_order_are_sorted(exported: tuple[Settings, Path], tmp_path: Path) -> None:
    settings, database = exported
    backwards = tmp_path / database.name
    shutil.copyfile(database, backwards)
    with duckdb.connect(str(backwards)) as con:
        con.execute("alter view ranked_rates rename to in_order")
        con.execute("create view ranked_rates as from in_order order by area_name desc")
    assert steps.export(Settings(LocalStore(tmp_path)), backwards) == 11
    for name in ("2015-16-H1/csp.csv", "2015-16-H1/csp.parquet", "2015-16-H1/pfa.csv"):
        assert (tmp_path / "tables" / name).read_bytes() == (settings.data_dir / "tables" / name).read_bytes()


A, B, UNRANKED = ("code", "1", 1, "A"), ("code", "1", 1, "B"), ("code", "1", None, "A")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], True),
        ([A], True),
        ([A, B, UNRANKED], True),
        ([UNRANKED, A], False),
        ([B, A], False),
        ([A, ("code", "10", 1, "A"), ("code", "2", 1, "A"), ("group", "1", 1, "A")], True),
        ([("group", "1", 1, "A"), A], False),
        ([A, B, A], False),
    ],
)
def test_rows_in_order_are_told_from_others(rows: list[tuple[str, str, int | None, str]], expected: bool) -> None:
    schema = pa.schema([RANKED_RATES.arrow_schema().field(name) for name in ORDER])
    assert is_sorted(pa.Table.from_pylist([dict(zip(ORDER, row, strict=True)) for row in rows], schema=schema)) is expected
