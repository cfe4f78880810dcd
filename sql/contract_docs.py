"""Writes docs/contract.md, and sql/promised/<version>.csv: what a contract version promised, which only ever grows.

Run as `python -m sql.contract_docs` (`make contract`).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sql import contract
from sql.contract import Table

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "contract.md"
PROMISED = Path(__file__).parent / "promised" / f"{contract.VERSION}.csv"
Promise = tuple[str, str, str, str]  # table, column, type, whether it is promised never to be null

INTRODUCTION = f"""# The contract

Contract version {contract.VERSION}. Written by `make contract` from `sql/contract.py`, which also makes the tables, their
comments in the database, and `data_dictionary`: so this page, the file and the dictionary cannot disagree.

What stands here stays: no column is removed, renamed, retyped or made nullable without a new version (the column
`contract_version` of `data_dictionary`). Tables and columns may be added: select columns by name.

- Types are plain: VARCHAR, INTEGER, BIGINT, DOUBLE, DATE, BOOLEAN. No wall-clock time stands in the file.
- The key of each table is proven unique by every build (checks `key_of_…`), and columns without `null` hold a value in every row
  (checks `nulls_in_…`). Keys are not declared as constraints: an index would only slow the file down.
- Rows are stored in the order given, so a filter on the first of those columns reads little of the file.
- Helper tables live in the schema `crime_rates_core`. They are no part of the contract.
- Source: `Home Office` and `ONS` as published; `curated` from `data/reference`; `computed` in `sql/`; `pipeline` by the run."""
VIEWS = """## Views

Plain views over these tables, with the columns of `ranked_rates`. They work in an attached file too."""
MACROS = """## Table macros

With the columns of `ranked_rates`. They work on a direct connection, or after `USE` on an attached file: in a file that is only
attached, the names inside a macro would be looked up in your own database."""


def promises() -> list[Promise]:
    """What the declaration promises now."""
    return [
        (table.name, column.name, column.type, "null" if column.nullable else "never null")
        for table in (*contract.TABLES, *contract.VIEWS)
        for column in table.columns
    ]


def promised() -> list[Promise]:
    """What this contract version promised when it was last written down."""
    with PROMISED.open(encoding="utf-8", newline="") as file:
        return [(row["table"], row["column"], row["type"], row["null"]) for row in csv.DictReader(file)]


def broken(now: list[Promise], before: list[Promise]) -> list[str]:
    """One sentence for each promise that no longer holds."""
    held = {(table, column): (type_, null) for table, column, type_, null in now}
    sentences = []
    for table, column, type_, null in before:
        type_now, null_now = held.get((table, column), ("", ""))
        if not type_now:
            sentences.append(f"{table}.{column} is gone")
        elif type_now != type_:
            sentences.append(f"{table}.{column} was {type_} and is {type_now}")
        elif null == "never null" and null_now == "null":
            sentences.append(f"{table}.{column} was never null and may be now")
    return sentences


def page() -> str:
    """The contract as Markdown."""
    views = [f"- `{view.name}`: one row per {view.grain}." for view in contract.VIEWS]
    macros = [f"- `{name}({parameters})`: {meaning}." for name, (parameters, meaning) in contract.MACROS.items()]
    parts = [INTRODUCTION, "## Tables", *map(_table, contract.TABLES), VIEWS, "\n".join(views), MACROS, "\n".join(macros)]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [f"### `{table.name}`", ""]
    lines += [f"One row per {table.grain}.", f"Key: {_names(table.key)}.", f"Order: {_names(table.order)}.", ""]
    if table is not contract.RANKED_RATES and table.columns == contract.RANKED_RATES.columns:
        return "\n".join([*lines, "The columns of `ranked_rates`."])
    lines += ["| column | type | unit | source | meaning |", "|---|---|---|---|---|"]
    for column in table.columns:
        null = ", null" if column.nullable else ""
        unit = "" if column.unit == "-" else column.unit
        lines.append(f"| `{column.name}` | {column.type}{null} | {unit} | {column.source} | {column.meaning} |")
    return "\n".join(lines)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _write() -> None:
    now = promises()
    if PROMISED.exists() and (sentences := broken(now, promised())):
        raise SystemExit(
            f"Contract version {contract.VERSION} would be broken: {'; '.join(sentences)}. Raise VERSION in sql/contract.py."
        )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("table", "column", "type", "null"), *now])
    for path, content in ((PROMISED, text.getvalue()), (PAGE, page())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    _write()
