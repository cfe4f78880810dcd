"""Row types of the questions that no public table answers as it stands; `sql/rows.py` has those of the public tables."""

from __future__ import annotations

from datetime import date
from typing import TypedDict


class RateChange(TypedDict):
    """An area and offence with a rank in two half-years, per 10,000 residents, on its newest boundaries."""

    area_name: str
    offence_level: str
    offence_code: str
    rate_per_10k: float
    rate_before: float
    rate_change: float
    rank: int
    rank_before: int
    places: int  # how many ranks nearer to the first
    apart: bool  # whether the 95% intervals do not overlap


class UnrankedAreas(TypedDict):
    """Areas of a level that have no rank for one reason: their names and their offences in all."""

    level: str
    status: str
    status_note: str
    areas: int
    names: list[str]
    offences: int | None


class PopulationUse(TypedDict):
    """A population estimate that rates of a level divide by: for how many areas, and the files that it comes from."""

    level: str
    year: int
    vintage: date | None
    areas: int
    apportioned: int
    files: str | None


class LaterHalfYear(TypedDict):
    """A half-year after the site's, and why England and Wales has no rate there, where it has none."""

    half_year: str
    rank: int | None
    status: str
    status_note: str | None


class RevisionTotal(TypedDict):
    """How a later release changed counts of the half-year at a level: how many, and by how many offences, net."""

    level: str
    to_release: str
    published: date
    counts: int
    net: int


class AreaRevision(RevisionTotal):
    """The same for one area and offence group."""

    area_name: str
    offence_group: str
