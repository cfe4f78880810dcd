"""Counts by force against the tables that the ONS printed; ranks with the estimates since the census of 2021.

A release states earlier quarters again, so counts of 2026 differ from what was printed in 2018: by how much is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.backtests.conftest import facts
from transforms.populations import PopulationReader

pytestmark = pytest.mark.shared
USUAL = 0.04  # of a force's offences in a year, either way: what most revisions stay within
# Forces that were revised by more, and by how much at most: seen in these tables, upwards each time
LARGER = {"Dyfed-Powys": 0.09, "London, City of": 0.09}
NATIONAL = 0.0035  # of all forces together


@pytest.fixture(scope="module")
def counted(real: duckdb.DuckDBPyConnection) -> Iterator[dict[tuple[str, str], tuple[str, int]]]:
    """(area code, year ending) → (name, offences, fraud left out), as released on 23 April 2026."""
    rows = real.execute(
        """
        with quarters as (
            select
                c.area_code, c.area_name, left(c.financial_year, 4)::int * 4 + c.quarter - 1 as key, sum(c.offences) as offences,
            from offence_counts as c
            join (select distinct offence_code, offence_group from crime_rates_core.offences) as o using (offence_code)
            where c.level = 'pfa' and o.offence_group not ilike '%fraud%'
            group by all
        )
        select area_code, area_name, key, sum(offences) over (
            partition by area_code order by key range between 3 preceding and current row)::bigint
        from quarters"""
    ).fetchall()
    # key % 4 is the quarter less 1: quarter 4 ends in March of the next calendar year
    yield {
        (code, f"{key // 4 + (key % 4 == 3)}-{3 * (key % 4 + 2) % 12 or 12:02d}"): (name, offences)
        for code, name, key, offences in rows
    }


def test_each_force_is_within_the_revisions_known(counted: dict[tuple[str, str], tuple[str, int]]) -> None:
    compared, too_far = 0, []
    for row in facts("force_counts"):
        name, offences = counted[row["area_code"], row["year_ending"]]
        change = offences / int(row["offences"]) - 1
        compared += 1
        if not -USUAL <= change <= LARGER.get(name, USUAL):
            too_far.append((name, row["year_ending"], row["offences"], offences))
    assert (compared, too_far) == (384, [])


def test_all_forces_together_are_as_printed_to_a_third_of_a_per_cent(counted: dict[tuple[str, str], tuple[str, int]]) -> None:
    printed: dict[str, list[tuple[int, int]]] = {}
    for row in facts("force_counts"):
        pair = int(row["offences"]), counted[row["area_code"], row["year_ending"]][1]
        printed.setdefault(row["year_ending"], []).append(pair)
    changes = {year: sum(now for _, now in pairs) / sum(then for then, _ in pairs) - 1 for year, pairs in printed.items()}
    assert len(changes) == 9
    assert {year: change for year, change in changes.items() if abs(change) > NATIONAL} == {}


def test_every_complete_half_year_ranks_42_forces(real_since_2021: duckdb.DuckDBPyConnection) -> None:
    rows = real_since_2021.execute(
        "select half_year, count(*) filter (where status = 'ranked') from ranked_rates "
        "where level = 'pfa' and offence_level = 'total' and regexp_matches(area_code, '^(E23|W15)') group by all order by 1"
    ).fetchall()
    assert len(rows) == 28
    assert [row for row in rows if row[1] != 42] == [("2025/26 H2", 0)]  # of which the release has one quarter


def test_the_city_of_london_is_never_ranked(real_since_2021: duckdb.DuckDBPyConnection) -> None:
    """The ONS gives no rate for it, owing to its small resident population."""
    rows = real_since_2021.execute(
        "select distinct status, rank from ranked_rates where level = 'pfa' and area_name = 'London, City of'"
    ).fetchall()
    assert rows == [("not_resident", None)]


def test_the_partnerships_of_mid_2021_are_equal_to_the_person(real_since_2021: duckdb.DuckDBPyConnection) -> None:
    """Over all estimates and lookups that are held, too; two rows are councils there (test_published_populations)."""
    rows = real_since_2021.execute(
        "select area_code, persons from populations where level = 'csp' and year = 2021 and vintage = date '2022-12-21'"
    ).fetchall()
    persons = dict(rows)
    printed = {row["area_code"]: int(row["persons"]) for row in facts("partnership_populations")}
    different = {code for code, n in printed.items() if persons.get(code) != n}
    assert different == {"E22000367", "E22000233"}


@pytest.mark.parametrize(
    ("file", "persons"),
    [
        ("mye23tablesew.csv", {2023: 60_854_727}),
        ("mye24tablesew.csv", {2024: 61_806_682}),
        ("ukpopestimatesmid2021on2021geographyfinal.xls", {2001: 52_359_978, 2011: 56_170_927, 2021: 59_641_829}),
    ],
)
def test_files_read_rightly_without_their_manifest(shared: Path, file: str, persons: dict[int, int]) -> None:
    """England and Wales as each file prints it, and its councils together."""
    rows = PopulationReader(shared / "data" / "ons-since-2021" / file, "").read().to_pylist()
    printed = {row["year"]: row["persons"] for row in rows if row["area_code"] == "K04000001"}
    councils = {
        year: sum(row["persons"] for row in rows if row["year"] == year and row["area_kind"] == "council") for year in persons
    }
    assert printed == councils == persons


def test_a_shared_council_of_a_past_year_is_split_as_its_parts_were_then(real_since_2021: duckdb.DuckDBPyConnection) -> None:
    """ONS, MYEB3 of 25 June 2021: Corby of mid-2014 had 65,467 of what is now North Northamptonshire's 327,856.

    That share of the 330,649 of the series of 15 July 2024, which has North Northamptonshire alone, is 66,025.
    """
    rows = real_since_2021.execute(
        "select vintage::varchar, boundaries, persons, method from populations where level = 'csp' and area_name = 'Corby' "
        "and year = 2014 and vintage > date '2021-01-01' order by 1, 2"
    ).fetchall()
    old, new, (vintage, _, persons, method) = rows
    assert (old[1:], new[1:]) == (("2020", 65_467, "sum"), ("2021", 65_467, "apportioned"))
    assert (vintage, persons, method) == ("2024-07-15", 66_025, "apportioned")


@pytest.mark.parametrize(
    ("area", "persons"),
    [("Bournemouth", 202_677), ("Poole", 156_325), ("Dorset", 439_912), ("Carlisle", 114_867), ("Aylesbury Vale", 217_577)],
)
def test_partnerships_that_share_a_council_have_the_size_that_the_ons_printed(
    real_since_2021: duckdb.DuckDBPyConnection, area: str, persons: int
) -> None:
    """ONS, Table C4 of the year ending March 2026, mid-2024: offences ÷ rate."""
    rows = real_since_2021.execute(
        "select persons from populations where level = 'csp' and area_name = ? and year = 2024 and vintage = date '2025-07-30'",
        [area],
    ).fetchall()
    assert rows == [(persons,)]
