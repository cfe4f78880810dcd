"""Areas that stay themselves: pieces summed into the partnership that succeeded them, forces into regions and countries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.warehouse.build import BuildRefused
from tests.support.releases import Cell, figures
from tests.support.world import KENT, WORCESTERSHIRE, World, persons_of, rate, rows_of

DAY = date(2026, 4, 23)
PIECES = {"South Worcs_Malvern Hills": (1, 2), "South Worcs_Worcester": (10, 20), "South Worcs_Wychavon": (100, 200)}


def quarters(csp: str, counts: tuple[int, int], year: str = "2014/15", force: str = "West Mercia") -> list[list[Cell]]:
    return [figures(year, q, force, count=n, csp=csp) for q, n in zip((1, 2), counts, strict=True)]


def in_pieces(*left_out: str) -> list[list[Cell]]:
    """2014/15 with South Worcester in pieces, 2015/16 whole; North Worcestershire whole in both."""
    rows = [row for name, counts in PIECES.items() if name not in left_out for row in quarters(name, counts)]
    return [
        *rows,
        *quarters("North Worcestershire", (5, 6)),
        *quarters("South Worcester", (7, 8), "2015/16"),
        *quarters("North Worcestershire", (9, 10), "2015/16"),
    ]


def world(folder: Path, rows: list[list[Cell]]) -> World:
    world = World(folder)
    world.worcestershire(date(2015, 6, 25), 2013, 2014)
    world.release(DAY, rows)
    return world


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with world(tmp_path_factory.mktemp("pieces"), in_pieces()).build() as con:
        yield con


def harmonised(con: duckdb.DuckDBPyConnection, half_year: str, area: str = "South Worcester") -> dict[str, object]:
    return rate(con, area, half_year=half_year, source="ranked_rates_harmonised")


def test_the_pieces_are_summed_into_the_partnership_that_succeeded_them(pieces: duckdb.DuckDBPyConnection) -> None:
    row = harmonised(pieces, "2014/15 H1")
    assert (row["offences"], row["population"], row["status"]) == (333, 300_000, "ranked")
    assert row["rate_per_10k"] == pytest.approx(333 / 300_000 * 10_000, rel=1e-15)
    assert (row["rank"], row["areas_ranked"], row["area_code"]) == (1, 2, "E22000332")


def test_a_half_year_without_pieces_is_the_same_on_both_bases(pieces: duckdb.DuckDBPyConnection) -> None:
    assert harmonised(pieces, "2015/16 H1") == rate(pieces, "South Worcester")


def test_as_published_the_pieces_stay_apart_and_rank_apart(pieces: duckdb.DuckDBPyConnection) -> None:
    names = [
        r["area_name"]
        for r in rows_of(
            pieces,
            "from ranked_rates where level = 'csp' and half_year = '2014/15 H1' and offence_code = '8Q' order by area_name",
        )
    ]
    assert names == ["North Worcestershire", *sorted(PIECES)]
    assert rate(pieces, "South Worcs_Wychavon", half_year="2014/15 H1")["population"] == 125_000


def test_a_partnership_with_a_piece_missing_is_incomplete_and_not_the_rest_of_it(tmp_path: Path) -> None:
    with world(tmp_path, in_pieces("South Worcs_Worcester")).build() as con:
        row = harmonised(con, "2014/15 H1")
    assert (row["status"], row["rank"], row["offences"]) == ("incomplete", None, 303)
    assert row["status_note"] == "only some of its parts are published"


def test_a_piece_beside_its_whole_is_refused_for_it_would_count_twice(tmp_path: Path) -> None:
    rows = [*in_pieces(), *quarters("South Worcester", (1, 1))]
    with pytest.raises(BuildRefused, match="pieces_do_not_stand_beside_their_whole.*South Worcs_"):
        world(tmp_path, rows).build()


@pytest.fixture(scope="module")
def forces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("forces"))
    both = WORCESTERSHIRE | KENT
    world.lookup(2017, both)
    world.population(date(2015, 6, 25), persons_of(both))
    counts = {"West Mercia": 40, "Kent": 20, "British Transport Police": 3, "Action Fraud": 1000}
    world.release(
        DAY,
        [
            figures("2015/16", q, force, "AF" if force == "Action Fraud" else "8Q", n)
            for force, n in counts.items()
            for q in (1, 2)
        ],
    )
    with world.build() as con:
        yield con


def test_a_region_is_its_forces(forces: duckdb.DuckDBPyConnection) -> None:
    row = rate(forces, "West Midlands Region", level="region")
    assert (row["offences"], row["population"], row["area_code"]) == (80, 580_000, "E12000005")


def test_england_and_wales_counts_the_transport_police_and_england_does_not(forces: duckdb.DuckDBPyConnection) -> None:
    assert rate(forces, "England and Wales", level="country")["offences"] == 126
    assert rate(forces, "England", level="country")["offences"] == 120


def test_a_whole_is_not_ranked_among_its_parts(forces: duckdb.DuckDBPyConnection) -> None:
    whole, part = (rate(forces, name, level="country") for name in ("England and Wales", "England"))
    assert (part["rank"], part["areas_ranked"]) == (1, 1)  # no force of Wales is here
    assert (whole["rank"], whole["areas_ranked"]) == (None, 1)
    assert whole["rate_per_10k"] == pytest.approx(126 / whole["population"] * 10_000, rel=1e-15)  # it has a rate all the same
    assert whole["status_note"] == "the other areas are parts of it, so it is not ranked among them"


def test_no_region_or_country_counts_a_fraud_body(forces: duckdb.DuckDBPyConnection) -> None:
    assert rows_of(forces, "from ranked_rates where level in ('region', 'country') and offence_code = 'AF'") == []


def test_a_region_with_a_quarter_of_one_force_missing_is_incomplete(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, WORCESTERSHIRE | {"Dudley": ["E08000027"]})
    world.population(date(2015, 6, 25), persons_of(WORCESTERSHIRE) | {"E08000027": 300_000})
    world.release(
        DAY,
        [figures("2015/16", q, force, count=4) for force, q in (("West Mercia", 1), ("West Mercia", 2), ("West Midlands", 1))],
    )
    with world.build() as con:
        row = rate(con, "West Midlands Region", level="region")
    assert (row["status"], row["offences"], row["rank"]) == ("incomplete", 12, None)
