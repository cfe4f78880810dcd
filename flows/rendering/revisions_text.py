"""How revisions are printed: as text, CSV or JSON."""

from __future__ import annotations

from collections.abc import Sequence

from flows.common.sanitize import sanitize_text
from flows.common.wording import join_names
from flows.queries.ranked_table import SourceRelease
from flows.queries.revisions import SMALLEST, RevisedCount, RevisionFilter, Revisions
from flows.rendering.attribution import SIMULATION_WARNING, SOURCE, describe_releases
from flows.rendering.formats import TextFormat, csv_text, json_text
from flows.rendering.text_tables import Lines, align_columns, format_change, format_count

WIDEST_OFFENCE = 40  # characters: a longer name is cut


def render(revisions: Revisions, format: TextFormat) -> str:
    """Revisions in one of the formats."""
    if format is TextFormat.CSV:
        lists = (("absolute", revisions.largest), ("relative", revisions.largest_relative))
        rows = [{"list": name, **row} for name, listed in lists for row in listed]
        return csv_text(rows, ["list", *RevisedCount.__annotations__])
    if format is TextFormat.JSON:
        return json_text(
            {
                "summary": revisions.summary,
                "not_places": revisions.not_places,
                "biggest": revisions.largest,
                "biggest_relative": revisions.largest_relative,
            }
        )
    return sanitize_text(_text(revisions) if revisions.summary else _nothing_changed(revisions))


def _nothing_changed(revisions: Revisions) -> str:
    if not revisions.any_known:
        return "No release that is held changes another.\n"
    return f"No release that is held changes another in what was asked for: {_describe_filter(revisions.filter)}.\n"


def _describe_filter(wanted: RevisionFilter) -> str:
    offence = wanted.offence.title if wanted.offence is not None else None
    level = wanted.level.label if wanted.level is not None else None
    return ", ".join(filter(None, [offence, wanted.area, level, *(wanted.releases or [])]))


def _text(revisions: Revisions) -> str:
    """The sums, then the largest changes, as a journalist reads them."""
    wanted = _describe_filter(revisions.filter)
    lines = [
        "What releases changed in the figures of earlier ones" + (f": {wanted}" if wanted else ""),
        *_simulation_notes(revisions),
        "",
        *_summary_table(revisions),
        "Counts of a quarter, area and offence code that changed; net and gross change in offences.",
    ]
    if revisions.not_places:
        names = [
            f"{row['area_name']} ({format_count(row['counts'])} counts, {format_change(row['net_change'])} offences)"
            for row in revisions.not_places
        ]
        lines.append(f"Not places, so in the sums only (--area shows them): {join_names(names, 5)}.")
    several_levels = len({row["level"] for row in revisions.summary}) > 1
    for title, changes in (
        ("The biggest changes", revisions.largest),
        (f"The biggest changes in proportion, of counts of {SMALLEST} or more", revisions.largest_relative),
    ):
        if changes:
            lines += ["", title, *_change_table(changes, several_levels)]
    lines += [
        "",
        "Rank: of the area and offence code in the half-year, on the eve of the release and on its day; 1 is the highest rate.",
        describe_releases(_releases(revisions)),
        SOURCE,
    ]
    return "\n".join(lines) + "\n"


def _simulation_notes(revisions: Revisions) -> Lines:
    levels = sorted({row["level"] for row in revisions.summary if row["simulated"]})
    return [SIMULATION_WARNING, f"Simulated: level {', '.join(levels)}."] if levels else []


def _summary_table(revisions: Revisions) -> Lines:
    cells = [
        (
            str(row["from_published"]),
            str(row["published"]),
            row["level"],
            format_count(row["changed"]),
            format_count(row["added"]),
            format_count(row["dropped"]),
            format_change(row["net_change"]),
            format_count(row["gross_change"]),
            row["to_release"],
        )
        for row in revisions.summary
    ]
    header = ("from", "to", "level", "changed", "added", "dropped", "net change", "gross change", "release that changed them")
    return align_columns(header, cells, (3, 4, 5, 6, 7))


def _change_table(changes: Sequence[RevisedCount], several_levels: bool) -> Lines:
    cells = [
        (
            change["area_name"] + (f" ({change['level']})" if several_levels else ""),
            f"{change['financial_year']} Q{change['quarter']}",
            _cut(f"{change['offence_code']} {change['offence_name']}"),
            _count(change["before"]),
            _count(change["after"]),
            format_change(change["change"]),
            _relative_change(change),
            _describe_ranks(change),
        )
        for change in changes
    ]
    header = ("area", "quarter", "offence", "before", "after", "change", "", "rank in the half-year")
    return align_columns(header, cells, (3, 4, 5, 6))


def _cut(name: str) -> str:
    return name if len(name) <= WIDEST_OFFENCE else name[: WIDEST_OFFENCE - 3].rstrip() + "..."


def _count(value: int | None) -> str:
    return "no row" if value is None else format_count(value)


def _relative_change(change: RevisedCount) -> str:
    before = change["before"] or 0
    return f"{100 * change['change'] / before:+,.0f}%" if before >= SMALLEST else ""


def _describe_ranks(change: RevisedCount) -> str:
    """`12 to 9 of 43`; or why there is none."""
    before = _describe_rank(change["rank_before"], change["status_before"])
    after = _describe_rank(change["rank_after"], change["status_after"])
    if change["rank_before"] is None and change["rank_after"] is None:
        return f"not ranked: {after}"
    areas = change["areas_ranked_after"] or change["areas_ranked_before"]
    return f"{before} as before, of {areas}" if before == after else f"{before} to {after} of {areas}"


def _describe_rank(rank: int | None, status: str | None) -> str:
    return str(rank) if rank is not None else (status or "not in the table").replace("_", " ")


def _releases(revisions: Revisions) -> list[SourceRelease]:
    """Both releases of each pair, by name."""
    published = {row["from_release"]: row["from_published"] for row in revisions.summary}
    published |= {row["to_release"]: row["published"] for row in revisions.summary}
    simulated = any(row["simulated"] for row in revisions.summary)
    return [
        SourceRelease(release_id=name, published=day, simulated=simulated, note=None) for name, day in sorted(published.items())
    ]
