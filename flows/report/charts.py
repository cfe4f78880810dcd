"""Where the marks of a drawing lie, in percent of its width. Places figures that the database holds; computes none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from sql.rows import RankedRate

STEPS = (1, 2, 2.5, 5, 10, 20, 25, 50)
MAX_TICKS = 4.5  # steps between zero and the top
HEADROOM = 1.08  # of the highest rate, so that its dot is not cut


@dataclass(frozen=True)
class Scale:
    """An axis from zero to `top` (offences per 10,000 residents) over the width of a drawing, and its ticks."""

    top: float
    ticks: tuple[float, ...]

    def percent(self, value: float) -> str:
        """The place of a value in percent of the width, at most 100%, as SVG and CSS write it."""
        return f"{self._fraction(value) * 100:.4g}%"

    def fraction(self, value: float) -> str:
        """The place of a value as a part of the width, from 0 to 1."""
        return f"{self._fraction(value):.4g}"

    def label(self, tick: float) -> str:
        """A tick as it is printed."""
        return f"{tick:,.10g}"

    def _fraction(self, value: float) -> float:
        return min(value / self.top, 1)


def make_scale(rates: Iterable[float | None]) -> Scale:
    """A scale that holds every rate (per 10,000 residents); a long interval of a small area may reach beyond it."""
    top = max((rate for rate in rates if rate is not None), default=0) * HEADROOM or 1.0
    size = 10.0 ** (math.floor(math.log10(top)) - 1)
    step = next(size * s for s in STEPS if top / (size * s) <= MAX_TICKS)
    ticks = [step * n for n in range(int(top / step) + 1)]
    return Scale(top, tuple(float(f"{t:.10g}") for t in ticks))


def draw_interval(scale: Scale, row: RankedRate) -> Markup:
    """A rate as a dot and its 95% interval as a line, with an arrow head where the interval leaves the scale.

    Empty for a row without a rate. Hidden from screen readers: the figures stand in the cells beside it.
    """
    rate, lower, upper = row["rate_per_10k"], row["rate_lower_95"], row["rate_upper_95"]
    if rate is None or lower is None or upper is None:
        return Markup("")
    beyond = '<text x="100%" y="12">›</text>' if upper > scale.top else ""
    return Markup(
        f'<svg aria-hidden="true"><line x1="{scale.percent(lower)}" x2="{scale.percent(upper)}" y1="8" y2="8"/>'
        f'<circle cx="{scale.percent(rate)}" cy="8" r="3.5"/>{beyond}</svg>'
    )


def draw_change(scale: Scale, before: float, after: float) -> Markup:
    """Two rates (per 10,000 residents): the earlier as a ring, the later as a dot."""
    return Markup(
        f'<svg aria-hidden="true"><line x1="{scale.percent(before)}" x2="{scale.percent(after)}" y1="8" y2="8"/>'
        f'<circle class="then" cx="{scale.percent(before)}" cy="8" r="3.5"/>'
        f'<circle cx="{scale.percent(after)}" cy="8" r="4"/></svg>'
    )


def draw_rank(row: RankedRate) -> Markup:
    """Where an area stands from rank 1, on the left, to the last; empty for a row without a rank."""
    if row["rank"] is None:
        return Markup("")
    x = (row["rank"] - 1) / max(row["areas_ranked"] - 1, 1) * 100
    return Markup(f'<svg aria-hidden="true"><line x1="0" x2="100%" y1="8" y2="8"/><circle cx="{x:.4g}%" cy="8" r="4"/></svg>')


def is_none_recorded(row: RankedRate) -> bool:
    """Whether no area of the row's table that could have been ranked recorded any offence."""
    return row["status"] == "none_recorded"
