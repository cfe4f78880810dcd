"""The population of one figure in words: which estimate, of which councils, how it was split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from flows.queries.derivation import Figure, Rows
from flows.queries.population_breakdown import Population, force_populations, population
from flows.rendering.text_tables import Lines, align_columns, format_count, heading, wrap


# ---------------------------------------------------------------- how it is told
def describe_population(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path) -> Lines:
    """The population of a figure in words: which estimate, of which councils, how it was split."""
    row = figure.row
    year, vintage = row["population_year"], row["population_vintage"]
    if row["status"] == "unassigned":
        return [*heading("3. The population: none"), "Not a place: nobody lives there, so nothing is divided."]
    found = population(con, figure, lake)
    title = "not known" if row["population"] is None else format_count(row["population"])
    lines = heading(f"3. The population: {title}")
    lines += wrap(
        f"Mid-{year} (30 June {year}), the year before the financial year {figure.answer.half_year.year} starts: "
        "the convention of the Office for National Statistics (ONS)."
    )
    if vintage is None:
        return [*lines, f"No mid-{year} estimate is held."]
    others = [str(v) for v in found.vintages if v != vintage]
    lines += wrap(
        f"Vintage: published {vintage}, the newest that is held"
        + (f" (also held: {', '.join(others)})." if others else "; no other is held.")
    )
    on = f"those of April {found.boundaries}" if (found.boundaries or "").isdigit() else "as the file has them"
    lines += wrap(f"Boundaries of the councils: {on}; of the sets in this vintage that which fits the most areas.")
    lookup = f"by the ONS lookup of {found.lookup_year}" if found.lookup_year else "as data/reference says"
    lines += wrap(
        f"Councils of the area: {lookup}, for the financial year {figure.answer.half_year.year}."
        + (" Where it splits a council between partnerships, by the nearest lookup that does not." if found.parts else "")
    )
    if row["status"] == "not_resident":
        lines.append("Given for its own sake: it does not divide, see the status above.")
    if figure.is_sum_of_forces:
        return [*lines, "", *_forces(con, figure, found), *_files(found.councils)]
    return [*lines, "", *_councils(figure, found), *_files(found.councils)]


def _councils(figure: Figure, found: Population) -> Lines:
    if not found.councils and not found.lacking:
        return ["Its councils are not known."]
    cells = []
    for c in found.councils:
        persons = format_count(c["counted"]) if c["counted"] is not None else "not known"
        cells.append(
            (
                c["council_code"],
                c["council_name"] + (", in part" if c["is_shared"] else ""),
                persons,
                found.places.get(c["council_code"], ""),
            )
        )
    cells += [("", name, "no estimate", "") for name in found.lacking]
    known = figure.row["population"]
    table = align_columns(
        ("code", "council", "persons", "in" if found.places else ""),
        [*cells, ("", "sum", format_count(known) if known is not None else "not known", "")],
        (2,),
    )
    lines = [f"  {line}" for line in table]
    for c in found.councils:
        lines += _split(c, found.parts.get(c["council_code"], []))
    if known is None:
        lines += wrap("A population is that of all councils of the area or none: a part would make the rate too high.")
    elif known != sum(c["counted"] or 0 for c in found.councils):
        lines += wrap("CAUTION: these councils do not add up to the population that divides.")
    return lines


def _split(council: dict[str, Any], parts: Rows) -> Lines:
    """How a shared council's persons were split, with the arithmetic."""
    if not council["is_shared"]:
        return []
    if not parts:
        return wrap(
            f"{council['council_name']} ({format_count(council['persons'])} persons) is shared with another area, "
            "and no estimate of its parts is held."
        )
    first = parts[0]
    lines = [
        "",
        *wrap(
            f"{council['council_name']} has {format_count(council['persons'])} persons and lies only partly in the area. "
            f"It is split as its parts stood in mid-{first['year']}, the last with estimates of their own "
            f"(published {first['vintage']}):"
        ),
    ]
    cells = [
        (p["council_code"], p["council_name"], format_count(p["persons"]), "in the area" if p["is_inside"] else "") for p in parts
    ]
    lines += [
        f"  {line}"
        for line in align_columns(
            ("code", "part", "persons", ""), [*cells, ("", "sum", format_count(first["all_parts"]), "")], (2,)
        )
    ]
    return [
        *lines,
        f"  {format_count(council['persons'])} × {format_count(first['inside'])} ÷ {format_count(first['all_parts'])} "
        f"= {format_count(first['counted'])}",
        *_files(parts),
    ]


def _forces(con: duckdb.DuckDBPyConnection, figure: Figure, found: Population) -> Lines:
    rows = force_populations(con, figure, found.lookup_year)
    cells = [
        (r["member"], "not a place" if r["kind"] == "unassigned" else format_count(r["persons"]) or "not known") for r in rows
    ]
    known = figure.row["population"]
    table = align_columns(
        ("force", "persons"), [*cells, ("sum", format_count(known) if known is not None else "not known")], (1,)
    )
    lines = [
        "The councils of its forces make it up; `explain` a force with --level pfa to see them.",
        *(f"  {line}" for line in table),
    ]
    if known is not None and known != sum(r["persons"] or 0 for r in rows if r["kind"] != "unassigned"):
        lines += wrap("The forces differ from the sum by what rounding takes where a council is split between two.")
    return lines


def _files(rows: Rows) -> Lines:
    return [f"Persons from {file}" for file in sorted({row["source_file"] for row in rows})]
