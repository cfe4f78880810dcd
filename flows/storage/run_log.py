"""The run log: data/runs/<start>.json, what a run did, what failed and why. Times live here and not in the database."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from time import perf_counter
from typing import Any, Literal

from flows.common.atomic_files import write_json
from flows.common.quality_check import Check
from flows.storage.data_store import DataStore
from flows.storage.raw_store import FileKind

FOLDER = "runs"
_NESTED = ("state", "results", "coverage", "checks", "steps")  # fields of Run that are more than plain JSON values


class ResultState(StrEnum):
    """What became of a file in a run."""

    NEW = "new"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class RunState(StrEnum):
    """What became of a run.

    UNCHANGED: there was nothing to do. PARTIAL: something failed and the rest was done. BUSY: another run was at work.
    """

    RUNNING = "running"
    COMPLETED = "completed"
    UNCHANGED = "unchanged"
    PARTIAL = "partial"
    FAILED = "failed"
    BUSY = "busy"


@dataclass(frozen=True)
class FileResult:
    """What became of one release, population or lookup file in a run, or of a service that could not be listed."""

    name: str
    kind: FileKind | Literal["service"]
    state: ResultState
    message: str = ""

    @classmethod
    def parse(cls, record: Mapping[str, str]) -> FileResult:
        """The result in a JSON object that `asdict` gave."""
        kind: FileKind | Literal["service"] = "service" if record["kind"] == "service" else FileKind(record["kind"])
        return cls(record["name"], kind, ResultState(record["state"]), record.get("message", ""))


@dataclass(frozen=True)
class Coverage:
    """Which quarters of a half-year the lake has at a level, and of which releases."""

    half_year: str
    level: str
    quarters: list[int]
    releases: list[str]

    def __str__(self) -> str:
        """The line that a person reads."""
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
    """What a run did: it is filled in while the run goes on, and put on record at its end."""

    command: str  # update, backfill
    started: str = field(default_factory=lambda: utc_now())  # ISO 8601, in UTC
    finished: str = ""
    state: RunState = RunState.RUNNING
    results: list[FileResult] = field(default_factory=list)
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
        """The results of files that failed."""
        return [result for result in self.results if result.state is ResultState.FAILED]

    @property
    def succeeded(self) -> bool:
        """Whether the run did all that it was asked to do."""
        return self.state in (RunState.COMPLETED, RunState.UNCHANGED)

    def end(self) -> None:
        """Set the time of the end and the state that follows from what is recorded."""
        self.finished = utc_now()
        if self.error:
            self.state = RunState.FAILED
        elif missing := [one for one in self.coverage if not one.quarters]:
            self.state = RunState.PARTIAL
            self.error = "No known release covers " + ", ".join(f"{c.half_year} ({c.level})" for c in missing) + "."
        elif self.failed:
            self.state = RunState.PARTIAL
        else:
            self.state = RunState.COMPLETED if self.published or self.lakehouse or self.tables else RunState.UNCHANGED

    def end_busy(self, error: str) -> None:
        """End a run that found another one at work."""
        self.finished, self.error, self.state = utc_now(), error, RunState.BUSY

    def save(self, store: DataStore) -> None:
        """Put the run on record. Raises OSError."""
        name = f"{FOLDER}/{self.started.replace(':', '')}-{os.getpid()}.json"
        write_json(store.folder / name, self.record())
        store.store_file(name)

    def record(self) -> dict[str, Any]:
        """The run as its JSON object; there the results are named `items`, as in every record since the first."""
        record = asdict(self)
        record["items"] = record.pop("results")
        return record

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> Run:
        """The run of a JSON object, also of one that an older or newer version wrote: with fields fewer or more."""
        plain = {field.name for field in fields(cls)} - {*_NESTED}
        run = cls(**{name: value for name, value in record.items() if name in plain})
        run.state = RunState(record["state"])
        run.results = [FileResult.parse(item) for item in record.get("items", [])]
        run.coverage = [Coverage(**coverage) for coverage in record.get("coverage", [])]
        run.checks = [Check(**check) for check in record.get("checks", [])]
        run.steps = {name: Step(**step) for name, step in record.get("steps", {}).items()}
        return run


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
    """The time now in UTC, to the second, such as 2026-11-24T09:35:00Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last_run(store: DataStore) -> Run | None:
    """The newest run on record, or None."""
    data = store.read(max(store.list(FOLDER), default=f"{FOLDER}/none"))
    return None if data is None else Run.parse(json.loads(data))
