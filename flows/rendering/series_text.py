"""How a series of half-years is printed: as text with a bar chart, CSV or JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from flows.common.sanitize import sanitize_text
from flows.queries.breaks import Break
from flows.queries.series import Series
from flows.rendering.attribution import (
    HARMONISED_NOTE,
    SIMULATION_WARNING,
    SOURCE,
    describe_offence,
    describe_releases,
)
from flows.rendering.formats import TextFormat, csv_text, json_text
from flows.rendering.text_tables import RATE_HEADINGS, Lines, align_columns, can_print, format_count, format_rate, rate_cells
from sql.rows import RankedRate
from transforms.periods import HalfYear

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.:-=+*#"  # eight heights, from nought to the highest


def render(series: Series, format: TextFormat) -> str:
    """A series in one of the formats; the bars are ASCII where standard output cannot print blocks."""
    if format is TextFormat.CSV:
        return _csv(series)
    if format is TextFormat.JSON:
        return _json(series)
    return sanitize_text(_text(series, BLOCKS if can_print(BLOCKS) else ASCII))


def draw_bars(rates: Sequence[float | None], heights: str = BLOCKS) -> str:
    """A bar a half-year, from nought to the highest rate; a blank where there is none."""
    top = max((r for r in rates if r is not None), default=0) or 1
    return "".join(" " if r is None else heights[round(r / top * (len(heights) - 1))] for r in rates)


def _text(series: Series, heights: str) -> str:
    """The series as a journalist reads it: its figures, its shape, and what not to compare."""
    half_years = list(series.rows)
    lines = [
        f"{series.offence.title_in(half_years[0])} in {series.area} ({series.level.label}), {half_years[0]} to {half_years[-1]}",
        *_simulation_notes(series),
        "Offences recorded in each half-year per 10,000 residents, not annualised; rank 1 is the highest rate.",
        "",
        *align_columns(
            ("half-year", *RATE_HEADINGS, "rank", "of", "break"),
            [_cells(half_year, row, series.breaks) for half_year, row in series.rows.items()],
            (1, 2, 3, 4, 5, 6),
        ),
    ]
    rates = [row["rate_per_10k"] if row else None for row in series.rows.values()]
    known = [rate for rate in rates if rate is not None]
    if known:
        lines += [
            "",
            f"{half_years[0]} |{draw_bars(rates, heights)}| {half_years[-1]}   per 10,000: "
            f"lowest {format_rate(min(known))}, highest {format_rate(max(known))}; bars start at nought",
        ]
    lines += [
        *_break_notes(series.breaks),
        "",
        "Population: the newest mid-year estimates of the year before each financial year starts.",
        HARMONISED_NOTE,
        *describe_offence(series.offence, half_years[-1]),
        describe_releases(series.releases),
        SOURCE,
    ]
    return "\n".join(lines) + "\n"


def _simulation_notes(series: Series) -> Lines:
    simulated = [release["release_id"] for release in series.releases if release["simulated"]]
    if not simulated:
        return []
    named = [f"Simulated: {', '.join(simulated)}."] if len(simulated) < len(series.releases) else []
    return [SIMULATION_WARNING, *named]


def _cells(half_year: HalfYear, row: RankedRate | None, breaks: Sequence[Break]) -> tuple[str, ...]:
    kinds = ", ".join(dict.fromkeys(b.kind for b in breaks if half_year in b))
    if row is None:
        return (str(half_year), "", "", "", "", "", "", kinds)
    rank = ("", "") if row["rank"] is None else (format_count(row["rank"]), format_count(row["areas_ranked"]))
    return (str(half_year), *rate_cells(row), *rank, kinds)


def _break_notes(breaks: Sequence[Break]) -> Lines:
    if not breaks:
        return []
    lines = ["", "Breaks: compare across them with care."]
    for b in breaks:
        end = "" if b.note.endswith((".", '."')) else "."
        text = f"{b.kind:10}  {b.period}: {b.note}{end}"
        lines += textwrap.wrap(text, 120, initial_indent="  ", subsequent_indent=" " * 14)
    return lines


def _csv(series: Series) -> str:
    """A row a half-year: the columns of ranked_rates_harmonised, and `breaks`; where it has none, the half-year and why."""
    rows = [
        {
            "half_year": str(half_year),
            "level": series.level,
            "area_name": series.area,
            "offence_level": series.offence.level,
            "offence_code": series.offence.code,
            "offence_name": series.offence.name,
            **(row or {}),
            "breaks": "; ".join(f"{b.kind}: {b.note}" for b in series.breaks if half_year in b),
        }
        for half_year, row in series.rows.items()
    ]
    return csv_text(rows, [*RankedRate.__annotations__, "breaks"])


def _json(series: Series) -> str:
    return json_text(
        {
            "area": series.area,
            "level": series.level,
            "offence_level": series.offence.level,
            "offence_code": series.offence.code,
            "offence_name": series.offence.name,
            "half_years": [row for row in series.rows.values() if row is not None],
            "breaks": [{"first": str(b.first), "last": str(b.last), "kind": b.kind, "what": b.note} for b in series.breaks],
            "releases": series.releases,
        }
    )
