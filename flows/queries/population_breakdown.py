"""Whose persons make up the population of one figure of `ranked_rates`: councils, the parts of shared ones, their files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.queries.connection import fetch_rows
from flows.queries.derivation import Figure, Rows

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
    lookup = fetch_rows(con, "select lookup_year from crime_rates_core.year_lookups where start_year = ?", [figure.start_year])
    lookup_year = lookup[0]["lookup_year"] if lookup else None
    bases = fetch_rows(con, "select vintage, boundaries from crime_rates_core.population_bases where year = ? order by 1", [year])
    boundaries = next((base["boundaries"] for base in bases if base["vintage"] == vintage), None)
    fetch_rows(
        con,
        "create or replace temp table units as select unit from crime_rates_core.area_units "
        "where area_key = ? and lookup_year = ?",
        [figure.area_key, lookup_year],
    )
    councils = fetch_rows(
        con,
        "with touching as (select p.council_code, p.council_name, p.persons, p.source_file, count(*) as units, "
        "count(i.unit) as inside from crime_rates_core.council_populations as p "
        "join crime_rates_core.council_units as u using (council_code) left join units as i using (unit) "
        "where p.year = ? and p.vintage = ? and p.boundaries = ? group by all) "
        "select * exclude (units, inside), inside < units as is_shared, if(inside < units, null, persons) as counted "
        "from touching where inside > 0 order by council_name",
        [year, vintage, boundaries],
    )
    lacking = fetch_rows(
        con,
        "select coalesce(min(n.council_name), unit) as name from units left join crime_rates_core.council_populations as n "
        "on n.council_code = unit where unit not in (select u.unit from crime_rates_core.council_units as u "
        "join crime_rates_core.council_populations as p using (council_code) "
        "where p.year = ? and p.vintage = ? and p.boundaries = ?) group by unit order by 1",
        [year, vintage, boundaries],
    )
    parts = {}
    if split := _SPLIT.findall(figure.row["status_note"] or ""):
        # shared councils stand in the note in the order of their codes
        shared = sorted((c for c in councils if c["is_shared"]), key=lambda c: str(c["council_code"]))
        for council, (part_year, part_vintage) in zip(shared, split, strict=False):
            parts[council["council_code"]] = found = _parts(con, council, int(part_year), part_vintage)
            council["counted"] = found[0]["counted"] if found else None
    return Population(
        lookup_year,
        boundaries,
        [base["vintage"] for base in bases],
        councils,
        parts,
        [row["name"] for row in lacking],
        _places(con, lake, councils, year, vintage),
    )


def _parts(con: duckdb.DuckDBPyConnection, council: dict[str, Any], year: int, vintage: str) -> Rows:
    """The parts of a shared council: persons, whether in the area; sums inside and of all; the council's persons in the area."""
    return fetch_rows(
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
        [council["council_code"], year, vintage, council["persons"]],
    )


def _places(con: duckdb.DuckDBPyConnection, lake: Path, councils: Rows, year: int, vintage: Any) -> dict[str, str]:
    wanted, files = {c["source_file"] for c in councils}, []
    for record in sorted((lake / "populations").glob("[!.]*/record.json")):
        source = json.loads(record.read_text(encoding="utf-8"))
        if source["file_name"] in wanted and source["vintage"] == str(vintage):
            files.append(str(record.with_name("table.parquet")))
    if not files:
        return {}
    found = fetch_rows(
        con,
        'select area_code, min(sheet) as sheet, min("row") as row from read_parquet(?) '
        "where area_code in (select unnest(?)) and area_kind = 'council' and year = ? "
        'group by all having count(distinct (sheet, "row")) = 1',
        [files, [c["council_code"] for c in councils], year],
    )
    in_csv = {c["council_code"] for c in councils if c["source_file"].lower().endswith(".csv")}
    return {
        row["area_code"]: ("" if row["area_code"] in in_csv else f"sheet {row['sheet']}, ") + f"row {row['row']}" for row in found
    }


def force_populations(con: duckdb.DuckDBPyConnection, figure: Figure, lookup_year: int | None) -> Rows:
    """The forces of a region or country with the persons of each, and of how many councils it is made."""
    return fetch_rows(
        con,
        "select a.area_name as member, a.kind, p.persons, p.method from crime_rates_core.area_members as m "
        "join crime_rates_core.areas as a on a.area_key = m.member_key "
        "left join crime_rates_core.area_populations as p on p.area_key = a.area_key and p.lookup_year = ? and p.year = ? "
        "and p.vintage = ? where m.basis = 'published' and m.area_key = ? order by 1",
        [lookup_year, figure.row["population_year"], figure.row["population_vintage"], figure.area_key],
    )
