"""A series of half-years as text, CSV or JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from flows.common.sanitize import sanitize_text
from flows.queries import connection, lookups
from flows.queries.series import Series, fetch_series
from flows.rendering import attribution, formats, text_tables
from flows.rendering.text_tables import format_count
from flows.storage.data_store import DataStore
from sql.contract import RANKED_RATES
from transforms.periods import HalfYear

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.:-=+*#"  # eight heights, from nought to the highest


def render(store: DataStore, area: str, offence: str, level: str, first: str | None, last: str | None, format: str) -> str:
    """The series as text, CSV or JSON. Raises NotFound, or ValueError for a span that is none."""
    span = [HalfYear.parse(text) if text is not None else None for text in (first, last)]
    with connection.connect(store) as con:
        answer = fetch_series(con, area, offence, level, *span)
    if format == "csv":
        return _csv(answer)
    return _json(answer) if format == "json" else sanitize_text(text(answer, text_tables.can_print(BLOCKS)))


# ---------------------------------------------------------------- how it looks
def spark(rates: Sequence[float | None], heights: str = BLOCKS) -> str:
    """A bar a half-year, from nought to the highest rate; a blank where there is none."""
    top = max((r for r in rates if r is not None), default=0) or 1
    return "".join(" " if r is None else heights[round(r / top * (len(heights) - 1))] for r in rates)


def text(answer: Series, blocks: bool = True) -> str:
    """The series as a journalist reads it: its figures, its shape, and what not to compare."""
    span = list(answer.rows)
    title = f"{lookups.offence_title(answer.offence)} in {answer.area} ({lookups.LEVELS[answer.level]})"
    lines = [
        f"{title}, {span[0]} to {span[-1]}",
        "Offences recorded in each half-year per 10,000 residents, not annualised; rank 1 is the highest rate.",
        "",
    ]
    simulated = [r["release_id"] for r in answer.releases if r["simulated"]]
    if simulated:
        lines[1:1] = [attribution.SIMULATION_WARNING]
        if len(simulated) < len(answer.releases):
            lines[2:2] = [f"Simulated: {', '.join(simulated)}."]
    cells = []
    for half_year, row in answer.rows.items():
        kinds = dict.fromkeys(b.kind for b in answer.breaks if b.first <= half_year <= b.last)
        ranked = (
            ("", "") if row is None or row["rank"] is None else (format_count(row["rank"]), format_count(row["areas_ranked"]))
        )
        figures = ("", "", "", "") if row is None else text_tables.rate_cells(row)
        cells.append((str(half_year), *figures, *ranked, ", ".join(kinds)))
    lines += text_tables.align_columns(
        ("half-year", *text_tables.RATE_HEADINGS, "rank", "of", "break"), cells, (1, 2, 3, 4, 5, 6)
    )
    rates = [row["rate_per_10k"] if row else None for row in answer.rows.values()]
    known = [r for r in rates if r is not None]
    if known:
        lines += [
            "",
            f"{span[0]} |{spark(rates, BLOCKS if blocks else ASCII)}| {span[-1]}   per 10,000: "
            f"lowest {text_tables.format_rate(min(known))}, highest {text_tables.format_rate(max(known))}; bars start at nought",
        ]
    if answer.breaks:
        lines += ["", "Breaks: compare across them with care."]
        for b in answer.breaks:
            end = "" if b.what.endswith((".", '."')) else "."
            lines += textwrap.wrap(f"{b.kind:10}  {b.when}: {b.what}{end}", 120, initial_indent="  ", subsequent_indent=" " * 14)
    return (
        "\n".join(
            [
                *lines,
                "",
                "Population: the newest mid-year estimates of the year before each financial year starts.",
                attribution.HARMONISED_NOTE,
                attribution.describe_releases(answer.releases),
                attribution.SOURCE,
            ]
        )
        + "\n"
    )


def _csv(answer: Series) -> str:
    """A row a half-year: the columns of ranked_rates_harmonised, and `breaks`; where it has none, the half-year and why."""
    rows = [
        {
            "half_year": str(h),
            "level": answer.level,
            "area_name": answer.area,
            "offence_level": answer.offence.level,
            "offence_code": answer.offence.code,
            "offence_name": answer.offence.name,
            **(row or {}),
            "breaks": "; ".join(f"{b.kind}: {b.what}" for b in answer.breaks if b.first <= h <= b.last),
        }
        for h, row in answer.rows.items()
    ]
    return formats.csv_text(rows, [*(column.name for column in RANKED_RATES.columns), "breaks"])


def _json(answer: Series) -> str:
    return formats.json_text(
        {
            "area": answer.area,
            "level": answer.level,
            "offence_level": answer.offence.level,
            "offence_code": answer.offence.code,
            "offence_name": answer.offence.name,
            "half_years": [row for row in answer.rows.values() if row is not None],
            "breaks": [{"first": str(b.first), "last": str(b.last), "kind": b.kind, "what": b.what} for b in answer.breaks],
            "releases": answer.releases,
        }
    )
