"""The result of one quality check, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check of a build, as a row of `quality_checks`."""

    name: str
    guards: str
    required: bool
    rows_broken: int
    examples: str

    @property
    def passed(self) -> bool:
        return self.rows_broken == 0
