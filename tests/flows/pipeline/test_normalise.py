"""A release normalised in a process of its own: the same as here, and a process that dies is told of in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from flows.common.atomic_files import sha256_of
from flows.common.fork_server import ForkServers, WorkLimits
from flows.pipeline import normalise
from flows.settings import Settings
from flows.storage import lake, raw_store
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult
from tests.support.releases import CSP_2015, cover, figures, write_ods
from tests.support.world import REFERENCE

APRIL = date(2026, 4, 23)
NAME = "prc-csp-mar2021-mar2026-tables-230426.ods"


def stored(data: Path, last: object = 9) -> Path:
    """The folder of a stored release of two rows; `last` is its last cell."""
    rows = [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)]
    path = write_ods(data / NAME, [cover(APRIL), ("2015_16", [CSP_2015, rows[0], [*rows[1][:-1], last]])])
    return raw_store.store(data / "raw", raw_store.SourceFile(path, FileKind.OFFENCES))[0]


@pytest.fixture(scope="module")
def servers() -> Iterator[ForkServers]:
    with normalise.open_servers() as servers:
        yield servers


def normalise_apart(servers: ForkServers, data: Path, folders: list[Path]) -> FileResult:
    return normalise.normalise(Settings(LocalStore(data)), NAME, FileKind.OFFENCES, folders, servers)


def parquet(data: Path) -> list[str]:
    return [sha256_of(path) for path in sorted((data / "lake").rglob("*.parquet"))]


def test_a_process_of_its_own_gives_the_same_item_and_the_same_bytes(servers: ForkServers, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "apart").mkdir()
    here = normalise.normalise_release(tmp_path / "here", REFERENCE, NAME, [stored(tmp_path / "here")])
    apart = normalise_apart(servers, tmp_path / "apart", [stored(tmp_path / "apart")])
    assert (here, here.state) == (apart, "new")
    assert parquet(tmp_path / "here") == parquet(tmp_path / "apart") != []
    assert normalise_apart(servers, tmp_path / "apart", [stored(tmp_path / "apart")]).state == "unchanged"


def test_a_bad_release_fails_with_the_same_sentence(servers: ForkServers, tmp_path: Path) -> None:
    item = normalise_apart(servers, tmp_path, [stored(tmp_path, "lots")])
    assert item.state == "failed"
    assert item.message.endswith('sheet 2015_16, row 3, column Offence Count: expected a whole number or N/a, found "lots".')
    assert lake.partition_folders(tmp_path / "lake", FileKind.OFFENCES) == []


def test_a_large_release_goes_apart_and_one_that_is_held_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(LocalStore(tmp_path))
    folder = stored(tmp_path)
    monkeypatch.setattr(normalise, "LARGE_BYTES", 0)
    assert normalise.normalise(settings, NAME, FileKind.OFFENCES, [folder]).state == "new"
    monkeypatch.setattr(sys, "executable", "/bin/false")  # no process can be started any more
    assert normalise.normalise(settings, NAME, FileKind.OFFENCES, [folder]).state == "unchanged"


def test_a_process_that_dies_fails_its_release_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalise, "LARGE_BYTES", 0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    item = normalise.normalise(Settings(LocalStore(tmp_path)), NAME, "offences", [stored(tmp_path)])
    assert (item.state, item.message) == ("failed", f"{NAME} could not be normalised: its process was ended (exit status 1)")


def test_a_process_of_its_own_frees_memory_in_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Dask sets this for its workers: with it a workbook of 30 MB takes 6.6 s in place of 4.1 s, most of it in the kernel
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ntest "$MALLOC_TRIM_THRESHOLD_" -gt 65536 && exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    with normalise.open_servers() as servers:
        assert normalise_apart(servers, tmp_path, [stored(tmp_path)]).state == "new"


def test_a_file_that_takes_too_much_fails_alone_in_one_sentence(tmp_path: Path) -> None:
    with ForkServers("tests.support.fork_answers", WorkLimits(memory=400 << 20)) as hungry:
        item = normalise_apart(hungry, tmp_path, [stored(tmp_path)])
    assert (item.state, item.message) == (
        "failed",
        f"{NAME} could not be normalised: expected a file that is read within 0.391 GB of memory, found one that takes more",
    )
    assert lake.partition_folders(tmp_path / "lake", FileKind.OFFENCES) == []
