"""Backtests: the pipeline against figures that were really published. The source of each stands beside it."""

from __future__ import annotations

import duckdb
import pytest

from tests.support.world import rate, rows_of


@pytest.mark.shared
def test_nothing_of_the_force_table_is_lost(real: duckdb.DuckDBPyConnection) -> None:
    """Home Office force table, release of 23 April 2026: 75,883,720 offences in 27 complete half-years."""
    assert real.execute("select sum(offences)::bigint from offence_counts where level = 'pfa'").fetchall() == [(75_883_720,)]
    assert real.execute("select count(*) from half_years where level = 'pfa' and complete").fetchall() == [(27,)]


@pytest.mark.shared
def test_stalking_by_quarter_is_as_published(real: duckdb.DuckDBPyConnection) -> None:
    """2015/16: West Mercia 68, 66, 47, 51; national 1,047, 1,068, 1,061, 1,116 with the transport police's 1, 2, 3, 8."""
    rows = real.execute(
        "select sum(offences)::bigint, sum(offences) filter (where area_name = 'West Mercia')::bigint, "
        "sum(offences) filter (where area_name = 'British Transport Police')::bigint from offence_counts "
        "where level = 'pfa' and financial_year = '2015/16' and offence_code = '8Q' group by quarter order by quarter"
    ).fetchall()
    assert rows == [(1047, 68, 1), (1068, 66, 2), (1061, 47, 3), (1116, 51, 8)]


@pytest.mark.shared
def test_england_and_wales_counts_the_transport_police_and_no_fraud_body(real: duckdb.DuckDBPyConnection) -> None:
    """The national quarters above, by half-year; Wales and England count neither."""
    rows = {
        r["area_name"]: r
        for r in rows_of(real, "from ranked_rates where level = 'country' and half_year = '2015/16 H1' and offence_code = '8Q'")
    }
    assert rows["England and Wales"]["offences"] == 1047 + 1068
    assert rows["England"]["offences"] + rows["Wales"]["offences"] == 1047 + 1068 - 1 - 2
    people = [rows[name]["population"] for name in ("England", "Wales", "England and Wales")]
    assert people[0] + people[1] == people[2]


@pytest.mark.shared
def test_greater_manchesters_second_half_of_2019_is_there(real: duckdb.DuckDBPyConnection) -> None:
    """Missing from earlier releases; in that of 23 April 2026 quarter 2 of 2019/20 has 74,692 offences, quarter 3 74,267."""
    rows = real.execute(
        "select sum(offences)::bigint from offence_counts where level = 'pfa' and quarter in (2, 3) and "
        "area_name = 'Greater Manchester' and financial_year = '2019/20' group by quarter order by quarter"
    )
    assert rows.fetchall() == [(74_692,), (74_267,)]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("force", "persons"),
    [("Suffolk", 742_499), ("Dorset", 757_843), ("Thames Valley", 2_336_630), ("Avon and Somerset", 1_646_414)],
)
def test_forces_whose_councils_merged_keep_all_their_people(real: duckdb.DuckDBPyConnection, force: str, persons: int) -> None:
    """ONS, mid-2014 as revised on 25 June 2021, on boundaries of April 2020."""
    assert rate(real, force, level="pfa")["population"] == persons


@pytest.mark.shared
def test_the_42_forces_hold_everybody_but_the_city(real: duckdb.DuckDBPyConnection) -> None:
    total = real.execute(
        "select sum(population)::bigint from ranked_rates where level = 'pfa' and half_year = '2015/16 H1' "
        "and offence_code = '8Q' and area_name <> 'London, City of'"
    ).fetchall()
    assert total == [(57_402_515,)]


@pytest.mark.shared
def test_the_first_forces_of_the_stalking_table(real: duckdb.DuckDBPyConnection) -> None:
    """First vintage of mid-2014: Merseyside 1.98, Staffordshire 1.40, West Mercia 1.08 (134 offences)."""
    rows = real.execute(
        "select area_name, round(rate_per_10k, 2), offences from ranked_rates_for(null, null, date '2015-06-25') "
        "where level = 'pfa' and half_year = '2015/16 H1' and offence_code = '8Q' and rank <= 3 order by rank"
    )
    assert rows.fetchall() == [("Merseyside", 1.98, 276), ("Staffordshire", 1.4, 156), ("West Mercia", 1.08, 134)]
