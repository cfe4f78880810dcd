"""The measures as one table: the same text on the terminal and between two marks of a page."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
IDLE = 0.3
HEADER = ("work", "against", "goal", "measured", "")


@dataclass(frozen=True)
class Row:
    """One measure. `behind` is what the ratio was worked out from, in seconds and MB, and how often each was measured."""

    work: str
    against: str
    goal: str
    measured: str
    met: bool
    behind: str


def table(rows: Sequence[Row]) -> str:
    """A Markdown table whose columns also line up on a terminal."""
    cells = [HEADER, *((r.work, r.against, r.goal, r.measured, "met" if r.met else "missed") for r in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in (HEADER, rule, *cells[1:])
    )


def behind(rows: Sequence[Row]) -> str:
    """What stands behind each ratio."""
    return "\n".join(f"- {row.work}: {row.behind}" for row in rows)


def made_by(command: str, minutes: float, load: float) -> str:
    """When, how and on what was measured; `load` is the load average before it began."""
    busy = f" The machine was not idle before: load average {load:.1f}." if load >= IDLE else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured on {datetime.now(UTC):%-d %B %Y} by `{command}` in {minutes:.0f} minutes, on {os.cpu_count()} cores with "
        f"{memory:.0f} GiB of memory, {sys.platform}, Python {sys.version.split()[0]}.{busy}"
    )


def put(page: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between two marks of a page. Raises ValueError where it has no such marks."""
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page}: expected the marks {begin} and {end}.")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
