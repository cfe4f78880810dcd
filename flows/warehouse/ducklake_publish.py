"""Publishes a built database into the lakehouse: every table, view and macro of the file, in one transaction.

The file is the truth: names, types, comments and definitions come from its own catalogue, rows in its order. What did not change
since the last publication is left alone and keeps its files. One transaction ends in one snapshot, so a reader sees the old or
the new whole. Every publication rewrites one small table, so that of two writers at once DuckLake lets exactly one commit:
changes of different tables alone would both pass, and mix two builds.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.storage.lakehouse_access import LOCAL, LakehouseAccess
from flows.warehouse import ducklake
from flows.warehouse.ducklake import AUTHOR, NAME, LakehouseError, translate_errors
from sql import CORE_SCHEMA, quoted

RECORD = f"{CORE_SCHEMA}.published_objects"  # what the newest publication holds
GRACE = "interval 1 day"  # how long files stay that no snapshot needs: readers and writers at work may be that old
RECORDED = ("build", "kind", "name", "shape", "rows")


@dataclass(frozen=True)
class Entry:
    """A table, view or macro of the file: the statements that make it, and for a table a digest of its rows."""

    kind: str
    name: str  # with its schema
    statements: tuple[str, ...]
    rows: str = ""

    @property
    def shape(self) -> str:
        """A digest of 16 hex digits of the statements: an entry is made anew when it differs."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()[:16]


def publish(database: Path, catalog: str, data: str, keep: int, access: LakehouseAccess = LOCAL) -> bool:
    """Show readers of the lakehouse a built database, in one step; False when they see it already.

    catalog, data: as in settings. keep: how many publications stay readable; the files of older ones, and those of writers that
    died, are deleted when they are a day old. Raises LakehouseError, and Conflict when another writer was faster.
    """
    with ducklake.connect_writable(catalog, data, access) as con:
        with translate_errors():
            con.execute(f"attach {quoted(str(database))} as built (read_only)")
            with ducklake.transaction(con):  # in it all is seen as of one snapshot
                if _current_build(con) == database.stem:
                    return False
                _replace(con, database.stem)
        try:
            _expire_snapshots(con, keep)
        except LakehouseError as error:
            raise LakehouseError(
                f"{database.stem} is published to the lakehouse, but what it no longer needs was not cleared: {error}"
            ) from error
    return True


def _current_build(con: duckdb.DuckDBPyConnection) -> str | None:
    """The build that the newest snapshot holds; None where that snapshot is not of a publication."""
    newest = con.execute(f"select author, commit_message from {NAME}.snapshots() order by snapshot_id desc limit 1").fetchall()
    return str(newest[0][1]) if newest and newest[0][0] == AUTHOR else None


def _replace(con: duckdb.DuckDBPyConnection, build: str) -> None:
    held = _published_entries(con)
    con.execute(f"create schema if not exists {NAME}.{CORE_SCHEMA}")
    con.execute(f"create table if not exists {NAME}.{RECORD} ({', '.join(f'{column} varchar not null' for column in RECORDED)})")
    wanted = [*_tables(con), *_in_order([*_views(con), *_macros(con)])]
    con.execute("set threads = 1")  # with more, row groups are written in no order; it takes no longer
    for one in wanted:
        shape, rows = held.get((one.kind, one.name), ("", ""))
        if shape != one.shape:
            for statement in one.statements:
                con.execute(statement)
        elif rows != one.rows:
            con.execute(f"truncate {NAME}.{one.name}")
        if one.kind == "table" and (shape, rows) != (one.shape, one.rows):
            con.execute(f"insert into {NAME}.{one.name} from built.{one.name}")
    for kind, name in held.keys() - {(one.kind, one.name) for one in wanted}:
        con.execute(f"drop {kind} {NAME}.{name}")
    con.execute(f"truncate {NAME}.{RECORD}")
    values = ", ".join(f"({', '.join(map(quoted, (build, one.kind, one.name, one.shape, one.rows)))})" for one in wanted)
    con.execute(f"insert into {NAME}.{RECORD} values {values}")
    con.execute(f"call {NAME}.set_commit_message({quoted(AUTHOR)}, {quoted(build)})")


def _published_entries(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[str, str]]:
    """(kind, name) → (shape, digest of rows) of what is published; "" where somebody else changed the lakehouse since."""
    if not con.execute(
        f"select 1 from duckdb_tables() where database_name = {quoted(NAME)} "
        f"and schema_name || '.' || table_name = {quoted(RECORD)}"
    ).fetchall():
        return {}
    rows = con.execute(f"select kind, name, shape, rows from {NAME}.{RECORD}").fetchall()
    trusted = _current_build(con) is not None
    return {(kind, name): (shape, digest) if trusted else ("", "") for kind, name, shape, digest in rows}


def _tables(con: duckdb.DuckDBPyConnection) -> list[Entry]:
    found = con.execute(
        "select schema_name || '.' || table_name, comment from duckdb_tables() where database_name = 'built' order by all"
    ).fetchall()
    tables = []
    for name, comment in found:
        columns = con.execute(
            "select column_name, data_type, is_nullable, comment from duckdb_columns() where database_name = 'built' "
            f"and schema_name || '.' || table_name = {quoted(name)} order by column_index"
        ).fetchall()
        declared = ", ".join(f'"{column}" {type_}{"" if nullable else " not null"}' for column, type_, nullable, _ in columns)
        statements = [f"create or replace table {NAME}.{name} ({declared})", *_comment("table", name, comment)]
        for column, _, _, meaning in columns:
            statements += _comment("column", f'{name}."{column}"', meaning)
        digest = con.execute(f"select count(*) || '-' || coalesce(sum(hash(t)::hugeint), 0) from built.{name} as t").fetchall()
        tables.append(Entry("table", name, tuple(statements), digest[0][0]))
    return tables


def _views(con: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The views; DuckLake keeps no comments on their columns, `data_dictionary` has them."""
    found = con.execute(
        "select schema_name || '.' || view_name, sql, comment from duckdb_views() where database_name = 'built' "
        "and not internal order by all"
    ).fetchall()
    views = []
    for name, sql, comment in found:
        _, _, query = sql.partition(" AS ")
        statements = (f"create or replace view {NAME}.{name} as {query}", *_comment("view", name, comment))
        views.append(Entry("view", name, statements))
    return views


def _macros(con: duckdb.DuckDBPyConnection) -> list[Entry]:
    found = con.execute(
        "select schema_name || '.' || function_name, parameters, macro_definition from duckdb_functions() "
        "where database_name = 'built' and function_type = 'table_macro' order by all"
    ).fetchall()
    return [
        Entry("macro table", name, (f"create or replace macro {NAME}.{name}({', '.join(parameters)}) as table {query}",))
        for name, parameters, query in found
    ]


def _in_order(unordered: list[Entry]) -> list[Entry]:
    """Views and macros so that one which reads another comes after it: DuckDB looks each name up when it makes one."""
    ordered: list[Entry] = []
    while unordered:
        others = {one: [o.name.rpartition(".")[2] for o in unordered if o is not one] for one in unordered}
        ready = [one for one in unordered if not any(re.search(rf"\b{name}\b", one.statements[0]) for name in others[one])]
        if not ready:
            raise ValueError(f"expected views and macros that do not read each other in a ring, found {unordered}")
        ordered += ready
        unordered = [one for one in unordered if one not in ready]
    return ordered


def _comment(kind: str, name: str, text: str | None) -> list[str]:
    return [] if text is None else [f"comment on {kind} {NAME}.{name} is {quoted(text)}"]


def _expire_snapshots(con: duckdb.DuckDBPyConnection, keep: int) -> None:
    """Make publications unreadable but for the newest `keep`, and delete files that nothing has needed for a day."""
    with translate_errors():
        kept = ducklake.list_publications(con)[:keep]
        ids = con.execute(f"select list(snapshot_id) from {NAME}.snapshots() where snapshot_id < {kept[-1].snapshot}").fetchall()
        if ids[0][0]:
            con.execute(f"call ducklake_expire_snapshots({quoted(NAME)}, versions => {ids[0][0]})")
        con.execute(f"call ducklake_cleanup_old_files({quoted(NAME)}, older_than => now() - {GRACE})")
        con.execute(f"call ducklake_delete_orphaned_files({quoted(NAME)}, older_than => now() - {GRACE})")
