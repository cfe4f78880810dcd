"""The run log: data/runs/<start>.json, what a run did, what failed and why. Times live here and not in the database."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.checks import Check
from flows.files import read_json, write_json


@dataclass
class Item:
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


@dataclass
class Run:
    """What a run did. `state` is completed, unchanged (nothing to do), partial (something failed) or failed."""

    command: str
    started: str = field(default_factory=lambda: now())
    finished: str = ""
    state: str = "running"
    items: list[Item] = field(default_factory=list)
    database: str = ""
    published: bool = False
    tables: int = 0
    downloaded: int = 0
    error: str = ""
    coverage: list[Coverage] = field(default_factory=list)  # of a backfill
    warnings: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)  # of the build, published or refused
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> list[Item]:
        return [item for item in self.items if item.state == "failed"]

    def end(self) -> None:
        self.finished = now()
        if self.error:
            self.state = "failed"
        elif self.failed:
            self.state = "partial"
        else:
            self.state = "completed" if self.published or self.tables else "unchanged"

    def save(self, data_dir: Path) -> None:
        name = f"{self.started.replace(':', '')}-{os.getpid()}.json"
        write_json(data_dir / "runs" / name, asdict(self))


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last(data_dir: Path) -> dict[str, Any] | None:
    """The newest run on record, or None."""
    files = sorted((data_dir / "runs").glob("[0-9]*.json"))
    return read_json(files[-1]) if files else None
