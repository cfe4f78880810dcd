"""What a figure stands beside: areas without a rank, the count of its force, revisions. The fourth section of `explain`."""

from __future__ import annotations

from flows.common.wording import join_names
from flows.queries.figure import Figure
from flows.queries.figure_context import FigureContext, ForceTotal
from flows.rendering.text_tables import Lines, align_columns, count_noun, format_count, heading, indent, wrap

MOST_REVISIONS = 12


def describe_context(figure: Figure, context: FigureContext) -> Lines:
    """The fourth section: which areas of the table are not ranked, what its force adds up to, and what releases changed."""
    lines = heading("4. What is set aside, and how it fits")
    if context.unranked_areas:
        cells = [
            (total.status or "sum", format_count(total.areas), format_count(total.offences))
            for total in context.status_totals
            if total.status or figure.table.level != "country"  # England and Wales is the sum of the others
        ]
        areas, are = count_noun(context.areas, "area"), "is" if context.unranked_areas == 1 else "are"
        lines += [
            f"{context.unranked_areas} of the {areas} in this table {are} not ranked.",
            *indent(align_columns(("status", "areas", "offences"), cells, (1, 2))),
        ]
    else:
        lines.append(f"All {context.areas} areas in this table are ranked.")
    for withdrawal in context.withdrawals:
        note = "the note quoted above" if context.is_quoted(withdrawal, figure) else withdrawal.note
        lines += wrap(f"Withdrawn, {join_names(withdrawal.areas, 8)}: {note}.")
    if context.force_total:
        lines += ["", *wrap(_force_total(context.force_total, figure.table.level))]
    return [*lines, "", *_revisions(figure, context)]


def _force_total(total: ForceTotal, level: str) -> str:
    """How the count of a force compares with the sum of its partnerships."""
    if total.offences is None:
        return f"The figure of {total.force_name} as a force is not held for this half-year, so nothing can be held against it."
    text = f"{total.force_name} as a force: {count_noun(total.offences, 'offence')}."
    if total.partnership_offences is None:
        kind = "no partnership of it has rows" if level == "pfa" else "no partnership table is held"
        return f"{text} In this half-year {kind} of this offence."
    groups = ""
    if total.unassigned_groups:
        groups = f" and {' and '.join(total.unassigned_groups)} ({format_count(total.unassigned_offences)})"
    add = "adds" if total.partnerships == 1 and not groups else "add"
    text += f" Its {count_noun(total.partnerships, 'partnership')}{groups} {add} up to "
    text += f"{format_count(total.partnership_offences)}: "
    if total.partnership_offences == total.offences:
        return text + "the same."
    reason = " A quarter is missing from some partnership." if total.is_incomplete else ""
    return f"{text}they differ by {format_count(abs(total.partnership_offences - total.offences))}.{reason}"


def _revisions(figure: Figure, context: FigureContext) -> Lines:
    changes = context.revisions
    if not changes:
        if context.releases < 2:
            return ["Revisions: one release of these quarters is held, so none can be seen."]
        return ["Revisions: no release that is held changed these counts."]
    cells = [
        (
            str(change.published),
            change.to_release,
            *([change.area_name] if figure.is_sum_of_forces else []),
            f"Q{change.quarter}",
            change.offence_code,
            _revised_count(change.before),
            _revised_count(change.after),
        )
        for change in changes[:MOST_REVISIONS]
    ]
    force = ["force"] if figure.is_sum_of_forces else []
    headings = ("published", "release", *force, "quarter", "code", "before", "after")
    n = len(headings)
    listed = f", {MOST_REVISIONS} shown." if len(changes) > MOST_REVISIONS else "."
    return [
        f"Revisions: {count_noun(len(changes), 'change')} of these counts by later releases{listed}",
        *indent(align_columns(headings, cells, (n - 2, n - 1))),
    ]


def _revised_count(value: int | None) -> str:
    return "no row" if value is None else format_count(value)
