"""Runs work in processes of its own and measures them: wall clock, processor time, and the largest resident set of the tree."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.benchmark.inputs import ROOT

CHILD = "tools.benchmark.child"


class ChildFailed(RuntimeError):
    """A measured process ended with another exit status than 0."""


@dataclass(frozen=True)
class Measured:
    """One process, from its start to its end. `answer` is what it said of itself."""

    seconds: float
    cpu: float  # user and system, of the process and its children
    peak_mb: float  # of the largest single process of the tree
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> float:
        """Seconds of the work alone, without the start of Python and imports, as the process itself measured."""
        return float(self.answer["seconds"])


def command(words: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Measured:
    """Run `python WORDS` to its end. The last line that it prints may be its answer, in JSON. Raises ChildFailed."""
    line = [sys.executable, *map(str, words)]
    started = time.perf_counter()
    with subprocess.Popen(line, cwd=ROOT, env=_environment(environment or {}), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ChildFailed(f"{' '.join(line[:6])} …: exit status {process.returncode}")
    last = said.strip().rpartition("\n")[2]
    answer = json.loads(last) if last.startswith("{") else {}
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6, answer)


def child(task: str, *words: str | Path, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a task of tools/benchmark/child.py."""
    return command(["-m", CHILD, task, *words], environment)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """That of this process without our settings, so that nothing but the bench says how it runs; Python keeps its bytecode."""
    ours = ("CRIME_RATES_", "PREFECT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join(part for part in (str(ROOT), kept.get("PYTHONPATH", "")) if part)
    return kept | {"PYTHONPATH": path} | dict(extra)
