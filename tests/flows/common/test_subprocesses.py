"""Processes of our own run our own code, and what they say reaches their parent."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from flows.common import subprocesses
from flows.common.errors import is_disk_full
from flows.common.subprocesses import SubprocessFailed, ask_child
from tests.support import child

CHILD = "tests.support.child"


def test_a_child_answers_in_json() -> None:
    assert ask_child(CHILD, {"add": [1, 2]}) == {"sum": 3}


def test_a_folder_of_the_same_name_in_the_working_directory_is_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flows", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported from the working directory')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert ask_child(CHILD, {"add": [1, 2]}) == {"sum": 3}


def test_an_error_for_people_is_its_sentence() -> None:
    with pytest.raises(SubprocessFailed, match=r"^expected this, found that\.$"):
        ask_child(CHILD, {"raise": "UsageError"})


def test_a_fault_says_that_it_is_one_and_keeps_its_traceback() -> None:
    with pytest.raises(SubprocessFailed) as error:
        ask_child(CHILD, {"raise": "KeyError"})
    assert str(error.value) == "This is a fault of crime-rates, not of your input: KeyError: 'x'."
    assert any(child.__file__ in line for line in error.value.__notes__)


def test_a_full_disk_is_known_for_one() -> None:
    with pytest.raises(SubprocessFailed) as error:
        ask_child(CHILD, {"raise": errno.ENOSPC})
    assert is_disk_full(error.value)


def test_a_child_that_was_ended_says_how() -> None:
    with pytest.raises(SubprocessFailed, match=r"^its process was ended \(exit status -9\)$"):
        ask_child(CHILD, {"raise": "SIGKILL"})


def test_variables_can_be_kept_from_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    assert ask_child(CHILD, {"variable": "OURS"}) == "1"
    assert ask_child(CHILD, {"variable": "OURS"}, drop=["OURS"]) is None
    with subprocesses.start_child(CHILD, add={"OURS": "2"}) as process:
        assert subprocesses.wait_for_child(process, '{"variable": "OURS"}') == '"2"'
