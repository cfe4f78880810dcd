"""What a run finds of those that died before it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from flows.common.atomic_files import new_folder, remove_leftovers
from flows.common.errors import describe_error, is_interrupt


def test_half_written_things_and_stray_logs_go_and_resumable_downloads_stay(tmp_path: Path) -> None:
    stray = (
        "raw/offences/.0123456789abcdef.77.part/table.ods",
        "warehouse/.build.77.part/sorted/main.areas.parquet",
        "tables/2015-16-H1/.csp.csv.part",
        "warehouse/crime_rates.duckdb.wal",
        "warehouse/crime_rates-0123.duckdb.wal",
    )
    kept = (
        "raw/offences/0123456789abcdef/table.ods",
        "raw/.incoming/table.ods.part",
        "raw/.incoming/.table.ods.part",
        "warehouse/crime_rates-0123.duckdb",
    )
    for path in (*stray, *kept):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("some of it")
    assert remove_leftovers(tmp_path) == len(stray)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_a_place_that_cannot_be_written_to_is_told_in_a_sentence() -> None:
    said = describe_error(OSError(errno.EROFS, os.strerror(errno.EROFS), "data/.run.lock"))
    assert said == "data/.run.lock: expected a place that can be written to, found that it cannot (Read-only file system)."


def test_a_stop_is_called_one_whoever_said_it() -> None:
    for error in (KeyboardInterrupt(), duckdb.InterruptException("Query interrupted")):
        assert is_interrupt(error) and describe_error(error) == "it was stopped before its end; what is published stands."
    assert not is_interrupt(ValueError("expected this"))


def test_two_who_write_one_folder_do_not_write_into_each_others(tmp_path: Path) -> None:
    # as workers on two hosts may, under one process number, when the first was thought to be lost
    with new_folder(tmp_path / "release") as first:
        (first / "2015-16.parquet").write_text("whole")
        with new_folder(tmp_path / "release") as second:
            (second / "2015-16.parquet").write_text("whole")
        assert (first / "2015-16.parquet").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_who_outlives_his_run_cannot_finish_what_a_later_run_sweeps_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a worker on another host writes on while the next run sweeps: its file comes between the removal of the others and the end
    remove = shutil.rmtree
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "release") as aside:
        (aside / "2014-15.parquet").write_text("whole")

        def slow(path: Path) -> None:
            (path / "2014-15.parquet").unlink()
            with pytest.raises(FileNotFoundError):
                (aside / "2015-16.parquet").write_text("whole")
            remove(path)

        monkeypatch.setattr(shutil, "rmtree", slow)
        assert remove_leftovers(tmp_path) == 1
        monkeypatch.setattr(shutil, "rmtree", remove)
    assert list(tmp_path.iterdir()) == []
