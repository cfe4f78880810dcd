"""Runs a client script through a publication, and judges what it saw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.storage.data_store import LocalStore
from flows.warehouse import versions as shelf
from flows.warehouse.published import LINK
from tools.bi_compat.builds import MACRO, TABLES, TOP, Build, Rows, stage
from tools.bi_compat.environments import clean

PATIENCE = 600.0  # seconds for a whole client, before it is taken to hang: Superset sets up its own database first
LAST_WORDS = 60.0  # seconds for a client to end the server that it started
PUBLISHED = "PATH"  # stands for the published file in a setting


@dataclass
class Result:
    """What came of one client. `not_tried` says why it was not run; `broke` what it said when it failed."""

    client: str
    version: str = ""
    setting: str = ""
    tables: bool = False
    right: bool = False
    macro: bool = False
    types: str = ""
    comments: bool = False
    refused: bool = False  # a write
    survives: bool | None = False  # a connection that was open, on the old build; None where none is held
    ways: list[tuple[str, str]] = field(default_factory=list)  # (way, the build that it shows: old, new or other)
    note: str = ""
    broke: str = ""
    not_tried: str = ""

    @property
    def works(self) -> bool:
        # that a reader on the old build gets no error is asked of all; which way shows the new build is a finding
        sees_new = any(build == "new" for _, build in self.ways) and all(build != "other" for _, build in self.ways)
        read = self.tables and self.right and self.macro and self.refused
        return not self.broke and read and self.survives is not False and sees_new


class Conversation:
    """A client script at work: each line that it tells, and the word to go on."""

    def __init__(self, command: Sequence[str], log: Path, env: dict[str, str]) -> None:
        self._log = log
        self._err = log.open("w")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._err,
            env=env,
            text=True,
            bufsize=1,
            start_new_session=True,
        )  # a group of its own, so that no server that it started outlives it
        self._timer = threading.Timer(PATIENCE, self._end)
        self._timer.start()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._timer.cancel()
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LAST_WORDS)
        self._end()
        self._process.wait()
        self._process.stdout.close()
        self._err.close()

    def _end(self) -> None:
        with suppress(ProcessLookupError):  # it has ended by itself, and nothing of it is left
            os.killpg(self._process.pid, signal.SIGKILL)

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("BI "):
                told: dict[str, Any] = json.loads(line[3:])
                return told
        raise ClientBroke(last_line(self._log))

    def go_on(self) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has ended: hear() says how
            self._process.stdin.write("\n")
            self._process.stdin.flush()


class ClientBroke(Exception):
    """A client ended before it had told everything; says its last words."""


def last_line(log: Path) -> str:
    # DuckDB's messages go on over lines: what matters stands where the error is named
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line or "Exception" in line]
    return (named or lines or ["it ended without a word"])[-1][:300]


def run(client: str, command: Sequence[str], folder: Path, builds: tuple[Build, Build], **env: str) -> Result:
    """Let a client look, publish another build before its eyes (the old file goes), and let it look again."""
    result = Result(client)
    work = folder / "".join(c if c.isalnum() or c in ".-" else "-" for c in client)
    old, new = builds
    old_path, newer = stage(work, builds)
    link = work / "warehouse" / LINK
    asked = {"BI_DATABASE": str(link), "BI_TOP": TOP, "BI_MACRO": MACRO, "BI_TABLES": TABLES}
    with Conversation(command, work / "log.txt", clean(**asked, **env)) as talk:
        try:
            first = talk.hear()
            judge_first(result, first, old)
            shelf.publish(LocalStore(work), newer, keep=1)
            old_path.unlink(missing_ok=True)  # a publication leaves what a client holds; that it can go is tried here
            talk.go_on()
            top = talk.hear()["top"]
            result.survives = top == old.top if top else None
            talk.go_on()
            result.ways = [(way, which(top, old, new)) for way, top in talk.hear()["ways"]]
            talk.go_on()
        except ClientBroke as broke:
            result.broke = str(broke).replace(str(link), PUBLISHED).replace(str(Path(os.path.realpath(link))), PUBLISHED)
    return result


def judge_first(result: Result, first: dict[str, Any], old: Build) -> None:
    for name in ("version", "setting", "types"):
        setattr(result, name, first[name])
    result.tables = sorted(first["tables"]) == old.tables
    result.right = first["top"] == old.top
    result.macro = first["macro"] == old.top
    result.comments = bool(first["comments"])
    result.refused = "read-only" in first["refused"]
    result.note = first.get("note", "")


def which(top: Rows, old: Build, new: Build) -> str:
    """Which build a client sees, by its rows."""
    return {json.dumps(old.top): "old", json.dumps(new.top): "new"}.get(json.dumps(top), "other")
