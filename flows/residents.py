"""Whose persons make up the population of one figure of `ranked_rates`: councils, the parts of shared ones, their files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.derivation import Figure, Rows
from flows.printing import aligned, number
from flows.reading import rows_of
from flows.wording import Lines, section, wrapped

_SPLIT = re.compile(r"mid-(\d{4}) \([\d.]+% of [\d,]+; parts published (\d{4}-\d\d-\d\d)\)")


@dataclass(frozen=True)
class Population:
    """The councils of an area in the estimates that divide, and those of them of which it has only a part."""

    lookup_year: int | None
    boundaries: str | None
    vintages: list[Any]  # all that are held of this mid-year
    councils: Rows  # council_code, council_name, persons, source_file, is_shared, counted (its persons in the area, or None)
    parts: dict[str, Rows]  # shared council → its parts when they last had estimates of their own
    lacking: list[str]  # councils without an estimate in that set
    places: dict[str, str]  # council → sheet and row, as far as the lake tells


def population(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path) -> Population:
    """What the population of a figure is made of, on the set of boundaries that divides."""
    year, vintage = figure.row["population_year"], figure.row["population_vintage"]
    lookup = rows_of(con, "select lookup_year from crime_rates_core.year_lookups where start_year = ?", [figure.start_year])
    lookup_year = lookup[0]["lookup_year"] if lookup else None
    bases = rows_of(con, "select vintage, boundaries from crime_rates_core.population_bases where year = ? order by 1", [year])
    boundaries = next((base["boundaries"] for base in bases if base["vintage"] == vintage), None)
    rows_of(con, "create or replace temp table units as select unit from crime_rates_core.area_units "
            "where area_key = ? and lookup_year = ?", [figure.area_key, lookup_year])
    councils = rows_of(
        con,
        "with touching as (select p.council_code, p.council_name, p.persons, p.source_file, count(*) as units, "
        "count(i.unit) as inside from crime_rates_core.council_populations as p "
        "join crime_rates_core.council_units as u using (council_code) left join units as i using (unit) "
        "where p.year = ? and p.vintage = ? and p.boundaries = ? group by all) "
        "select * exclude (units, inside), inside < units as is_shared, if(inside < units, null, persons) as counted "
        "from touching where inside > 0 order by council_name",
        [year, vintage, boundaries])
    lacking = rows_of(
        con,
        "select coalesce(min(n.council_name), unit) as name from units left join crime_rates_core.council_populations as n "
        "on n.council_code = unit where unit not in (select u.unit from crime_rates_core.council_units as u "
        "join crime_rates_core.council_populations as p using (council_code) "
        "where p.year = ? and p.vintage = ? and p.boundaries = ?) group by unit order by 1", [year, vintage, boundaries])
    parts = {}
    if split := _SPLIT.findall(figure.row["status_note"] or ""):
        # shared councils stand in the note in the order of their codes
        shared = sorted((c for c in councils if c["is_shared"]), key=lambda c: str(c["council_code"]))
        for council, (part_year, part_vintage) in zip(shared, split, strict=False):
            parts[council["council_code"]] = found = _parts(con, council, int(part_year), part_vintage)
            council["counted"] = found[0]["counted"] if found else None
    return Population(lookup_year, boundaries, [base["vintage"] for base in bases], councils, parts,
                      [row["name"] for row in lacking], _places(con, lake, councils, year, vintage))


def _parts(con: duckdb.DuckDBPyConnection, council: dict[str, Any], year: int, vintage: str) -> Rows:
    """The parts of a shared council: persons, whether in the area; sums inside and of all; the council's persons in the area."""
    return rows_of(
        con,
        "with ground as (select unit from crime_rates_core.council_units where council_code = ?), "
        "parts as (select p.boundaries, p.year, p.vintage, p.council_code, p.council_name, p.persons, p.source_file, "
        "count(*) as units, count(i.unit) > 0 as is_inside "
        "from crime_rates_core.council_populations as p join crime_rates_core.council_units as u using (council_code) "
        "join ground using (unit) left join units as i using (unit) "
        "where p.year = ? and p.vintage = cast(? as date) group by all), "
        "whole as (select boundaries from parts group by all having sum(units) = (select count(*) from ground) "
        "order by 1 limit 1), "
        "sums as (select sum(persons) filter (where is_inside)::bigint as inside, sum(persons)::bigint as all_parts "
        "from parts join whole using (boundaries)) "
        "select p.*, s.*, round(? * (s.inside / s.all_parts::double))::bigint as counted "
        "from parts as p join whole using (boundaries) cross join sums as s order by p.council_name",
        [council["council_code"], year, vintage, council["persons"]])


def _places(con: duckdb.DuckDBPyConnection, lake: Path, councils: Rows, year: int, vintage: Any) -> dict[str, str]:
    wanted, files = {c["source_file"] for c in councils}, []
    for record in sorted((lake / "populations").glob("[!.]*/record.json")):
        source = json.loads(record.read_text(encoding="utf-8"))
        if source["file_name"] in wanted and source["vintage"] == str(vintage):
            files.append(str(record.with_name("table.parquet")))
    if not files:
        return {}
    found = rows_of(
        con,
        'select area_code, min(sheet) as sheet, min("row") as row from read_parquet(?) '
        "where area_code in (select unnest(?)) and area_kind = 'council' and year = ? "
        'group by all having count(distinct (sheet, "row")) = 1', [files, [c["council_code"] for c in councils], year])
    in_csv = {c["council_code"] for c in councils if c["source_file"].lower().endswith(".csv")}
    return {row["area_code"]: ("" if row["area_code"] in in_csv else f"sheet {row['sheet']}, ") + f"row {row['row']}"
            for row in found}


def force_populations(con: duckdb.DuckDBPyConnection, figure: Figure, lookup_year: int | None) -> Rows:
    """The forces of a region or country with the persons of each, and of how many councils it is made."""
    return rows_of(
        con,
        "select a.area_name as member, a.kind, p.persons, p.method from crime_rates_core.area_members as m "
        "join crime_rates_core.areas as a on a.area_key = m.member_key "
        "left join crime_rates_core.area_populations as p on p.area_key = a.area_key and p.lookup_year = ? and p.year = ? "
        "and p.vintage = ? where m.basis = 'published' and m.area_key = ? order by 1",
        [lookup_year, figure.row["population_year"], figure.row["population_vintage"], figure.area_key])


# ---------------------------------------------------------------- how it is told
def told(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path) -> Lines:
    """The population of a figure in words: which estimate, of which councils, how it was split."""
    row = figure.row
    year, vintage = row["population_year"], row["population_vintage"]
    if row["status"] == "unassigned":
        return [*section("3. The population: none"), "Not a place: nobody lives there, so nothing is divided."]
    found = population(con, figure, lake)
    title = "not known" if row["population"] is None else number(row["population"])
    lines = section(f"3. The population: {title}")
    lines += wrapped(f"Mid-{year} (30 June {year}), the year before the financial year {figure.answer.half_year.year} starts: "
                      "the convention of the Office for National Statistics (ONS).")
    if vintage is None:
        return [*lines, f"No mid-{year} estimate is held."]
    others = [str(v) for v in found.vintages if v != vintage]
    lines += wrapped(f"Vintage: published {vintage}, the newest that is held"
                      + (f" (also held: {', '.join(others)})." if others else "; no other is held."))
    on = f"those of April {found.boundaries}" if (found.boundaries or "").isdigit() else "as the file has them"
    lines += wrapped(f"Boundaries of the councils: {on}; of the sets in this vintage that which fits the most areas.")
    lookup = f"by the ONS lookup of {found.lookup_year}" if found.lookup_year else "as data/reference says"
    lines += wrapped(f"Councils of the area: {lookup}, for the financial year {figure.answer.half_year.year}."
                      + (" Where it splits a council between partnerships, by the nearest lookup that does not."
                         if found.parts else ""))
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
        persons = number(c["counted"]) if c["counted"] is not None else "not known"
        cells.append((c["council_code"], c["council_name"] + (", in part" if c["is_shared"] else ""), persons,
                      found.places.get(c["council_code"], "")))
    cells += [("", name, "no estimate", "") for name in found.lacking]
    known = figure.row["population"]
    table = aligned(("code", "council", "persons", "in" if found.places else ""),
                    [*cells, ("", "sum", number(known) if known is not None else "not known", "")], (2,))
    lines = [f"  {line}" for line in table]
    for c in found.councils:
        lines += _split(c, found.parts.get(c["council_code"], []))
    if known is None:
        lines += wrapped("A population is that of all councils of the area or none: a part would make the rate too high.")
    elif known != sum(c["counted"] or 0 for c in found.councils):
        lines += wrapped("CAUTION: these councils do not add up to the population that divides.")
    return lines


def _split(council: dict[str, Any], parts: Rows) -> Lines:
    """How a shared council's persons were split, with the arithmetic."""
    if not council["is_shared"]:
        return []
    if not parts:
        return wrapped(f"{council['council_name']} ({number(council['persons'])} persons) is shared with another area, "
                        "and no estimate of its parts is held.")
    first = parts[0]
    lines = ["", *wrapped(f"{council['council_name']} has {number(council['persons'])} persons and lies only partly in the area. "
                           f"It is split as its parts stood in mid-{first['year']}, the last with estimates of their own "
                           f"(published {first['vintage']}):")]
    cells = [(p["council_code"], p["council_name"], number(p["persons"]), "in the area" if p["is_inside"] else "") for p in parts]
    lines += [f"  {line}" for line in aligned(("code", "part", "persons", ""),
                                              [*cells, ("", "sum", number(first["all_parts"]), "")], (2,))]
    return [*lines, f"  {number(council['persons'])} × {number(first['inside'])} ÷ {number(first['all_parts'])} "
                    f"= {number(first['counted'])}", *_files(parts)]


def _forces(con: duckdb.DuckDBPyConnection, figure: Figure, found: Population) -> Lines:
    rows = force_populations(con, figure, found.lookup_year)
    cells = [(r["member"], "not a place" if r["kind"] == "unassigned" else number(r["persons"]) or "not known") for r in rows]
    known = figure.row["population"]
    table = aligned(("force", "persons"), [*cells, ("sum", number(known) if known is not None else "not known")], (1,))
    lines = ["The councils of its forces make it up; `explain` a force with --level pfa to see them.",
             *(f"  {line}" for line in table)]
    if known is not None and known != sum(r["persons"] or 0 for r in rows if r["kind"] != "unassigned"):
        lines += wrapped("The forces differ from the sum by what rounding takes where a council is split between two.")
    return lines


def _files(rows: Rows) -> Lines:
    return [f"Persons from {file}" for file in sorted({row["source_file"] for row in rows})]
