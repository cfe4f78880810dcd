"""Writes what follows from the contract: docs/contract.md, sql/rows.py, and sql/promised/<version>.csv.

The last holds what a contract version promised, and only ever grows. Run as `python -m sql.contract_docs` (`make contract`).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sql import contract
from sql.schema import Table

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "contract.md"
ROW_TYPES = Path(__file__).parent / "rows.py"
Promise = tuple[str, str, str, str]  # table, column, type, whether it is promised never to be null

INTRODUCTION = f"""# The contract

Contract version {contract.VERSION}. Written by `make contract` from `sql/contract.py`, which also makes the tables, their
comments in the database, and `data_dictionary`: so this page, the file and the dictionary cannot disagree.

What stands here stays: no column is removed, renamed, retyped or made nullable without a new version (the column
`contract_version` of `data_dictionary`). Tables and columns may be added: select columns by name.

- Types are plain: VARCHAR, INTEGER, BIGINT, DOUBLE, DATE, BOOLEAN. No wall-clock time stands in the file.
- The key of each table is proven unique by every build (checks `key_of_…`), and columns without `null` hold a value in every row
  (checks `nulls_in_…`). Keys are not declared as constraints: an index would only slow the file down.
- Rows of tables are stored in the order given, so a filter on the first of those columns reads little of the file.
- Helper tables live in the schema `crime_rates_core`. They are no part of the contract.
- Source: `Home Office` and `ONS` as published; `curated` from `data/reference`; `computed` in `sql/`; `pipeline` by the run."""
ROW_TYPES_HEADER = '''"""What a row of each public table is in Python. Written by `make contract`: change contract.py instead."""

from __future__ import annotations

from datetime import date
from typing import TypedDict
'''
VIEWS = """## Views

Plain views over these tables. They work in an attached file too. A view cannot declare that a column is never null:
`data_dictionary` says it, and the checks `nulls_in_…` hold every build to it. The first three give the facts the names of
their keys; their rows come in no promised order."""
VIEWS_OF_RATES = "With the columns of `ranked_rates`:"
STAR = """## The star

For tools that join tables themselves: `rate_facts` has whole numbers for keys. `half_year_key` with `area_key` joins to
`area_half_years` (names of the half-year and the area, population, release, notes), `offence_key` to `offences`: `ranked_rates`
is these three joined. `half_year_key` alone joins to `half_years` (a half-year at one level), `area_key` alone to `areas`.
`harmonised_rate_facts` holds the half-years and levels whose `has_pieces` is true; the other rows of `ranked_rates_harmonised`
are those of `rate_facts` where `is_harmonised` is true. Keys are numbers of one build: join by them, and keep names."""
MACROS = """## Table macros

With the columns of `ranked_rates`. They work on a direct connection, or after `USE` on an attached file: in a file that is only
attached, the names inside a macro would be looked up in your own database."""


def list_promises() -> list[Promise]:
    """What the declaration promises now."""
    return [
        (table.name, column.name, column.type, "null" if column.nullable else "never null")
        for table in (*contract.TABLES, *contract.VIEWS)
        for column in table.columns
    ]


def promises_path(version: str = contract.VERSION) -> Path:
    """The file of what a contract version promised."""
    return Path(__file__).parent / "promised" / f"{version}.csv"


def read_promises(path: Path | None = None) -> list[Promise]:
    """What a contract version promised when it was last written down; this one, unless another file is named."""
    with (path or promises_path()).open(encoding="utf-8", newline="") as file:
        return [(row["table"], row["column"], row["type"], row["null"]) for row in csv.DictReader(file)]


def find_broken_promises(now: list[Promise], before: list[Promise]) -> list[str]:
    """One sentence for each promise that no longer holds."""
    declared = {(table, column): (type_, null) for table, column, type_, null in now}
    sentences = []
    for table, column, type_, null in before:
        type_now, null_now = declared.get((table, column), ("", ""))
        if not type_now:
            sentences.append(f"{table}.{column} is gone")
        elif type_now != type_:
            sentences.append(f"{table}.{column} was {type_} and is {type_now}")
        elif null == "never null" and null_now == "null":
            sentences.append(f"{table}.{column} was never null and may be now")
    return sentences


def render_page() -> str:
    """The contract as Markdown."""
    views = [f"- `{view.name}`: one row per {view.grain}." for view in contract.VIEWS if view not in contract.WIDE_VIEWS]
    macros = [f"- `{macro.name}({', '.join(macro.parameters)})`: {macro.meaning}." for macro in contract.MACROS]
    parts = [
        INTRODUCTION,
        STAR,
        "## Tables",
        *map(_render_table, contract.TABLES),
        VIEWS,
        *map(_render_table, contract.WIDE_VIEWS),
        VIEWS_OF_RATES,
        "\n".join(views),
        MACROS,
        "\n".join(macros),
    ]
    return "\n\n".join(parts) + "\n"


def render_row_types() -> str:
    """The module of TypedDicts, one a row type: tables and views with the same columns share one."""
    tables: dict[str, Table] = {}
    for table in (*contract.TABLES, *contract.VIEWS):
        tables.setdefault(table.row_type, table)
    parts = [ROW_TYPES_HEADER]
    for name, table in tables.items():
        fields = [f"    {column.name}: {column.python_type}" for column in table.columns]
        parts.append("\n".join([f"class {name}(TypedDict):", f'    """One row per {table.grain}."""', "", *fields, ""]))
    return "\n\n".join(parts)


def _render_table(table: Table) -> str:
    lines = [f"### `{table.name}`", ""]
    lines += [f"One row per {table.grain}.", f"Key: {_names(table.key)}."]
    lines += [f"Order: {_names(table.order)}.", ""] if table in contract.TABLES else [""]
    for first in (contract.RANKED_RATES, contract.RATE_FACTS):
        if table is not first and table.columns == first.columns:
            return "\n".join([*lines, f"The columns of `{first.name}`."])
    lines += ["| column | type | unit | source | meaning |", "|---|---|---|---|---|"]
    for column in table.columns:
        null = ", null" if column.nullable else ""
        unit = "" if column.unit == "-" else column.unit
        lines.append(f"| `{column.name}` | {column.type}{null} | {unit} | {column.source} | {column.meaning} |")
    return "\n".join(lines)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _write() -> None:
    now = list_promises()
    if promises_path().exists() and (sentences := find_broken_promises(now, read_promises())):
        raise SystemExit(
            f"Contract version {contract.VERSION} would be broken: {'; '.join(sentences)}. Raise VERSION in sql/contract.py."
        )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("table", "column", "type", "null"), *now])
    for path, content in ((promises_path(), text.getvalue()), (PAGE, render_page()), (ROW_TYPES, render_row_types())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    _write()
