"""The rows of the sample's public tables under version control: how they are written, read and compared.

`python -m tests.support.golden` writes them anew from data/sample; then say in the commit which figures changed, and why.
Values are text: a double as Python's repr gives it, so to the last bit; null is an empty cell, and an empty text is "''".
"""

from __future__ import annotations

import csv
import io
import lzma
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from sql import contract
from sql.schema import Table
from tests.support.world import build_sample

FOLDER = Path(__file__).parents[1] / "sql" / "golden"
# not what says which checks and columns the program has, nor the facts, whose rows the views repeat under names
OTHERS = {*contract.UNMODELLED, "area_half_years", "rate_facts", "harmonised_rate_facts"}
RELATIONS = {table.name: table for table in (*contract.TABLES, *contract.VIEWS) if table.name not in OTHERS}
SAME = "="  # a cell that is as in the row of ranked_rates with the same key, in a table with the same columns
COMPRESSED = 1_000  # rows; longer tables are compressed
PRINTED = 20  # differences
Rows = dict[tuple[str, ...], tuple[str, ...]]  # key → the values of all columns


def read_found(con: duckdb.DuckDBPyConnection, table: Table) -> Rows:
    """The rows of a public table of an open database, in the order of their keys."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    rows = con.execute(f"select {columns} from {table.name} order by {', '.join(table.key)}").fetchall()
    return _by_key(table, ([_as_text(value) for value in row] for row in rows))


def read_expected(table: Table) -> Rows:
    """The rows as they are under version control. Raises ValueError when the columns are not those of the declaration."""
    [path] = FOLDER.glob(f"{table.name}.csv*")
    data = path.read_bytes()
    reader = csv.reader(io.StringIO((lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8"), newline=""))
    if (names := next(reader)) != [column.name for column in table.columns]:
        raise ValueError(f"{path.name}: expected the columns that {table.name} has now, found {', '.join(names)}")
    rows = _by_key(table, reader)
    if not _refers(table):
        return rows
    whole = read_expected(contract.RANKED_RATES)
    return {
        key: tuple(whole[key][place] if value == SAME else value for place, value in enumerate(row)) for key, row in rows.items()
    }


def describe_differences(table: Table, expected: Rows, found: Rows) -> list[str]:
    """One line for each value that differs, and for each row that is missing or too many; the first ones only."""
    lines = []
    for key in [*expected, *(key for key in found if key not in expected)]:
        row = f"{table.name} ({', '.join(key)})"
        if key not in found:
            lines.append(f"{row}: the row is missing")
        elif key not in expected:
            lines.append(f"{row}: a row too many")
        elif expected[key] != found[key]:
            lines += [
                f"{row}: {column.name}: expected {before}, found {now}"
                for column, before, now in zip(table.columns, expected[key], found[key], strict=True)
                if before != now
            ]
    return lines[:PRINTED] + ([f"… and {len(lines) - PRINTED:,} more"] if len(lines) > PRINTED else [])


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Write the rows of all public tables of an open database."""
    whole = read_found(con, contract.RANKED_RATES)
    for name, table in RELATIONS.items():
        rows = read_found(con, table)
        if _refers(table):
            rows = {key: _relative(table, row, whole[key]) if key in whole else row for key, row in rows.items()}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([[column.name for column in table.columns], *rows.values()])
        data = text.getvalue().encode("utf-8")
        is_long = len(rows) > COMPRESSED
        for old in FOLDER.glob(f"{name}.csv*"):
            old.unlink()
        (FOLDER / (f"{name}.csv.xz" if is_long else f"{name}.csv")).write_bytes(lzma.compress(data) if is_long else data)


def _refers(table: Table) -> bool:
    """Whether the rows of a table are written as they differ from those of ranked_rates."""
    return table.columns == contract.RANKED_RATES.columns and table.name != contract.RANKED_RATES.name


def _relative(table: Table, row: tuple[str, ...], whole: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        SAME if value == other and column.name not in table.key else value
        for column, value, other in zip(table.columns, row, whole, strict=True)
    )


def _by_key(table: Table, rows: Iterable[Sequence[str]]) -> Rows:
    places = [[column.name for column in table.columns].index(name) for name in table.key]
    return {tuple(row[place] for place in places): tuple(row) for row in rows}


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return str(value) or "''"


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = build_sample(Path(folder))
        with duckdb.connect(str(world.warehouse / "crime_rates.duckdb"), read_only=True) as con:
            write(con)


if __name__ == "__main__":
    _main()
