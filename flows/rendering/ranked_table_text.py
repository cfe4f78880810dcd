"""How answers look: a ranked table as aligned text, Markdown, CSV, JSON or Parquet. Rounds; computes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flows.common.sanitize import sanitize_text
from flows.queries.connection import NotFound
from flows.queries.lookups import LEVELS, offence_title
from flows.queries.ranked_table import RankedTable, TableBasis
from flows.rendering.attribution import HARMONISED_NOTE, SIMULATION_WARNING, SOURCE, describe_releases
from flows.rendering.formats import csv_text, json_text
from flows.rendering.text_tables import RATE_HEADINGS, align_columns, format_count, rate_cells


def _header(answer: RankedTable) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The columns of a ranked table, and those that are numbers; regions and countries stand in no force."""
    if answer.level in ("region", "country"):
        return ("rank", "area", *RATE_HEADINGS), (0, 2, 3, 4, 5)
    return ("rank", "area", "force", *RATE_HEADINGS), (0, 3, 4, 5, 6)


def _cells(answer: RankedTable, rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    ranks = [row["rank"] for row in answer.rows]
    has_force = "force" in _header(answer)[0]
    return [
        (
            "" if row["rank"] is None else f"{row['rank']}{'=' if ranks.count(row['rank']) > 1 else ''}",
            row["area_name"],
            *([row["force_name"] or ""] if has_force else []),
            *rate_cells(row),
        )
        for row in rows
    ]


def title(answer: RankedTable) -> str:
    return f"{offence_title(answer.offence)}, {answer.half_year.months}, by {LEVELS[answer.level]}"


def selected(answer: RankedTable, top: int | None, area: str | None) -> list[dict[str, Any]]:
    """The rows that were asked for: those of one area, or the first ranks with whoever ties there, or all."""
    if area is not None:
        return [row for row in answer.rows if row["area_name"] == area]
    if top is not None:
        return [row for row in answer.rows if row["rank"] is not None and row["rank"] <= top]
    return answer.rows


def table(answer: RankedTable, top: int | None, area: str | None, basis: TableBasis, format: str) -> str:
    """A ranked table, or what was selected of it, as text, markdown, csv or json. Raises NotFound where that is nothing."""
    rows = selected(answer, top, area)
    if not rows:
        reasons = Counter(row["status_note"] for row in answer.rows if row["status_note"])
        most = f" Of most the reason is: {reasons.most_common(1)[0][0]}." if reasons else ""
        raise NotFound(f"No area is ranked: {title(answer)}.{most}")
    if format in ("csv", "json"):
        return csv_text(rows) if format == "csv" else json_text(rows)
    return sanitize_text((markdown if format == "markdown" else text)(answer, top, area, basis))


def text(answer: RankedTable, top: int | None, area: str | None, basis: TableBasis) -> str:
    """The table as a journalist reads it: who is ranked, who is not and why, and what stands behind the figures."""
    rows = selected(answer, top, area)
    ranked = [row for row in rows if row["rank"] is not None]
    lines = [title(answer), "Offences recorded in the half-year per 10,000 residents, not annualised; 1 is the highest rate.", ""]
    if answer.is_simulated:
        lines[1:1] = [SIMULATION_WARNING]
    if all(row["offences"] == 0 for row in answer.rows):
        return "\n".join([*lines, f"None recorded anywhere ({len(answer.rows)} areas).", *_basis(answer, basis), SOURCE]) + "\n"
    if ranked:
        header, numbers = _header(answer)
        lines += align_columns(header, _cells(answer, ranked), numbers)
    lines += [*([""] if lines[-1] else []), *_summary(answer, rows, ranked), *_not_ranked(rows), *_basis(answer, basis), SOURCE]
    return "\n".join(lines) + "\n"


def _summary(answer: RankedTable, rows: list[dict[str, Any]], ranked: list[dict[str, Any]]) -> list[str]:
    total = max((row["areas_ranked"] for row in answer.rows), default=0)
    shown = "" if len(ranked) == total or len(rows) == 1 else f"; {len(ranked)} shown"
    lines = [f"{total} areas are ranked, of {len(answer.rows)} in the table{shown}."]
    split = [row for row in ranked if row["status_note"]]
    if len(split) == 1:
        lines.append(f"{split[0]['area_name']}: {split[0]['status_note']}.")
    elif split:
        names = ", ".join(row["area_name"] for row in split)
        lines.append(f"Population of a shared council split by its last separately published parts: {names}.")
    return lines


def _not_ranked(rows: list[dict[str, Any]]) -> list[str]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row["rank"] is None:
            groups.setdefault((row["status"], row["status_note"]), []).append(row)
    lines = []
    for (status, note), members in groups.items():
        names = [f"{row['area_name']} ({format_count(row['offences']) or 'not known'})" for row in members]
        some = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        lines.append(f"Not ranked, {status}: {note}: {some}.")
    return lines


def population(answer: RankedTable) -> str:
    """Which estimate divides."""
    row = next((r for r in answer.rows if r["population_vintage"] is not None), answer.rows[0])
    if row["population_vintage"] is None:
        return f"Population: no mid-{row['population_year']} estimate is held."
    return f"Population: mid-{row['population_year']} estimates as published on {row['population_vintage']}."


def _basis(answer: RankedTable, basis: TableBasis) -> list[str]:
    lines = [population(answer)]
    if basis.as_of is not None:
        lines.append(f"As it stood on {basis.as_of}.")
    if basis.areas == "harmonised":
        lines.append(HARMONISED_NOTE)
    return [*lines, describe_releases(answer.releases)]


def markdown(answer: RankedTable, top: int | None, area: str | None, basis: TableBasis) -> str:
    rows = selected(answer, top, area)
    cells = _cells(answer, [row for row in rows if row["rank"] is not None])
    header, numbers = _header(answer)
    marks = ["---:" if i in numbers else "---" for i in range(len(header))]
    table = [f"| {' | '.join(c.replace('|', chr(92) + '|') for c in row)} |" for row in (header, marks, *cells)]
    simulated = [f"**{SIMULATION_WARNING}**", ""] if answer.is_simulated else []
    notes = [*_summary(answer, rows, [r for r in rows if r["rank"] is not None]), *_not_ranked(rows), *_basis(answer, basis)]
    lines = [f"## {title(answer)}", "", *simulated, *table, "", *(f"- {n}" for n in notes), "", SOURCE]
    return "\n".join(lines).replace("<", "\\<") + "\n"  # a name that looks like HTML is none
