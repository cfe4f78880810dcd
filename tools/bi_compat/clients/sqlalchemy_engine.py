"""SQLAlchemy with duckdb-engine: with the pool that it takes by default, and with none (as Superset does)."""

import sys
import time

import duckdb
import duckdb_engine
import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from talk import DATABASE, MACRO, TOP, WRITE, attempt, rows, tell, types

URL = "duckdb:///PATH?access_mode=read_only"
UNPOOLED = sys.argv[1:] == ["unpooled"]


def ask(con: sa.Connection, sql: str = TOP) -> list[list[object]]:
    return rows(con.execute(sa.text(sql)).fetchall())


def fresh(engine: sa.Engine) -> list[list[object]]:
    with engine.connect() as con:
        return ask(con)


def open_file(**options: object) -> sa.Engine:
    return sa.create_engine(URL.replace("PATH", DATABASE), **options)


engine = open_file(**({"poolclass": NullPool} if UNPOOLED else {}))
recycled = open_file(pool_recycle=1)
inspector = sa.inspect(engine)
columns = {c["name"]: c for c in inspector.get_columns("ranked_rates", schema="main")}
tables = inspector.get_table_names(schema="main")
con = engine.connect()
first = con.execute(sa.text(TOP)).fetchall()
fresh(recycled)
tell(
    version=f"duckdb-engine {duckdb_engine.__version__}, SQLAlchemy {sa.__version__}, duckdb {duckdb.__version__}",
    setting=f'create_engine("{URL}"{", poolclass=NullPool" if UNPOOLED else ""})',
    tables=tables,
    top=rows(first),
    types=types(first[0]),
    macro=ask(con, MACRO),
    comments=columns["rank"].get("comment") or "",
    refused=attempt(lambda: con.execute(sa.text(WRITE))),
    note=f"{type(engine.pool).__name__}; it calls rate_per_10k {columns['rate_per_10k']['type']}, "
    f"offences {columns['offences']['type']}, period_start {columns['period_start']['type']}",
)
con.rollback()
tell(top=ask(con))
if UNPOOLED:
    ways = [("the next connection while one is open", fresh(engine))]
    con.close()
    ways.append(("the next connection", fresh(engine)))
else:
    con.close()
    ways = [("the next connection from the pool", fresh(engine))]
    time.sleep(2)
    ways.append(("the next connection, with pool_recycle=1, two seconds on", fresh(recycled)))
    recycled.dispose()
    engine.dispose()
    ways.append(("engine.dispose()", fresh(engine)))
tell(ways=ways)
