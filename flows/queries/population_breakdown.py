"""Whose persons make up the population of a figure: councils, the parts of those that it shares, forces, and their files.

An apportionment is read from crime_rates_core.council_parts, by which the models made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from flows.common.atomic_files import read_json
from flows.queries.connection import fetch_records, fetch_rows
from flows.queries.figure import Figure


@dataclass(frozen=True)
class CouncilPart:
    """A part of a council that had estimates of its own."""

    code: str
    name: str
    persons: int
    is_inside: bool  # whether it lies in the area
    is_printed: bool  # its size is what the ONS printed for it as a partnership
    source_file: str


@dataclass(frozen=True)
class CouncilSplit:
    """How the persons of a council are split between the areas that share it: by its parts in a year and vintage."""

    year: int
    vintage: date
    persons_inside: int  # of the parts in the area
    persons_in_parts: int  # of all parts
    persons_counted: int  # of the council, in the area
    has_printed_parts: bool  # beside parts of that year: some have the size that the ONS printed for the year of the council
    parts: list[CouncilPart]


@dataclass(frozen=True)
class FilePlace:
    """The row of a published file that holds a council's persons; a CSV file has no sheet."""

    sheet: str | None
    row: int


@dataclass(frozen=True)
class Council:
    """A council that lies in the area, wholly or in part."""

    code: str
    name: str
    persons: int
    source_file: str
    is_shared: bool  # lies only partly in the area
    split: CouncilSplit | None  # None of a whole one, and of a shared one whose parts nobody published
    place: FilePlace | None  # as far as the lake tells

    @property
    def persons_counted(self) -> int | None:
        """Its persons in the area; None where they are not known."""
        if not self.is_shared:
            return self.persons
        return self.split.persons_counted if self.split else None


@dataclass(frozen=True)
class ForcePopulation:
    """A police force of a region or country, and its residents; the British Transport Police is no place and has none."""

    name: str
    is_place: bool
    persons: int | None


@dataclass(frozen=True)
class PopulationBreakdown:
    """What a population is made of, on the set of boundaries that divides."""

    year: int  # of the mid-year estimate
    vintage: date | None  # None where no estimate of that year is held
    other_vintages: list[date]
    lookup_year: int | None  # None where no lookup tells the councils
    boundaries: str | None  # the April whose councils the estimate was made for, or `as published`
    councils: list[Council]
    missing_councils: list[str]  # names of those without an estimate in that set
    forces: list[ForcePopulation]  # of a region or country

    @property
    def is_split(self) -> bool:
        """Whether any council is split by its parts."""
        return any(council.split for council in self.councils)

    @property
    def persons_counted(self) -> int:
        """What the councils add up to, as far as it is known."""
        return sum(council.persons_counted or 0 for council in self.councils)

    @property
    def persons_in_forces(self) -> int:
        """What the forces add up to, as far as it is known."""
        return sum(force.persons or 0 for force in self.forces if force.is_place)


# the units of an area: the smallest pieces of ground by which councils of different years are compared
_UNITS = "units as (select unit from crime_rates_core.area_units where area_key = ? and lookup_year = ?)"


def fetch_population(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path) -> PopulationBreakdown | None:
    """What the population of a figure is made of; None of an unassigned group, where nobody lives."""
    if figure.row["status"] == "unassigned":
        return None
    year, vintage = figure.row["population_year"], figure.row["population_vintage"]
    lookup = fetch_rows(con, "select lookup_year from crime_rates_core.year_lookups where start_year = ?", [figure.start_year])
    lookup_year = lookup[0]["lookup_year"] if lookup else None
    bases = fetch_rows(con, "select vintage, boundaries from crime_rates_core.population_bases where year = ? order by 1", [year])
    boundaries = next((base["boundaries"] for base in bases if base["vintage"] == vintage), None)
    return PopulationBreakdown(
        year,
        vintage,
        [base["vintage"] for base in bases if base["vintage"] != vintage],
        lookup_year,
        boundaries,
        _councils(con, figure, lake, lookup_year, boundaries),
        _missing_councils(con, figure, lookup_year, boundaries),
        _forces(con, figure, lookup_year) if figure.is_sum_of_forces else [],
    )


def _councils(
    con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path, lookup_year: int | None, boundaries: str | None
) -> list[Council]:
    rows = fetch_rows(
        con,
        f"with {_UNITS}, touching as (select p.council_code as code, p.council_name as name, p.persons, p.source_file, "
        "count(i.unit) as units_inside, count(*) as units from crime_rates_core.council_populations as p "
        "join crime_rates_core.council_units as u using (council_code) left join units as i using (unit) "
        "where p.year = ? and p.vintage = ? and p.boundaries = ? group by all) "
        "select code, name, persons, source_file, units_inside < units as is_shared "
        "from touching where units_inside > 0 order by name, code",
        [figure.area_key, lookup_year, figure.row["population_year"], figure.row["population_vintage"], boundaries],
    )
    splits = _splits(con, figure, lookup_year)
    places = _places(con, figure, lake, {row["code"]: row["source_file"] for row in rows})
    return [Council(**row, split=splits.get(row["code"]), place=places.get(row["code"])) for row in rows]


def _splits(con: duckdb.DuckDBPyConnection, figure: Figure, lookup_year: int | None) -> dict[str, CouncilSplit]:
    """Code of a council that the area shares → how it is split, where its parts were published."""
    rows = fetch_rows(
        con,
        "select p.* from crime_rates_core.council_parts as p join crime_rates_core.population_bases as b using (set_key) "
        "where p.area_key = ? and p.lookup_year = ? and b.year = ? and b.vintage = ? and p.known_to = date '9999-12-31' "
        "order by p.council_code, p.part_name, p.part_code",
        [figure.area_key, lookup_year, figure.row["population_year"], figure.row["population_vintage"]],
    )
    splits: dict[str, CouncilSplit] = {}
    for row in rows:
        split = splits.setdefault(
            row["council_code"],
            CouncilSplit(
                row["part_year"],
                row["part_vintage"],
                row["persons_inside"],
                row["persons_in_parts"],
                row["persons_counted"],
                row["printed_names"] is not None,
                [],
            ),
        )
        split.parts.append(
            CouncilPart(
                row["part_code"],
                row["part_name"],
                row["part_persons"],
                row["is_inside"],
                row["is_printed"],
                row["part_source_file"],
            )
        )
    return splits


def _missing_councils(
    con: duckdb.DuckDBPyConnection, figure: Figure, lookup_year: int | None, boundaries: str | None
) -> list[str]:
    rows = fetch_rows(
        con,
        f"with {_UNITS} select coalesce(min(n.council_name), unit) as name "
        "from units left join crime_rates_core.council_populations as n "
        "on n.council_code = unit where unit not in (select u.unit from crime_rates_core.council_units as u "
        "join crime_rates_core.council_populations as p using (council_code) "
        "where p.year = ? and p.vintage = ? and p.boundaries = ?) group by unit order by 1",
        [figure.area_key, lookup_year, figure.row["population_year"], figure.row["population_vintage"], boundaries],
    )
    return [row["name"] for row in rows]


def _places(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path, files: dict[str, str]) -> dict[str, FilePlace]:
    """Code of a council → the row of its file that holds its persons; none where the lake lacks it, or two rows do."""
    tables = []
    for record in sorted((lake / "populations").glob("[!.]*/record.json")):
        source = read_json(record)
        if source["file_name"] in files.values() and source["vintage"] == str(figure.row["population_vintage"]):
            tables.append(str(record.with_name("table.parquet")))
    if not tables:
        return {}
    rows = fetch_rows(
        con,
        'select area_code, min(sheet) as sheet, min("row") as row from read_parquet(?, hive_partitioning = false) '
        "where area_code in (select unnest(?)) and area_kind = 'council' and year = ? "
        'group by all having count(distinct (sheet, "row")) = 1',
        [tables, list(files), figure.row["population_year"]],
    )
    return {
        row["area_code"]: FilePlace(None if files[row["area_code"]].lower().endswith(".csv") else row["sheet"], row["row"])
        for row in rows
    }


def _forces(con: duckdb.DuckDBPyConnection, figure: Figure, lookup_year: int | None) -> list[ForcePopulation]:
    return fetch_records(
        con,
        ForcePopulation,
        "select a.area_name as name, a.kind is distinct from 'unassigned' as is_place, p.persons "
        "from crime_rates_core.area_members as m "
        "join crime_rates_core.areas as a on a.area_key = m.member_key "
        "left join crime_rates_core.area_populations as p on p.area_key = a.area_key and p.lookup_year = ? and p.year = ? "
        "and p.vintage = ? and p.known_to = date '9999-12-31' where m.basis = 'published' and m.area_key = ? order by 1",
        [lookup_year, figure.row["population_year"], figure.row["population_vintage"], figure.area_key],
    )
