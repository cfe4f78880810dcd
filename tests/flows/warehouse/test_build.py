"""The published file: a pure function of the lake, never written to, swapped in one step."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.common.atomic_files import sha256_of
from flows.storage.data_store import LocalStore
from flows.warehouse import build
from flows.warehouse.build import build_id
from flows.warehouse.checks import read_checks
from flows.warehouse.published import LINK, published
from flows.warehouse.published import published as published_build
from tests.support.releases import figures
from tests.support.world import World, rows_of

APRIL = date(2026, 4, 23)


def key(quarter: int, code: str) -> tuple[int, str, str]:
    return quarter, "West Mercia", code


def world_in(folder: Path, *, sources: Path | None = None, seen: str | None = None) -> World:
    world = World(folder, sources=sources)
    world.seen = seen
    world.worcestershire()
    counts = {"South Worcester": 36, "North Worcestershire": 30, "Unassigned West Mercia": 1}
    keys = [(quarter, code) for quarter in (1, 2) for code in ("8Q", "46", "4.1")]
    world.release(
        APRIL, [figures("2015/16", *key(q, code), count=n * q, csp=csp) for csp, n in counts.items() for q, code in keys]
    )
    world.release(APRIL, [figures("2015/16", *key(q, code), count=sum(counts.values()) * q) for q, code in keys])
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = world_in(tmp_path_factory.mktemp("warehouse"), seen="2026-04-23T08:31:00Z")
    world.build().close()
    return world


# ---------------------------------------------------------------- the build
def test_a_rebuild_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    again, _ = build.build(world.lake, world.reference_dir, tmp_path, "500MB")  # with less memory, elsewhere
    assert again.name == database.name
    assert sha256_of(again) == sha256_of(database)


def test_no_clock_goes_into_the_file(world: World, tmp_path: Path) -> None:
    # the same files, taken in years later; no two releases of one table came out on one day, so nothing hangs on their order
    other = world_in(tmp_path, sources=world.sources, seen="2031-01-01T00:00:00Z")
    database, _ = other.make()
    [first] = world.warehouse.glob("crime_rates-*.duckdb")
    assert (database.name, sha256_of(database)) == (first.name, sha256_of(first))


def test_no_folder_goes_into_the_file(world: World, tmp_path: Path) -> None:
    # the same files, laid somewhere else: as on another machine
    shutil.copytree(world.sources, tmp_path / "elsewhere")
    other = world_in(tmp_path / "other", sources=tmp_path / "elsewhere", seen="2026-04-23T08:31:00Z")
    with other.build() as con:
        [first] = world.warehouse.glob("crime_rates-*.duckdb")
        published = published_build(LocalStore(other.data))
        assert published is not None and (published.name, sha256_of(published)) == (first.name, sha256_of(first))
        urls = rows_of(con, "select source_url, file_name from releases")
        assert all(row["source_url"] == f"file:{row['file_name']}" for row in urls) and len(urls) == 2


def test_the_name_tells_what_went_in(world: World, tmp_path: Path) -> None:
    build = build_id(world.lake, world.reference_dir)
    assert world.make()[0].name == f"crime_rates-{build}.duckdb"
    copy = World(tmp_path)
    shutil.copytree(world.lake, copy.lake)
    assert build_id(copy.lake, copy.reference_dir) == build
    copy.population(date(2016, 6, 23), {"E07000235": 76_000})
    assert build_id(copy.lake, copy.reference_dir) != build
    shutil.copytree(world.reference_dir, tmp_path / "reference")
    with (tmp_path / "reference/areas.csv").open("a") as file:
        file.write("\n")
    assert build_id(world.lake, tmp_path / "reference") != build


def test_a_build_that_is_there_is_not_built_again(world: World) -> None:
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    before = database.stat().st_mtime_ns
    found, checks = world.make()
    assert (found, found.stat().st_mtime_ns) == (database, before)
    assert checks == read_checks(database)


def test_a_finished_file_is_closed_read_only_and_alone(world: World) -> None:
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    with duckdb.connect(str(world.warehouse / LINK), read_only=True) as con:
        assert rows_of(con, "select count(*) as n from releases") == [{"n": 2}]
        [opened] = rows_of(con, "select tags['storage_version'] as version from duckdb_databases() where path is not null")
        assert opened == {"version": "v1.2.0+"}  # any client from 1.2.0 on opens it
    assert sorted(p.name for p in world.warehouse.iterdir()) == sorted([database.name, LINK, "published.json"])  # no .wal
    assert stat.S_IMODE(database.stat().st_mode) == 0o444


def test_a_build_that_died_leaves_what_is_published(world: World) -> None:
    leavings = world.warehouse / f".build.{os.getpid()}.part"
    leavings.mkdir()
    (leavings / "work.duckdb").write_bytes(b"half a database")
    try:
        assert published(LocalStore(world.data)) == world.make()[0].resolve()
        with duckdb.connect(str(world.warehouse / LINK), read_only=True) as con:
            assert rows_of(con, "select count(*) as n from releases") == [{"n": 2}]
    finally:
        shutil.rmtree(leavings)
