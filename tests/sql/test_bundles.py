"""Bundles of offences: ours, beside the official groups, so that a series goes on where the codes change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from flows.queries.lookups import find_offence
from tests.support.releases import Cell, figures
from tests.support.world import REFERENCE, WORCESTERSHIRE, World, persons_of, rows_of
from transforms.areas import read_reference


def half(year: str, csp: str, counts: dict[str, int]) -> list[list[Cell]]:
    """A count of each code, split over quarters 1 and 2."""
    return [figures(year, q, "West Mercia", code, (n + 2 - q) // 2, csp=csp) for code, n in counts.items() for q in (1, 2)]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """South Worcester before and after the reclassification of burglary in April 2017."""
    world = World(tmp_path_factory.mktemp("bundles"))
    world.lookup(2017, WORCESTERSHIRE)
    for year in (2015, 2016):
        world.population(date(2021, 6, 25), persons_of(WORCESTERSHIRE), year=year)
    rows = [
        *half("2016/17", "South Worcester", {"28A": 70, "29": 3, "30A": 20, "46": 500}),
        *half("2016/17", "North Worcestershire", {"28A": 50, "29": 0, "30A": 40, "46": 300}),
        *half("2017/18", "South Worcester", {"28E": 80, "30C": 9, "46": 500}),
        *half("2017/18", "North Worcestershire", {"28E": 60, "30C": 8, "46": 300}),
    ]
    world.release(date(2026, 4, 23), rows)
    with world.build() as con:
        yield con


def test_burglary_goes_on_where_its_codes_change(con: duckdb.DuckDBPyConnection) -> None:
    found = rows_of(
        con,
        "select half_year, offences, rank, areas_ranked from ranked_rates where level = 'csp' and offence_level = 'bundle' "
        "and offence_code = 'Burglary' and area_name = 'South Worcester' and half_year like '%H1' order by half_year",
    )
    assert found == [
        {"half_year": "2016/17 H1", "offences": 93, "rank": 2, "areas_ranked": 2},
        {"half_year": "2017/18 H1", "offences": 89, "rank": 1, "areas_ranked": 2},
    ]


def test_a_bundle_counts_each_of_its_codes_once_and_no_other(con: duckdb.DuckDBPyConnection) -> None:
    found = rows_of(
        con,
        "select offence_code, sum(offences)::bigint as offences from ranked_rates where offence_level = 'bundle' "
        "and level = 'csp' group by all order by all",
    )
    assert found == [
        {"offence_code": "Burglary", "offences": 93 + 90 + 89 + 68},
        {"offence_code": "Residential burglary (old and new)", "offences": 73 + 50 + 80 + 60},
    ]


def test_keys_of_offences_are_in_the_order_of_levels_and_codes(con: duckdb.DuckDBPyConnection) -> None:
    found = rows_of(con, "select offence_level, offence_code from offences order by offence_key")
    assert found == rows_of(con, "select offence_level, offence_code from offences order by all")
    assert found[0] == {"offence_level": "bundle", "offence_code": "Burglary"}


def test_the_word_burglary_finds_the_bundle(con: duckdb.DuckDBPyConnection) -> None:
    assert find_offence(con, "burglary").title == "Burglary (bundle)"
    assert find_offence(con, "bundle:Residential burglary (old and new)").level == "bundle"


def test_every_bundle_names_its_codes_once_with_a_note_and_a_source() -> None:
    rows = read_reference(REFERENCE / "offence_bundles.csv")
    assert len({(row["bundle"], row["offence_code"]) for row in rows}) == len(rows)
    assert {row["bundle"] for row in rows} == {
        "Burglary",
        "Residential burglary (old and new)",
        "Stalking and harassment (all codes)",
    }
    assert all(row["note"] and row["source"] for row in rows)
