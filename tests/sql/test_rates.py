"""Offences over people: rates, ranks, intervals, and what a row of the table counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from statistics import NormalDist

import duckdb
import pytest

from tests.support.releases import Cell, figures
from tests.support.world import KENT, WORCESTERSHIRE, World, force_of, persons_of, rate, rows_of

APRIL = date(2026, 4, 23)
VIOLENCE = "Violence against the person"
# the stalking of five partnerships of Kent over 100,000, 100,000, 50,000, 100,000 and 125,000 people
STALKING = {"Ashford": 10, "Canterbury": 10, "Thanet": 5, "Dover": 20, "Swale": 2}


def row(csp: str, quarter: Cell, code: str = "8Q", count: Cell = 1, year: str = "2015/16") -> list[Cell]:
    return figures(year, quarter, force_of(csp), code, count, csp=csp)


def half(csp: str, code: str, count: Cell, year: str = "2015/16") -> list[list[Cell]]:
    """A count that falls in quarter 1, and a nought in quarter 2."""
    return [row(csp, 1, code, count, year), row(csp, 2, code, 0, year)]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("rates"))
    csps = {**WORCESTERSHIRE, **KENT}
    world.lookup(2017, csps)
    world.population(date(2015, 6, 25), persons_of(csps))
    rows = [r for csp, count in STALKING.items() for r in half(csp, "8Q", count)]
    # small and large counts, one offence code each: c0 … c9, c10, c11, c134, c9999
    rows += [r for n in (*range(12), 134, 9999) for r in half("South Worcester", f"c{n}", n)]
    # what a half-year adds up
    rows += [row("South Worcester", 1, "4.1", 3), row("South Worcester", 2, "4.1", 4)]
    rows += [row("South Worcester", 1, "4.10", 5), row("South Worcester", 2, "4.10", 6)]
    rows += [row("South Worcester", 1, "5E", 20), row("South Worcester", 2, "5E", 20)]
    rows += [row("South Worcester", 1, "46", 100), row("South Worcester", 2, "46", -30)]
    rows += half("South Worcester", "8Q", 36) + half("South Worcester", "cnought", 0) + half("Ashford", "c0", 1)
    # corrections that exceed what was recorded, and keys that come twice
    rows += [row("Medway", 1, "46", 2), row("Medway", 2, "46", -5)]
    rows += [row("Medway", 1, "1/4.1/4.10/4.2", n) for n in (1, 2, 3, 4)] + [row("Medway", 2, "1/4.1/4.10/4.2", 0)]
    # not known is not nought
    rows += [row("Medway", 1, "8Q", 7), row("Medway", 2, "8Q", "N/a")]
    rows += [row("Medway", 1, "30A", "N/a"), row("Medway", 2, "30A", "N/a")]
    rows += half("North Worcestershire", "8Q", 30)
    world.release(APRIL, rows)
    with world.build() as con:
        yield con


# ---------------------------------------------------------------- rates and ranks
def test_a_rate_is_offences_over_people_times_ten_thousand_and_is_not_rounded(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "North Worcestershire")
    assert (found["offences"], found["population"]) == (30, 95_000 + 85_000 + 100_000)
    assert found["rate_per_10k"] == pytest.approx(30 / 280_000 * 10_000, rel=1e-15)
    assert found["rate_per_10k"] != round(found["rate_per_10k"], 6)


def test_ties_share_the_better_rank_and_leave_a_gap(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select area_name, rank, rate_per_10k, areas_ranked from ranked_rates "
        "where force_name = 'Kent' and offence_code = '8Q' and rank is not null order by rank, area_name",
    )
    # beside them South Worcester has 36 of 300,000 (1.2) and North Worcestershire 30 of 280,000 (1.07)
    assert [(r["area_name"], r["rank"], r["rate_per_10k"]) for r in rows] == [
        ("Dover", 1, 2.0),
        ("Ashford", 4, 1.0),
        ("Canterbury", 4, 1.0),
        ("Thanet", 4, 1.0),
        ("Swale", 7, 0.16),
    ]
    assert {r["areas_ranked"] for r in rows} == {7}  # Medway is not


def test_each_table_is_ranked_by_itself(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select rank, areas_ranked from ranked_rates where offence_code = 'c1'")
    assert rows == [{"rank": 1, "areas_ranked": 1}]


def test_a_table_that_is_nought_everywhere_has_no_ranks(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "South Worcester", offence="cnought")
    assert (found["offences"], found["population"]) == (0, 300_000)
    assert (found["status"], found["rank"], found["areas_ranked"], found["rate_per_10k"]) == ("none_recorded", None, 0, None)
    assert found["status_note"] == "no area that could have been ranked recorded any"


def test_a_nought_among_others_is_the_lowest_rate(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "South Worcester", offence="c0")
    assert (found["status"], found["rank"], found["areas_ranked"], found["rate_per_10k"]) == ("ranked", 2, 2, 0.0)


def test_the_first_areas_are_those_that_recorded_something(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select area_name, offences from top_areas where offence_code = 'c0'")
    assert rows == [{"area_name": "Ashford", "offences": 1}]
    assert rows_of(con, "from top_areas where offences = 0") == []


# ---------------------------------------------------------------- intervals
def below(events: int, mean: float) -> float:
    """The chance of at most so many events of a Poisson count with that mean."""
    return sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(events + 1))


def solve(is_low: Callable[[float], bool]) -> float:
    low, high = 0.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return low


@pytest.mark.parametrize("events", range(10))
def test_limits_below_ten_events_are_those_of_the_poisson_distribution(con: duckdb.DuckDBPyConnection, events: int) -> None:
    # the smallest mean under which so many or more are as rare as 1 in 40, and the largest under which so few or fewer are
    lower = solve(lambda mean: 1 - below(events - 1, mean) < 0.025) if events else 0.0
    upper = solve(lambda mean: below(events, mean) > 0.025)
    found = rate(con, "South Worcester", offence=f"c{events}")
    assert found["offences"] == events
    assert found["rate_lower_95"] == pytest.approx(lower / 300_000 * 10_000, rel=1e-10)
    assert found["rate_upper_95"] == pytest.approx(upper / 300_000 * 10_000, rel=1e-10)


@pytest.mark.parametrize("events", [10, 11, 134, 9999])
def test_limits_from_ten_events_are_byars(con: duckdb.DuckDBPyConnection, events: int) -> None:
    z = NormalDist().inv_cdf(0.975)
    lower = events * (1 - 1 / (9 * events) - z / (3 * math.sqrt(events))) ** 3
    more = events + 1
    upper = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    found = rate(con, "South Worcester", offence=f"c{events}")
    assert found["rate_lower_95"] == pytest.approx(lower / 300_000 * 10_000, rel=1e-12)
    assert found["rate_upper_95"] == pytest.approx(upper / 300_000 * 10_000, rel=1e-12)


# ---------------------------------------------------------------- what is counted
def test_codes_add_up_to_subgroups_groups_and_the_total(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select offence_level, offence_code, offences from ranked_rates where area_name = 'South Worcester' "
        "and (offence_level <> 'code' or offence_code in ('4.1', '4.10'))",
    )
    others = sum([*range(12), 134, 9999])  # c0 …: "A subgroup" of "A group"
    assert {(r["offence_level"], r["offence_code"]): r["offences"] for r in rows} == {
        ("code", "4.1"): 3 + 4,
        ("code", "4.10"): 5 + 6,  # two offences, not one number
        ("bundle", "Stalking and harassment (all codes)"): 36,  # ours, beside the official levels
        ("subgroup", "Homicide"): 18,
        ("subgroup", "Violence with injury"): 40,
        ("subgroup", "Stalking and harassment"): 36,
        ("subgroup", "Shoplifting"): 70,
        ("subgroup", "A subgroup"): others,
        ("group", VIOLENCE): 18 + 40 + 36,
        ("group", "Theft offences"): 70,
        ("group", "A group"): others,
        ("total", "Total"): 18 + 40 + 36 + 70 + others,
    }


def test_a_correction_is_subtracted_and_never_dropped(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "South Worcester", offence="46")
    assert (found["offences"], found["status"]) == (100 - 30, "ranked")


def test_corrections_that_exceed_what_was_recorded_give_no_rate(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "Medway", offence="46")
    assert (found["offences"], found["status"], found["population"]) == (-3, "negative", 250_000)
    assert [found[c] for c in ("rate_per_10k", "rate_lower_95", "rate_upper_95", "rank")] == [None] * 4
    assert found["status_note"] == "corrections of earlier quarters exceed the offences recorded"


def test_rows_of_one_key_are_added_up(con: duckdb.DuckDBPyConnection) -> None:
    # an earlier release of 2017/18 has four rows a quarter under 1/4.1/4.10/4.2
    assert rate(con, "Medway", offence="1/4.1/4.10/4.2")["offences"] == 1 + 2 + 3 + 4


def test_a_count_that_is_not_known_is_incomplete_and_never_nought(con: duckdb.DuckDBPyConnection) -> None:
    half_known, unknown = rate(con, "Medway"), rate(con, "Medway", offence="30A")
    assert (half_known["offences"], half_known["status"]) == (7, "incomplete")
    assert (unknown["offences"], unknown["status"]) == (None, "incomplete")
    assert half_known["status_note"] == "the release says N/a for a count in this half-year"
    counts = rows_of(
        con, "select quarter, offences from offence_counts where area_name = 'Medway' and offence_code = '8Q' order by 1"
    )
    assert counts == [{"quarter": 1, "offences": 7}, {"quarter": 2, "offences": None}]


def test_what_holds_an_unknown_count_is_not_known_either(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select offence_code, status from ranked_rates where area_name = 'Medway' and offence_level <> 'code'")
    assert {r["offence_code"]: r["status"] for r in rows} == {
        "Stalking and harassment": "incomplete",
        VIOLENCE: "incomplete",
        "Stalking and harassment (all codes)": "incomplete",
        "Burglary": "incomplete",
        "Non-domestic burglary": "incomplete",
        "Theft offences": "incomplete",
        "Total": "incomplete",
        "Homicide": "ranked",
        "Shoplifting": "negative",
    }


# ---------------------------------------------------------------- one offence, one name
@pytest.fixture(scope="module")
def drift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Labels that change between years: offence, year → description, group, subgroup."""
    sexual = ("Sexual offences", "Other sexual offences")
    labels = [
        ("8L", "2012/13", "Harassment", VIOLENCE, "Violence without injury"),
        ("8L", "2013/14", "Harassment", VIOLENCE, "Stalking and harassment"),
        ("AF", "2012/13", "Action fraud", "Fraud Offences", "Fraud offences: Action Fraud"),
        ("AF", "2013/14", "Action Fraud", "Fraud offences", "Fraud offences: Action Fraud"),
        ("3B", "2012/13", "Threats to kill", VIOLENCE, "Violence without injury"),
        ("3B", "2013/14", "Threats to kill", VIOLENCE, "Violence without injury"),
        ("72", "2012/13", "Trafficking for sexual exploitation", *sexual),
        ("72", "2013/14", "Trafficking for sexual exploitation", *sexual),
    ]
    rows: list[list[Cell]] = []
    for csp in ("South Worcester", "North Worcestershire", "Dover"):
        for code, year, description, group, subgroup in labels:
            rows += [[year, quarter, force_of(csp), csp, description, group, subgroup, code, 1] for quarter in (1, 2)]
    # one row of 72 bears the description of 3B, in the newest quarter of all
    [wrong] = [r for r in rows if r[:2] == ["2013/14", 2] and r[3] == "Dover" and r[7] == "72"]
    wrong[4] = "Threats to kill"
    world = World(tmp_path_factory.mktemp("drift"))
    csps = {**WORCESTERSHIRE, "Dover": KENT["Dover"]}
    world.lookup(2017, csps)
    for year in (2011, 2012):
        world.population(date(2013, 6, 25), persons_of(csps), year=year)
    world.release(APRIL, rows)
    with world.build() as con:
        yield con


def test_an_offence_keeps_its_newest_name_in_every_year(drift: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(drift, "select distinct half_year, offence_code, offence_name from ranked_rates where offence_level = 'code'")
    newest = {"8L": "Harassment", "AF": "Action Fraud", "3B": "Threats to kill", "72": "Trafficking for sexual exploitation"}
    assert {(r["half_year"], r["offence_code"]): r["offence_name"] for r in rows} == {
        (half_year, code): name for half_year in ("2012/13 H1", "2013/14 H1") for code, name in newest.items()
    }
    assert len(rows) == 8  # never two names


def test_one_stray_description_neither_renames_nor_splits_an_offence(drift: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(drift, "select area_name, offences from ranked_rates where half_year = '2013/14 H1' and offence_code = '72'")
    assert {r["area_name"]: r["offences"] for r in rows} == {"South Worcester": 2, "North Worcestershire": 2, "Dover": 2}
    assert rate(drift, "Dover", half_year="2013/14 H1", offence="3B")["offences"] == 2


def test_an_offence_counts_towards_its_newest_subgroup_in_every_year(drift: duckdb.DuckDBPyConnection) -> None:
    assert rate(drift, "Dover", half_year="2012/13 H1", offence="Stalking and harassment")["offences"] == 2  # 8L's
    assert rate(drift, "Dover", half_year="2012/13 H1", offence="Violence without injury")["offences"] == 2  # 3B's alone
    groups = rows_of(drift, "select offence_code from offences where offence_level = 'group' and offence_code ilike 'fraud%'")
    assert groups == [{"offence_code": "Fraud offences"}]


# ---------------------------------------------------------------- as published
def test_the_published_figures_of_worcestershire_come_out(sample: World) -> None:
    with duckdb.connect(str(sample.warehouse / "crime_rates.duckdb"), read_only=True) as con:
        first = "ranked_rates_for(null, null, date '2015-06-25')"
        south, north = rate(con, "South Worcester", source=first), rate(con, "North Worcestershire", source=first)
        assert (south["offences"], south["population"], north["offences"], north["population"]) == (36, 296_505, 30, 278_916)
        assert south["rate_per_10k"] == pytest.approx(36 / 296_505 * 10_000, rel=1e-15)
        assert north["rate_per_10k"] == pytest.approx(30 / 278_916 * 10_000, rel=1e-15)
        assert f"{south['rate_per_10k']:.1f}, {north['rate_per_10k']:.1f}" == "1.2, 1.1"
        revised = [rate(con, area)["population"] for area in ("South Worcester", "North Worcestershire")]
        assert revised == [296_970, 279_023]
        # by force (real figures): 68 and 66 in the two quarters
        assert rate(con, "West Mercia", level="pfa")["offences"] == 68 + 66


def test_the_sample_holds_the_people_of_england_and_wales(sample: World) -> None:
    with duckdb.connect(str(sample.warehouse / "crime_rates.duckdb"), read_only=True) as con:
        rows = rows_of(
            con, "select area_name, persons from populations where level = 'pfa' and year = 2014 and vintage = '2021-06-25'"
        )
    persons = {r["area_name"]: r["persons"] for r in rows}
    assert len(persons) == 43
    assert sum(count for name, count in persons.items() if name != "London, City of") == 57_402_515
    assert {name: persons[name] for name in ("Suffolk", "Dorset", "Thames Valley", "Avon and Somerset")} == {
        "Suffolk": 742_499,
        "Dorset": 757_843,
        "Thames Valley": 2_336_630,
        "Avon and Somerset": 1_646_414,
    }
