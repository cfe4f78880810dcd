"""Rows of a release of West Mercia's partnerships, for stories in which they are few."""

from __future__ import annotations

from tests.support.releases import Cell, figures


def worcestershire(south: tuple[Cell, Cell] = (20, 16), north: tuple[Cell, Cell] = (15, 15)) -> list[list[Cell]]:
    """Stalking in the two quarters of 2015/16 H1, for each of Worcestershire's partnerships."""
    counts = {"South Worcester": south, "North Worcestershire": north}
    return [figures("2015/16", q, "West Mercia", count=n[q - 1], csp=csp) for csp, n in counts.items() for q in (1, 2)]


def rows(count: Cell = 36, quarter: Cell = 1, csp: str = "South Worcester", year: str = "2015/16") -> list[list[Cell]]:
    """Stalking in one partnership: what is given, and nought in the second quarter."""
    return [figures(year, quarter, "West Mercia", count=count, csp=csp), figures(year, 2, "West Mercia", count=0, csp=csp)]
