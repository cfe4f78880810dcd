"""What a client script says to the bench: a line of JSON a stage, and then it waits to be told to go on.

1. what it saw at first: version, setting, tables, top, types, macro, comments, refused;
2. after a publication, the same question on the connection that was open: top;
3. ways to see the new one, the gentlest first: ways, as [name, top] pairs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

DATABASE = os.environ["BI_DATABASE"]
TOP, MACRO, TABLES = os.environ["BI_TOP"], os.environ["BI_MACRO"], os.environ["BI_TABLES"]
COMMENT = "select comment from duckdb_columns() where table_name = 'ranked_rates' and column_name = 'rank'"
WRITE = "create table of_my_own (i integer)"


def tell(**stage: Any) -> None:
    print("BI " + json.dumps(stage, default=str), flush=True)
    sys.stdin.readline()


def rows(table: Iterable[Iterable[Any]]) -> list[list[Any]]:
    """Rows with dates as YYYY-MM-DD, whatever the client makes of a date."""
    return [[_plain(value) for value in row] for row in table]


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value


def attempt(action: Callable[[], Any]) -> str:
    """The first line of what a client says when it refuses, or nothing if it does not."""
    try:
        action()
    except Exception as error:  # noqa: BLE001, each client has errors of its own, and what they say is the result
        return f"{type(error).__name__}: {error}".splitlines()[0][:400]
    return ""


def types(values: Iterable[Any]) -> str:
    """The Python types of a row of figures: rank, area, offences, population, rate, first day, vintage."""
    rank, _, offences, _, rate, _, day = values
    return ", ".join(type(value).__name__ for value in (rank, offences, rate, day))
