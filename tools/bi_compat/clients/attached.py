"""DuckDB with the published file attached to a database of one's own, which has a table of the same name."""

import duckdb
from talk import COMMENT, DATABASE, MACRO, TOP, WRITE, attempt, rows, tell, types

ATTACH = f"attach '{DATABASE}' as crime (read_only)"


def read(table: str) -> list[list[object]]:
    sql = TOP.replace("from ranked_rates", f"from {table}").replace("half_years", "crime.half_years")
    return rows(con.execute(sql).fetchall())


con = duckdb.connect()
con.execute(ATTACH)
con.execute("create table ranked_rates as select 'decoy' as area_name")
top = read("crime.ranked_rates")
before = attempt(lambda: con.execute("from crime.ranked_rates_for(null, null, null)"))
con.execute("use crime")
first = con.execute(TOP).fetchall()
comment = con.execute(COMMENT).fetchone()
tell(
    version=duckdb.__version__,
    setting="attach 'PATH' as crime (read_only); use crime",
    tables=[row[2] for row in con.execute("show all tables").fetchall() if row[:2] == ("crime", "main")],
    top=top if top == rows(first) else [],
    types=types(first[0]),
    macro=rows(con.execute(MACRO).fetchall()),
    comments=comment[0] if comment else "",
    refused=attempt(lambda: con.execute(WRITE)),
    note=f"a macro before `use`: {before}" if before else "a macro works before `use`",
)
tell(top=read("crime.ranked_rates"))
con.execute("use memory")
con.execute("detach crime")
con.execute(ATTACH)
tell(ways=[("detach, then attach", read("crime.ranked_rates"))])
