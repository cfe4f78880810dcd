"""One figure from its cells to its rank, in words and with its arithmetic: for `explain`. Computes no rate, interval or rank."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from flows.common.sanitize import sanitize_text
from flows.queries import connection, derivation, lookups, ranked_table
from flows.queries.derivation import Figure, Rows
from flows.queries.lookups import LEVELS, join_names
from flows.queries.ranked_table import TableBasis
from flows.rendering import attribution, population_text, text_tables
from flows.rendering.text_tables import (
    Lines,
    align_columns,
    count_noun,
    format_count,
    format_exact_rate,
    format_known_count,
    format_row_numbers,
    heading,
    wrap,
)
from flows.storage.data_store import MANIFESTS, DataStore
from transforms.periods import HalfYear

MOST_REVISIONS = 12
PLAIN = str.maketrans({"÷": "/", "×": "x", "−": "-", "√": "root ", "³": "^3"})


def explain(store: DataStore, half_year: HalfYear, area: str, offence: str, level: str) -> str:
    """The derivation of a figure on the default basis, areas as published. Raises NotFound where there is no such figure."""
    with connection.connect(store) as con:
        answer = ranked_table.fetch_ranked_table(con, half_year, level, offence, TableBasis())
        figure = derivation.figure(con, answer, ranked_table.find_area_in_table(con, answer, area))
        _fetch_sources(con, figure, store)
        lines = [
            *_head(con, figure),
            *_figure(con, figure),
            *_offences(con, figure, store.folder / "lake"),
            *population_text.describe_population(con, figure, store.folder / "lake"),
            *_set_aside(con, figure),
            "",
            *wrap(attribution.describe_releases(answer.releases)),
            *wrap(attribution.SOURCE),
        ]
    text = sanitize_text("\n".join(lines) + "\n")
    return text if text_tables.can_print("÷×−√³") else text.translate(PLAIN)


def _fetch_sources(con: duckdb.DuckDBPyConnection, figure: Figure, store: DataStore) -> None:
    """Have the rows here that the figure comes from, where the data folder lies in a store."""
    releases = {quarter["release_id"] for quarter in derivation.quarters(con, figure)}
    store.fetch_manifests("lake")
    partitions = [manifest.parent for manifest in sorted((store.folder / "lake").glob(f"*/[!.]*/{MANIFESTS['lake']}"))]
    store.fetch_partitions(one for one in partitions if one.parent.name == "populations" or one.stem in releases)


def _head(con: duckdb.DuckDBPyConnection, figure: Figure) -> Lines:
    answer, row = figure.answer, figure.row
    of = [row["area_code"] or "no code", LEVELS[answer.level], *([row["force_name"]] if answer.level == "csp" else [])]
    lines = [f"{lookups.offence_title(answer.offence)} in {figure.name}, {answer.half_year.months}", f"({', '.join(of)})"]
    if answer.is_simulated:
        lines.append(attribution.SIMULATION_WARNING)
    whole = lookups.fetch_area_pieces(con, answer.level).get(figure.name)
    return [*lines, *(wrap(f"Published apart then; now a part of {whole}.") if whole else [])]


# ---------------------------------------------------------------- the figure
def _figure(con: duckdb.DuckDBPyConnection, figure: Figure) -> Lines:
    row = figure.row
    if row["rank"] is None:
        count = "the count is not known" if row["offences"] is None else f"the count is given: {format_count(row['offences'])}"
        return [
            *heading("1. The figure: not ranked"),
            *wrap(f"Status {row['status']}: {row['status_note']}."),
            f"So there is no rate, no interval and no rank; {count}.",
        ]
    n, persons = row["offences"], format_count(row["population"])
    lines = [
        *heading(
            f"1. The figure: {format_exact_rate(row['rate_per_10k'])} per 10,000, rank {row['rank']} of {row['areas_ranked']}"
        ),
        "Rate: offences in the half-year per 10,000 residents, not annualised.",
        f"  {format_count(n)} ÷ {persons} × 10,000 = {format_exact_rate(row['rate_per_10k'])}",
        "",
    ]
    limits = derivation.exact_limits(con, n)
    if limits is not None:
        rule = "exact limits of a count below 10, from a table"
        events = tuple(f"{limit:.7f}" for limit in limits)
    else:
        rule = "Byar's approximation, the rule from 10 offences up"
        events = tuple(
            f"{m} × (1 − 1 ÷ (9 × {m}) {sign} 0.65332 ÷ √{m})³"
            for m, sign in ((format_count(n), "−"), (format_count(n + 1), "+"))
        )
    lines += wrap(f"95% interval: {rule}. It speaks of chance only, the count taken as Poisson, not of recording practice.")
    lines += [
        f"  {which}  {limit} ÷ {persons} × 10,000 = {format_exact_rate(row[f'rate_{which}_95'])}"
        for which, limit in zip(("lower", "upper"), events, strict=True)
    ]
    if limits is None:
        lines.append("  (0.65332 is a third of the point below which 97.5% of the normal curve lies.)")
    return [*lines, "", *_neighbours(figure)]


def _neighbours(figure: Figure) -> Lines:
    ranked = [row for row in figure.answer.rows if row["rank"] is not None]
    rank = figure.row["rank"]
    above = [row for row in ranked if row["rank"] < rank][-1:]
    ties = [row for row in ranked if row["rank"] == rank and row is not figure.row]
    below = [row for row in ranked if row["rank"] > rank][:1]
    shown = [*above, *sorted([figure.row, *ties[:3]], key=lambda row: str(row["area_name"])), *below]
    title = f"Rank {rank} of the {figure.row['areas_ranked']} areas ranked; 1 is the highest rate."
    if all(row["offences"] == 0 for row in figure.answer.rows):
        title += " None was recorded anywhere, so the rank says nothing."
    elif ties:
        title += f" {count_noun(len(ties), 'other area')} with the same rate {'shares' if len(ties) == 1 else 'share'} it."
    cells = [
        (
            "*" if row is figure.row else "",
            format_count(row["rank"]),
            row["area_name"],
            format_count(row["offences"]),
            format_count(row["population"]),
            format_exact_rate(row["rate_per_10k"]),
        )
        for row in shown
    ]
    table = align_columns(("", "rank", "area", "offences", "population", "per 10,000"), cells, (1, 3, 4, 5))
    return [title, *(f"  {line}" for line in table)]


# ---------------------------------------------------------------- the offences
def _offences(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path) -> Lines:
    quarters = derivation.quarters(con, figure)
    releases = list(dict.fromkeys(q["release_id"] for q in quarters if q["release_id"]))
    lacking = derivation.source_rows(con, figure, lake, releases)
    row = figure.row
    total = format_known_count(row["offences"], all(q["is_known"] for q in quarters))
    cells = []
    for q in quarters:
        if not q["cells"]:
            cells.append(
                (
                    _quarter(figure, q["quarter"]),
                    "none",
                    q["release_id"] or "(no release that is held covers it)",
                    "no row there" if q["release_id"] else "",
                )
            )
        else:
            cells.append(
                (
                    _quarter(figure, q["quarter"]),
                    format_known_count(q["offences"], q["is_known"]),
                    q["release_id"],
                    str(q["published"]),
                )
            )
    lines = [
        *heading(f"2. The offences: {total}"),
        *align_columns(("quarter", "offences", "release", "published"), [*cells, ("sum", total, "", "")], (1,)),
    ]
    if any(q["offences"] is not None and q["offences"] < 0 for q in quarters):
        lines.append("A count below nought corrects an earlier quarter: more was taken back than recorded.")
    if not all(q["is_known"] for q in quarters):
        lines += wrap("N/a: the release gives no number there. That is not nought; the sum is only what is known.")
    held = derivation.sums_in_lake(con)
    if figure.is_sum_of_forces:
        lines += [
            "",
            "The forces that make it up:",
            *_parts_table(figure, derivation.forces(con, figure), "force", derivation.where(con, "member")),
        ]
        if figure.name == "England and Wales":
            lines += wrap("British Transport Police counts here, but in neither country apart; fraud bodies count nowhere.")
    if figure.answer.offence.level != "code":
        lines += [
            "",
            "The offence codes that make it up:",
            *_parts_table(figure, derivation.codes(con, figure), "code", derivation.where(con, "offence_code")),
        ]
    lines += ["", *_sources(con, lake, lacking)]
    for q in quarters:
        if q["quarter"] in held and held[q["quarter"]] != q["offences"]:
            lines += wrap(
                f"CAUTION: the rows of the lake for quarter {q['quarter']} add up to "
                f"{format_count(held[q['quarter']]) or 'N/a'}: the database was not built from this lake."
            )
    return [*lines, *_names_then(con, figure)]


def _parts_table(figure: Figure, parts: Rows, what: str, where: Rows) -> Lines:
    """Forces or codes with their counts; and the rows that they stand in, where the lake tells and they are few."""
    places: dict[str, list[int]] = {}
    for place in where:
        places.setdefault(place["key"], []).extend(place["rows"])
    cells = []
    for part in parts:
        counts = [format_known_count(part[c], part[f"{c}_known"]) for c in ("first", "second", "total")]
        if what == "force":
            cells.append((part["member"], *counts, format_row_numbers(places.get(part["member"], []))))
        else:
            name = textwrap.shorten(part["offence_name"], 44, placeholder=" ...")
            cells.append((part["offence_code"] or "", name, *counts, format_row_numbers(places.get(part["offence_code"], []))))
    first, second = (f"Q{q}" for q in figure.quarters)
    heads = ("force",) if what == "force" else ("code", "offence")
    n = len(heads)
    table = align_columns((*heads, first, second, "sum", "in rows" if places else ""), cells, (n, n + 1, n + 2))
    return [f"  {line}" for line in table]


def _sources(con: duckdb.DuckDBPyConnection, lake: Path, lacking: Sequence[str]) -> Lines:
    lines = [f"Sheet and rows cannot be told: {lake} does not hold {release}." for release in lacking]
    files: dict[str, Lines] = {}
    for w in derivation.where(con, "quarter"):
        sheet = "" if w["file_name"].lower().endswith(".csv") else f"sheet {w['sheet']}, "
        files.setdefault(w["file_name"], []).append(
            f"    Q{w['key']}  {sheet}{'row' if len(w['rows']) == 1 else 'rows'} {format_row_numbers(w['rows'])}"
        )
    for file, places in files.items():
        lines += [f"Read from {file}", *places]
    return lines


def _names_then(con: duckdb.DuckDBPyConnection, figure: Figure) -> Lines:
    """How the release names the area and the offences, where that differs from today's names."""
    areas, offences, moved = derivation.names_then(con, figure)
    lines = []
    if areas:
        lines += wrap("Named there: " + "; ".join(f'"{a["then"]}" for {a["now"]}' for a in areas) + ".")
    if offences:
        said = [f'{o["code"]} "{o["then"]}" (now "{o["now"]}")' for o in offences]
        lines += wrap("Described there: " + join_names(said, 4) + ".")
    for m in moved:
        if m["is_counted"]:
            lines += wrap(f'Filed there under "{m["label"]}": {join_names(m["codes"], 8)}; codes count where they stand now.')
        else:
            lines += wrap(
                f'Filed there under this heading but now under "{m["label"]}", so not counted: {join_names(m["codes"], 8)}.'
            )
    return lines


# ---------------------------------------------------------------- what is set aside
def _set_aside(con: duckdb.DuckDBPyConnection, figure: Figure) -> Lines:
    unranked, areas = sum(row["rank"] is None for row in figure.answer.rows), len(figure.answer.rows)
    lines = heading("4. What is set aside, and how it fits")
    if unranked:
        cells = [
            (row["status"] or "sum", format_count(row["areas"]), format_count(row["offences"]))
            for row in derivation.set_aside(con, figure)
            if row["status"] or figure.answer.level != "country"
        ]
        lines += [
            f"{unranked} of the {count_noun(areas, 'area')} in this table {'is' if unranked == 1 else 'are'} not ranked.",
            *(f"  {line}" for line in align_columns(("status", "areas", "offences"), cells, (1, 2))),
        ]
    else:
        lines.append(f"All {areas} areas in this table are ranked.")
    for note in derivation.notes(con, figure):
        said = "the note quoted above" if note["note"] == figure.row["status_note"] else note["note"]
        lines += wrap(f"Withdrawn, {join_names(note['areas'], 8)}: {said}.")
    if not figure.is_sum_of_forces:
        lines += ["", *_force_total(derivation.force_total(con, figure), figure)]
    return [*lines, "", *_revisions(con, figure)]


def _force_total(total: dict[str, Any], figure: Figure) -> Lines:
    force, sums = figure.row["force_name"], total["partnerships"]
    if total["force"] is None:
        return wrap(f"The figure of {force} as a force is not held for this half-year, so nothing can be held against it.")
    said = f"{force} as a force: {count_noun(total['force'], 'offence')}."
    if sums is None:
        kind = "no partnership of it has rows" if figure.answer.level == "pfa" else "no partnership table is held"
        return wrap(f"{said} In this half-year {kind} of this offence.")
    groups = f" and {' and '.join(total['groups'])} ({format_count(total['in_groups'])})" if total["groups"] else ""
    add = "adds" if total["places"] == 1 and not groups else "add"
    said += f" Its {count_noun(total['places'], 'partnership')}{groups} {add} up to {format_count(sums)}: "
    if sums == total["force"]:
        return wrap(said + "the same.")
    why = " A quarter is missing from some partnership." if total["is_incomplete"] else ""
    return wrap(f"{said}they differ by {format_count(abs(sums - total['force']))}.{why}")


def _revisions(con: duckdb.DuckDBPyConnection, figure: Figure) -> Lines:
    changes = derivation.revisions(con, figure)
    if not changes:
        held = derivation.releases_held(con, figure)
        few = "Revisions: one release of these quarters is held, so none can be seen."
        return [few if held < 2 else "Revisions: no release that is held changed these counts."]
    lines = [
        f"Revisions: {count_noun(len(changes), 'change')} of these counts by later releases"
        + (f", {MOST_REVISIONS} shown." if len(changes) > MOST_REVISIONS else ".")
    ]
    cells = [
        (
            str(c["published"]),
            c["to_release"],
            *([c["area_name"]] if figure.is_sum_of_forces else []),
            f"Q{c['quarter']}",
            c["offence_code"],
            _before(c["before"]),
            _before(c["after"]),
        )
        for c in changes[:MOST_REVISIONS]
    ]
    heads = ("published", "release", *(["force"] if figure.is_sum_of_forces else []), "quarter", "code", "before", "after")
    return [*lines, *(f"  {line}" for line in align_columns(heads, cells, (len(heads) - 2, len(heads) - 1)))]


def _before(value: int | None) -> str:
    return "no row" if value is None else format_count(value)


def _quarter(figure: Figure, number_: int) -> str:
    quarter = number_ - 1
    months = ("April to June", "July to September", "October to December", "January to March")[quarter]
    return f"Q{number_}, {months} {figure.start_year + (quarter == 3)}"
