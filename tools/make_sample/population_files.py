"""The populations and lookups of the sample: which published files they come from, and their columns here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.make_sample.files import write_csv, write_manifest
from transforms.areas import read_lookup
from transforms.populations import PopulationReader

LICENCE = "Open Government Licence v3.0"
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


def populations(published: Path, source: str, years: Sequence[int]) -> list[dict[str, Any]]:
    """Persons by council of England and Wales, and the total where the source prints it, in some years."""
    rows = PopulationReader(published / "ons" / source, str(years[0])).read().to_pylist()
    return [row for row in rows if row["year"] in years]


def councils_of_partnerships(published: Path) -> dict[str, set[str]]:
    """Code of a partnership → codes of its councils, in 2017."""
    councils: dict[str, set[str]] = defaultdict(set)
    for row in read_lookup(published / "ons" / LOOKUPS[0][1]).to_pylist():
        councils[row["csp_code"]].add(row["council_code"])
    return councils


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
