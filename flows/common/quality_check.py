"""The result of one quality check, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check of a build, as a row of `quality_checks`: what it guards, and how many rows break it.

    A required one stops the publication; `examples` has the first three broken rows in words.
    """

    name: str
    guards: str
    required: bool
    rows_broken: int
    examples: str

    @property
    def passed(self) -> bool:
        """Whether no row breaks it."""
        return self.rows_broken == 0
