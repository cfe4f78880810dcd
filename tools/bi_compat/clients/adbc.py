"""ADBC: the driver manager with the driver that lies in DuckDB's own Python package."""

import adbc_driver_manager
import duckdb
from adbc_driver_duckdb import driver_path
from adbc_driver_manager.dbapi import Connection, connect
from talk import DATABASE, MACRO, TOP, WRITE, attempt, rows, tell


def open_file() -> Connection:
    options = {"path": DATABASE, "access_mode": "read_only"}
    return connect(driver=driver_path(), entrypoint="duckdb_adbc_init", db_kwargs=options)


def ask(con: Connection, sql: str = TOP) -> list[list[object]]:
    with con.cursor() as cursor:
        cursor.execute(sql)
        return rows(row.values() for row in cursor.fetch_arrow_table().to_pylist())


def write(con: Connection) -> None:
    with con.cursor() as cursor:
        cursor.execute(WRITE)


con = open_file()
objects = con.adbc_get_objects(depth="tables", db_schema_filter="main").read_all().to_pylist()
tables = [t["table_name"] for c in objects for s in c["catalog_db_schemas"] or [] for t in s["db_schema_tables"] or []]
with con.cursor() as cursor:
    cursor.execute(TOP)
    schema = cursor.fetch_arrow_table().schema
tell(
    version=f"adbc-driver-manager {adbc_driver_manager.__version__}, duckdb {duckdb.__version__}",
    setting='dbapi.connect(driver=adbc_driver_duckdb.driver_path(), entrypoint="duckdb_adbc_init", '
    'db_kwargs={"path": "PATH", "access_mode": "read_only"})',
    tables=tables,
    top=ask(con),
    types=", ".join(str(schema.field(c).type) for c in ("rank", "offences", "rate_per_10k", "population_vintage")),
    macro=ask(con, MACRO),
    comments="",
    refused=attempt(lambda: write(con)),
)
con.rollback()  # a driver of the Python DB API is always in a transaction
tell(top=ask(con))
second = open_file()
ways = [("a second connect while the first is open", ask(second))]
second.close()
con.close()
con = open_file()
ways.append(("close, then connect", ask(con)))
con.close()
tell(ways=ways)
