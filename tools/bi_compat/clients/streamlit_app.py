"""A Streamlit page as its users write one. BI_HOLDS says how it holds its connection; below the chart stands what it read."""

import json
import os

import duckdb
import sqlalchemy as sa
import streamlit as st
from sqlalchemy.pool import NullPool
from talk import DATABASE, MACRO, TABLES, TOP, WRITE, attempt, rows

HOLDS = os.environ["BI_HOLDS"]
URL = f"duckdb:///{DATABASE}?access_mode=read_only"


@st.cache_resource
def kept() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(DATABASE, read_only=True)


@st.cache_resource(ttl=2)
def kept_for_a_while() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(DATABASE, read_only=True)


def ask_sql_connection(sql: str, **options: object):  # noqa: ANN201
    return st.connection(HOLDS, type="sql", url=URL, **options).query(sql, ttl=2)


def ask(sql: str):  # noqa: ANN201
    if HOLDS == "connection":
        return ask_sql_connection(sql)
    if HOLDS == "connection-unpooled":
        return ask_sql_connection(sql, poolclass=NullPool)
    if HOLDS == "kept":
        return kept().cursor().execute(sql).df()
    if HOLDS == "kept-for-a-while":
        return kept_for_a_while().cursor().execute(sql).df()
    with duckdb.connect(DATABASE, read_only=True) as con:
        return con.execute(sql).df()


def write() -> None:
    if HOLDS.startswith("connection"):
        with st.connection(HOLDS, type="sql", url=URL).session as session:
            session.execute(sa.text(WRITE))
    else:
        with duckdb.connect(DATABASE, read_only=True) as con:
            con.execute(WRITE)


def listed(table) -> list[list[object]]:  # noqa: ANN001
    return rows(table.itertuples(index=False))


if "clear" in st.query_params:
    st.cache_resource.clear()
top = ask(TOP)
st.title("Newest half-year")
st.bar_chart(top, x="area_name", y="rate_per_10k", horizontal=True)
st.table(top)
kinds = ", ".join(str(top[c].dtype) for c in ("rank", "offences", "rate_per_10k", "population_vintage"))
st.code(
    json.dumps(
        {
            "top": listed(top),
            "macro": listed(ask(MACRO)),
            "tables": list(ask(TABLES)["table_name"]),
            "types": kinds,
            "refused": attempt(write) if "write" in st.query_params else "",
            "versions": [st.__version__, duckdb.__version__],
        },
        default=str,
    ),
    language=None,
)
