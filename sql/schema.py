"""How a public table is declared, and what follows from a declaration: its DDL, its comments, its Arrow schema and its row type.

The declarations themselves stand in contract.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sql import quoted

if TYPE_CHECKING:
    import pyarrow as pa

PYTHON_TYPES = {
    "VARCHAR": "str",
    "INTEGER": "int",
    "BIGINT": "int",
    "DOUBLE": "float",
    "DATE": "date",
    "BOOLEAN": "bool",
}


@dataclass(frozen=True)
class Column:
    """A column: its plain DuckDB type, whether it may be null, its unit (or -), who says so, and what it means."""

    name: str
    type: str
    nullable: bool
    unit: str
    source: str
    meaning: str

    @property
    def python_type(self) -> str:
        """What DuckDB's Python client gives for a value, as source code: `int | None`."""
        return PYTHON_TYPES[self.type] + (" | None" if self.nullable else "")


@dataclass(frozen=True)
class Table:
    """A public table or view: what one row is called and is, its columns, its key, and the order in which it is stored."""

    name: str
    row_type: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]

    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema of the table, with meaning, unit and source as metadata of each field."""
        import pyarrow as pa  # here, because a command that prints a table need not wait for it

        types = {
            "VARCHAR": pa.string(),
            "INTEGER": pa.int32(),
            "BIGINT": pa.int64(),
            "DOUBLE": pa.float64(),
            "DATE": pa.date32(),
            "BOOLEAN": pa.bool_(),
        }
        return pa.schema(
            [
                pa.field(c.name, types[c.type], c.nullable, {"meaning": c.meaning, "unit": c.unit, "source": c.source})
                for c in self.columns
            ]
        )

    def create_statement(self, schema: str) -> str:
        """The statement that creates the table, empty, in a schema."""
        lines = ", ".join(f'"{c.name}" {c.type}{"" if c.nullable else " not null"}' for c in self.columns)
        return f'create table {schema}."{self.name}" ({lines})'

    def comment_statements(self, schema: str, kind: str = "table") -> list[str]:
        """The statements that say in the database what the table, or view (`kind`), and each of its columns holds."""
        name = f'{schema}."{self.name}"'
        return [
            f"comment on {kind} {name} is {quoted('one row per ' + self.grain)}",
            *(f'comment on column {name}."{c.name}" is {quoted(c.meaning)}' for c in self.columns),
        ]


@dataclass(frozen=True)
class Macro:
    """A table macro: its parameters, and what it gives, one row per what a row of `ranked_rates` is."""

    name: str
    parameters: tuple[str, ...]
    meaning: str


def parse_columns(text: str) -> tuple[Column, ...]:
    """Columns, one a line: `name TYPE [unit, source] meaning`, with a ? after the type where it may be null.

    Raises ValueError that quotes the line that is not written so.
    """
    columns = []
    for line in filter(None, text.splitlines()):
        found = re.fullmatch(r"(\w+) ([A-Z]+)(\??) \[(.+?), (.+?)\] (.+)", line)
        if found is None or found[2] not in PYTHON_TYPES:
            raise ValueError(f"expected `name TYPE [unit, source] meaning`, found {line!r}")
        name, type_, nullable, unit, source, meaning = found.groups()
        columns.append(Column(name, type_, bool(nullable), unit, source, meaning))
    return tuple(columns)
