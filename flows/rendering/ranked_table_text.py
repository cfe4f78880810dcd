"""How a ranked table is printed: as aligned text, Markdown, CSV or JSON. Rounds; computes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flows.common.sanitize import escape_markdown, sanitize_text
from flows.common.wording import join_names
from flows.queries.connection import NotFound
from flows.queries.levels import AreaBasis, Level
from flows.queries.ranked_table import RankedTable
from flows.rendering.attribution import (
    HARMONISED_NOTE,
    SIMULATION_WARNING,
    SOURCE,
    describe_offence,
    describe_releases,
)
from flows.rendering.formats import TableFormat, csv_text, json_text
from flows.rendering.text_tables import RATE_HEADINGS, Lines, align_columns, format_count, rate_cells
from flows.rendering.unassigned_text import describe_unassigned
from sql.rows import RankedRate

MOST_NAMES = 6  # areas named with each reason why they are not ranked


def render(table: RankedTable, rows: Sequence[RankedRate], format: TableFormat) -> str:
    """The rows selected of a table in one of the formats that are text. Raises NotFound where none is selected."""
    if not rows:
        raise NotFound(describe_no_ranks(table))
    if format is TableFormat.CSV:
        return csv_text(rows)
    if format is TableFormat.JSON:
        return json_text(rows)
    return sanitize_text(_markdown(table, rows) if format is TableFormat.MARKDOWN else _text(table, rows))


def describe_no_ranks(table: RankedTable) -> str:
    """Why no area of a table has a rank: the reason that most of them share."""
    reasons = Counter(row["status_note"] for row in table.rows if row["status_note"])
    most = f" Of most the reason is: {reasons.most_common(1)[0][0]}." if reasons else ""
    return f"No area is ranked: {table.title}.{most}"


def describe_population(table: RankedTable) -> str:
    """Which population estimate divides."""
    row = next((r for r in table.rows if r["population_vintage"] is not None), table.rows[0])
    if row["population_vintage"] is None:
        return f"Population: no mid-{row['population_year']} estimate is held."
    return f"Population: mid-{row['population_year']} estimates as published on {row['population_vintage']}."


def describe_breaks(table: RankedTable, rows: Sequence[RankedRate]) -> Lines:
    """A line for each break at the start of the half-year, or within it, that holds for any of the rows."""
    lines = []
    for one in table.breaks:
        names = [row["area_name"] for row in rows if row["area_name"] in one.areas]
        if names or not one.areas:
            where = f", {join_names(names, MOST_NAMES)}" if one.areas and len(table.rows) > 1 else ""
            lines.append(f"Break, {one.first_quarter} ({one.kind}{where}): {one.note}.")
    return ["Do not compare with earlier half-years without these:", *lines] if lines else []


def _text(table: RankedTable, rows: Sequence[RankedRate]) -> str:
    """The table as a journalist reads it: who is ranked, who is not and why, and what stands behind the figures."""
    ranked = [row for row in rows if row["rate_per_10k"] is not None]
    lines = [table.title]
    if table.is_simulated:
        lines.append(SIMULATION_WARNING)
    lines += ["Offences recorded in the half-year per 10,000 residents, not annualised; 1 is the highest rate.", ""]
    if all(row["offences"] == 0 for row in table.rows):
        lines.append(f"None recorded anywhere ({len(table.rows)} areas).")
    else:
        if ranked:
            header, numeric = _header(table)
            lines += [*align_columns(header, _cells(table, ranked), numeric), ""]
        lines += [*_ranked_summary(table, rows, ranked), *_unranked_summary(rows)]
    return "\n".join([*lines, *describe_breaks(table, rows), *_basis_notes(table), SOURCE]) + "\n"


def _markdown(table: RankedTable, rows: Sequence[RankedRate]) -> str:
    ranked = [row for row in rows if row["rate_per_10k"] is not None]
    header, numeric = _header(table)
    alignment = ["---:" if i in numeric else "---" for i in range(len(header))]
    grid = [
        f"| {' | '.join(cells)} |"
        for cells in (header, alignment, *([escape_markdown(cell) for cell in cells] for cells in _cells(table, ranked)))
    ]
    simulated = [f"**{SIMULATION_WARNING}**", ""] if table.is_simulated else []
    notes = [*_ranked_summary(table, rows, ranked), *_unranked_summary(rows), *describe_breaks(table, rows), *_basis_notes(table)]
    title, notes = escape_markdown(table.title), [escape_markdown(note) for note in notes]
    return "\n".join([f"## {title}", "", *simulated, *grid, "", *(f"- {note}" for note in notes), "", SOURCE]) + "\n"


def _header(table: RankedTable) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The column headings, and the places of those that are numbers; regions and countries lie in no force."""
    if _has_forces(table):
        return ("rank", "area", "force", *RATE_HEADINGS), (0, 3, 4, 5, 6)
    return ("rank", "area", *RATE_HEADINGS), (0, 2, 3, 4, 5)


def _has_forces(table: RankedTable) -> bool:
    return table.level in (Level.CSP, Level.PFA)


def _cells(table: RankedTable, rows: Sequence[RankedRate]) -> list[tuple[str, ...]]:
    times = Counter(row["rank"] for row in table.rows)
    return [
        (
            "" if row["rank"] is None else f"{row['rank']}{'=' if times[row['rank']] > 1 else ''}",
            row["area_name"],
            *([row["force_name"] or ""] if _has_forces(table) else []),
            *rate_cells(row),
        )
        for row in rows
    ]


def _ranked_summary(table: RankedTable, rows: Sequence[RankedRate], ranked: Sequence[RankedRate]) -> Lines:
    total = max((row["areas_ranked"] for row in table.rows), default=0)
    shown = sum(row["rank"] is not None for row in ranked)
    selected = "" if shown == total or len(rows) == 1 else f"; {shown} shown"
    lines = [f"{total} areas are ranked, of {len(table.rows)} in the table{selected}."]
    apportioned = [row for row in ranked if row["population_method"] == "apportioned"]
    noted = [row for row in ranked if row["status_note"] and (row not in apportioned or len(apportioned) == 1)]
    lines += [f"{row['area_name']}: {row['status_note']}." for row in noted]
    if len(apportioned) > 1:
        names = ", ".join(row["area_name"] for row in apportioned)
        lines.append(f"Population of a shared council split by its parts, as estimated for that year or the nearest: {names}.")
    if unassigned := describe_unassigned(rows):
        lines.append(unassigned)
    return lines


def _unranked_summary(rows: Sequence[RankedRate]) -> Lines:
    """A line for each reason why areas are not ranked, with their names and counts."""
    by_reason: dict[tuple[str, str | None], list[str]] = {}
    for row in rows:
        if row["rate_per_10k"] is None:
            name = f"{row['area_name']} ({format_count(row['offences']) or 'not known'})"
            by_reason.setdefault((row["status"], row["status_note"]), []).append(name)
    return [f"Not ranked, {status}: {note}: {join_names(names, MOST_NAMES)}." for (status, note), names in by_reason.items()]


def _basis_notes(table: RankedTable) -> Lines:
    lines = [describe_population(table)]
    if table.basis.as_of is not None:
        lines.append(f"As it stood on {table.basis.as_of}.")
    if table.basis.areas is AreaBasis.HARMONISED:
        lines.append(HARMONISED_NOTE)
    return [*lines, *describe_offence(table.offence, table.half_year), describe_releases(table.releases)]
