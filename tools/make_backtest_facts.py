"""Writes tests/backtests/facts: figures that the ONS printed, for the backtests. `make facts`, or

    python -m tools.make_backtest_facts PUBLISHED

PUBLISHED holds ``published/`` (ONS police force area tables of 2018 and 2019, Table C2 of the year ending June 2025, partnership
tables of the year ending December 2022) and ``ons/`` and ``ons-since-2021/`` (the estimates that those tables divide by). All are
Open Government Licence v3.0. tests/backtests/facts/README.md says what each file is.

The ONS rounds populations to hundreds and prints rates to many digits: offences ÷ rate gives the exact population, which
must be a whole number that rounds to what is printed.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]

from transforms.populations import PopulationReader

FACTS = Path(__file__).parents[1] / "tests" / "backtests" / "facts"
FORCE_TABLES = {  # file → (year ending, published, mid-year of its populations)
    "policeforceareatablesyearendingmarch2018v2.xlsx": ("2018-03", 2016),
    "policeforceareadatatablesyearendingjune2018corrected.xlsx": ("2018-06", 2017),
    "policeforceareatablesyearendingsep18corrected.xlsx": ("2018-09", 2017),
    "policeforceareatablesyearendingdecember2018.xlsx": ("2018-12", 2017),
    "policeforceareatablesyeendingmarch2019.xlsx": ("2019-03", 2017),
    "policeforceareatablesyearendingjune2019.xlsx": ("2019-06", 2018),
    "policeforceareatablesyearendingseptember2019.xlsx": ("2019-09", 2018),
    "pfatablesdec19.xlsx": ("2019-12", 2018),
}
TABLE_C2 = "policeforceareatablesyejune25final.csv"
PARTNERSHIPS = "ons_csp_recorded_crime_ye_dec2022.xlsx"
TOTAL = "Total recorded crime"
COUNCILS = (  # (our file, its source, years)
    ("councils_mid2016-2018.csv", "ons/MYEB3_summary_components_of_change_series_UK_(2020_geog20).csv", (2016, 2017, 2018)),
    ("councils_mid2021.csv", "ons-since-2021/ukpopestimatesmid2021on2021geographyfinal.xls", (2021,)),
)
FORCE = re.compile(r"E23\d{6}|W15\d{6}")  # codes of police force areas
AREA = re.compile(r"[EKW]\d{8}")
Row = Sequence[Any]


def main() -> None:
    published = Path(sys.argv[1])
    FACTS.mkdir(exist_ok=True)
    tables = {file: read_force_table(published / "published" / file) for file in FORCE_TABLES}
    write("force_counts.csv", ["area_code", "area_name", "year_ending", "offences", "source"], force_counts(published, tables))
    write("force_populations.csv", ["area_code", "area_name", "mid_year", "persons", "source"], force_populations(tables))
    write(
        "partnership_populations.csv",
        ["area_code", "area_name", "mid_year", "persons", "source"],
        partnership_populations(published / "published" / PARTNERSHIPS),
    )
    for name, source, years in COUNCILS:
        write(
            name,
            ["area_code", "area_name", *(f"population_{year}" for year in years)],
            council_populations(published / source, years),
        )


def force_counts(published: Path, tables: dict[str, dict[str, tuple[str, int, float | None]]]) -> Iterator[Row]:
    """Total recorded crime, excluding fraud, of each force."""
    for file, (year_ending, _) in FORCE_TABLES.items():
        yield from ((code, name, year_ending, n, file) for code, (name, n, _) in tables[file].items() if FORCE.fullmatch(code))
    with (published / "published" / TABLE_C2).open(encoding="utf-8-sig", newline="") as file_2025:
        header, *rows = csv.reader(file_2025)
        while not words(header[0]).startswith("Police Force Area code"):
            header, *rows = rows
    for row in rows:
        if FORCE.fullmatch(row[0]) and not row[3].strip():  # the force, not a partnership of it
            yield row[0], plain(row[1]), "2025-06", int(row[6].replace(",", "")), TABLE_C2


def force_populations(tables: dict[str, dict[str, tuple[str, int, float | None]]]) -> Iterator[Row]:
    """The populations that divide in the force tables, each mid-year from the first table that has it."""
    seen: set[tuple[str, int]] = set()
    for file, (_, mid_year) in FORCE_TABLES.items():
        for code, (name, _, persons) in tables[file].items():
            if persons is not None and (code, mid_year) not in seen:
                seen.add((code, mid_year))
                yield code, name, mid_year, persons, file


def read_force_table(path: Path) -> dict[str, tuple[str, int, float | None]]:
    """Code of a force, region or country → its name, offences (Table P1) and exact population (by the rate in Table P3)."""
    book = openpyxl.load_workbook(path, read_only=True)
    sheets = {sheet.title.strip(): list(sheet.iter_rows(values_only=True)) for sheet in book}
    header = next(row for row in sheets["Table P3"] if row[0] == "Area Code")
    rate = next(i for i, cell in enumerate(header) if str(cell).startswith(TOTAL))
    rates = {row[0]: (row[2], row[rate]) for row in sheets["Table P3"]}
    out: dict[str, tuple[str, int, float | None]] = {}
    for row in sheets["Table P1"]:
        code, name, offences = row[:3]
        if code and AREA.fullmatch(str(code)) and isinstance(offences, int):
            out[code] = (plain(name), offences, exact_population(offences, *rates[code]))
    return out


def partnership_populations(path: Path) -> Iterator[Row]:
    """Mid-2021 populations of the partnerships of the year ending December 2022, by Tables C3 and C5."""
    book = openpyxl.load_workbook(path, read_only=True)
    offences = {(row[2], row[3]): row[6] for row in book["Table C3"].iter_rows(values_only=True)}
    for row in book["Table C5"].iter_rows(values_only=True):
        if row[2] and re.fullmatch(r"[EW]\d{8}", str(row[2])):
            persons = exact_population(offences.get((row[2], row[3])), row[6], row[8])
            if persons is not None:
                yield row[2], plain(row[3]), 2021, persons, path.name


def exact_population(offences: object, rounded: object, rate: object) -> int | None:
    """Persons, from offences and the rate per 1,000; None where there is no rate. Raises ValueError where they disagree."""
    if not isinstance(offences, int) or not isinstance(rate, float) or not isinstance(rounded, int | float):
        return None
    persons = 1000 * offences / rate
    if abs(persons - round(persons)) > 0.01 or abs(round(persons) - rounded) > 50:
        raise ValueError(f"expected about {rounded} persons by {offences} offences and a rate of {rate}, found {persons}")
    return round(persons)


def council_populations(path: Path, years: Sequence[int]) -> Iterator[Row]:
    """Persons by council of England and Wales in each of the years."""
    persons: dict[tuple[str, str], dict[int, int]] = {}
    for row in PopulationReader(path, str(years[0])).read().to_pylist():
        if row["year"] in years and row["area_kind"] == "council":
            persons.setdefault((row["area_code"], row["area_name"]), {})[row["year"]] = row["persons"]
    for area, by_year in sorted(persons.items()):
        yield (*area, *(by_year[year] for year in years))


def plain(name: str) -> str:
    """A name without the marks of its footnotes: `North West10,11`, `Humberside [note 4]`."""
    return re.sub(r"(\s*\[note \d+\])+$|[\s\d,]+$", "", words(name)).strip()


def words(text: str) -> str:
    return " ".join(text.split())


def write(name: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with (FACTS / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    print(f"{name}: {(FACTS / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
