"""ibis with its DuckDB backend."""

import duckdb
import ibis
from talk import DATABASE, MACRO, TOP, WRITE, attempt, rows, tell


def read(con: ibis.BaseBackend) -> list[list[object]]:
    """The question in ibis's own words."""
    half_years, rates = con.table("half_years"), con.table("ranked_rates")
    newest = half_years.filter(half_years.level == "pfa", half_years.complete).half_year.max().execute()
    top = rates.filter(rates.level == "pfa", rates.offence_level == "total", rates.half_year == newest, rates["rank"] <= 5)
    names = TOP.removeprefix("select ").partition(" from ")[0].split(", ")
    return listed(top.order_by("rank")[names])


def listed(table: ibis.Table) -> list[list[object]]:
    return rows(row.values() for row in table.to_pyarrow().to_pylist())


con = ibis.duckdb.connect(DATABASE, read_only=True)
schema = con.table("ranked_rates").schema()
tell(
    version=f"ibis {ibis.__version__}, duckdb {duckdb.__version__}",
    setting='ibis.duckdb.connect("PATH", read_only=True)',
    tables=con.list_tables(),
    top=read(con),
    types=", ".join(str(schema[c]) for c in ("rank", "offences", "rate_per_10k", "population_vintage")),
    macro=listed(con.sql(MACRO)),
    comments="",
    refused=attempt(lambda: con.raw_sql(WRITE)),
)
tell(top=read(con))
second = ibis.duckdb.connect(DATABASE, read_only=True)
ways = [("a second connect while the first is open", read(second))]
second.disconnect()
con.disconnect()
con = ibis.duckdb.connect(DATABASE, read_only=True)
ways.append(("disconnect(), then connect", read(con)))
tell(ways=ways)
