"""Writes the file that is published, from ordered tables in Parquet: the same rows give the same bytes.

Run as a process of its own (`python -m flows.warehouse.writer FOLDER TARGET`), because DuckDB 1.5.5 repeats itself to the
byte only with one thread, with an allocator that hands out zeroed memory (Roaring, BitPacking and ALP write bytes that they never
set), from a source that keeps nothing behind a null (Parquet does not), and without FSST, which is weighed on a random sample.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import duckdb

from flows.common.sealed_database import seal
from flows.common.subprocesses import SubprocessFailed, start_child, wait_for_child, work_for_parent
from sql import CORE_SCHEMA, SCHEMAS, Model, contract, quoted, read_models
from sql.schema import Macro

STORAGE_VERSION = "v1.2.0"  # opens in every client from 1.2.2 on
END = "end"  # no table is called so: each is named with its schema
ZEROED_MEMORY = {"DUCKDB_JE_MALLOC_CONF": "zero:true", "GLIBC_TUNABLES": "glibc.malloc.perturb=255"}  # two allocators are at work


class Writer:
    """Writes `target` in a process of its own, each table as soon as its rows lie in `folder`, while others are still worked out.

    A context manager: the process ends with it. Raises SubprocessFailed, with what that process said, when it fails.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self._target = target
        self._process = start_child("flows.warehouse.writer", str(folder), str(target), add=ZEROED_MEMORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # does nothing to one that has ended
        self._process.communicate()

    def add(self, table: str) -> None:
        """The rows of a table, named with its schema, are there: copy them."""
        assert self._process.stdin is not None  # a pipe, as asked for
        try:
            self._process.stdin.write(f"{table}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._end()

    def finish(self) -> None:
        """All tables are there; wait for the file to be whole."""
        self.add(END)
        self._end()

    def _end(self) -> None:
        try:
            wait_for_child(self._process)
        except SubprocessFailed as error:
            raise SubprocessFailed(f"{self._target.name} could not be written: {error}") from error


def create_view(model: Model) -> str:
    """The statement that makes a public view of its model."""
    return f"create view {model.name} as\n{model.query}"


def create_macro(macro: Macro, model: Model) -> str:
    """The statement that makes a table macro of its model."""
    return f"create macro {SCHEMAS[model.folder]}.{macro.name}({', '.join(macro.parameters)}) as table\n{model.query}"


def _write(folder: Path, target: Path, tables: Iterable[str]) -> None:
    con = duckdb.connect(config={"threads": 1})
    con.execute("set disabled_compression_methods = 'fsst,dict_fsst'")
    seal(con, folder, target.parent)
    con.execute(f"attach {quoted(str(target))} as published (storage_version {quoted(STORAGE_VERSION)})")
    con.execute(f"create schema published.{CORE_SCHEMA}")
    for table in contract.TABLES:
        con.execute(table.create_statement("published.main"))
        con.execute(";".join(table.comment_statements("published.main")))
    for name in tables:
        rows = f"read_parquet({quoted(str(folder / f'{name}.parquet'))}, hive_partitioning = false)"
        if name.startswith(f"{CORE_SCHEMA}."):
            con.execute(f"create table published.{name} as from {rows}")
        else:
            con.execute(f"insert into published.{name} by name from {rows}")
    con.execute("use published")
    macros = {macro.name: macro for macro in (*contract.MACROS, *contract.CORE_MACROS)}
    views = {view.name: view for view in contract.VIEWS}
    for model in read_models(*SCHEMAS):
        if model.name in macros:
            con.execute(create_macro(macros[model.name], model))
        elif model.name in views and SCHEMAS[model.folder] == "main":
            con.execute(create_view(model))
            con.execute(";".join(views[model.name].comment_statements("main", "view")))
    con.execute("checkpoint published; use memory; detach published")
    con.close()


def _announced(lines: Iterable[str]) -> Iterator[str]:
    """The tables that are named, until the end is named. Raises SubprocessFailed when whoever names them is gone."""
    for line in lines:
        if line.strip() == END:
            return
        yield line.strip()
    raise SubprocessFailed("the process that builds has ended")


if __name__ == "__main__":
    work_for_parent(lambda: _write(Path(sys.argv[1]), Path(sys.argv[2]), _announced(sys.stdin)))
