"""Breaks in what is counted: those that are known, those that a rule finds, and where each holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support.releases import Cell, figures
from tests.support.world import REFERENCE, World, rows_of
from transforms.areas import read_reference

SHARED = Path(__file__).parents[3] / "shared"
DAY = date(2026, 4, 23)
YEARS = ("2011/12", "2012/13", "2013/14", "2014/15")
QUARTERS = [(year, quarter) for year in YEARS for quarter in (1, 2, 3, 4)]
STEADY = ("Bedfordshire", "Cambridgeshire", "Cheshire", "Cleveland", "Cumbria", "Derbyshire", "Dorset", "Durham", "Essex")


def count(force: str, place: int, quarter: int) -> int:
    """Shoplifting in a quarter, the `place`th of 16: summers are high, forces differ by a little that is no pattern."""
    level = 1000 + 200 * (quarter == 2) + (place * 7 + len(force) * 13) % 11 * 6
    if place >= 8:
        level *= 2  # a rule for everybody
    if force == "Kent" and place >= 6:
        level = level * 3 // 2  # a new way of recording, from quarter 3 of 2012/13
    if force == "Surrey":
        level = level * (100 + 5 * place) // 100  # a steady rise of its own
    if force == "Sussex":
        level = 2 + place % 3  # so few that chance moves them
    return level


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("breaks"))
    rows: list[list[Cell]] = [
        figures(year, quarter, force, "46", count(force, place, quarter))
        for force in (*STEADY, "Kent", "Surrey", "Sussex")
        for place, (year, quarter) in enumerate(QUARTERS)
    ]
    world.release(DAY, rows)
    rows = [figures("2012/13", q, "Kent", "46", 9, csp="Medway") for q in (3, 4)]
    stalking = [figures("2020/21", q, "West Mercia", "8Q", 9, csp="South Worcester") for q in (1, 2)]
    world.release(
        date(2026, 7, 23), [*rows, *stalking, *(figures("2012/13", q, "Surrey", "46", 9, csp="Woking") for q in (3, 4))]
    )
    with world.build() as con:
        yield con


# ---------------------------------------------------------------- found by rule
def test_a_force_that_steps_where_the_nation_does_not_is_found_and_nobody_else(con: duckdb.DuckDBPyConnection) -> None:
    found = rows_of(
        con, "select area_name, offence_level, offence_code, first_quarter from breaks where kind = 'detected' order by all"
    )
    assert found == [
        {"area_name": "Kent", "offence_level": "group", "offence_code": "Theft offences", "first_quarter": "2012/13 Q3"},
        {"area_name": "Kent", "offence_level": "total", "offence_code": "Total", "first_quarter": "2012/13 Q3"},
    ]


def test_a_step_is_told_with_its_figures_and_without_a_cause(con: duckdb.DuckDBPyConnection) -> None:
    [row] = rows_of(con, "from breaks where kind = 'detected' and offence_level = 'group'")
    before = sum(count("Kent", place, QUARTERS[place][1]) for place in range(2, 6))
    after = sum(count("Kent", place, QUARTERS[place][1]) for place in range(6, 10))
    assert row["note"].startswith(
        f"Theft offences in Kent step up against all other forces: {after:,} in the 4 quarters from here on, "
        f"{before:,} in the same quarters a year before (+{100 * after / before - 100:.0f}%), the others +"
    )
    assert "its cause is not known here" in row["note"]
    assert (row["basis"], row["half_year"]) == ("computed", "2012/13 H2")


def test_a_step_holds_for_the_partnerships_of_the_force(con: duckdb.DuckDBPyConnection) -> None:
    found = rows_of(
        con,
        "select distinct a.level, a.area_name, m.offence_group from crime_rates_core.area_breaks as m "
        "join crime_rates_core.all_breaks as b using (break_key) join areas as a using (area_key) where b.kind = 'detected' "
        "order by all",
    )
    assert [tuple(row.values()) for row in found] == [
        ("csp", "Medway", ""),
        ("csp", "Medway", "Theft offences"),
        ("pfa", "Kent", ""),
        ("pfa", "Kent", "Theft offences"),
    ]


# ---------------------------------------------------------------- on the rows
def notes(con: duckdb.DuckDBPyConnection, where: str) -> list[tuple[str, str]]:
    """(area, how its note begins) of rows of ranked_rates that have one."""
    rows = rows_of(con, f"select area_name, break_note from ranked_rates where break_note is not null and {where} order by all")
    return [(row["area_name"], row["break_note"].partition(":")[0]) for row in rows]


def test_a_row_says_which_break_lies_at_its_start(con: duckdb.DuckDBPyConnection) -> None:
    assert notes(con, "half_year = '2012/13 H2' and level = 'pfa' and offence_level = 'group'") == [
        ("Kent", "2012/13 Q3 (detected)")
    ]
    assert notes(con, "half_year = '2012/13 H2' and offence_code = '46'") == [
        ("Kent", "2012/13 Q3 (detected)"),
        ("Medway", "2012/13 Q3 (detected)"),
    ]
    assert notes(con, "half_year = '2020/21 H1' and offence_code = '8Q'") == [("South Worcester", "2020/21 Q1 (recording)")]
    assert notes(con, "half_year = '2013/14 H1' and area_name = 'Essex'") == [("Essex", "2013/14 Q1 (recording)")]  # fraud
    assert notes(con, "half_year = '2014/15 H1' and area_name <> 'Kent'") == []


def test_every_basis_of_a_table_has_the_same_notes(con: duckdb.DuckDBPyConnection) -> None:
    key = "half_year, level, area_name, offence_level, offence_code, break_note"
    for other in ("ranked_rates_for(null, null, null)", "ranked_rates_harmonised"):
        assert rows_of(con, f"select {key} from ranked_rates except select {key} from {other}") == []


# ---------------------------------------------------------------- known
def test_every_known_break_says_what_where_when_and_who_says_so() -> None:
    rows = read_reference(REFERENCE / "recording_breaks.csv")
    areas = read_reference(REFERENCE / "areas.csv")
    named = {(row["level"], row["area_name"], row["force_name"]) for row in areas}
    in_force = {(row["level"], "", row["force_name"]) for row in areas if row["level"] == "csp"}
    assert len(rows) > 60
    for row in rows:
        assert (row["level"], row["area_name"], row["force_name"]) in {("", "", ""), *named, *in_force}, row
        assert row["offence_level"] in {"", "code", "subgroup", "bundle", "group", "total"}
        assert (row["offence_level"] == "") is (row["offence_code"] == "")
        assert re.fullmatch(r"20\d\d/\d\d Q[1-4]", row["first_quarter"])
        assert row["kind"] in {"recording", "code", "boundary", "system"}
        assert {row["offences_within"], row["wholes_too"]} <= {"yes", "no"}
        assert row["note"] and not row["note"].endswith(".")
        assert row["basis"] in {"stated", "inferred"} and (row["basis"] == "inferred") is ("inferred)" in row["note"]), row
        assert row["source_title"] and row["publisher"] and row["published"] and row["address"].startswith("http")
        if row["level"]:  # rows of an area are marked by offence group
            assert row["offence_level"] in {"", "group", "total"}
    assert rows == sorted(rows, key=lambda row: row["first_quarter"])
    assert len({tuple(row.values()) for row in rows}) == len(rows)


@pytest.mark.shared
def test_every_known_break_names_an_offence_that_is_published() -> None:
    path = SHARED / "data" / "home-office" / "offence_codes_2012-13_to_2025-26.csv"
    if not path.exists():
        pytest.skip("needs the published offence codes in ../shared")
    published = read_reference(path)
    known = {("code", row["Offence Code"]) for row in published} | {("total", "Total"), ("", "")}
    known |= {("group", row["Group"]) for row in published} | {("subgroup", row["Offence Subgroup"]) for row in published}
    known |= {("bundle", row["bundle"]) for row in read_reference(REFERENCE / "offence_bundles.csv")}
    for row in read_reference(REFERENCE / "recording_breaks.csv"):
        assert (row["offence_level"], row["offence_code"]) in known
    assert {("code", row["offence_code"]) for row in read_reference(REFERENCE / "offence_bundles.csv")} <= known


def test_a_known_break_of_all_areas_holds_for_its_offence_and_where_it_says_so_for_those_within(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = rows_of(
        con,
        "select o.offence_code, b.first_quarter, b.kind, b.offence_code as named from crime_rates_core.offence_breaks as m "
        "join breaks as b using (break_key) join offences as o on o.offence_key = m.rollup_key where o.offence_level = 'code' "
        "order by all",
    )
    assert [tuple(row.values()) for row in found] == [
        ("8Q", "2014/15 Q1", "code", "8Q"),
        ("8Q", "2018/19 Q1", "recording", "Stalking and harassment"),
        ("8Q", "2020/21 Q1", "recording", "8Q"),
        ("8Q", "2023/24 Q1", "recording", "Stalking and harassment"),
    ]


def test_an_area_that_was_published_in_pieces_has_a_boundary_break(con: duckdb.DuckDBPyConnection) -> None:
    [row] = rows_of(con, "from breaks where kind = 'boundary' and area_name = 'South Worcester'")
    assert row["note"] == (
        "published as South Worcs_Malvern Hills, South Worcs_Worcester, South Worcs_Wychavon before 2015/16; "
        "harmonised tables add these up"
    )
    assert (row["first_quarter"], row["force_name"]) == ("2015/16 Q1", "West Mercia")
