"""Populations of forces and partnerships, against those that the ONS divided by: equal to the person.

Inputs and figures: tests/backtests/facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from flows.storage import lake
from tests.backtests.conftest import FACTS, facts
from tests.support.releases import figures
from tests.support.world import SAMPLE, World

# Rows that the ONS printed in 2023 under a partnership's code, though they are a whole council of April 2021: Dorset without
# Christchurch, and the four partnerships of North Northamptonshire together (under Corby's code)
WHOLE_COUNCILS = {"E22000367": "E06000059", "E22000233": "E06000061"}


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, int], int]]:
    """(area code, mid-year) → persons as the pipeline composes them from councils."""
    world = World(tmp_path_factory.mktemp("populations"))
    for name in ("lad17_csp17_pfa17.csv", "lad24_csp24_pfa24.csv"):
        lake.write_lookup(world.lake, world.store(SAMPLE / "lookups" / name, "lookup"))
    for name, day in (("councils_mid2016-2018.csv", date(2021, 6, 25)), ("councils_mid2021.csv", date(2022, 12, 21))):
        lake.write_population(world.lake, world.store(FACTS / name, "population", published=day))
    years = ("2017/18", "2018/19", "2019/20", "2022/23")
    world.release(date(2026, 4, 23), [figures(year, quarter, "West Mercia") for year in years for quarter in (1, 2)])
    with world.build() as con:
        yield found(con)


def found(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    rows = con.execute("select area_code, year, persons from populations").fetchall()
    return {(code, year): n for code, year, n in rows}


def test_forces_regions_and_countries_are_equal_to_the_person(persons: dict[tuple[str, int], int]) -> None:
    expected = {(row["area_code"], int(row["mid_year"])): int(row["persons"]) for row in facts("force_populations")}
    assert len(expected) == 162
    assert {key: persons.get(key) for key in expected} == expected


def test_the_partnerships_of_mid_2021_are_equal_to_the_person(persons: dict[tuple[str, int], int]) -> None:
    printed = {row["area_code"]: int(row["persons"]) for row in facts("partnership_populations")}
    expected = {WHOLE_COUNCILS.get(code, code): n for code, n in printed.items()}
    assert len(expected) == 292
    assert {code: persons.get((code, 2021)) for code in expected} == expected
