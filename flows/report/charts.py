"""Where the marks of a drawing lie, in percent of its width. Places figures that the database holds; computes none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from flows.rendering import text_tables

STEPS = (1, 2, 2.5, 5, 10, 20, 25, 50)
MOST_TICKS = 4.5  # steps between nought and the top


@dataclass(frozen=True)
class Scale:
    """From nought to `top`, over the width of a drawing."""

    top: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> str:
        """The place of a value, in percent, as SVG and CSS write it."""
        return f"{min(value / self.top, 1) * 100:.4g}%"

    def share(self, value: float) -> str:
        """The same as a part of one."""
        return f"{min(value / self.top, 1):.4g}"

    def label(self, tick: float) -> str:
        return f"{tick:,.10g}"


def scale(rows: Iterable[dict[str, Any]]) -> Scale:
    """A scale that holds every rate of the rows; a long interval of a small area may reach beyond it."""
    top = max((row["rate_per_10k"] for row in rows if row["rate_per_10k"] is not None), default=0) * 1.08 or 1.0
    size = 10.0 ** (math.floor(math.log10(top)) - 1)
    step = next(size * s for s in STEPS if top / (size * s) <= MOST_TICKS)
    ticks = [step * n for n in range(int(top / step) + 1)]
    return Scale(top, tuple(float(f"{t:.10g}") for t in ticks))


def whisker(on: Scale, row: dict[str, Any]) -> Markup:
    """A rate as a dot and its interval as a line; an arrow head where the interval leaves the scale.

    For the eye only: the figures stand in the cells beside it, so it is hidden from screen readers.
    """
    if row["rate_per_10k"] is None:
        return Markup("")
    low, high = on.at(row["rate_lower_95"]), on.at(row["rate_upper_95"])
    beyond = '<text x="100%" y="12">›</text>' if row["rate_upper_95"] > on.top else ""
    return Markup(
        f'<svg aria-hidden="true"><line x1="{low}" x2="{high}" y1="8" y2="8"/>'
        f'<circle cx="{on.at(row["rate_per_10k"])}" cy="8" r="3.5"/>{beyond}</svg>'
    )


def dumbbell(on: Scale, before: float, now: float) -> Markup:
    """A rate then, as a ring, and now, as a dot."""
    return Markup(
        f'<svg aria-hidden="true"><line x1="{on.at(before)}" x2="{on.at(now)}" y1="8" y2="8"/>'
        f'<circle class="then" cx="{on.at(before)}" cy="8" r="3.5"/>'
        f'<circle cx="{on.at(now)}" cy="8" r="4"/></svg>'
    )


def place_in_order(row: dict[str, Any]) -> Markup:
    """Where an area stands from rank 1, at the left, to the last."""
    if row["rank"] is None or is_nought(row):
        return Markup("")
    x = (row["rank"] - 1) / max(row["areas_ranked"] - 1, 1) * 100
    return Markup(f'<svg aria-hidden="true"><line x1="0" x2="100%" y1="8" y2="8"/><circle cx="{x:.4g}%" cy="8" r="4"/></svg>')


def is_nought(row: dict[str, Any]) -> bool:
    """Whether the highest rate of its table is nought: nothing was recorded in any ranked area, so a rank would say nothing."""
    return bool(row["rank"] == 1 and row["rate_per_10k"] == 0)


def interval(row: dict[str, Any]) -> str:
    """The 95% interval in words; blank where there is none."""
    if row["rate_lower_95"] is None:
        return ""
    return f"{text_tables.format_rate(row['rate_lower_95'])} to {text_tables.format_rate(row['rate_upper_95'])}"


def count(value: int | None) -> str:
    """A count, with a true minus sign; blank where it is not known."""
    return text_tables.format_count(value).replace("-", "−")


def change(value: float | None) -> str:
    """A difference of two rates, always with its sign."""
    if value is None:
        return ""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{text_tables.format_rate(abs(value))}"


def ranks(rows: Iterable[dict[str, Any]]) -> dict[int, str]:
    """Rank → how it is printed: with = where two areas share it."""
    seen: dict[int, int] = {}
    for row in rows:
        if row["rank"] is not None:
            seen[row["rank"]] = seen.get(row["rank"], 0) + 1
    return {rank: f"{rank}{'=' if times > 1 else ''}" for rank, times in seen.items()}
