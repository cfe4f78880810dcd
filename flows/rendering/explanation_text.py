"""One figure from its counts to its rank, in words and with its arithmetic: what `explain` prints.

The third section, on the population, is in population_text, the fourth in figure_context_text.
"""

from __future__ import annotations

import textwrap

from flows.common.sanitize import sanitize_text
from flows.common.wording import join_names
from flows.queries.derivation import Explanation, Standing
from flows.queries.figure import Figure
from flows.queries.figure_counts import FigureCounts, PartCount
from flows.queries.figure_sources import FigureSources
from flows.rendering import attribution, figure_context_text, population_text, text_tables
from flows.rendering.text_tables import (
    Lines,
    align_columns,
    count_noun,
    format_count,
    format_exact_rate,
    format_known_count,
    format_row_numbers,
    heading,
    indent,
    wrap,
)
from flows.rendering.unassigned_text import describe_unassigned

PLAIN_SIGNS = str.maketrans({"÷": "/", "×": "x", "−": "-", "√": "root ", "³": "^3"})


def render(explanation: Explanation) -> str:
    """An explanation as text, in lines of at most 120 characters; in plain signs where the terminal has no others."""
    figure = explanation.figure
    lines = [
        *_title(figure),
        *_figure(explanation),
        *_doubts(figure),
        *_offences(explanation),
        *population_text.describe_population(figure, explanation.population),
        *figure_context_text.describe_context(figure, explanation.context),
        "",
        *wrap(attribution.describe_releases(figure.table.releases)),
        *wrap(attribution.SOURCE),
    ]
    text = sanitize_text("\n".join(lines) + "\n")
    return text if text_tables.can_print("÷×−√³") else text.translate(PLAIN_SIGNS)


def _title(figure: Figure) -> Lines:
    table, row = figure.table, figure.row
    place = [row["area_code"] or "no code", table.level.label]
    if table.level == "csp":
        place.append(row["force_name"] or "no force")
    lines = [
        f"{table.offence.title_in(table.half_year)} in {figure.area_name}, {table.half_year.months}",
        f"({', '.join(place)})",
    ]
    if table.is_simulated:
        lines.append(attribution.SIMULATION_WARNING)
    if figure.whole_name:
        lines += wrap(f"Published apart then; now a part of {figure.whole_name}.")
    for one in table.breaks:
        if one.holds_for(figure.area_name):
            lines += wrap(f"It does not compare with earlier half-years, break in {one.first_quarter} ({one.kind}): {one.note}.")
    return lines


# ---------------------------------------------------------------- the figure
def _figure(explanation: Explanation) -> Lines:
    row, standing = explanation.figure.row, explanation.standing
    if standing is None:
        count = "the count is not known" if row["offences"] is None else f"the count is given: {format_count(row['offences'])}"
        return [
            *heading("1. The figure: not ranked"),
            *wrap(f"Status {row['status']}: {row['status_note']}."),
            f"So there is no rate, no interval and no rank; {count}.",
        ]
    area = standing.area
    rate, persons = format_exact_rate(area.rate), format_count(area.population)
    place = "not ranked" if area.rank is None else f"rank {area.rank} of {standing.areas_ranked}"
    return [
        *heading(f"1. The figure: {rate} per 10,000, {place}"),
        "Rate: offences in the half-year per 10,000 residents, not annualised.",
        f"  {format_count(area.offences)} ÷ {persons} × 10,000 = {rate}",
        "",
        *_interval(standing),
        *(["", *_neighbours(standing)] if area.rank is not None else []),
    ]


def _doubts(figure: Figure) -> Lines:
    """What a ranked row says of its count, and what its force leaves in no partnership."""
    row = figure.row
    lines = wrap(f"Note: {row['status_note']}.") if row["rate_per_10k"] is not None and row["status_note"] else []
    if unassigned := describe_unassigned([row]):
        lines += wrap(unassigned)
    return ["", *lines] if lines else []


def _interval(standing: Standing) -> Lines:
    area, limits = standing.area, standing.exact_limits
    if limits is not None:
        rule = "exact limits of a count below 10, from a table"
        lower, upper = f"{limits.lower:.7f}", f"{limits.upper:.7f}"
    else:
        rule = "Byar's approximation, the rule from 10 offences up"
        lower, upper = (
            f"{n} × (1 − 1 ÷ (9 × {n}) {sign} 0.65332 ÷ √{n})³"
            for n, sign in ((format_count(area.offences), "−"), (format_count(area.offences + 1), "+"))
        )
    persons = format_count(area.population)
    lines = [
        *wrap(f"95% interval: {rule}. It speaks of chance only, the count taken as Poisson, not of recording practice."),
        f"  lower  {lower} ÷ {persons} × 10,000 = {format_exact_rate(area.lower)}",
        f"  upper  {upper} ÷ {persons} × 10,000 = {format_exact_rate(area.upper)}",
    ]
    if limits is None:
        lines.append("  (0.65332 is a third of the point below which 97.5% of the normal curve lies.)")
    return lines


def _neighbours(standing: Standing) -> Lines:
    title = f"Rank {standing.area.rank} of the {standing.areas_ranked} areas ranked; 1 is the highest rate."
    if standing.ties:
        shares = "shares" if standing.ties == 1 else "share"
        title += f" {count_noun(standing.ties, 'other area')} with the same rate {shares} it."
    cells = [
        (
            "*" if area == standing.area else "",
            format_count(area.rank),
            area.area_name,
            format_count(area.offences),
            format_count(area.population),
            format_exact_rate(area.rate),
        )
        for area in standing.neighbours
    ]
    headings = ("", "rank", "area", "offences", "population", "per 10,000")
    return [title, *indent(align_columns(headings, cells, (1, 3, 4, 5)))]


# ---------------------------------------------------------------- the offences
def _offences(explanation: Explanation) -> Lines:
    figure, counts, sources = explanation.figure, explanation.counts, explanation.sources
    lines = _quarters(figure, counts)
    if counts.forces:
        lines += ["", "The forces that make it up:", *_parts(figure, counts.forces, sources.rows_by_member)]
        if figure.area_name == "England and Wales":
            lines += wrap("British Transport Police counts here, but in neither country apart; fraud bodies count nowhere.")
    if counts.codes:
        lines += ["", "The offence codes that make it up:", *_parts(figure, counts.codes, sources.rows_by_code)]
    lines += ["", *(f"Sheet and rows cannot be told: {explanation.lake} does not hold {r}." for r in sources.missing_releases)]
    lines += _places(sources)
    for quarter in counts.quarters:
        if quarter.quarter in sources.sums and sources.sums[quarter.quarter] != quarter.offences:
            lines += wrap(
                f"CAUTION: the rows of the lake for quarter {quarter.quarter} add up to "
                f"{format_count(sources.sums[quarter.quarter]) or 'N/a'}: the database was not built from this lake."
            )
    return [*lines, *_changed_names(sources)]


def _quarters(figure: Figure, counts: FigureCounts) -> Lines:
    total = format_known_count(figure.row["offences"], counts.is_known)
    cells = []
    months = {quarter.number: quarter.months for quarter in figure.table.half_year.quarters}
    for quarter in counts.quarters:
        name = f"Q{quarter.quarter}, {months[quarter.quarter]}"
        if quarter.release_id is None:
            cells.append((name, "none", "(no release that is held covers it)", ""))
        elif not quarter.cells:
            cells.append((name, "none", quarter.release_id, "no row there"))
        else:
            count = format_known_count(quarter.offences, quarter.is_known)
            cells.append((name, count, quarter.release_id, str(quarter.published)))
    lines = [
        *heading(f"2. The offences: {total}"),
        *align_columns(("quarter", "offences", "release", "published"), [*cells, ("sum", total, "", "")], (1,)),
    ]
    if any(quarter.offences is not None and quarter.offences < 0 for quarter in counts.quarters):
        lines.append("A count below nought corrects an earlier quarter: more was taken back than recorded.")
    if not counts.is_known:
        lines += wrap("N/a: the release gives no number there. That is not nought; the sum is only what is known.")
    return lines


def _parts(figure: Figure, parts: list[PartCount], rows: dict[str, list[int]]) -> Lines:
    """Forces or codes with their counts; and the rows that they stand in, where the lake tells and they are few."""
    is_code = any(part.code is not None for part in parts)
    cells = []
    for part in parts:
        name = (part.code or "", textwrap.shorten(part.name, 44, placeholder=" ...")) if is_code else (part.name,)
        counts = (
            format_known_count(part.first, part.first_known),
            format_known_count(part.second, part.second_known),
            format_known_count(part.total, part.total_known),
        )
        cells.append((*name, *counts, format_row_numbers(rows.get((part.code or "") if is_code else part.name, []))))
    headings = ("code", "offence") if is_code else ("force",)
    first, second = (f"Q{quarter}" for quarter in figure.quarters)
    n = len(headings)
    return indent(align_columns((*headings, first, second, "sum", "in rows" if rows else ""), cells, (n, n + 1, n + 2)))


def _places(sources: FigureSources) -> Lines:
    """Files, sheets and rows that the figure was read from."""
    files: dict[str, Lines] = {}
    for place in sources.places:
        sheet = "" if place.file_name.lower().endswith(".csv") else f"sheet {place.sheet}, "
        rows = f"{'row' if len(place.rows) == 1 else 'rows'} {format_row_numbers(place.rows)}"
        files.setdefault(place.file_name, []).append(f"    Q{place.quarter}  {sheet}{rows}")
    return [line for file, lines in files.items() for line in (f"Read from {file}", *lines)]


def _changed_names(sources: FigureSources) -> Lines:
    """How the release names the area and the offences, where that differs from today's names."""
    lines = []
    if sources.changed_areas:
        lines += wrap("Named there: " + "; ".join(f'"{area.then}" for {area.now}' for area in sources.changed_areas) + ".")
    if sources.changed_offences:
        offences = [f'{offence.code} "{offence.then}" (now "{offence.now}")' for offence in sources.changed_offences]
        lines += wrap("Described there: " + join_names(offences, 4) + ".")
    for moved in sources.moved_codes:
        codes = join_names(moved.codes, 8)
        if moved.is_counted:
            lines += wrap(f'Filed there under "{moved.heading}": {codes}; codes count where they stand now.')
        else:
            lines += wrap(f'Filed there under this heading but now under "{moved.heading}", so not counted: {codes}.')
    return lines
