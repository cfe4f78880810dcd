"""pandas and Polars: data frames over a connection, by each of the ways that their documentation shows."""

import sys

import duckdb
import pandas as pd
import polars as pl
from talk import DATABASE, MACRO, TABLES, TOP, WRITE, attempt, rows, tell

COLUMNS = ("rank", "offences", "rate_per_10k", "population_vintage")
# all rows of a table, for a column with gaps is where a data frame changes a type
ALL = f"select {', '.join(COLUMNS)} from ranked_rates where level = 'pfa' and offence_level = 'total'"


def pandas_frame(sql: str) -> pd.DataFrame:
    return con.sql(sql).df()


def pandas_arrow(sql: str) -> pd.DataFrame:
    return con.sql(sql).to_arrow_table().to_pandas(types_mapper=pd.ArrowDtype)


def polars_frame(sql: str) -> pl.DataFrame:
    return con.sql(sql).pl()


def polars_database(sql: str) -> pl.DataFrame:
    return pl.read_database(sql, con)


def values(sql: str) -> list[list[object]]:
    table = frame(sql)
    return rows(table.rows() if isinstance(table, pl.DataFrame) else table.itertuples(index=False))


HOW = {
    "pandas": (pandas_frame, pd, "con.sql(…).df()"),
    "pandas-arrow": (pandas_arrow, pd, "con.sql(…).to_arrow_table().to_pandas(types_mapper=pd.ArrowDtype)"),
    "polars": (polars_frame, pl, "con.sql(…).pl()"),
    "polars-database": (polars_database, pl, "pl.read_database(sql, con)"),
}
frame, library, setting = HOW[sys.argv[1]]

con = duckdb.connect(DATABASE, read_only=True)
everything = frame(ALL)
tell(
    version=f"{library.__name__} {library.__version__}, duckdb {duckdb.__version__}",
    setting=f'con = duckdb.connect("PATH", read_only=True); {setting}',
    tables=[name for (name,) in values(TABLES)],
    top=values(TOP),
    types=", ".join(str(everything[c].dtype) for c in COLUMNS),
    macro=values(MACRO),
    comments="",
    refused=attempt(lambda: con.execute(WRITE)),
)
tell(top=values(TOP))
con.close()
con = duckdb.connect(DATABASE, read_only=True)
tell(ways=[("close, then connect", values(TOP))])
