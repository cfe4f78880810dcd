"""The process that writes the published file: what it says when it fails, and that it never goes on alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flows.common.subprocesses import SubprocessFailed
from flows.warehouse.writer import Writer


def test_what_the_process_says_reaches_the_one_that_waits(tmp_path: Path) -> None:
    with (
        pytest.raises(SubprocessFailed, match=r"^x\.duckdb could not be written: .*main\.areas\.parquet"),
        Writer(tmp_path, tmp_path / "x.duckdb") as writer,
    ):
        writer.add("main.areas")  # there is no such file
        writer.finish()


def test_a_process_that_was_killed_is_told_of(tmp_path: Path) -> None:
    with (
        pytest.raises(SubprocessFailed, match=r"^x\.duckdb could not be written: its process was ended \(exit status -9\)$"),
        Writer(tmp_path, tmp_path / "x.duckdb") as writer,
    ):
        writer._process.kill()
        writer._process.wait()
        writer.finish()


def test_it_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    with Writer(tmp_path, tmp_path / "x.duckdb") as writer:
        pass
    assert writer._process.returncode is not None


def test_it_finishes_nothing_when_the_one_that_builds_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows.warehouse.writer", str(tmp_path), str(tmp_path / "x.duckdb")]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "the process that builds has ended\n")
