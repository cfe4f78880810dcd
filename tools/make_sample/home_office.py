"""What the sample takes from the Home Office: a selection of the real force table, and the partnerships of each force."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from tests.support import releases
from tools.make_sample.files import ROOT, rows_of
from tools.make_sample.population_files import FIRST_2014, councils_of_partnerships, populations

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
    """A partnership, a piece of one, or a catch-all such as `Unassigned Kent`, by its published name."""

    name: str
    whole: str  # the partnership that it is, or is a piece of: its ONS code, or its name where it has none
    share_of_whole: float  # of residents, mid-2014
    residents: int | None  # mid-2014 as first published; None of a catch-all


def force_counts(published: Path) -> list[Count]:
    """The selected rows of the real force table, in its order."""
    table = pq.read_table(published / "home-office/prc-pfa_release-2026-04-23.parquet")
    counts = [Count(*row) for row in zip(*(table[name].to_pylist() for name in releases.PFA), strict=True)]
    return [c for c in counts if c.year in YEARS and (c.subgroup in SUBGROUPS or c.code in SINGLE_CODES + FRAUD_CODES)]


def partnerships(published: Path, year: str) -> dict[str, list[Partnership]]:
    """The partnerships of each force, by the names that the table of a year gives them."""
    persons = {row["area_code"]: row["persons"] for row in populations(published, FIRST_2014, (2014,))}
    councils = councils_of_partnerships(published)
    areas = {row["published_name"]: row for row in rows_of(ROOT / "data/reference/areas.csv") if row["level"] == "csp"}
    pieces = {
        row["councils"]: name for name, row in sorted(areas.items(), key=lambda item: "_" in item[0]) if row["councils"]
    }  # a name with _ before one without
    out: dict[str, list[Partnership]] = defaultdict(list)
    for name in (published / "home-office/csp_names_2025-26.txt").read_text(encoding="utf-8").split("\n"):
        if not name:
            continue
        force = areas[name]["force_name"].replace("Devon & Cornwall", "Devon and Cornwall")
        code = areas[name]["area_code"]
        own = sorted(councils[code])
        residents = sum(persons[council] for council in own)
        if year == OLD_YEAR and name in IN_PIECES:
            out[force] += [Partnership(pieces[c], code, persons[c] / residents, persons[c]) for c in own]
        else:
            out[force].append(Partnership(name, code or name, 1.0, residents or None))
    return {force: sorted(those, key=lambda p: p.name) for force, those in out.items()}
