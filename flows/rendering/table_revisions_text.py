"""What became of a ranked table, as text."""

from __future__ import annotations

from flows.common.sanitize import sanitize_text
from flows.queries.table_revisions import RevisedRank, TableRevisions
from flows.rendering.text_tables import align_columns, count_noun, format_change, format_count, format_rate


def render(revisions: TableRevisions) -> str:
    """The first ranks of the day beside those of today, and what was published in between."""
    header = ("area", "rank then", "now", "offences then", "revised by", "now", "per 10,000 then", "now")
    lines = [
        f"What was published since {revisions.as_of} did to the first {revisions.top} ranks of then and of now:",
        "",
        *align_columns(header, [_cells(row) for row in revisions.rows], range(1, len(header))),
        "",
        *(
            f"{release['release_id']}, published {release['published']}: changed "
            f"{count_noun(release['counts'], 'count')} of a quarter, by {format_change(release['net_change'])} offences in all."
            for release in revisions.releases
        ),
    ]
    if not revisions.releases:
        lines.append("No count of the table was changed.")
    if len(revisions.vintages) > 1:
        lines.append(f"Population estimates: published {revisions.vintages[0]}, revised {revisions.vintages[-1]}.")
    return sanitize_text("\n".join(lines) + "\n")


def _cells(row: RevisedRank) -> tuple[str, ...]:
    return (
        row["area_name"],
        format_count(row["rank_then"]),
        format_count(row["rank_now"]),
        format_count(row["offences_then"]),
        format_change(row["net_change"]),
        format_count(row["offences_now"]),
        format_rate(row["rate_then"]),
        format_rate(row["rate_now"]),
    )
