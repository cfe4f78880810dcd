"""What a part of `python -m tools.scale` says: a line for each thing that it tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GREEN, RED, SKIPPED = "green", "RED", "skipped"


@dataclass(frozen=True)
class Line:
    """What was tried, how it ended, and what was found; of what was skipped, why."""

    what: str
    state: str  # green, RED, skipped
    found: str


def held(what: str, wanted: object, found: object) -> Line:
    """A line that is green where what was found is what was wanted."""
    if wanted == found:
        return Line(what, GREEN, str(found))
    return Line(what, RED, f"expected {wanted}, found {found}")


def table(lines: Sequence[Line]) -> str:
    """A Markdown table whose columns also line up on a terminal; the last is as long as it needs."""
    cells = [("what", "", "found"), *((line.what, line.state, line.found) for line in lines)]
    widths = [max(len(row[column]) for row in cells) for column in (0, 1)]
    rows = [f"| {what:<{widths[0]}} | {state:<{widths[1]}} | {found} |" for what, state, found in cells]
    return "\n".join([rows[0], f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 2)}|---|", *rows[1:]])
