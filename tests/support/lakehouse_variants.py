"""Builds that differ: copies of a built database in which tables of every size carry a mark, so that a mixed read is seen."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from sql import quoted

MARKED = {  # table → the column that carries the mark
    "quality_checks": "examples",
    "half_years": "release_id",
    "releases": "note",
    "rate_facts": "count_note",
    "area_half_years": "release_id",
}


def variant(database: Path, folder: Path, mark: str, tables: Sequence[str] = tuple(MARKED)) -> Path:
    """A copy of a built database in `folder`, whose `tables` carry a mark in every row; its name is that of another build."""
    target = folder / f"crime_rates-{mark}.duckdb"
    shutil.copyfile(database, target)
    with duckdb.connect(str(target)) as con:
        for table in tables:
            con.execute(f"update {table} set {MARKED[table]} = {quoted(mark)}")
    return target


def marks(con: duckdb.DuckDBPyConnection, tables: Sequence[str] = tuple(MARKED)) -> set[str]:
    """The marks that the tables carry, one where they are of one build; each is read by a query of its own."""
    found: set[str] = set()
    for table in tables:
        found |= {row[0] for row in con.execute(f"select distinct {MARKED[table]} from {table}").fetchall()}
    return found


def differences(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Table → how many of its rows only the lakehouse has, or only the file that is attached as `built`."""
    tables = con.execute("select schema_name || '.' || table_name from duckdb_tables() where database_name = 'built'").fetchall()
    found = {}
    for (table,) in tables:
        only = con.execute(
            f"select count(*) from ((from lake.{table} except all from built.{table}) union all "
            f"(from built.{table} except all from lake.{table}))"
        ).fetchall()
        found[table] = only[0][0]
    return found
