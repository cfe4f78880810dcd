"""The population of one figure in words: which estimate, of which councils, how it was split."""

from __future__ import annotations

from collections.abc import Iterable

from flows.queries.figure import Figure
from flows.queries.population_breakdown import Council, CouncilSplit, FilePlace, PopulationBreakdown
from flows.rendering.text_tables import Lines, align_columns, format_count, heading, indent, wrap


def describe_population(figure: Figure, population: PopulationBreakdown | None) -> Lines:
    """The third section of an explanation: which estimate, of which councils, how it was split."""
    if population is None:
        return [*heading("3. The population: none"), "Not a place: nobody lives there, so nothing is divided."]
    lines = [*heading(f"3. The population: {_persons(figure.row['population'])}"), *_estimate(figure, population)]
    if population.vintage is None:
        return lines
    if figure.row["status"] == "not_resident":
        lines.append("Given for its own sake: it does not divide, see the status above.")
    table = _forces(figure, population) if figure.is_sum_of_forces else _councils(figure, population)
    return [*lines, "", *table, *_files(council.source_file for council in population.councils)]


def _estimate(figure: Figure, population: PopulationBreakdown) -> Lines:
    """Which estimate divides, and by which lookup its councils were found."""
    year, financial_year = population.year, figure.table.half_year.year
    lines = wrap(
        f"Mid-{year} (30 June {year}), the year before the financial year {financial_year} starts: "
        "the convention of the Office for National Statistics (ONS)."
    )
    if population.vintage is None:
        return [*lines, f"No mid-{year} estimate is held."]
    others = ", ".join(map(str, population.other_vintages))
    also = f" (also held: {others})." if others else "; no other is held."
    boundaries = population.boundaries or ""
    councils = f"those of April {boundaries}" if boundaries.isdigit() else "as the file has them"
    lookup = f"by the ONS lookup of {population.lookup_year}" if population.lookup_year else "as data/reference says"
    shared = " Where it splits a council between partnerships, by the nearest lookup that does not."
    return [
        *lines,
        *wrap(f"Vintage: published {population.vintage}, the newest that is held{also}"),
        *wrap(f"Boundaries of the councils: {councils}; of the sets in this vintage that which fits the most areas."),
        *wrap(
            f"Councils of the area: {lookup}, for the financial year {financial_year}." + (shared if population.is_split else "")
        ),
    ]


def _councils(figure: Figure, population: PopulationBreakdown) -> Lines:
    """The councils of the area with their persons, and how those that it shares are split."""
    councils = population.councils
    if not councils and not population.missing_councils:
        return ["Its councils are not known."]
    cells = [
        (
            council.code,
            council.name + (", in part" if council.is_shared else ""),
            _persons(council.persons_counted),
            _place(council.place),
        )
        for council in councils
    ]
    cells += [("", name, "no estimate", "") for name in population.missing_councils]
    persons = figure.row["population"]
    lines = indent(
        align_columns(
            ("code", "council", "persons", "in" if any(council.place for council in councils) else ""),
            [*cells, ("", "sum", _persons(persons), "")],
            (2,),
        )
    )
    for council in councils:
        if council.is_shared:
            lines += _shared_council(council, population.year)
    if persons is None:
        lines += wrap("A population is that of all councils of the area or none: a part would make the rate too high.")
    elif persons != population.persons_counted:
        lines += wrap("CAUTION: these councils do not add up to the population that divides.")
    return lines


def _shared_council(council: Council, year: int) -> Lines:
    """How a shared council's persons of a mid-year were split."""
    persons = format_count(council.persons)
    if council.split is None:
        return wrap(f"{council.name} ({persons} persons) is shared with another area, and no estimate of its parts is held.")
    return [
        "",
        *wrap(
            f"{council.name} has {persons} persons and lies only partly in the area. "
            f"It is split as its parts stood in mid-{council.split.year}, {_nearness(council.split.year, year)} "
            f"(published {council.split.vintage})"
            + (
                f"; those that were printed for mid-{year} have that size, and the others share the rest:"
                if council.split.has_printed_parts
                else ":"
            )
        ),
        *_split(persons, council.split),
        *_files(part.source_file for part in council.split.parts),
    ]


def _nearness(part_year: int, year: int) -> str:
    return "the same year" if part_year == year else f"the nearest year to mid-{year} with estimates of their own"


def _split(persons: str, split: CouncilSplit) -> Lines:
    """The parts of a council, and the arithmetic of its split."""
    cells = [
        (
            part.code,
            part.name,
            format_count(part.persons),
            ", ".join(["in the area"] * part.is_inside + ["as printed"] * part.is_printed),
        )
        for part in split.parts
    ]
    inside, whole = format_count(split.persons_inside), format_count(split.persons_in_parts)
    return [
        *indent(align_columns(("code", "part", "persons", ""), [*cells, ("", "sum", whole, "")], (2,))),
        f"  {persons} × {inside} ÷ {whole} = {format_count(split.persons_counted)}",
    ]


def _forces(figure: Figure, population: PopulationBreakdown) -> Lines:
    """The forces of a region or country with their persons."""
    cells = [(force.name, _persons(force.persons) if force.is_place else "not a place") for force in population.forces]
    persons = figure.row["population"]
    lines = [
        "The councils of its forces make it up; `explain` a force with --level pfa to see them.",
        *indent(align_columns(("force", "persons"), [*cells, ("sum", _persons(persons))], (1,))),
    ]
    if persons is not None and persons != population.persons_in_forces:
        lines += wrap("The forces differ from the sum by what rounding takes where a council is split between two.")
    return lines


def _persons(persons: int | None) -> str:
    return "not known" if persons is None else format_count(persons)


def _place(place: FilePlace | None) -> str:
    if place is None:
        return ""
    return f"row {place.row}" if place.sheet is None else f"sheet {place.sheet}, row {place.row}"


def _files(files: Iterable[str]) -> Lines:
    return [f"Persons from {file}" for file in sorted(set(files))]
