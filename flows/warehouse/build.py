"""Builds and checks the DuckDB file. A published file is never written to: a new one takes its place (see versions.py).

The file is a pure function of the lake, data/reference and sql/, equal byte for byte when it is built again: models run on
all cores in a work database, and flows/warehouse/writer.py copies their rows, in order, into the file that is published.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flows.common.atomic_files import fsync, read_json
from flows.common.quality_check import Check
from flows.storage import lake
from flows.warehouse import release_summaries
from flows.warehouse.checks import checks_of, run_checks
from flows.warehouse.release_summaries import parquet_paths
from flows.warehouse.versions import check_room
from flows.warehouse.writer import CORE_SCHEMA, STORAGE_VERSION, Writer
from sql import contract, models, quoted
from transforms.areas import read_reference
from transforms.errors import CrimeRatesError

MODELS = ("00_releases", "05_digests", "10_stage", "20_core", "30_public", "40_checks")
REFERENCE = ("areas", "area_successions", "council_successions", "recording_breaks", "withdrawn_figures")


class BuildRefused(CrimeRatesError):
    """A required check failed, or there is nothing to build from; what was published stands."""

    def __init__(self, message: str, checks: list[Check]) -> None:
        super().__init__(message)
        self.checks = checks


def build_id(lake_dir: Path, reference_dir: Path) -> str:
    """A hash of all that goes in: the records of the lake, the reference tables, the models, DuckDB's version."""
    digest = hashlib.sha256(f"duckdb {duckdb.__version__}, storage {STORAGE_VERSION}".encode())
    for release in _releases(lake_dir):  # in order; when they were first seen matters for nothing else
        digest.update(json.dumps({k: v for k, v in release.items() if k != "first_seen"}, sort_keys=True).encode())
    for kind in ("populations", "lookups"):
        for folder in lake.folders(lake_dir, kind):
            digest.update((folder / lake.RECORD).read_bytes())
    for name in REFERENCE:
        digest.update((reference_dir / f"{name}.csv").read_bytes())
    for file in [*models(*MODELS), *(importlib.resources.files("sql") / name for name in ("contract.py", "schema.py"))]:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def database_name(lake_dir: Path, reference_dir: Path) -> str:
    """What the database of this lake is called."""
    return f"crime_rates-{build_id(lake_dir, reference_dir)}.duckdb"


def build(lake_dir: Path, reference_dir: Path, warehouse: Path, memory_limit: str) -> tuple[Path, list[Check]]:
    """Build and check the database of what the lake holds now; returns its path, not yet published, and the checks.

    Raises BuildRefused when the lake holds no release or a required check fails, DiskFull when there is no room.
    """
    target = warehouse / database_name(lake_dir, reference_dir)
    if target.exists():
        return target, checks_of(target)
    if not lake.folders(lake_dir, "offences"):
        raise BuildRefused("There is nothing to build: the lake holds no release of offences.", [])
    warehouse.mkdir(parents=True, exist_ok=True)
    check_room(warehouse, _room(lake_dir))
    with _work_database(warehouse, memory_limit) as (con, aside):
        finished = aside / target.name
        with Writer(aside, finished) as writer:
            checks = _run(con, lake_dir, reference_dir, aside, writer)
            writer.finish()
        if finished.with_name(f"{finished.name}.wal").exists():
            raise RuntimeError(f"{finished} was not closed cleanly: a .wal file is left beside it.")
        fsync(finished)
        finished.chmod(0o444)
        finished.rename(target)
        fsync(warehouse)
    return target, checks


def _run(con: duckdb.DuckDBPyConnection, lake_dir: Path, reference_dir: Path, aside: Path, writer: Writer) -> list[Check]:
    """Work out all tables and check them; the writer hears of each. Raises BuildRefused."""
    tables = _Ordered(con, aside, writer)
    _load_inputs(con, lake_dir, reference_dir)
    tables.run_models("00_releases")
    folders = lake.folders(lake_dir, "offences")
    release_summaries.load_changes(con, lake_dir, {lake.read_release(folder).release_id: folder for folder in folders})
    tables.run_models("10_stage", "20_core")
    tables.write_helpers()
    tables.run_models("30_public")
    checks = run_checks(con)
    if broken := [check for check in checks if check.required and not check.passed]:
        raise BuildRefused(
            "Nothing is published, because a required check failed: "
            + " | ".join(f"{c.name} ({c.guards}): {c.rows_broken:,} rows, such as {c.examples}" for c in broken),
            checks,
        )
    tables.write_dictionary(checks)
    return checks


def _room(lake_dir: Path) -> int:
    """Bytes that a build takes at its highest: 15 times the lake's were seen, 23 with 500 MB of memory."""
    return 20_000_000 + 25 * sum(file.stat().st_size for file in lake_dir.rglob("*.parquet"))


@contextmanager
def _work_database(warehouse: Path, memory_limit: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    aside = warehouse / f".build.{os.getpid()}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    con = duckdb.connect(
        str(aside / "work.duckdb"),
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(aside),
            "preserve_insertion_order": False,  # what is published is ordered by name, and the rest need not be
        },
    )
    try:
        con.execute(f"create schema input; create schema stage; create schema {CORE_SCHEMA}")
        yield con, aside
    finally:
        con.close()
        shutil.rmtree(aside, ignore_errors=True)


def _load_inputs(con: duckdb.DuckDBPyConnection, lake_dir: Path, reference_dir: Path) -> None:
    """Everything that the models read: records and reference tables as tables, figures as views of Parquet files."""
    for name in REFERENCE:
        rows = pa.Table.from_pylist(read_reference(reference_dir / f"{name}.csv"))  # noqa: F841, DuckDB reads it
        con.execute(f"create table input.{name} as select * from rows")
    records = _releases(lake_dir)
    notes = pa.table(
        {
            "release_id": pa.array([r["release_id"] for r in records for _ in r["force_notes"]], pa.string()),
            "note": pa.array([note for r in records for note in r["force_notes"]], pa.string()),
        }
    )
    releases = pa.Table.from_pylist([{k: v for k, v in r.items() if k != "force_notes"} for r in records])
    releases = releases.append_column("release_key", pa.array(range(1, len(records) + 1), pa.int32()))
    con.register("releases_in", releases)
    con.register("notes_in", notes)
    con.execute("create table input.releases as select * from releases_in")
    con.execute("create table input.release_notes as select * from notes_in")

    sources = lake.folders(lake_dir, "populations")
    con.execute("create table input.population_sources (source_id varchar, file_name varchar, vintage varchar)")
    con.execute(
        "create table input.populations (source_id varchar, area_code varchar, area_name varchar, "
        "area_kind varchar, year smallint, persons bigint, boundaries varchar, sheet varchar, row integer)"
    )
    for folder in sources:
        record = read_json(folder / lake.RECORD)
        con.execute(
            "insert into input.population_sources values (?, ?, ?)", [record["source_id"], record["file_name"], record["vintage"]]
        )
        con.execute(
            f"insert into input.populations select ?, * from read_parquet({parquet_paths(sorted(folder.glob('*.parquet')))})",
            [record["source_id"]],
        )
    con.execute(
        "create table input.lookups (lookup_year smallint, council_code varchar, council_name varchar, "
        "csp_code varchar, csp_name varchar, pfa_code varchar, pfa_name varchar)"
    )
    for folder in lake.folders(lake_dir, "lookups"):
        con.execute(f"insert into input.lookups from read_parquet({parquet_paths(sorted(folder.glob('*.parquet')))})")


def _releases(lake_dir: Path) -> list[dict[str, Any]]:
    """The records of all releases in the order in which they came out."""
    records = [asdict(lake.read_release(folder)) for folder in lake.folders(lake_dir, "offences")]
    return sorted(records, key=lambda r: (r["published"], r["first_seen"], r["file_name"], r["sha256"]))


class _Ordered:
    """The tables that are published, each written once, as <schema>.<table>.parquet, in the order in which it will be stored."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, writer: Writer) -> None:
        self._con, self._folder, self._writer = con, folder, writer
        self._public = {table.name: table for table in contract.TABLES}

    def run_models(self, *folders: str) -> None:
        """Run models. A public table is not held as a table: later models and the checks read its file, by its name."""
        for model in models(*folders):
            try:
                for statement in self._con.extract_statements(model.read_text(encoding="utf-8")):
                    found = re.search(r"^create table (\w+) as\s(.*)", statement.query, re.DOTALL | re.MULTILINE)
                    if found is None:
                        self._con.execute(statement)
                    else:
                        name, query = found[1], found[2].rstrip().removesuffix(";")
                        file = self._write(f"main.{name}", f"({query})", self._public[name].order)
                        self._con.execute(f"create view {name} as from read_parquet({file})")
            except duckdb.Error as error:
                error.add_note(f"in sql/{model.name}")
                raise

    def write_dictionary(self, checks: list[Check]) -> None:
        """The tables about the tables: quality_checks and data_dictionary."""
        rows: dict[str, list[tuple[Any, ...]]] = {
            "quality_checks": [(c.name, c.guards, c.required, c.rows_broken, c.examples, c.passed) for c in checks],
            "data_dictionary": contract.dictionary_rows(),
        }
        for name, values in rows.items():
            table = self._public[name]
            self._con.execute(table.create_statement("main"))
            self._con.executemany(f"insert into {name} values ({', '.join('?' * len(table.columns))})", values)
            self._write(f"main.{name}", name, table.order)

    def write_helpers(self) -> None:
        """The tables that the macros of the published file read."""
        helpers = self._con.execute("select table_name from duckdb_tables() where schema_name = ? order by all", [CORE_SCHEMA])
        for (name,) in helpers.fetchall():
            self._write(f"{CORE_SCHEMA}.{name}", f"{CORE_SCHEMA}.{name}", ["all"])

    def _write(self, name: str, source: str, order: Sequence[str]) -> str:
        file = quoted(str(self._folder / f"{name}.parquet"))
        self._con.execute(f"copy (from {source} order by {', '.join(order)}) to {file} (compression lz4_raw)")
        self._writer.add(name)
        return file
