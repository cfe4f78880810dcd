"""Revisions as text, CSV or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from flows.common.sanitize import sanitize_text
from flows.queries import connection
from flows.queries.connection import fetch_rows
from flows.queries.lookups import join_names
from flows.queries.revisions import SMALLEST, RevisionFilter, Revisions, _asked, fetch_revisions
from flows.rendering import attribution, formats, text_tables
from flows.rendering.text_tables import format_count
from flows.storage.data_store import DataStore
from transforms.errors import UsageError

FIELDS = (
    "list",
    "from_release",
    "to_release",
    "published",
    "level",
    "area_code",
    "area_name",
    "financial_year",
    "quarter",
    "half_year",
    "offence_code",
    "offence_name",
    "before",
    "after",
    "change",
    "rank_before",
    "rank_after",
    "areas_ranked_before",
    "areas_ranked_after",
    "status_before",
    "status_after",
)


def render(
    store: DataStore, release: str | None, area: str | None, offence: str | None, level: str | None, top: int, format: str
) -> str:
    """The revisions as text, CSV or JSON. Raises NotFound for a release, area or offence that is not held."""
    if top < 1:
        raise UsageError(f"expected a number of changes of 1 or more, found {top}")
    with connection.connect(store) as con:
        answer = fetch_revisions(con, _asked(con, release, area, offence, level), top)
        if format == "text" and not answer.summary:
            return sanitize_text(_nothing(con, answer.asked))
    if format == "csv":
        lists = (("absolute", answer.absolute), ("relative", answer.relative))
        both = [{"list": name, **row} for name, rows in lists for row in rows]
        return formats.csv_text([{field: row.get(field) for field in FIELDS} for row in both], FIELDS)
    if format == "json":
        biggest, relative = (
            [{field: row.get(field) for field in FIELDS[1:]} for row in rows] for rows in (answer.absolute, answer.relative)
        )
        return formats.json_text(
            {"summary": answer.summary, "not_places": answer.aside, "biggest": biggest, "biggest_relative": relative}
        )
    return sanitize_text(text(answer))


# ---------------------------------------------------------------- how it looks
def _nothing(con: duckdb.DuckDBPyConnection, asked: RevisionFilter) -> str:
    if not fetch_rows(con, "from revisions limit 1"):
        return "No release that is held changes another.\n"
    return f"No release that is held changes another in what was asked for: {asked.words}.\n"


def _signed(value: int) -> str:
    return f"{value:+,}" if value else "0"


def _rank(row: dict[str, Any]) -> str:
    """12 to 9 of 43; or why there is none."""
    before, after = row["rank_before"], row["rank_after"]
    names = [
        str(rank) if rank is not None else (status or "not in the table").replace("_", " ")
        for rank, status in ((before, row["status_before"]), (after, row["status_after"]))
    ]
    if before is None and after is None:
        return f"not ranked: {names[1]}"
    of = row["areas_ranked_after"] or row["areas_ranked_before"]
    return f"{before} as before, of {of}" if before == after else f"{' to '.join(names)} of {of}"


def _table(rows: Sequence[dict[str, Any]], many_levels: bool) -> list[str]:
    cells = []
    for row in rows:
        name = f"{row['offence_code']} {row['offence_name']}"
        relative = f"{100 * row['change'] / row['before']:+,.0f}%" if (row["before"] or 0) >= SMALLEST else ""
        cells.append(
            (
                row["area_name"] + (f" ({row['level']})" if many_levels else ""),
                f"{row['financial_year']} Q{row['quarter']}",
                name if len(name) <= 40 else name[:37].rstrip() + "...",
                "no row" if row["before"] is None else format_count(row["before"]),
                "no row" if row["after"] is None else format_count(row["after"]),
                _signed(row["change"]),
                relative,
                _rank(row),
            )
        )
    header = ("area", "quarter", "offence", "before", "after", "change", "", "rank in the half-year")
    return text_tables.align_columns(header, cells, (3, 4, 5, 6))


def text(answer: Revisions) -> str:
    """The sums, then the biggest changes, as a journalist reads them."""
    words = answer.asked.words
    lines = ["What releases changed in the figures of earlier ones" + (f": {words}" if words else "")]
    if any(row["simulated"] for row in answer.summary):
        kinds = sorted({row["level"] for row in answer.summary if row["simulated"]})
        lines += [attribution.SIMULATION_WARNING, f"Simulated: level {', '.join(kinds)}."]
    cells = [
        (
            str(row["from_published"]),
            str(row["published"]),
            row["level"],
            format_count(row["changed"]),
            format_count(row["added"]),
            format_count(row["dropped"]),
            _signed(row["net_change"]),
            _signed(row["gross_change"]).lstrip("+"),
            row["to_release"],
        )
        for row in answer.summary
    ]
    header = ("from", "to", "level", "changed", "added", "dropped", "net change", "gross change", "release that changed them")
    lines += [
        "",
        *text_tables.align_columns(header, cells, (3, 4, 5, 6, 7)),
        "Counts of a quarter, area and offence code that changed; net and gross change in offences.",
    ]
    if answer.aside:
        named = [
            f"{row['area_name']} ({format_count(row['counts'])} counts, {_signed(row['net_change'])} offences)"
            for row in answer.aside
        ]
        lines += [f"Not places, so in the sums only (--area shows them): {join_names(named, 5)}."]
    many = len({row["level"] for row in answer.summary}) > 1
    lists = (
        ("The biggest changes", answer.absolute),
        (f"The biggest changes in proportion, of counts of {SMALLEST} or more", answer.relative),
    )
    for title, rows in lists:
        if rows:
            lines += ["", title, *_table(rows, many)]
    pairs = {row["from_release"]: row["from_published"] for row in answer.summary}
    pairs |= {row["to_release"]: row["published"] for row in answer.summary}
    lines += [
        "",
        "Rank: of the area and offence code in the half-year, on the eve of the release and on its day; 1 is the highest rate.",
        attribution.describe_releases([{"release_id": name, "published": day} for name, day in sorted(pairs.items())]),
        attribution.SOURCE,
    ]
    return "\n".join(lines) + "\n"
