"""Runs work in processes of its own and measures them: wall clock, processor time, and memory of the tree of processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.benchmark.inputs import ROOT

CHILD = "tools.benchmark.child"
SAMPLE_SECONDS = 0.25


class ChildFailed(RuntimeError):
    """A measured process ended with another exit status than 0."""


@dataclass(frozen=True)
class Measured:
    """One process, from its start to its end. `answer` is what it said of itself."""

    seconds: float
    cpu: float  # user and system, of the process and its children
    peak_mb: float  # of the largest single process of the tree
    answer: dict[str, Any] = field(default_factory=dict)
    together_mb: float = 0.0  # of all processes of the tree at one time, what they share counted once (PSS); if it was watched
    processes: int = 1  # of the tree at one time, at most; if it was watched

    @property
    def work(self) -> float:
        """Seconds of the work alone, without the start of Python and imports, as the process itself measured."""
        return float(self.answer["seconds"])


class TreeWatch:
    """Looks at a process and its descendants four times a second, where Linux says what memory they have (PSS).

    A context manager: it looks until the block ends. Looking costs a few per cent of the time that is measured.
    """

    def __init__(self, pid: int) -> None:
        """Watch the process `pid`."""
        self.together_mb, self.processes = 0.0, 1
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> TreeWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            tree = _tree(self._pid)
            self.together_mb = max(self.together_mb, sum(_pss_mb(pid) for pid in tree))
            self.processes = max(self.processes, len(tree))


def _tree(pid: int) -> list[int]:
    """A process and its descendants, as they are now."""
    found = [pid]
    for parent in found:  # grows on the way
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):  # it has just ended
                found += map(int, task.read_text().split())
    return found


def _pss_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def command(words: Sequence[str | Path], environment: Mapping[str, str] | None = None, watched: bool = False) -> Measured:
    """Run `python WORDS` to its end. The last line that it prints may be its answer, in JSON. Raises ChildFailed.

    A `watched` process is also measured together with its descendants, as TreeWatch does.
    """
    line = [sys.executable, *map(str, words)]
    started = time.perf_counter()
    with subprocess.Popen(line, cwd=ROOT, env=_environment(environment or {}), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watch = TreeWatch(process.pid)
        with watch if watched else nullcontext():
            said = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ChildFailed(f"{' '.join(line[:6])} …: exit status {process.returncode}")
    last = said.strip().rpartition("\n")[2]
    answer = json.loads(last) if last.startswith("{") else {}
    unit = 1 if sys.platform == "darwin" else 1024
    peak_mb = used.ru_maxrss * unit / 1e6
    return Measured(seconds, used.ru_utime + used.ru_stime, peak_mb, answer, watch.together_mb, watch.processes)


def child(task: str, *words: str | Path, environment: Mapping[str, str] | None = None, watched: bool = False) -> Measured:
    """Run a task of tools/benchmark/child.py."""
    return command(["-m", CHILD, task, *words], environment, watched)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """That of this process without our settings, so that nothing but the bench says how it runs; Python keeps its bytecode."""
    ours = ("CRIME_RATES_", "PREFECT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join(part for part in (str(ROOT), kept.get("PYTHONPATH", "")) if part)
    return kept | {"PYTHONPATH": path} | dict(extra)
