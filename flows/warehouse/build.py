"""Builds and checks the DuckDB file. A published file is never written to: a new one takes its place (see versions.py).

The file is a pure function of the lake, data/reference and sql/, equal byte for byte when it is built again: models run on
all cores in a work database, and flows/warehouse/writer.py copies their rows, in order, into the file that is published.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import duckdb

from flows.common.atomic_files import fsync
from flows.common.quality_check import Check
from flows.common.sealed_database import scratch_folder, seal
from flows.storage import lake, lake_index
from flows.storage.raw_store import FileKind
from flows.warehouse import release_summaries
from flows.warehouse.checks import read_checks, run_checks
from flows.warehouse.inputs import REFERENCE, load_inputs, read_releases, release_folders
from flows.warehouse.table_maker import FOLDERS, TableMaker, check_finished, check_models
from flows.warehouse.versions import check_room
from flows.warehouse.writer import STORAGE_VERSION, Writer
from sql import CORE_SCHEMA, contract, read_models
from transforms.errors import CrimeRatesError

HASHED = (*FOLDERS, "05_digests", "40_checks")


class BuildRefused(CrimeRatesError):
    """A required check failed, or there is nothing to build from; what was published stands."""

    def __init__(self, message: str, checks: list[Check]) -> None:
        """Say why, and keep the checks that were made."""
        super().__init__(message)
        self.checks = checks


def build_id(lake_dir: Path, reference_dir: Path) -> str:
    """A hash, of 12 hex digits, of all that goes in: the records of the lake, data/reference, sql/, and DuckDB's version."""
    digest = hashlib.sha256(f"duckdb {duckdb.__version__}, storage {STORAGE_VERSION}".encode())
    for release in read_releases(lake_dir):  # in order; when they were first seen matters for nothing else
        digest.update(_record_bytes(release))
    for kind in (FileKind.POPULATION, FileKind.LOOKUP):
        for record in lake_index.current_partitions(lake_dir, kind).values():
            digest.update(_record_bytes(record))
    for name in REFERENCE:
        digest.update((reference_dir / f"{name}.csv").read_bytes())
    for model in read_models(*HASHED):
        digest.update(model.path.encode() + model.query.encode())
    for name in ("contract.py", "schema.py"):
        digest.update((importlib.resources.files("sql") / name).read_bytes())
    return digest.hexdigest()[:12]


def _record_bytes(record: lake.Partition) -> bytes:
    fields = {name: value for name, value in asdict(record).items() if name != "first_seen"}
    return json.dumps(fields, sort_keys=True).encode()


def database_name(lake_dir: Path, reference_dir: Path) -> str:
    """The file name of the database that is built of this lake."""
    return f"crime_rates-{build_id(lake_dir, reference_dir)}.duckdb"


def build(lake_dir: Path, reference_dir: Path, warehouse: Path, memory_limit: str) -> tuple[Path, list[Check]]:
    """Build and check the database of what the lake holds now; returns its path, not yet published, and the checks.

    Raises BuildRefused when the lake holds no release or a required check fails, DiskFull when there is no room,
    ModelError when a model does not make what the contract declares.
    """
    target = warehouse / database_name(lake_dir, reference_dir)
    if target.exists():
        return target, read_checks(target)
    if not lake.partition_folders(lake_dir, FileKind.OFFENCES):
        raise BuildRefused("There is nothing to build: the lake holds no release of offences.", [])
    warehouse.mkdir(parents=True, exist_ok=True)
    check_room(warehouse, _room(lake_dir))
    with _work_database(warehouse, memory_limit, lake_dir) as (con, work_dir):
        finished = work_dir / target.name
        with Writer(work_dir, finished) as writer:
            tables = TableMaker(con, work_dir, writer)
            checks = _make_tables(con, tables, lake_dir, reference_dir)
            writer.finish()
        if finished.with_name(f"{finished.name}.wal").exists():
            raise RuntimeError(f"{finished} was not closed cleanly: a .wal file is left beside it.")
        check_finished(finished, tables.rows_made)
        if work_dir.parent != warehouse:  # another file system, perhaps
            shutil.move(finished, moved := warehouse / f".{target.name}.{os.getpid()}.part")
            finished = moved
        fsync(finished)
        finished.chmod(0o444)
        finished.rename(target)
        fsync(warehouse)
    return target, checks


def _make_tables(con: duckdb.DuckDBPyConnection, tables: TableMaker, lake_dir: Path, reference_dir: Path) -> list[Check]:
    """Work out all tables and check them; the writer hears of each. Raises BuildRefused, ModelError."""
    check_models(read_models(*FOLDERS))
    load_inputs(con, lake_dir, reference_dir)
    tables.run_models("00_releases")
    folders = {release.release_id: folder for folder, release in release_folders(lake_dir).items()}
    release_summaries.load_changes(con, lake_dir, folders)
    tables.run_models("10_stage", "20_core")
    con.execute("drop table stage.count_events")  # a tenth of the memory from here on; only 22_count_history.sql reads it
    tables.run_models("30_public")
    checks = run_checks(con)
    if broken := [check for check in checks if check.required and not check.passed]:
        raise BuildRefused(
            "Nothing is published, because a required check failed: "
            + " | ".join(f"{c.name} ({c.guards}): {c.rows_broken:,} rows, such as {c.examples}" for c in broken),
            checks,
        )
    tables.write_rows("quality_checks", [(c.name, c.guards, c.required, c.rows_broken, c.examples, c.passed) for c in checks])
    tables.write_rows("data_dictionary", contract.dictionary_rows())
    return checks


def _room(lake_dir: Path) -> int:
    """Bytes that a build takes at its highest: 15 times the lake's were seen, 23 with 500 MB of memory."""
    return 20_000_000 + 25 * sum(file.stat().st_size for file in lake_dir.rglob("*.parquet"))


@contextmanager
def _work_database(warehouse: Path, memory_limit: str, lake_dir: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database to work in, and the folder beside the published files in which it lies; both are gone at the end.

    It reaches that folder, the lake and the cache, and nothing else: the lake holds texts of others.
    """
    with scratch_folder(warehouse / f".build.{os.getpid()}.part") as work_dir:
        con = duckdb.connect(
            str(work_dir / "work.duckdb"),
            config={
                "memory_limit": memory_limit,
                "temp_directory": str(work_dir),
                "preserve_insertion_order": False,  # what is published is ordered by name, and the rest need not be
            },
        )
        try:
            con.execute(f"create schema input; create schema stage; create schema {CORE_SCHEMA}")
            seal(con, work_dir, lake_dir, lake_dir.parent / release_summaries.FOLDER)
            yield con, work_dir
        finally:
            con.close()
