"""Counts of a release that cannot be right, or hardly: what stops a publication, what is not ranked, what has a note."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from zlib import crc32

import duckdb
import pytest

from flows.warehouse.build import BuildRefused
from tests.support.releases import Cell, figures
from tests.support.world import KENT, World, force_of, persons_of, rate, rows_of

APRIL, JULY = date(2026, 4, 23), date(2026, 7, 23)
CODES = [f"x{number}" for number in range(25)]
YEARS = ("2013/14", "2014/15", "2015/16")
Change = Callable[[str, str, int, int], int]  # partnership, year, quarter, count → count


def count_of(csp: str, year: str, quarter: int, code: str) -> int:
    """Some 10 to 20 offences, other ones for each cell."""
    return 10 + crc32(f"{csp} {year} {quarter} {code}".encode()) % 11


def as_it_is(_csp: str, _year: str, _quarter: int, count: int) -> int:
    return count


def partnerships(change: Change = as_it_is) -> list[list[Cell]]:
    """25 offence codes in six partnerships of Kent over three years: about 375 offences a quarter each."""
    return [
        figures(year, quarter, force_of(csp), code, change(csp, year, quarter, count_of(csp, year, quarter, code)), csp=csp)
        for csp in KENT
        for year in YEARS
        for quarter in (1, 2, 3, 4)
        for code in CODES
    ]


def in_quarter(wanted: tuple[str, str, int], change: Callable[[int], int]) -> Change:
    return lambda csp, year, quarter, count: change(count) if (csp, year, quarter) == wanted else count


def world_in(folder: Path) -> World:
    world = World(folder)
    world.lookup(2017, KENT)
    for year in (2012, 2013, 2014):
        world.population(date(2015, 6, 25), persons_of(KENT), year=year)
    return world


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    def change(csp: str, year: str, quarter: int, count: int) -> int:
        if (csp, year, quarter) == ("Medway", "2014/15", 2):
            return 0
        return count // 2 if (csp, year, quarter) == ("Dover", "2014/15", 3) else count

    world = world_in(tmp_path_factory.mktemp("anomalies"))
    world.release(APRIL, partnerships(change))
    with world.build() as con:
        yield con


# ---------------------------------------------------------------- nought that is none
@pytest.mark.parametrize("offence", ["x0", "A group", "Total"])
def test_a_quarter_of_noughts_where_the_past_says_hundreds_is_not_ranked(con: duckdb.DuckDBPyConnection, offence: str) -> None:
    found = rate(con, "Medway", half_year="2014/15 H1", offence=offence)
    assert (found["status"], found["rank"], found["rate_per_10k"], found["areas_ranked"]) == ("implausible", None, None, 5)
    assert found["status_note"].startswith("quarter 2 counts 0 in all, and its own past and its neighbours allow no fewer than ")


def test_the_other_half_years_of_the_area_are_ranked(con: duckdb.DuckDBPyConnection) -> None:
    for half_year in ("2013/14 H1", "2014/15 H2", "2015/16 H1"):
        assert rate(con, "Medway", half_year=half_year, offence="Total")["status"] == "ranked"


def test_a_warning_names_the_quarter_of_noughts(con: duckdb.DuckDBPyConnection) -> None:
    [check] = rows_of(con, "from quality_checks where check_name = 'counts_are_plausible'")
    assert (check["required"], check["passed"], check["rows_broken"]) == (False, False, 1)
    assert check["examples"].startswith("csp Medway, 2014/15: quarter 2 counts 0 in all")


def test_noughts_from_the_first_release_on_are_seen_beside_the_neighbours(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, partnerships(lambda csp, _year, _quarter, count: 0 if csp == "Medway" else count))
    with world.build() as con:
        assert {r["status"] for r in rows_of(con, "from ranked_rates where area_name = 'Medway'")} == {"implausible"}
        assert {r["status"] for r in rows_of(con, "from ranked_rates where area_name <> 'Medway'")} == {"ranked"}


# ---------------------------------------------------------------- what is doubtful
def test_a_halved_quarter_is_ranked_and_its_rows_say_so(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "Dover", half_year="2014/15 H2", offence="Total")
    assert found["status"] == "ranked" and found["rank"] is not None
    assert "quarter 3 counts" in found["status_note"] and "about half the" in found["status_note"]
    assert rate(con, "Dover", half_year="2014/15 H1", offence="Total")["status_note"] is None
    [check] = rows_of(con, "from quality_checks where check_name = 'counts_resemble_their_past'")
    assert (check["required"], check["passed"]) == (False, False)
    assert "csp Dover, 2014/15: quarter 3 counts" in check["examples"]


def test_quarters_that_a_release_swaps_have_a_note(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    rows = partnerships()
    world.release(APRIL, rows)
    swapped = {1: 2, 2: 1}
    world.release(
        JULY,
        [
            [row[0], swapped.get(int(str(row[1])), row[1]), *row[2:]] if row[3] == "Thanet" and row[0] == "2015/16" else row
            for row in rows
        ],
    )
    with world.build() as con:
        found = rate(con, "Thanet", half_year="2015/16 H1", offence="Total")
        assert found["status"] == "ranked"
        assert "code by code those that the release before gave for quarter 2 of 2015/16" in found["status_note"]
        assert (
            rate(con, "Thanet", half_year="2015/16 H1", offence="Total", source="ranked_rates_as_of(date '2026-07-22')")[
                "status_note"
            ]
            is None
        )


def test_partnerships_far_from_a_force_table_of_another_day_have_a_note(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    rows = partnerships()
    world.release(APRIL, rows)
    totals: dict[tuple[Cell, Cell, Cell], int] = {}
    for row in rows:
        key = (row[0], row[1], row[-2])
        totals[key] = totals.get(key, 0) + int(str(row[-1]))
    world.release(
        JULY,
        [
            figures(str(year), quarter, "Kent", code, count + (count // 5 if (year, quarter) == ("2015/16", 1) else 0))
            for (year, quarter, code), count in totals.items()
        ],
    )
    with world.build() as con:
        found = rate(con, "Thanet", half_year="2015/16 H1", offence="Total")
        assert found["status"] == "ranked"
        assert "the partnerships of its force come to" in found["status_note"]
        assert rate(con, "Thanet", half_year="2014/15 H1", offence="Total")["status_note"] is None


# ---------------------------------------------------------------- what is certain
@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (in_quarter(("Swale", "2014/15", 3), lambda count: 2 * count), "about twice the"),
        (in_quarter(("Swale", "2014/15", 3), lambda count: 10 * count), "about ten times the"),
    ],
    ids=["doubled", "tenfold"],
)
def test_a_quarter_that_is_multiplied_in_every_count_stops_the_publication(tmp_path: Path, change: Change, finding: str) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, partnerships(change))
    with pytest.raises(BuildRefused, match=f"counts_can_be_right .*csp Swale, 2014/15: quarter 3 counts .*{finding}"):
        world.make()


def test_a_quarter_that_is_a_copy_of_another_stops_the_publication(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    rows = [
        [*row[:-1], count_of("Swale", "2014/15", 3, str(row[-2]))] if (row[0], row[1], row[3]) == ("2014/15", 4, "Swale") else row
        for row in partnerships()
    ]
    world.release(APRIL, rows)
    with pytest.raises(BuildRefused, match="counts_can_be_right .*csp Swale, 2014/15: quarter [34] .*code by code those of"):
        world.make()
