"""Trouble with a catalog in PostgreSQL: readers see the old or the new whole, of two writers one wins, the next recovers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.queries import connection
from flows.storage.data_store import LocalStore
from flows.warehouse import ducklake
from flows.warehouse.ducklake import Conflict, LakehouseError
from tests.services.lakehouse.conftest import Place
from tests.support import postgres
from tests.support.lakehouse_variants import marks, variant

PATIENCE = 120  # seconds, for a machine under load


@pytest.fixture
def filled(shared: Place, built: Path, tmp_path: Path) -> Place:
    """A lakehouse that holds the build `old`."""
    assert shared.publish(variant(built, tmp_path, "old"))
    return shared


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Writers that a test started; none outlives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def start(
    place: Place, build: Path, signal: Path, started: list[subprocess.Popen[str]], moment: str = "written"
) -> subprocess.Popen[str]:
    words = [place.catalog, place.data, str(build), str(signal), moment]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.lakehouse_writer", *words], stdout=subprocess.PIPE, text=True
    )
    started.append(process)
    return process


def reach(signal: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a process has come to the moment at which it holds."""
    end = time.monotonic() + PATIENCE
    while not signal.exists():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.02)


def go_on(signal: Path) -> None:
    signal.with_name(f"{signal.name}.go").touch()


def seen(place: Place) -> set[str]:
    with ducklake.connect_read_only(place.catalog) as con:
        return marks(con)


def test_of_two_writers_exactly_one_wins(filled: Place, tmp_path: Path, started: list[subprocess.Popen[str]]) -> None:
    # they change different tables: DuckLake would let both commit, and the lakehouse would hold half of each
    builds = [
        variant(tmp_path / "crime_rates-old.duckdb", tmp_path, mark, tables)
        for mark, tables in (("a", ["quality_checks"]), ("b", ["half_years"]))
    ]
    signals = [tmp_path / "a.signal", tmp_path / "b.signal"]
    writers = [start(filled, build, signal, started) for build, signal in zip(builds, signals, strict=True)]
    for writer, signal in zip(writers, signals, strict=True):
        reach(signal, writer)
    for signal in signals:
        go_on(signal)
    said = [writer.communicate(timeout=PATIENCE)[0] for writer in writers]
    assert sorted(writer.returncode for writer in writers) == [0, 1], said
    loser = 0 if writers[0].returncode else 1
    assert said[1 - loser] == "published True\n"
    assert said[loser].startswith("Conflict: another writer published to the lakehouse meanwhile")
    assert said[loser].count("\n") == 1
    assert seen(filled) == {"old", "ab"[1 - loser]}
    assert filled.publish(builds[loser])
    assert seen(filled) == {"old", "ab"[loser]}


def test_of_two_first_writers_one_wins(shared: Place, built: Path, tmp_path: Path, started: list[subprocess.Popen[str]]) -> None:
    with ducklake.connect_writable(shared.catalog, shared.data):  # another one has made the lakehouse, and nothing in it yet
        pass
    builds = [variant(built, tmp_path, mark) for mark in ("a", "b")]
    signal = tmp_path / "signal"
    slow = start(shared, builds[0], signal, started)
    reach(signal, slow)
    assert shared.publish(builds[1])
    go_on(signal)
    assert slow.communicate(timeout=PATIENCE)[0].startswith("Conflict: ")
    assert seen(shared) == {"b"}


def test_a_killed_writer_leaves_the_old_whole(
    filled: Place, built: Path, tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    before, signal, new = filled.parquet(), tmp_path / "signal", variant(built, tmp_path, "new")
    writer = start(filled, new, signal, started)
    reach(signal, writer)
    writer.kill()
    writer.communicate()
    orphans = filled.parquet() - before
    assert orphans
    assert seen(filled) == {"old"}
    for orphan in orphans:
        os.utime(orphan, (time.time() - 2 * 86_400,) * 2)
    assert filled.publish(new)
    assert seen(filled) == {"new"}
    assert not orphans & filled.parquet()


def lose_connections(server: postgres.Server, place: Place) -> None:
    lost = server.query(
        place.catalog,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()",
    )
    assert int(lost) > 0


@pytest.mark.parametrize("moment", ["begun", "written"])
def test_a_lost_connection_leaves_the_old_whole(
    filled: Place, built: Path, tmp_path: Path, server: postgres.Server, started: list[subprocess.Popen[str]], moment: str
) -> None:
    # at the beginning a query fails and not the commit: DuckDB would end the process, without a word, when it closes
    signal, new = tmp_path / "signal", variant(built, tmp_path, "new")
    writer = start(filled, new, signal, started, moment)
    reach(signal, writer)
    lose_connections(server, filled)
    go_on(signal)
    said = writer.communicate(timeout=PATIENCE)[0]
    assert writer.returncode == 1, said
    assert said.startswith("LakehouseError: the connection to the lakehouse's catalog was lost")
    assert said.count("\n") == 1
    assert seen(filled) == {"old"}
    assert filled.publish(new)
    assert seen(filled) == {"new"}


def test_a_connection_lost_after_the_commit_is_made_again(
    filled: Place, built: Path, tmp_path: Path, server: postgres.Server, started: list[subprocess.Popen[str]]
) -> None:
    signal = tmp_path / "signal"
    writer = start(filled, variant(built, tmp_path, "new"), signal, started, "committed")
    reach(signal, writer)
    lose_connections(server, filled)
    go_on(signal)
    assert writer.communicate(timeout=PATIENCE)[0] == "published True\n"
    assert seen(filled) == {"new"}


def test_a_command_whose_connection_is_lost_goes_on_with_its_build(
    filled: Place,
    built: Path,
    tmp_path: Path,
    server: postgres.Server,
    monkeypatch: pytest.MonkeyPatch,
    started: list[subprocess.Popen[str]],
) -> None:
    monkeypatch.setenv(ducklake.SETTING, filled.catalog)
    signal = tmp_path / "signal"
    words = ["tests.support.lakehouse_reader", "by_command", str(tmp_path), str(signal)]
    reader = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    started.append(reader)
    reach(signal, reader)
    assert filled.publish(variant(built, tmp_path, "new"))
    lose_connections(server, filled)
    go_on(signal)
    said = reader.communicate(timeout=PATIENCE)[0]
    assert reader.returncode == 0, said  # in a transaction DuckDB would have ended the process
    assert json.loads(said) == {"before": ["old"], "after": ["old"]}


def test_a_server_that_is_away_is_one_sentence(filled: Place, built: Path, tmp_path: Path, server: postgres.Server) -> None:
    new = variant(built, tmp_path, "new")
    server.stop()
    try:
        for use in (lambda: filled.publish(new), lambda: seen(filled)):
            with pytest.raises(LakehouseError, match="^the lakehouse could not be used: IO Error: [^'=]*[Cc]onnect[^'=]*$"):
                use()
    finally:
        server.start()
    assert seen(filled) == {"old"}
    assert filled.publish(new)


def test_a_reader_keeps_its_snapshot_through_publications(filled: Place, built: Path, tmp_path: Path) -> None:
    with ducklake.connect_read_only(filled.catalog) as con:
        con.execute("begin")
        assert marks(con, ["half_years"]) == {"old"}
        for number in range(5):  # more than are kept: its own is expired, and its files stay for their day
            assert filled.publish(variant(built, tmp_path, str(number)))
        assert marks(con) == {"old"}
        con.execute("commit")
        assert marks(con) == {"4"}  # the same connection, without connecting again


def test_a_command_is_answered_by_one_build(filled: Place, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ducklake.SETTING, filled.catalog)
    with connection.connect(LocalStore(tmp_path)) as con:
        assert marks(con, ["half_years"]) == {"old"}
        assert filled.publish(variant(built, tmp_path, "new"))
        assert marks(con) == {"old"}


def test_a_reader_needs_no_more_than_to_select(filled: Place, server: postgres.Server) -> None:
    server.query(filled.catalog, "create role looks login; grant select on all tables in schema public to looks")
    with ducklake.connect_read_only(filled.catalog.replace("user=crime", "user=looks")) as con:
        assert marks(con) == {"old"}
    with (
        pytest.raises(LakehouseError, match="permission denied"),
        ducklake.connect_writable(filled.catalog.replace("user=crime", "user=looks"), "") as con,
        ducklake.translate_errors(),
    ):
        con.execute("create table mine (i integer)")


def test_a_catalog_without_a_lakehouse_says_what_makes_one(server: postgres.Server) -> None:
    with pytest.raises(LakehouseError, match="names no lakehouse yet: `crime-rates update` makes it"):
        ducklake.connect_read_only(server.database())


def test_a_conflict_is_a_lakehouse_error() -> None:
    assert issubclass(Conflict, LakehouseError)  # a run that meets one is failed, not broken
