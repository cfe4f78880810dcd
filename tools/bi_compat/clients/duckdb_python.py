"""DuckDB's own Python client. Also run with other versions of DuckDB, so it keeps to what the oldest of them can do."""

import duckdb
from talk import COMMENT, DATABASE, MACRO, TABLES, TOP, WRITE, attempt, rows, tell, types


def read(con: duckdb.DuckDBPyConnection) -> list[list[object]]:
    return rows(con.execute(TOP).fetchall())


con = duckdb.connect(DATABASE, read_only=True)
first = con.execute(TOP).fetchall()
comment = con.execute(COMMENT).fetchone()
tell(
    version=duckdb.__version__,
    setting='duckdb.connect("PATH", read_only=True)',
    tables=[name for (name,) in con.execute(TABLES).fetchall()],
    top=rows(first),
    types=types(first[0]),
    macro=rows(con.execute(MACRO).fetchall()),
    comments=comment[0] if comment else "",
    refused=attempt(lambda: con.execute(WRITE)),
)
tell(top=read(con))
second = duckdb.connect(DATABASE, read_only=True)
ways = [("a second connect while the first is open", read(second))]
second.close()
con.close()
con = duckdb.connect(DATABASE, read_only=True)
ways.append(("close, then connect", read(con)))
tell(ways=ways)
