"""The contract with BI tools: what every published file has, whatever it was built from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from sql import contract, contract_docs
from sql.rows import RankedRate
from sql.schema import parse_columns
from tests.support.releases import figures
from tests.support.world import World, rows_of

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
DECLARED = (*contract.TABLES, *contract.VIEWS)
PLAIN = {"VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN"}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("contract"))
    world.worcestershire()
    world.release(date(2026, 4, 23), [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2, 3)])
    with world.build() as con:
        yield con


def test_every_promised_table_has_its_columns_in_order(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select table_name, string_agg(column_name, ' ' order by column_index) as columns from duckdb_columns() "
        "where schema_name = 'main' and not internal group by all",
    )
    found = {row["table_name"]: row["columns"] for row in rows}
    for table, columns in DESIGN.items():  # a later version may add, at the end or by a table of its own
        assert found[table].startswith(columns)
    assert set(found) == {table.name for table in DECLARED} >= {*DESIGN, "quality_checks", "data_dictionary"}


def test_tables_are_as_declared(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select table_name, column_name, data_type, comment from duckdb_columns() "
        "where schema_name = 'main' and not internal order by table_name, column_index",
    )
    declared = [(t.name, c.name, c.type, c.meaning) for t in sorted(DECLARED, key=lambda t: t.name) for c in t.columns]
    assert [tuple(row.values()) for row in rows] == declared
    assert all(meaning for *_, meaning in declared)


def test_every_table_says_what_a_row_is(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select table_name, comment from duckdb_tables() where schema_name = 'main' "
        "union all select view_name, comment from duckdb_views() where not internal",
    )
    assert {row["table_name"]: row["comment"] for row in rows} == {t.name: f"one row per {t.grain}" for t in DECLARED}


def test_types_are_plain_everywhere(con: duckdb.DuckDBPyConnection) -> None:
    # drivers choke on HUGEINT, ENUM and TIMESTAMPTZ
    types = rows_of(con, "select distinct data_type from duckdb_columns() where not internal")
    assert {row["data_type"] for row in types} <= PLAIN
    types = rows_of(con, "describe from ranked_rates_for(null, null, null)")
    assert {row["column_name"]: row["column_type"] for row in types} == {c.name: c.type for c in contract.RANKED_RATES.columns}


def test_the_dictionary_describes_what_is_there(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select d.* from data_dictionary as d join duckdb_columns() as c on c.table_name = d.table_name "
        "and c.column_name = d.column_name and schema_name = 'main' and column_type = data_type "
        "and position = column_index and meaning = comment",
    )
    assert len(rows) == sum(len(t.columns) for t in DECLARED)
    assert rows_of(con, "select count(*) as n from data_dictionary") == [{"n": len(rows)}]
    assert {row["contract_version"] for row in rows} == {contract.VERSION}
    for table in DECLARED:
        assert {r["column_name"] for r in rows if r["is_key"] and r["table_name"] == table.name} == set(table.key)


def test_what_is_promised_never_to_be_null_cannot_be(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con,
        "select table_name, column_name, c.is_nullable from duckdb_columns() as c join duckdb_tables() as t "
        "using (schema_name, table_name) where schema_name = 'main'",
    )
    assert {(r["table_name"], r["column_name"]): r["is_nullable"] for r in rows} == {
        (t.name, c.name): c.nullable for t in contract.TABLES for c in t.columns
    }
    held = rows_of(con, "select table_name, column_name, is_nullable from data_dictionary")
    assert {(r["table_name"], r["column_name"]): r["is_nullable"] for r in held} == {
        (t.name, c.name): c.nullable for t in DECLARED for c in t.columns
    }


def test_the_views_hold_no_path_and_read_their_own_tables(con: duckdb.DuckDBPyConnection) -> None:
    views = rows_of(con, "select view_name, sql from duckdb_views() where not internal")
    assert {row["view_name"] for row in views} == {view.name for view in contract.VIEWS}
    assert not any("/" in row["sql"] or "parquet" in row["sql"] for row in views)
    [path] = rows_of(con, "select path from duckdb_databases() where path is not null")
    with duckdb.connect() as client:  # with tables of the same names, which it must not read
        client.execute("create table ranked_rates as select 'decoy' as level, 'decoy' as half_year, 1 as rank")
        client.execute("create table rate_facts as select 1 as half_year_key, 1 as area_key, 1 as offence_key")
        client.execute("create table areas as select 1 as area_key, 'decoy' as level")
        client.execute(f"attach '{path['path']}' as theirs (read_only)")
        for view in contract.VIEWS:
            query = f"from {{}}{view.name} order by all"
            assert rows_of(client, query.format("theirs.")) == rows_of(con, query.format("")) != []


def test_the_newest_half_year_is_the_newest_that_is_complete(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select distinct half_year from latest_half_year")
    assert rows == [{"half_year": "2015/16 H1"}]  # of H2 the third quarter alone is out
    assert rows_of(con, "select offence_level, area_name, rank, offences from top_areas where offence_level = 'total'") == [
        {"offence_level": "total", "area_name": "South Worcester", "rank": 1, "offences": 18}
    ]


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
        declared = table.arrow_schema()
        assert [(f.name, f.type) for f in arrow] == [(f.name, f.type) for f in declared]
        assert all(isinstance(f.type, pa.DataType) and f.metadata for f in declared)


# ---------------------------------------------------------------- promises
def test_no_promise_of_this_version_is_broken() -> None:
    # a column was dropped, renamed, retyped or made nullable: raise VERSION; one was added: `make contract`
    assert contract_docs.find_broken_promises(contract_docs.list_promises(), contract_docs.read_promises()) == []
    assert contract_docs.read_promises() == contract_docs.list_promises()


def test_what_version_1_promised_still_holds() -> None:
    before = contract_docs.read_promises(contract_docs.promises_path("1"))
    assert len(before) > 100 and contract_docs.find_broken_promises(contract_docs.list_promises(), before) == []


def test_facts_and_views_have_the_same_rows(con: duckdb.DuckDBPyConnection) -> None:
    # the star that BI tools join is what the views join
    star = (
        "select h.half_year, h.level, a.area_name, o.offence_level, o.offence_code, f.rank, f.rate_per_10k "
        "from rate_facts as f join half_years as h using (half_year_key) join areas as a using (area_key) "
        "join offences as o using (offence_key) order by all"
    )
    rates = "select half_year, level, area_name, offence_level, offence_code, rank, rate_per_10k from ranked_rates order by all"
    assert rows_of(con, star) == rows_of(con, rates) != []


def test_three_tables_of_the_star_make_the_wide_views(con: duckdb.DuckDBPyConnection) -> None:
    harmonised = "(from rate_facts where is_harmonised union all from harmonised_rate_facts)"
    for facts, view in (("rate_facts", "ranked_rates"), (harmonised, "ranked_rates_harmonised")):
        star = (
            "select p.half_year, p.level, p.area_name, p.region_name, o.offence_name, p.population, f.rank, p.release_id "
            f"from {facts} as f join area_half_years as p using (half_year_key, area_key) join offences as o using (offence_key) "
            "order by all"
        )
        columns = "half_year, level, area_name, region_name, offence_name, population, rank, release_id"
        assert rows_of(con, star) == rows_of(con, f"select {columns} from {view} order by all") != []


def test_the_page_says_what_is_declared() -> None:
    assert contract_docs.PAGE.read_text(encoding="utf-8") == contract_docs.render_page()  # else: `make contract`


def test_the_row_types_are_those_of_the_tables() -> None:
    # else: `make contract`; type checkers hold what queries read to these
    assert contract_docs.ROW_TYPES.read_text(encoding="utf-8") == contract_docs.render_row_types()
    assert list(RankedRate.__annotations__) == [column.name for column in contract.RANKED_RATES.columns]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ([], ["areas.level is gone"]),
        ([("areas", "kind", "VARCHAR", "never null")], ["areas.level is gone"]),
        ([("areas", "level", "INTEGER", "never null")], ["areas.level was VARCHAR and is INTEGER"]),
        ([("areas", "level", "VARCHAR", "null")], ["areas.level was never null and may be now"]),
        ([("areas", "level", "VARCHAR", "never null"), ("areas", "new", "DATE", "null")], []),
    ],
)
def test_a_broken_promise_is_named(now: list[contract_docs.Promise], said: list[str]) -> None:
    assert contract_docs.find_broken_promises(now, [("areas", "level", "VARCHAR", "never null")]) == said
    assert (
        contract_docs.find_broken_promises([("areas", "level", "VARCHAR", "never null")], [("areas", "level", "VARCHAR", "null")])
        == []
    )


def test_a_column_that_is_declared_wrong_is_named() -> None:
    with pytest.raises(ValueError, match=r"expected `name TYPE \[unit, source\] meaning`, found 'level VARCHAR csp'"):
        parse_columns("level VARCHAR csp\n")
