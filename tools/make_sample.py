"""Writes data/sample: small releases, populations and lookups, to run on without a network. `make sample`, or

    python -m tools.make_sample PUBLISHED

PUBLISHED holds ``home-office/prc-pfa_release-2026-04-23.parquet`` (the force table of 23 April 2026),
``home-office/csp_names_2025-26.txt`` (partnership names) and, under ``ons/``, the mid-year estimates and lookups that
``POPULATION_SOURCES`` and ``LOOKUPS`` name. All are Open Government Licence v3.0. The force table is real, and so are
the populations and lookups; the partnership tables are a SIMULATED split of the force table, because none could be
had. data/sample/README.md says more. Running it twice gives the same bytes.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.support import releases
from transforms.areas import read_lookup
from transforms.populations import PopulationReader

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"

LICENCE = "Open Government Licence v3.0"
PUBLISHED_ON = date(2026, 4, 23)
OLD_YEAR, NEW_YEAR = YEARS = ("2014/15", "2015/16")
SUBGROUPS = (
    "Homicide",
    "Stalking and harassment",
    "Robbery of business property",
    "Robbery of personal property",
    "Bicycle theft",
    "Shoplifting",
    "Vehicle offences",
    "Non-domestic burglary",
    "Arson",
)
SINGLE_CODES = ("10D",)  # possession of an article with blade or point
FRAUD_CODES = ("AF", "CIFAS", "FFA UK")  # recorded by bodies that are in the force table only
NOT_AT_CSP_LEVEL = ("Action Fraud", "Cifas", "Financial Fraud Action UK", "British Transport Police")
SELECTION = "A selection of offences: groups and totals are not those of all recorded crime."
SIMULATED = (
    "SIMULATED: real force totals, split over real partnership names by chance. Not Home Office figures. Only stalking "
    "(8Q) in South Worcester and North Worcestershire, April to September 2015, is as published (36 and 30 in all)."
)
# What was published: stalking of April to September 2015. How it falls into quarters was not.
AS_PUBLISHED = dict.fromkeys(
    [(NEW_YEAR, 1, "West Mercia", "8Q"), (NEW_YEAR, 2, "West Mercia", "8Q")],
    {"South Worcester": 36 // 2, "North Worcestershire": 30 // 2},
)
# Partnerships that the tables to 2014/15 give in pieces, one a council
IN_PIECES = (
    "South Worcester",
    "North Worcestershire",
    "Somerset",
    "Northern Devon",
    "South Devon and Dartmoor",
    "Cwm Taf",
    "North Hampshire",
    "Dartford and Gravesham",
    "South Nottinghamshire",
    "South Warwickshire",
    "East and Mid Devon",
)
CATCH_ALL = 400  # the weight, in residents, of what is no place: `Unassigned Kent`, the airport

MYEB = "MYEB3_summary_components_of_change_series_UK_(2020_geog20).csv"
MYE2 = "MYE2_population_by_sex_and_age_for_local_authorities_UK_mid2015.xls"
FIRST_2014 = "mid2014_original_by_lad.csv"
POPULATION_SOURCES = (  # (our file, its source, years, published, what it is)
    ("mid2014_first_vintage.csv", FIRST_2014, (2014,), "2015-06-25", "ONS mid-2014 estimates, as first published"),
    ("mid2015_first_vintage.csv", MYE2, (2015,), "2016-06-23", "ONS mid-2015 estimates, as first published"),
    (
        "mid2013-2014_revised.csv",
        MYEB,
        (2013, 2014),
        "2021-06-25",
        "ONS mid-year estimates, series revised in 2021, councils of April 2020",
    ),
)
LOOKUPS = (  # (our file, its source, two digits of the year)
    ("lad17_csp17_pfa17.csv", "LAD17_CSP17_PFA17_EW_LU_v2.csv", "17"),
    ("lad24_csp24_pfa24.csv", "LAD24_CSP24_PFA24_EW_LU.csv", "24"),
)


@dataclass(frozen=True)
class Count:
    """A row of the force table."""

    year: str
    quarter: int
    force: str
    description: str
    group: str
    subgroup: str
    code: str
    offences: int


@dataclass(frozen=True)
class Partnership:
    """A partnership, a piece of one, or a catch-all: its published name, and about how many live there."""

    name: str
    residents: int


# ---------------------------------------------------------------- releases
def force_counts(published: Path) -> list[Count]:
    """The selected rows of the real force table, in its order."""
    table = pq.read_table(published / "home-office/prc-pfa_release-2026-04-23.parquet")
    counts = [Count(*row) for row in zip(*(table[name].to_pylist() for name in releases.PFA), strict=True)]
    return [c for c in counts if c.year in YEARS and (c.subgroup in SUBGROUPS or c.code in SINGLE_CODES + FRAUD_CODES)]


def partnerships(published: Path, year: str) -> dict[str, list[Partnership]]:
    """The partnerships of each force, by the names that the table of a year gives them."""
    residents = {row["area_code"]: row["persons"] for row in populations(published, FIRST_2014, (2014,))}
    councils: dict[str, set[str]] = defaultdict(set)
    for row in read_lookup(published / "ons" / LOOKUPS[0][1]).to_pylist():
        councils[row["csp_code"]].add(row["council_code"])
    areas = {row["published_name"]: row for row in rows_of(ROOT / "data/reference/areas.csv") if row["level"] == "csp"}
    pieces = {
        row["councils"]: name for name, row in sorted(areas.items(), key=lambda item: "_" in item[0]) if row["councils"]
    }  # a name with _ before one without
    out: dict[str, list[Partnership]] = defaultdict(list)
    for name in (published / "home-office/csp_names_2025-26.txt").read_text(encoding="utf-8").split("\n"):
        if not name:
            continue
        force = areas[name]["force_name"].replace("Devon & Cornwall", "Devon and Cornwall")
        own = councils[areas[name]["area_code"]]
        if year == OLD_YEAR and name in IN_PIECES:
            out[force] += [Partnership(pieces[council], residents[council]) for council in sorted(own)]
        else:
            out[force].append(Partnership(name, sum(residents[council] for council in own) or CATCH_ALL))
    return {force: sorted(those, key=lambda p: p.name) for force, those in out.items()}


def partnership_counts(counts: Iterable[Count], places: dict[str, list[Partnership]]) -> Iterator[list[releases.Cell]]:
    """Rows of the partnership table: each count of a force, split over its partnerships so that they add up to it."""
    for count in counts:
        if count.force not in NOT_AT_CSP_LEVEL:
            there = places[count.force]
            for place, offences in zip(there, split(count, there), strict=True):
                yield [
                    count.year,
                    count.quarter,
                    count.force,
                    place.name,
                    count.description,
                    count.group,
                    count.subgroup,
                    count.code,
                    offences,
                ]


def split(count: Count, places: Sequence[Partnership]) -> list[int]:
    """Deal a count out by chance, in proportion to residents and a place's leaning to the kind of offence.

    A correction, which is negative, is dealt out as one: no place gets offences that nobody counted.
    """
    cell = (count.year, count.quarter, count.force, count.code)
    fixed = AS_PUBLISHED.get(cell, {})
    weights = [0.0 if p.name in fixed else p.residents * leaning(p.name, count.subgroup) for p in places]
    left = count.offences - sum(fixed.values())
    # Mersenne twister on a text of its own: a change in one cell moves no other
    chance = random.Random("|".join(map(str, cell)))
    dealt = Counter(chance.choices(range(len(places)), weights, k=abs(left)))
    sign = 1 if left > 0 else -1
    return [fixed.get(place.name, sign * dealt[i]) for i, place in enumerate(places)]


def leaning(place: str, subgroup: str) -> float:
    """How much more, or less, of a kind of offence a place has than its residents make expect; the same every year."""
    return math.exp(random.Random(f"leaning|{place}|{subgroup}").gauss(0, 0.35))


def write_releases(published: Path) -> None:
    counts = {year: [c for c in force_counts(published) if c.year == year] for year in YEARS}
    body = {year: list(partnership_counts(counts[year], partnerships(published, year))) for year in YEARS}
    title = "Police recorded crime {} open data tables: a sample for crime-rates"
    csp_cover = releases.cover(PUBLISHED_ON, title.format("Community Safety Partnership"), SIMULATED)
    notes = releases.notes([], PUBLISHED_ON, ["Negative counts correct earlier quarters.", SELECTION])
    # (file, span, what the manifest notes, sheets)
    files: list[tuple[str, str, str, list[releases.Sheet]]] = [
        (
            "prc-pfa-mar2015-mar2016-sample-tables-230426.ods",
            "2014/15-2015/16",
            "Real figures of the Home Office.",
            [
                with_line(releases.cover(PUBLISHED_ON, title.format("Police Force Area")), SELECTION),
                notes,
                *[(year.replace("/", "_"), [releases.PFA, *map(force_row, counts[year])]) for year in YEARS],
            ],
        ),
        (
            "prc-csp-mar2015-sample-tables-230426.ods",
            OLD_YEAR,
            SIMULATED,
            [
                ("Notes and definitions", with_line(csp_cover, SELECTION)[1]),
                (OLD_YEAR.replace("/", "-"), [releases.CSP_2002, *body[OLD_YEAR]]),
            ],
        ),
        (
            "prc-csp-mar2016-sample-tables-230426.ods",
            NEW_YEAR,
            SIMULATED,
            [
                with_line(csp_cover, SELECTION),
                notes,
                (NEW_YEAR.replace("/", "_"), [releases.CSP_2015, *body[NEW_YEAR]]),
            ],
        ),
    ]
    for name, _, _, sheets in files:
        releases.write_ods(SAMPLE / "releases" / name, sheets)
    write_manifest(
        "releases", [(name, "offences", PUBLISHED_ON.isoformat(), span, f"{note} {SELECTION}") for name, span, note, _ in files]
    )


def force_row(count: Count) -> releases.Row:
    force = count.force.replace("Devon and Cornwall", "Devon & Cornwall")  # as the force table has it
    what = (count.description, count.group, count.subgroup, count.code)
    return [count.year, count.quarter, force, *what, count.offences]


def with_line(sheet: releases.Sheet, line: str) -> releases.Sheet:
    name, rows = sheet
    return name, [*rows, [line]]


# ---------------------------------------------------------------- populations and lookups
def populations(published: Path, source: str, years: Sequence[int]) -> list[dict[str, Any]]:
    """Persons by council of England and Wales, and the total where the source prints it, in some years."""
    rows = PopulationReader(published / "ons" / source, str(years[0])).read().to_pylist()
    return [row for row in rows if row["year"] in years]


def write_populations(published: Path) -> None:
    for file, source, years, day, what in POPULATION_SOURCES:
        persons: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for row in populations(published, source, years):
            persons[row["area_code"], row["area_name"]][row["year"]] = row["persons"]
        columns = ["population"] if len(years) == 1 else [f"population_{year}" for year in years]
        write_csv(
            "populations",
            file,
            ["area_code", "area_name", *columns, "source", "published", "licence"],
            [
                [*area, *(by_year[year] for year in years), f"{what} ({source})", day, LICENCE]
                for area, by_year in sorted(persons.items())
            ],
        )
    write_manifest(
        "populations",
        [(file, "population", day, "-".join(map(str, years)), what) for file, _, years, day, what in POPULATION_SOURCES],
    )


def write_lookups(published: Path) -> None:
    manifest = []
    for file, source, yy in LOOKUPS:
        columns = [f"{kind}{yy}_{part}" for kind in ("lad", "csp", "pfa") for part in ("code", "name")]
        table = read_lookup(published / "ons" / source).drop_columns(["lookup_year"])
        write_csv(
            "lookups",
            file,
            [*columns, "source", "licence"],
            [[*row.values(), f"ONS Open Geography Portal, {source}", LICENCE] for row in table.to_pylist()],
        )
        what = f"ONS lookup of local authorities to partnerships (CSP) and police force areas, 20{yy}"
        manifest.append((file, "lookup", f"20{yy}-12-31", f"20{yy}", what))
    write_manifest("lookups", manifest)


# ---------------------------------------------------------------- files
def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_manifest(folder: str, rows: Iterable[Sequence[str]]) -> None:
    write_csv(folder, "manifest.csv", ["file", "kind", "published", "covers", "note"], rows)


def write_csv(folder: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    with (SAMPLE / folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def main() -> None:
    published = Path(sys.argv[1])
    for folder, write in (("releases", write_releases), ("populations", write_populations), ("lookups", write_lookups)):
        (SAMPLE / folder).mkdir(exist_ok=True)
        write(published)
        for path in sorted((SAMPLE / folder).iterdir()):
            print(f"{folder}/{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
