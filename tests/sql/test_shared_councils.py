"""A council that several partnerships share is split by its parts as they were in that year, or in the nearest that is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from tests.support.releases import figures
from tests.support.world import World, force_of, rate

DAY = date(2026, 4, 23)
BOURNEMOUTH, POOLE, CHRISTCHURCH, BCP, DORSET_COUNCIL = "E06000028", "E06000029", "E07000048", "E06000058", "E06000059"
OTHERS = [f"E070000{n}" for n in range(49, 54)]  # the rest of Dorset
CSPS = {"Bournemouth": [BOURNEMOUTH], "Poole": [POOLE], "Dorset": [CHRISTCHURCH, *OTHERS]}


def parts(bournemouth: int, poole: int, christchurch: int) -> dict[str, int]:
    """Estimates of the three, and 50,000 in each other district of Dorset."""
    return {BOURNEMOUTH: bournemouth, POOLE: poole, CHRISTCHURCH: christchurch} | dict.fromkeys(OTHERS, 50_000)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("shared"))
    world.lookup(2017, CSPS)
    world.population(date(2013, 8, 8), parts(180_000, 160_000, 60_000), year=2012)
    world.population(date(2015, 6, 25), parts(200_000, 150_000, 50_000), year=2014)
    world.population(date(2018, 6, 28), parts(240_000, 120_000, 40_000), year=2017)
    world.population(date(2026, 1, 1), parts(160_000, 170_000, 70_000), year=2018)
    for year in range(2012, 2020):  # all years again, on the councils of 2021
        if year != 2018:
            world.population(date(2021, 6, 25), {BCP: 400_000, DORSET_COUNCIL: 250_000}, year=year, boundaries="21")
    years = [f"{year}/{(year + 1) % 100}" for year in range(2013, 2021)]
    world.release(DAY, [figures(year, q, "Dorset", csp=csp) for year in years for csp in CSPS for q in (1, 2)])
    with world.build() as con:
        yield con


@pytest.mark.parametrize(
    ("mid_year", "part_year", "bournemouth", "dorset"),
    [
        (2012, 2012, 180_000, 310_000),
        (2013, 2014, 200_000, 300_000),  # as near as mid-2012, and later
        (2014, 2014, 200_000, 300_000),
        (2015, 2014, 200_000, 300_000),
        (2016, 2017, 240_000, 290_000),
        (2017, 2017, 240_000, 290_000),
        (2019, 2017, 240_000, 290_000),  # mid-2018 is nearer, but was not out when this estimate was
    ],
)
def test_the_parts_of_the_year_or_the_nearest_split_it(
    con: duckdb.DuckDBPyConnection, mid_year: int, part_year: int, bournemouth: int, dorset: int
) -> None:
    half_year = f"{mid_year + 1}/{(mid_year + 2) % 100} H1"
    row = rate(con, "Bournemouth", half_year=half_year)
    assert (row["population_year"], row["population_method"], row["population"]) == (mid_year, "apportioned", bournemouth)
    assert f"split by its parts of mid-{part_year} (" in row["status_note"]
    assert rate(con, "Dorset", half_year=half_year)["population"] == dorset


# ---------------------------------------------------------------- sizes that the ONS printed for partnerships
CUMBERLAND, ALLERDALE, CARLISLE, COPELAND = "E06000063", "E07000026", "E07000028", "E07000029"
BUCKINGHAMSHIRE, AYLESBURY, CHILTERN, SOUTH_BUCKS, WYCOMBE = "E06000060", "E07000004", "E07000005", "E07000006", "E07000007"
OLD_DISTRICTS = {
    "Allerdale": ALLERDALE,
    "Carlisle": CARLISLE,
    "Copeland": COPELAND,
    "Aylesbury Vale": AYLESBURY,
    "Chiltern": CHILTERN,
    "South Bucks": SOUTH_BUCKS,
    "Wycombe": WYCOMBE,
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """ONS, mid-2024 as published on 30 July 2025, over parts of mid-2019 in round figures."""
    world = World(tmp_path_factory.mktemp("printed"))
    world.lookup(2017, {name: [code] for name, code in OLD_DISTRICTS.items()})
    old = (100_000, 110_000, 70_000, 200_000, 80_000, 60_000, 160_000)
    world.population(date(2020, 6, 24), dict(zip(OLD_DISTRICTS.values(), old, strict=True)), year=2019)
    world.population(date(2025, 7, 30), {CUMBERLAND: 280_495, BUCKINGHAMSHIRE: 578_772}, year=2024)
    world.release(date(2025, 10, 23), [figures("2025/26", q, force_of(csp), csp=csp) for csp in OLD_DISTRICTS for q in (1, 2)])
    with world.build() as con:
        yield con


def test_a_size_that_the_ons_printed_is_that_parts_size(printed: duckdb.DuckDBPyConnection) -> None:
    """ONS, Table C4 of the year ending March 2026: Carlisle 114,867, Copeland 67,863, Aylesbury Vale 217,577."""
    rows = {name: rate(printed, name, half_year="2025/26 H1") for name in OLD_DISTRICTS}
    assert [rows[name]["population"] for name in ("Carlisle", "Copeland", "Allerdale")] == [114_867, 67_863, 97_765]
    assert rows["Aylesbury Vale"]["population"] == 217_577
    note = "population apportioned: E06000063 split by its parts of mid-2024 (40.95% of 280,495; parts published 2026-07-23)"
    assert rows["Carlisle"]["status_note"] == note


def test_the_parts_that_were_not_printed_share_the_rest(printed: duckdb.DuckDBPyConnection) -> None:
    rows = [rate(printed, name, half_year="2025/26 H1") for name in ("Chiltern", "South Bucks", "Wycombe")]
    assert [row["population"] for row in rows] == [round((578_772 - 217_577) * n / 300) for n in (80, 60, 160)]
    assert "split by its parts of mid-2019, E07000004 as of mid-2024 (" in rows[0]["status_note"]


def test_a_table_as_of_an_earlier_day_does_not_know_what_was_printed_later(printed: duckdb.DuckDBPyConnection) -> None:
    for day, persons in (("2026-07-22", round(280_495 * 110 / 280)), ("2026-07-23", 114_867)):
        row = rate(printed, "Carlisle", half_year="2025/26 H1", source=f"ranked_rates_as_of(date '{day}')")
        assert row["population"] == persons
