"""The sample's rows, to the last bit, as they were before anybody made anything faster.

A row changes only with the meaning of a figure: then write the rows anew (see tests/support/golden.py), and say in the commit
which figures changed, and why.
"""

from __future__ import annotations

import duckdb
import pytest

from sql.schema import Table, parse_columns
from tests.support import golden
from tests.support.world import World


@pytest.mark.parametrize("name", golden.RELATIONS)
def test_rows_are_what_they_were(sample: World, name: str) -> None:
    table = golden.RELATIONS[name]
    with duckdb.connect(str(sample.warehouse / "crime_rates.duckdb"), read_only=True) as con:
        found = golden.read_found(con, table)
    expected = golden.read_expected(table)
    assert expected != {} or name == "revisions"
    if found != expected:
        pytest.fail("\n".join(golden.describe_differences(table, expected, found)), pytrace=False)


def test_a_difference_names_key_column_and_both_values() -> None:
    rows = {("csp", "Medway"): ("csp", "Medway", "7", "0.1"), ("csp", "Swale"): ("csp", "Swale", "3", "")}
    columns = parse_columns("level VARCHAR [-, x] x\narea_name VARCHAR [-, x] x\noffences BIGINT [-, x] x\nrate DOUBLE? [-, x] x")
    table = Table("rates", "Rate", "area", columns, ("level", "area_name"), ())
    other = {("csp", "Medway"): ("csp", "Medway", "7", "0.10000000000000002"), ("csp", "Dover"): ("csp", "Dover", "1", "")}
    assert golden.describe_differences(table, rows, rows) == []
    assert golden.describe_differences(table, rows, other) == [
        "rates (csp, Medway): rate: expected 0.1, found 0.10000000000000002",
        "rates (csp, Swale): the row is missing",
        "rates (csp, Dover): a row too many",
    ]
