"""The published file: a pure function of the lake, never written to, swapped in one step."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows import warehouse
from flows.files import sha256_of
from tests.releases import figures
from tests.world import World, rows_of

APRIL = date(2026, 4, 23)


def key(quarter: int, code: str) -> tuple[int, str, str]:
    return quarter, "West Mercia", code


def world_in(folder: Path, *, sources: Path | None = None, seen: str | None = None) -> World:
    world = World(folder, sources=sources)
    world.seen = seen
    world.worcestershire()
    counts = {"South Worcester": 36, "North Worcestershire": 30, "Unassigned West Mercia": 1}
    keys = [(quarter, code) for quarter in (1, 2) for code in ("8Q", "46", "4.1")]
    world.release(APRIL, [figures("2015/16", *key(q, code), count=n * q, csp=csp)
                          for csp, n in counts.items() for q, code in keys])
    world.release(APRIL, [figures("2015/16", *key(q, code), count=sum(counts.values()) * q) for q, code in keys])
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = world_in(tmp_path_factory.mktemp("warehouse"), seen="2026-04-23T08:31:00Z")
    world.build().close()
    return world


@pytest.fixture
def shelf(world: World, tmp_path: Path) -> Path:
    """A warehouse of its own with a finished build to publish."""
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    shutil.copyfile(database, tmp_path / database.name)
    return tmp_path / database.name


# ---------------------------------------------------------------- the build
def test_a_rebuild_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    again, _ = warehouse.build(world.lake, world.reference_dir, tmp_path, "500MB")  # with less memory, elsewhere
    assert again.name == database.name
    assert sha256_of(again) == sha256_of(database)


def test_no_clock_goes_into_the_file(world: World, tmp_path: Path) -> None:
    # the same files, taken in years later; no two releases of one table came out on one day, so nothing hangs on their order
    other = world_in(tmp_path, sources=world.sources, seen="2031-01-01T00:00:00Z")
    database, _ = other.make()
    [first] = world.warehouse.glob("crime_rates-*.duckdb")
    assert (database.name, sha256_of(database)) == (first.name, sha256_of(first))


def test_the_name_tells_what_went_in(world: World, tmp_path: Path) -> None:
    build = warehouse.build_id(world.lake, world.reference_dir)
    assert world.make()[0].name == f"crime_rates-{build}.duckdb"
    copy = World(tmp_path)
    shutil.copytree(world.lake, copy.lake)
    assert warehouse.build_id(copy.lake, copy.reference_dir) == build
    copy.population(date(2016, 6, 23), {"E07000235": 1})
    assert warehouse.build_id(copy.lake, copy.reference_dir) != build
    shutil.copytree(world.reference_dir, tmp_path / "reference")
    with (tmp_path / "reference/areas.csv").open("a") as file:
        file.write("\n")
    assert warehouse.build_id(world.lake, tmp_path / "reference") != build


def test_a_build_that_is_there_is_not_built_again(world: World) -> None:
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    before = database.stat().st_mtime_ns
    found, checks = world.make()
    assert (found, found.stat().st_mtime_ns) == (database, before)
    assert checks == warehouse.checks_of(database)


def test_a_finished_file_is_closed_read_only_and_alone(world: World) -> None:
    [database] = world.warehouse.glob("crime_rates-*.duckdb")
    with duckdb.connect(str(world.warehouse / warehouse.LINK), read_only=True) as con:
        assert rows_of(con, "select count(*) as n from releases") == [{"n": 2}]
        [opened] = rows_of(con, "select tags['storage_version'] as version from duckdb_databases() where path is not null")
        assert opened == {"version": "v1.2.0+"}  # any client from 1.2.0 on opens it
    assert sorted(p.name for p in world.warehouse.iterdir()) == sorted([database.name, warehouse.LINK])  # no .wal, no leavings
    assert stat.S_IMODE(database.stat().st_mode) == 0o444


def test_a_build_that_died_leaves_what_is_published(world: World) -> None:
    leavings = world.warehouse / f".build.{os.getpid()}.part"
    leavings.mkdir()
    (leavings / "work.duckdb").write_bytes(b"half a database")
    try:
        assert warehouse.published(world.data) == world.make()[0].resolve()
        with duckdb.connect(str(world.warehouse / warehouse.LINK), read_only=True) as con:
            assert rows_of(con, "select count(*) as n from releases") == [{"n": 2}]
    finally:
        shutil.rmtree(leavings)


# ---------------------------------------------------------------- the swap
def test_the_link_is_relative(shelf: Path) -> None:
    assert warehouse.publish(shelf, keep=3)
    link = shelf.parent / warehouse.LINK
    assert link.is_symlink() and link.readlink() == Path(shelf.name)  # the folder may be moved or mounted elsewhere


def test_to_publish_twice_changes_nothing(shelf: Path) -> None:
    assert warehouse.publish(shelf, keep=3) is True
    before = shelf.stat().st_mtime_ns
    assert warehouse.publish(shelf, keep=3) is False
    assert shelf.stat().st_mtime_ns == before


def test_a_reader_keeps_the_file_that_it_opened(shelf: Path) -> None:
    warehouse.publish(shelf, keep=1)
    link = shelf.parent / warehouse.LINK
    with duckdb.connect(str(link.resolve()), read_only=True) as reader:
        newer = shelf.with_name("crime_rates-newer.duckdb")
        shutil.copyfile(shelf, newer)
        assert warehouse.publish(newer, keep=1)
        assert not shelf.exists()
        assert rows_of(reader, "select count(*) as n from releases") == [{"n": 2}]
    assert link.readlink() == Path(newer.name)


def test_so_many_published_builds_are_kept(tmp_path: Path) -> None:
    names = []
    for number in range(5):
        build = tmp_path / f"crime_rates-{9 - number}.duckdb"  # names say nothing of their order
        build.write_bytes(b"")
        assert warehouse.publish(build, keep=3)
        os.utime(build, (100 + number, 100 + number))
        names.append(build.name)
    assert sorted(p.name for p in tmp_path.glob("crime_rates-*.duckdb")) == sorted(names[-3:])
    assert (tmp_path / warehouse.LINK).readlink() == Path(names[-1])


def test_an_older_build_can_be_published_again(shelf: Path) -> None:
    newer = shelf.with_name("crime_rates-newer.duckdb")
    shutil.copyfile(shelf, newer)
    for build in (shelf, newer, shelf):
        assert warehouse.publish(build, keep=2)
    assert (shelf.parent / warehouse.LINK).readlink() == Path(shelf.name)
    assert newer.exists()


def test_nothing_is_published_where_there_is_no_link(tmp_path: Path) -> None:
    assert warehouse.published(tmp_path) is None
