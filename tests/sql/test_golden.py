"""The sample's rows, to the last bit and in their order, as they were before anybody made anything faster.

A digest changes only with the meaning of a figure: then say in the commit which figures, and why.
"""

from __future__ import annotations

import hashlib

import duckdb
import pytest

from tests.support.world import World

ROWS = {
    "ranked_rates": "814480fede706fe8",
    "ranked_rates_harmonised": "1a4b30d15ebd464e",
    "offence_counts": "e113ec4e3ab662cc",
    "populations": "e5fce1aeab011abe",
    "areas": "1984cd72c9bfbba8",
    "offences": "5412c18e0524081d",
    "half_years": "f282fcb9970c60af",
}


@pytest.mark.parametrize("table", ROWS)
def test_rows_are_what_they_were(sample: World, table: str) -> None:
    digest = hashlib.sha256()
    with duckdb.connect(str(sample.warehouse / "crime_rates.duckdb"), read_only=True) as con:
        for row in con.execute(f"from {table}").fetchall():
            digest.update(repr(row).encode())
    assert digest.hexdigest()[:16] == ROWS[table]
