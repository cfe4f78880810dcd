"""The contract with BI tools: what every published file has, whatever it was built from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from sql import contract
from tests.releases import figures
from tests.world import World, rows_of

DESIGN = {  # the public tables and columns of contract version 1, as promised; changed by a new version only
    "ranked_rates": "half_year period_start period_end level area_code area_name force_name region_name offence_level "
                    "offence_code offence_name offences population population_year population_vintage population_method "
                    "rate_per_10k rate_lower_95 rate_upper_95 rank areas_ranked status status_note release_id",
    "offence_counts": "level area_code area_name financial_year quarter offence_code offences release_id",
    "half_years": "half_year period_start period_end level complete release_id",
    "areas": "level area_code area_name force_name region_name first_half_year last_half_year is_place",
    "offences": "offence_level offence_code offence_name subgroup offence_group first_half_year last_half_year",
    "populations": "level area_code area_name year vintage boundaries persons method source_file",
    "releases": "release_id file_name sha256 table_kind published published_source first_quarter last_quarter rows simulated "
                "source_url",
    "revisions": "from_release to_release level area_code area_name financial_year quarter offence_code before after",
}
PLAIN = {"VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN"}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("contract"))
    world.worcestershire()
    world.release(date(2026, 4, 23), [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)])
    with world.build() as con:
        yield con


def test_every_promised_table_has_its_columns_in_order(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select table_name, string_agg(column_name, ' ' order by column_index) as columns from duckdb_columns() "
                   "where schema_name = 'main' and not internal group by all")
    found = {row["table_name"]: row["columns"] for row in rows}
    for table, columns in DESIGN.items():  # a later version may add, at the end or by a table of its own
        assert found[table].startswith(columns)
    assert set(found) == {table.name for table in contract.TABLES} >= {*DESIGN, "quality_checks", "data_dictionary"}


def test_tables_are_as_declared(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select table_name, column_name, data_type, comment from duckdb_columns() "
                   "where schema_name = 'main' and not internal order by table_name, column_index")
    declared = [(t.name, c.name, c.type, c.meaning) for t in sorted(contract.TABLES, key=lambda t: t.name) for c in t.columns]
    assert [tuple(row.values()) for row in rows] == declared
    assert all(meaning for *_, meaning in declared)


def test_every_table_says_what_a_row_is(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select table_name, comment from duckdb_tables() where schema_name = 'main'")
    assert {row["table_name"]: row["comment"] for row in rows} == {t.name: f"one row per {t.grain}" for t in contract.TABLES}


def test_types_are_plain_everywhere(con: duckdb.DuckDBPyConnection) -> None:
    # drivers choke on HUGEINT, ENUM and TIMESTAMPTZ; a view would hide a path
    types = rows_of(con, "select distinct data_type from duckdb_columns() where not internal")
    assert {row["data_type"] for row in types} <= PLAIN
    assert rows_of(con, "select view_name from duckdb_views() where not internal") == []
    types = rows_of(con, "describe from ranked_rates_for(null, null, null)")
    assert {row["column_name"]: row["column_type"] for row in types} == {c.name: c.type for c in contract.RANKED_RATES.columns}


def test_the_dictionary_describes_what_is_there(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select d.* from data_dictionary as d join duckdb_columns() as c on c.table_name = d.table_name "
                   "and c.column_name = d.column_name and schema_name = 'main' and column_type = data_type "
                   "and position = column_index and meaning = comment")
    assert len(rows) == sum(len(t.columns) for t in contract.TABLES)
    assert rows_of(con, "select count(*) as n from data_dictionary") == [{"n": len(rows)}]
    assert {row["contract_version"] for row in rows} == {contract.VERSION}
    for table in contract.TABLES:
        assert {r["column_name"] for r in rows if r["is_key"] and r["table_name"] == table.name} == set(table.key)


def test_rows_lie_in_their_order(con: duckdb.DuckDBPyConnection) -> None:
    for table in contract.TABLES:
        stored = con.execute(f'from "{table.name}"').fetchall()
        assert stored == con.execute(f'from "{table.name}" order by {", ".join(table.order)}').fetchall()


def test_helper_tables_stay_out_of_main(con: duckdb.DuckDBPyConnection) -> None:
    schemas = {row["schema_name"] for row in rows_of(con, "select distinct schema_name from duckdb_tables()")}
    assert schemas == {"main", "crime_rates_core"}


def test_no_clock_stands_in_the_database(con: duckdb.DuckDBPyConnection) -> None:
    clocks = rows_of(con, "select table_name, column_name from duckdb_columns() where not internal and data_type ilike '%time%'")
    assert clocks == []


def test_arrow_schema_and_tables_agree(con: duckdb.DuckDBPyConnection) -> None:
    for table in contract.TABLES:
        arrow = con.execute(f'from "{table.name}"').to_arrow_table().schema
        declared = contract.arrow_schema(table)
        assert [(f.name, f.type) for f in arrow] == [(f.name, f.type) for f in declared]
        assert all(isinstance(f.type, pa.DataType) and f.metadata for f in declared)
