"""Stalking, April to September 2015, as newspapers printed it in February 2016, against the sample as of 1 February 2016.

The figures and their sources: data/sample/README.md. What the sample chose within them is not tested here.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from tests.support.world import rate, rows_of

AS_OF = "ranked_rates_as_of(date '2016-02-01')"
TABLE = "half_year = '2015/16 H1' and level = 'csp' and offence_code = '8Q'"


@pytest.mark.parametrize(
    ("area", "offences", "population", "printed_rate", "rank"),
    [
        ("Wirral", 86, 320_914, 2.7, 1),
        ("Liverpool", 109, 473_073, 2.3, 2),
        ("South Worcester", 36, 296_505, 1.2, 5),
        ("North Worcestershire", 30, 278_916, 1.1, 7),
    ],
)
def test_counts_rates_and_ranks_are_as_printed(
    published: duckdb.DuckDBPyConnection, area: str, offences: int, population: int, printed_rate: float, rank: int
) -> None:
    row = rate(published, area, source=AS_OF)
    assert (row["offences"], row["population"], round(row["rate_per_10k"], 1), row["rank"]) == (
        offences,
        population,
        printed_rate,
        rank,
    )
    assert row["population_vintage"] == date(2015, 6, 25)


def test_places_that_were_printed_without_a_count_stand_where_they_did(published: duckdb.DuckDBPyConnection) -> None:
    sefton, st_helens = (rate(published, name, source=AS_OF) for name in ("Sefton", "St. Helens"))
    assert (round(sefton["rate_per_10k"], 1), sefton["rank"], st_helens["rank"]) == (1.5, 3, 4)


def test_merseyside_has_275_in_all(published: duckdb.DuckDBPyConnection) -> None:
    [row] = rows_of(published, f"select sum(offences) as offences from {AS_OF} where {TABLE} and force_name = 'Merseyside'")
    assert row["offences"] == 275


def test_the_same_table_today_divides_by_the_revised_estimate(published: duckdb.DuckDBPyConnection) -> None:
    """ONS, mid-2014 as revised on 25 June 2021: 296,970 and 279,023."""
    rows = [rate(published, name) for name in ("South Worcester", "North Worcestershire")]
    assert [(row["offences"], row["population"]) for row in rows] == [(36, 296_970), (30, 279_023)]


def test_today_a_partnership_of_staffordshire_stands_above_south_worcester(published: duckdb.DuckDBPyConnection) -> None:
    """Home Office, force table of 23 April 2026: 156 in Staffordshire, 1.4 per 10,000, more than South Worcester's 1.2."""
    [force] = rows_of(
        published, "from ranked_rates where half_year = '2015/16 H1' and offence_code = '8Q' and area_name = 'Staffordshire'"
    )
    assert force["offences"] == 156 and round(force["rate_per_10k"], 1) == 1.4
    above: list[dict[str, Any]] = rows_of(
        published,
        f"from ranked_rates where {TABLE} and force_name = 'Staffordshire' and rank < ?",
        rate(published, "South Worcester")["rank"],
    )
    assert above
