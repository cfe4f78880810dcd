"""A row that a release should have and has not: its count is incomplete, and so is whatever the count is part of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support.releases import Cell, figures
from tests.support.world import KENT, World, force_of, persons_of, rate, rows_of

APRIL, JULY = date(2026, 4, 23), date(2026, 7, 23)
CSPS = {**KENT, "Ipswich": ["E07000202"]}
PERSONS = {**persons_of(KENT), "E07000202": 135_000}
CODES = ("8Q", "5E", "46")  # two of one group, and one of another
THEFT, VIOLENCE = "Theft offences", "Violence against the person"


def dense(is_left_out: Callable[[str, int, str], bool] = lambda _csp, _quarter, _code: False) -> list[list[Cell]]:
    """Every place, quarter of 2015/16 and code, 4 offences each, but for what is left out."""
    return [
        figures("2015/16", quarter, force_of(csp), code, 4, csp=csp)
        for csp in CSPS
        for quarter in (1, 2, 3, 4)
        for code in CODES
        if not is_left_out(csp, quarter, code)
    ]


def world_in(folder: Path) -> World:
    world = World(folder)
    world.lookup(2017, CSPS)
    world.population(date(2015, 6, 25), PERSONS)
    return world


def status(con: duckdb.DuckDBPyConnection, area: str, half_year: str, offence: str) -> tuple[str, str | None]:
    found = rate(con, area, half_year=half_year, offence=offence)
    return found["status"], found["status_note"]


def finding(con: duckdb.DuckDBPyConnection) -> str:
    [check] = rows_of(con, "from quality_checks where check_name = 'every_row_is_published'")
    assert not check["required"]
    return str(check["examples"])


# ---------------------------------------------------------------- one row is missing
@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = world_in(tmp_path_factory.mktemp("missing"))
    world.release(APRIL, dense(lambda csp, quarter, code: (csp, quarter, code) == ("Ipswich", 2, "8Q")))
    with world.build() as con:
        yield con


def test_offences_of_one_quarter_are_not_those_of_a_half_year(con: duckdb.DuckDBPyConnection) -> None:
    assert status(con, "Ipswich", "2015/16 H1", "8Q") == ("incomplete", "the release has no row for quarter 2")
    found = rate(con, "Ipswich", offence="8Q")
    assert (found["offences"], found["rank"], found["rate_per_10k"], found["areas_ranked"]) == (4, None, None, 6)


@pytest.mark.parametrize("offence", ["Stalking and harassment", VIOLENCE, "Total"])
def test_whatever_the_row_is_part_of_is_incomplete(con: duckdb.DuckDBPyConnection, offence: str) -> None:
    assert status(con, "Ipswich", "2015/16 H1", offence) == ("incomplete", "the release has no row for quarter 2 of 8Q")


def test_nothing_else_is_incomplete(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con, "select distinct area_name, half_year, offence_code from ranked_rates where status <> 'ranked' order by all"
    )
    assert {(r["area_name"], r["half_year"]) for r in rows} == {("Ipswich", "2015/16 H1")}
    assert {r["offence_code"] for r in rows} == {
        "8Q",
        "Stalking and harassment",
        VIOLENCE,
        "Stalking and harassment (all codes)",
        "Total",
    }


def test_a_check_names_it(con: duckdb.DuckDBPyConnection) -> None:
    assert finding(con).startswith("csp Ipswich, 2015/16 Q2: prc-csp-")
    assert finding(con).endswith(" has no rows for 8Q")


def test_a_release_that_leaves_out_noughts_says_nothing_by_a_missing_row(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    # about a third of all rows are not there
    world.release(APRIL, dense(lambda csp, quarter, code: code != "46" and (len(csp) + quarter) % 2 == 0))
    with world.build() as con:
        assert rows_of(con, "from crime_rates_core.missing_counts") == []
        assert rows_of(con, "select distinct status from ranked_rates where offence_level = 'total'") == [{"status": "ranked"}]


def test_a_code_that_begins_or_ends_in_mid_year_is_whole(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, dense(lambda _csp, quarter, code: (code == "5E" and quarter == 1) or (code == "46" and quarter == 4)))
    with world.build() as con:
        assert rows_of(con, "from crime_rates_core.missing_counts") == []
        assert {r["status"] for r in rows_of(con, "select status from ranked_rates")} == {"ranked"}


def test_a_code_that_every_place_lacks_between_two_quarters_that_have_it_is_missing(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, dense(lambda _csp, quarter, code: code == "5E" and quarter == 2))
    with world.build() as con:
        for area in ("Ipswich", "Dover"):
            assert status(con, area, "2015/16 H1", "Total") == ("incomplete", "the release has no row for quarter 2 of 5E")
            assert status(con, area, "2015/16 H1", "46") == ("ranked", None)


# ---------------------------------------------------------------- a release drops what the one before had
@pytest.fixture(scope="module")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = world_in(tmp_path_factory.mktemp("dropped"))
    world.release(APRIL, dense())
    # July has no Dover any more, no shoplifting of January to March, and has put 5E under another code
    rows = dense(lambda csp, quarter, code: csp == "Dover" or code == "46" and quarter == 4)
    world.release(JULY, [[*row[:-2], "5F", row[-1]] if row[-2] == "5E" else row for row in rows])
    with world.build() as con:
        yield con


def test_an_area_that_a_release_drops_stays_with_its_status(dropped: duckdb.DuckDBPyConnection) -> None:
    for offence in ("8Q", "46", VIOLENCE, "Total"):
        found = rate(dropped, "Dover", offence=offence)
        assert (found["status"], found["offences"], found["population"]) == ("incomplete", None, 100_000)
        assert found["status_note"] == f"the release of {JULY} no longer has all its rows"
    assert rate(dropped, "Dover", source="ranked_rates_as_of(date '2026-07-22')")["status"] == "ranked"


def test_an_offence_that_a_release_drops_in_one_quarter_is_incomplete(dropped: duckdb.DuckDBPyConnection) -> None:
    note = f"the release of {JULY} no longer has its row for quarter 4"
    assert status(dropped, "Ipswich", "2015/16 H2", "46") == ("incomplete", note)
    assert status(dropped, "Ipswich", "2015/16 H2", THEFT) == ("incomplete", f"{note} of 46")
    assert status(dropped, "Ipswich", "2015/16 H1", "46") == ("ranked", None)


def test_an_offence_that_is_recoded_for_the_whole_year_is_not_dropped(dropped: duckdb.DuckDBPyConnection) -> None:
    assert status(dropped, "Ipswich", "2015/16 H1", "5F") == ("ranked", None)
    assert status(dropped, "Ipswich", "2015/16 H1", "Total") == ("ranked", None)
    assert rows_of(dropped, "from ranked_rates where offence_code = '5E' and area_name <> 'Dover'") == []


def test_a_check_names_what_was_dropped(dropped: duckdb.DuckDBPyConnection) -> None:
    assert "csp Ashford, 2015/16 Q4: prc-csp-" in finding(dropped)
    assert "no longer has its rows for 46" in finding(dropped)
