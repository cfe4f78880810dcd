"""Why a row has no rank: the first reason that applies, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support.releases import Cell, figures
from tests.support.world import WORCESTERSHIRE, World, force_of, persons_of, rate, rows_of

APRIL, JULY = date(2026, 4, 23), date(2026, 7, 23)
KENT_NOTE = (
    "Kent: Due to ongoing IT issues, crime data for Maidstone, Medway, Tonbridge and Malling, Dartford and "
    "Gravesham, and Tunbridge Wells are recorded under an unassigned CSP group from 2024 onwards."
)
DERBYSHIRE_NOTE = (
    "For the year ending March 2025, data for some areas withinDerbyshirehave been recorded under an unassigned "
    "CSP group. This issue is expected to be corrected for the next publication."
)  # blanks as published
UNKNOWN_NOTE = "Gwent: figures for Newport stand under Cardiff from 2031 onwards."
PEAK_NOTE = "From January 2024 some offences of High Peak are recorded twice."
CSPS = {
    **WORCESTERSHIRE,
    "Medway": ["E06000035"],
    "Maidstone": ["E07000110"],
    "Ashford": ["E07000105"],
    "Derby": ["E06000015"],
    "High Peak": ["E07000037"],
    "City of London": ["E09000001"],
    "Bournemouth": ["E06000028"],
    "Poole": ["E06000029"],
    "Dorset": ["E07000048"],
}
PERSONS = persons_of(WORCESTERSHIRE) | {
    "E06000035": 270_000,
    "E07000110": 170_000,
    "E07000105": 130_000,
    "E06000015": 250_000,
    "E07000037": 90_000,
    "E09000001": 8_000,
    "E06000058": 400_000,  # Bournemouth, Poole and Christchurch as one: no partnership has people
}
UNRANKED = ("rate_per_10k", "rate_lower_95", "rate_upper_95", "rank")


def half(
    csp: str, year: str = "2024/25", code: str = "8Q", counts: tuple[Cell, ...] = (10, 10), first: int = 1
) -> list[list[Cell]]:
    return [figures(year, first + i, force_of(csp), code, count, csp=csp) for i, count in enumerate(counts)]


def world_with(folder: Path, rows: list[list[Cell]], *notes: str) -> World:
    world = World(folder)
    world.lookup(2017, CSPS)
    for year in (2022, 2023, 2024):
        world.population(date(2025, 7, 30), PERSONS, year=year)
    world.release(JULY, rows, force_notes=notes)
    return world


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    rows = [
        row
        for csp in ("South Worcester", "Medway", "Maidstone", "Ashford", "Derby", "High Peak")
        for year in ("2023/24", "2024/25", "2025/26")
        for first in (1, 3)
        for row in half(csp, year, first=first)
    ]
    rows += half("Unassigned Kent", counts=(500, 500)) + half("Manchester Airport") + half("London, City of")
    rows += half("Bournemouth")
    # the order of reasons: each row here has one more reason than the one below it
    rows += half("Unassigned Kent", "2025/26", "46", (-9,))
    rows += half("London, City of", "2025/26", "46", (-9,))
    rows += half("Medway", "2023/24", "46", (-9, -9), first=3)
    rows += half("Bournemouth", "2025/26", "46", ("N/a", -9))
    rows += half("Bournemouth", "2024/25", "46", (2, -9))
    rows += half("Ashford", "2024/25", "46", (2, -9))
    world = world_with(tmp_path_factory.mktemp("statuses"), rows, KENT_NOTE, DERBYSHIRE_NOTE, UNKNOWN_NOTE, PEAK_NOTE)
    # from April: only quarter 1 of 2026/27 is out, for one partnership
    world.release(date(2026, 7, 24), half("South Worcester", "2026/27", counts=(10,)), stem="mar2027")
    with world.build() as con:
        yield con


def status(
    con: duckdb.DuckDBPyConnection, area: str, half_year: str = "2024/25 H1", offence: str = "8Q", **more: str
) -> tuple[str, str | None]:
    found = rate(con, area, half_year=half_year, offence=offence, **more)
    assert ([found[c] for c in UNRANKED] == [None] * 4) == (found["status"] != "ranked")
    return found["status"], found["status_note"]


# ---------------------------------------------------------------- each reason
def test_a_place_with_two_quarters_and_people_is_ranked(con: duckdb.DuckDBPyConnection) -> None:
    assert status(con, "South Worcester") == ("ranked", None)


@pytest.mark.parametrize("area", ["Unassigned Kent", "Manchester Airport"])
def test_what_is_not_a_place_keeps_its_offences_and_has_no_people(con: duckdb.DuckDBPyConnection, area: str) -> None:
    assert status(con, area) == ("unassigned", "not a place: offences that are recorded under no single area")
    found = rate(con, area, half_year="2024/25 H1")
    assert (found["offences"], found["population"]) == (1000 if area == "Unassigned Kent" else 20, None)


def test_the_residents_of_the_city_are_not_its_public(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "London, City of", half_year="2024/25 H1")
    assert (found["status"], found["population"], found["offences"]) == ("not_resident", 8_000, 20)
    assert found["status_note"] == "its residents are not its public: few live there, many work there and visit"


def test_a_half_year_with_one_quarter_is_not_ranked(con: duckdb.DuckDBPyConnection) -> None:
    expected = "only quarter 1 of quarters 1 and 2 is published"
    assert status(con, "South Worcester", "2026/27 H1") == ("incomplete", expected)
    assert rate(con, "South Worcester", half_year="2026/27 H1")["offences"] == 10  # as known; never doubled
    rows = rows_of(con, "select half_year, complete from half_years where half_year >= '2025/26 H2' order by 1")
    assert [tuple(r.values()) for r in rows] == [("2025/26 H2", True), ("2026/27 H1", False)]


def test_a_place_without_known_people_is_not_ranked(con: duckdb.DuckDBPyConnection) -> None:
    assert status(con, "Bournemouth") == (
        "no_population",
        "no separate estimate was published for the part of E06000058 that it covers",
    )


def test_corrections_that_exceed_records_are_not_ranked(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "Ashford", half_year="2024/25 H1", offence="46")
    assert (found["status"], found["offences"], found["population"]) == ("negative", -7, 130_000)


def test_every_row_without_a_rank_says_why(con: duckdb.DuckDBPyConnection) -> None:
    assert rows_of(con, "from ranked_rates where status <> 'ranked' and coalesce(status_note, '') = ''") == []
    assert {r["status"] for r in rows_of(con, "select distinct status from ranked_rates")} == {
        "unassigned",
        "not_resident",
        "withdrawn",
        "incomplete",
        "no_population",
        "negative",
        "ranked",
    }


# ---------------------------------------------------------------- their order
@pytest.mark.parametrize(
    ("area", "half_year", "expected", "though"),
    [
        ("Unassigned Kent", "2025/26 H1", "unassigned", "it has one quarter, no people and a negative count"),
        ("London, City of", "2025/26 H1", "not_resident", "it has one quarter and a negative count"),
        ("Medway", "2023/24 H2", "withdrawn", "its count is negative"),
        ("Bournemouth", "2025/26 H1", "incomplete", "nobody knows its people, and what is known is negative"),
        ("Bournemouth", "2024/25 H1", "no_population", "its count is negative"),
        ("Ashford", "2024/25 H1", "negative", ""),
    ],
)
def test_the_first_reason_that_applies_is_given(
    con: duckdb.DuckDBPyConnection, area: str, half_year: str, expected: str, though: str
) -> None:
    assert status(con, area, half_year, "46")[0] == expected, though


# ---------------------------------------------------------------- notes that withdraw figures
def test_a_note_withdraws_the_areas_that_it_names_from_the_quarter_that_it_names(con: duckdb.DuckDBPyConnection) -> None:
    # "from 2024 onwards": January 2024 is in the fourth quarter of 2023/24, so its half-year is touched
    halves = ["2023/24 H1", "2023/24 H2", "2024/25 H1", "2024/25 H2", "2025/26 H1", "2025/26 H2"]
    for area in ("Medway", "Maidstone"):
        assert [status(con, area, h)[0] for h in halves] == ["ranked"] + ["withdrawn"] * 5
    assert [status(con, "Ashford", h)[0] for h in halves] == ["ranked"] * 6


def test_the_note_is_quoted(con: duckdb.DuckDBPyConnection) -> None:
    assert status(con, "Medway")[1] == f'figures stand elsewhere: "{KENT_NOTE}"'
    found = rate(con, "Medway", half_year="2024/25 H1")
    assert (found["offences"], found["population"]) == (20, 270_000)  # both stay


def test_a_note_that_names_no_partnership_sets_all_of_its_force_aside_for_its_year_alone(con: duckdb.DuckDBPyConnection) -> None:
    halves = ["2023/24 H2", "2024/25 H1", "2024/25 H2", "2025/26 H1"]
    for area in ("Derby", "High Peak"):
        assert [status(con, area, h)[0] for h in halves] == ["ranked", "withdrawn", "withdrawn", "ranked"]
    assert status(con, "Derby")[1] == (
        f'figures stand elsewhere: "{DERBYSHIRE_NOTE}" (the note names no partnership, so every one of Derbyshire is set aside)'
    )


def test_a_note_that_no_rule_knows_marks_the_area_that_it_names_in_its_years(con: duckdb.DuckDBPyConnection) -> None:
    marked = {
        half_year: status(con, "High Peak", half_year) for half_year in ("2023/24 H1", "2023/24 H2", "2025/26 H1", "2025/26 H2")
    }
    # January 2024 is in quarter 4 of 2023/24
    assert [half_year for half_year, (_, note) in marked.items() if note] == ["2023/24 H2", "2025/26 H1", "2025/26 H2"]
    assert marked["2025/26 H1"] == ("ranked", f'a note of the release speaks of it: "{PEAK_NOTE}"')
    assert status(con, "Derby", "2025/26 H1") == ("ranked", None)


def test_a_reworded_note_marks_every_partnership_of_the_force_that_it_names(tmp_path: Path) -> None:
    reworded = KENT_NOTE.replace("are recorded under", "have been put under")
    rows = [row for csp in ("Medway", "Ashford", "Derby") for year in ("2022/23", "2024/25") for row in half(csp, year)]
    with world_with(tmp_path, rows, reworded).build() as con:
        for area in ("Medway", "Ashford"):
            assert status(con, area, "2024/25 H1") == ("ranked", f'a note of the release speaks of it: "{reworded}"')
            assert status(con, area, "2022/23 H1") == ("no_population", "no mid-2021 population estimate is held")
        assert status(con, "Derby", "2024/25 H1") == ("ranked", None)


def test_a_note_that_no_rule_knows_warns_and_sets_nothing_aside(con: duckdb.DuckDBPyConnection) -> None:
    [warned] = rows_of(con, "from quality_checks where check_name = 'notes_are_known'")
    assert (warned["required"], warned["passed"], warned["rows_broken"]) == (False, False, 2)
    assert UNKNOWN_NOTE in warned["examples"]


def test_blanks_of_a_note_may_differ_from_those_of_its_rule(tmp_path: Path) -> None:
    spaced = DERBYSHIRE_NOTE.replace("withinDerbyshirehave", "within Derbyshire have")
    rows = half("Derby") + half("Medway")
    with world_with(tmp_path, rows, spaced, KENT_NOTE.replace("Malling, ", "Malling,")).build() as con:
        assert status(con, "Derby")[0] == "withdrawn"
        assert f'"{spaced}"' in (status(con, "Derby")[1] or "")  # quoted as this release has it
        assert status(con, "Medway")[0] == "withdrawn"
        assert rows_of(con, "select passed from quality_checks where check_name = 'notes_are_known'") == [{"passed": True}]


def test_a_rule_acts_only_on_a_release_that_carries_its_note(tmp_path: Path) -> None:
    world = world_with(tmp_path, half("Medway", "2024/25") + half("Medway", "2025/26"), KENT_NOTE)
    # an older release says nothing of it, and a newer one, which covers 2025/26 alone, no longer does
    world.release(APRIL, half("Medway", "2024/25") + half("Medway", "2025/26"))
    world.release(date(2026, 10, 22), half("Medway", "2025/26"))
    with world.build() as con:
        assert status(con, "Medway", "2024/25 H1")[0] == "withdrawn"
        assert status(con, "Medway", "2025/26 H1")[0] == "ranked"
        before, between = "ranked_rates_as_of(date '2026-07-22')", "ranked_rates_as_of(date '2026-07-23')"
        assert [status(con, "Medway", h, source=before)[0] for h in ("2024/25 H1", "2025/26 H1")] == ["ranked", "ranked"]
        assert [status(con, "Medway", h, source=between)[0] for h in ("2024/25 H1", "2025/26 H1")] == ["withdrawn", "withdrawn"]


def test_the_force_itself_is_not_withdrawn(tmp_path: Path) -> None:
    world = world_with(tmp_path, half("Medway"), KENT_NOTE)
    world.release(APRIL, [figures("2024/25", q, "Kent", count=10) for q in (1, 2)], force_notes=[KENT_NOTE])
    with world.build() as con:
        assert status(con, "Kent", level="pfa")[0] == "ranked"
        assert status(con, "Medway")[0] == "withdrawn"


# ---------------------------------------------------------------- what there is
def test_areas_say_since_when_and_whether_they_are_places(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select area_name, area_code, force_name, first_half_year, last_half_year, is_place from areas "
        "where area_name in ('South Worcester', 'Unassigned Kent', 'London, City of', 'Manchester Airport')",
    )
    assert {tuple(row.values()) for row in rows} == {
        ("South Worcester", "E22000332", "West Mercia", "2023/24 H1", "2026/27 H1", True),
        ("Unassigned Kent", None, "Kent", "2024/25 H1", "2025/26 H1", False),
        ("London, City of", "E22000180", "London, City of", "2024/25 H1", "2025/26 H1", True),
        ("Manchester Airport", None, "Greater Manchester", "2024/25 H1", "2024/25 H1", False),
    }


def test_offences_and_releases_say_what_they_span(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select offence_level, offence_name, subgroup, offence_group, first_half_year, last_half_year "
        "from offences where offence_code = '46' or offence_level = 'group' and offence_code = 'Theft offences'",
    )
    assert {tuple(row.values()) for row in rows} == {
        ("code", "Shoplifting", "Shoplifting", "Theft offences", "2023/24 H2", "2025/26 H1"),
        ("group", "Theft offences", None, "Theft offences", "2023/24 H2", "2025/26 H1"),
    }
    spans = rows_of(con, "select table_kind, published, first_quarter, last_quarter, rows, simulated from releases order by 2")
    assert [tuple(row.values())[:4] for row in spans] == [
        ("csp", JULY, "2023/24 Q1", "2025/26 Q4"),
        ("csp", date(2026, 7, 24), "2026/27 Q1", "2026/27 Q1"),
    ]
    assert (spans[1]["rows"], spans[1]["simulated"]) == (1, False)
