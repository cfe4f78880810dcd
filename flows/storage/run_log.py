"""The run log: data/runs/<start>.json, what a run did, what failed and why. Times live here and not in the database."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flows.common.atomic_files import write_json
from flows.storage.data_store import DataStore

if TYPE_CHECKING:
    from flows.common.quality_check import Check  # which brings DuckDB: not wanted where a workbook is read

FOLDER = "runs"


@dataclass
class FileResult:
    """One file or release of a run."""

    name: str
    kind: str  # offences, population, lookup
    state: str  # new, unchanged, failed
    message: str = ""


@dataclass
class Coverage:
    """Which quarters of a half-year are held at a level, and by which releases."""

    half_year: str
    level: str
    quarters: list[int]
    releases: list[str]

    def __str__(self) -> str:
        if not self.quarters:
            return f"{self.half_year} {self.level}: no known release covers it"
        part = "" if len(self.quarters) == 2 else f" (only quarter {self.quarters[0]} is published)"
        return f"{self.half_year} {self.level}: {', '.join(self.releases)}{part}"


@dataclass(frozen=True)
class Step:
    """What a step of a run took, its processes together."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: int  # the largest that any process of the run had been by its end


@dataclass
class Run:
    """What a run did. `state` is completed, unchanged (nothing to do), partial (something failed) or failed."""

    command: str
    started: str = field(default_factory=lambda: utc_now())
    finished: str = ""
    state: str = "running"
    items: list[FileResult] = field(default_factory=list)
    database: str = ""
    published: bool = False
    lakehouse: bool = False  # whether readers of the lakehouse see another build than before
    tables: int = 0
    downloaded: int = 0
    error: str = ""
    coverage: list[Coverage] = field(default_factory=list)  # of a backfill
    warnings: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)  # of the build, published or refused
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def failed(self) -> list[FileResult]:
        return [item for item in self.items if item.state == "failed"]

    def end(self) -> None:
        self.finished = utc_now()
        if self.error:
            self.state = "failed"
        elif missing := [one for one in self.coverage if not one.quarters]:
            self.state = "partial"
            self.error = "No known release covers " + ", ".join(f"{c.half_year} ({c.level})" for c in missing) + "."
        elif self.failed:
            self.state = "partial"
        else:
            self.state = "completed" if self.published or self.lakehouse or self.tables else "unchanged"

    def save(self, store: DataStore) -> None:
        """Put the run on record. Raises OSError."""
        name = f"{FOLDER}/{self.started.replace(':', '')}-{os.getpid()}.json"
        write_json(store.folder / name, asdict(self))
        store.store_file(name)


@contextmanager
def timed(run: Run, name: str) -> Iterator[None]:
    """Put what a step takes on the run's record, however it ends."""
    wall, cpu = perf_counter(), _cpu_seconds()
    try:
        yield
    finally:
        run.steps[name] = Step(round(perf_counter() - wall, 2), round(_cpu_seconds() - cpu, 2), _peak_megabytes())


def _cpu_seconds() -> float:
    return sum(os.times()[:4])  # of this process and of those that it has waited for


def _peak_megabytes() -> int:
    kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kilobytes // (1_000_000 if sys.platform == "darwin" else 1_000)  # macOS counts bytes


def utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last_run(store: DataStore) -> dict[str, Any] | None:
    """The newest run on record, or None."""
    data = store.read(max(store.list(FOLDER), default=f"{FOLDER}/none"))
    return None if data is None else dict(json.loads(data))
