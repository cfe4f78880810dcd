"""Writes the file that is published, from sorted tables in Parquet: the same rows give the same bytes.

Run as a process of its own (`python -m flows.publication SORTED TARGET`), because DuckDB 1.5.5 repeats itself to the byte
only with one thread, with an allocator that hands out zeroed memory (Roaring, BitPacking and ALP write bytes that they never
set), from a source that keeps nothing behind a null (Parquet does not), and without FSST, which is weighed on a random sample.
"""

from __future__ import annotations

import importlib.resources
import os
import re
import subprocess
import sys
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb

from sql import contract

HELPERS = "crime_rates_core"  # a schema name that nobody else would own: macros resolve names in the client's catalogue
STORAGE_VERSION = "v1.2.0"  # opens in every client from 1.2.2 on
ZEROED_MEMORY = {"DUCKDB_JE_MALLOC_CONF": "zero:true", "GLIBC_TUNABLES": "glibc.malloc.perturb=255"}  # two allocators are at work


def models(*folders: str) -> list[Traversable]:
    """The SQL files of these folders, in the order of their names."""
    root = importlib.resources.files("sql")
    return [file for folder in folders
            for file in sorted((root / folder).iterdir(), key=lambda f: f.name) if file.name.endswith(".sql")]


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def write(folder: Path, target: Path) -> None:
    """Write `target` in a process of its own. Raises RuntimeError, with what that process said, when it fails."""
    command = [sys.executable, "-m", "flows.publication", str(folder), str(target)]
    done = subprocess.run(command, env=os.environ | ZEROED_MEMORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"its process was ended (exit status {done.returncode})"
        raise RuntimeError(f"{target.name} could not be written: {said}")


def _write(folder: Path, target: Path) -> None:
    con = duckdb.connect(config={"threads": 1})
    con.execute("set disabled_compression_methods = 'fsst,dict_fsst'")
    con.execute(f"attach {quoted(str(target))} as published (storage_version {quoted(STORAGE_VERSION)})")
    con.execute(f"create schema published.{HELPERS}")
    for file in sorted(folder.glob(f"{HELPERS}.*.parquet")):
        own = file.name.removeprefix(f"{HELPERS}.").removesuffix(".parquet")
        con.execute(f'create table published.{HELPERS}."{own}" as from {quoted(str(file))}')
    for table in contract.TABLES:
        con.execute(contract.ddl(table, "published.main"))
        con.execute(contract.comments(table, "published.main"))
        file = folder / f"main.{table.name}.parquet"
        con.execute(f'insert into published.main."{table.name}" from {quoted(str(file))}')
    con.execute("use published")
    for model in models("30_public"):
        for statement in con.extract_statements(model.read_text(encoding="utf-8")):
            if re.search(r"\bcreate (macro|view)\b", statement.query, re.IGNORECASE):
                con.execute(statement)
    for view in contract.VIEWS:
        con.execute(contract.comments(view, "main"))
    con.execute("checkpoint published; use memory; detach published")
    con.close()


if __name__ == "__main__":
    try:
        _write(Path(sys.argv[1]), Path(sys.argv[2]))
    except (duckdb.Error, OSError) as error:
        sys.exit(str(error))  # a sentence for the process that waits
