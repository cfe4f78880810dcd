"""One run at a time on a folder: another is told to wait, and a run that was killed holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.storage.data_store import LocalStore
from flows.storage.file_lock import RunInProgress


def test_a_busy_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with LocalStore(tmp_path).lock(), pytest.raises(RunInProgress) as error, LocalStore(tmp_path).lock():
        pass
    assert str(error.value) == (
        f"Another run (process {os.getpid()}) is at work on {tmp_path}: wait for it to end, then run the command again."
    )
    with LocalStore(tmp_path).lock():  # and is free again
        pass


def test_the_lock_of_a_run_that_was_killed_goes_with_it(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\nfrom flows.storage.data_store import LocalStore\n"
        "with LocalStore(pathlib.Path(sys.argv[1])).lock():\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(RunInProgress, match=f"process {other.pid}"), LocalStore(tmp_path).lock():
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        with LocalStore(tmp_path).lock():
            pass


def test_two_folders_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "a").lock(), LocalStore(tmp_path / "b").lock():
        pass
