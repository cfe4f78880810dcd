"""The read-only connection to the published database, and how its rows are fetched. Imports nothing slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

import duckdb

from flows.settings import ReaderSettings, lakehouse_access
from flows.storage.data_store import DataStore
from flows.warehouse import ducklake
from flows.warehouse.published import published
from sql import quoted
from transforms.errors import CrimeRatesError

Record = TypeVar("Record")


class NotFound(CrimeRatesError):
    """Nothing fits what was asked for; the message offers what is nearest."""


class DatabaseError(CrimeRatesError):
    """The published database cannot be opened: it is damaged, or the system refuses to."""


def connect(store: DataStore) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published database. It stays on that build when a newer one is published.

    Where the store holds no database, the connection is to the lakehouse that CRIME_RATES_LAKEHOUSE names. A snapshot named in
    CRIME_RATES_LAKEHOUSE_SNAPSHOT is read even where there is a database. Raises NotFound where there is neither, and
    DatabaseError where the database cannot be read.
    """
    con = _open(store)
    con.execute("set enable_progress_bar = false")  # DuckDB would draw it on standard output, into the answer
    return con


def _open(store: DataStore) -> duckdb.DuckDBPyConnection:
    database = published(store)
    settings = ReaderSettings.from_environment()
    if settings.lakehouse and (database is None or settings.snapshot):
        return ducklake.connect_pinned(settings.lakehouse, settings.snapshot, lakehouse_access())
    if database is None:
        demo = store.nested("demo")
        hint = f" The demo's is in {demo}: add --data-dir {demo}." if published(demo) else ""
        raise NotFound(f"{store} holds no published database yet: run `crime-rates update` (or `crime-rates demo`) first.{hint}")
    try:
        return duckdb.connect(str(database), read_only=True)
    except duckdb.IOException as error:
        raise DatabaseError(f"{database}: expected a database that can be read, found that it cannot ({error}).") from error


def fetch_rows(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries; each ? in it stands for a parameter.

    Parameters are written into the query, because DuckDB imports pandas (a quarter of a second) to look at bound ones.
    """
    text, *rest = query.split("?")
    result = con.execute(text + "".join(sql_literal(p) + then for p, then in zip(parameters, rest, strict=True)))
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def fetch_records(
    con: duckdb.DuckDBPyConnection, record: Callable[..., Record], query: str, parameters: Sequence[object] = ()
) -> list[Record]:
    """The rows of a query, each as a `record`: a TypedDict or dataclass whose fields are the columns of the query."""
    return [record(**row) for row in fetch_rows(con, query, parameters)]


def sql_literal(value: object) -> str:
    """A value in SQL. Raises TypeError for a type that no query of ours takes."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(sql_literal, value)) + "]"
    raise TypeError(f"cannot put a {type(value).__name__} into a query")
