"""ONS population files (MYE workbooks, MYEB series, plain CSV, Nomis CSV) → persons by council and year.

Councils are as the file gives them, on its own boundaries; what they add up to is decided in sql/. What a heading says is in
`population_headings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from transforms.errors import PublishedFileError, quoted
from transforms.notes import read_notes
from transforms.population_headings import names_a_part, plain_text
from transforms.population_tables import NotAllPersons, PersonsTable, find_table
from transforms.readers.workbooks import Sheet, read_workbook

POPULATIONS = pa.schema(
    (
        pa.field("area_code", pa.string(), nullable=False),
        pa.field("area_name", pa.string(), nullable=False),
        pa.field("area_kind", pa.string(), nullable=False),  # council, or total (England and Wales, as printed)
        pa.field("year", pa.int16(), nullable=False),  # mid-year: 30 June
        pa.field("persons", pa.int64(), nullable=False),
        pa.field("boundaries", pa.string()),  # the April whose councils these are, where the file says
        pa.field("sheet", pa.string(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
    )
)
COUNCIL = re.compile(r"(E0[6-9]|W06)\d{6}")
ENGLAND_AND_WALES = "K04000001"
# countries, regions, counties, and the councils of Scotland and Northern Ireland: known, and not ours
OTHER_CODES = re.compile(r"([KNS]\d{8}|E9\d{7}|W9\d{7}|E1[0-3]\d{6}|N09\d{6})")
_WHOLES = re.compile(
    r"total|all|england( and wales)?|wales|scotland|northern ireland|great britain|united kingdom|uk|gb", re.IGNORECASE
)
# a cell that says that there is no figure: blank, two dots, or a shorthand of the Government Statistical Service
_NO_FIGURE = re.compile(r"|\.{1,3}|:|-{1,2}|n/?a|\[?[cuxz]\d?\]?|no data|not available", re.IGNORECASE)
_FIGURE = re.compile(r"(\d{1,9}|\d{1,3}(,\d{3}){1,2}|\d{1,3}( \d{3}){1,2})(\.0+)?( ?[\[(]?[a-z]{1,2}\d?[\])]?)?", re.ASCII)
_FILE_YEAR = re.compile(r"mid[-_ ]?((?:19|20)[0-9]{2})|mye([0-9]{2})tables|estimates((?:19|20)[0-9]{2})(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class _Figure:
    code: str
    name: str
    kind: str
    year: int
    persons: int
    boundaries: str | None
    sheet: str
    row: int


@dataclass
class PopulationReader:
    """What is known of a file beside its bytes: the year that it covers, where its columns do not say.

    After `read()`, `published` is the day that a cover sheet gives, and `gaps` names each council and year whose cell is blank.
    """

    path: Path
    covers: str = ""
    published: date | None = None
    gaps: list[str] = field(default_factory=list)

    def read(self) -> pa.Table:
        """Persons in the `POPULATIONS` schema, sorted by year and code.

        Raises PublishedFileError when no sheet has all persons by council, a heading nearly fits, or a cell is not what its
        column says.
        """
        if part := names_a_part(self.path.stem):
            raise PublishedFileError(self.path.name, "all persons of all ages, as a count", f'"{part}" in the name of the file')
        tables = self._find_tables()
        # a workbook's summary holds all years; its table by age only the newest
        chosen = [table for table in tables if len(table.years) > 1] or tables
        figures = sorted((f for table in chosen for f in self._read_table(table)), key=lambda f: (f.year, f.code))
        if not figures:
            raise PublishedFileError(self.path.name, "persons of councils in England and Wales", "none")
        seen: dict[tuple[str, int], int] = {}
        for f in figures:
            if seen.setdefault((f.code, f.year), f.persons) != f.persons:
                raise PublishedFileError(
                    self.path.name,
                    f"one figure for {f.code} in mid-{f.year}",
                    f"{seen[f.code, f.year]:,} and {f.persons:,}",
                    f.sheet,
                    f.row,
                )
        columns = zip(*((f.code, f.name, f.kind, f.year, f.persons, f.boundaries, f.sheet, f.row) for f in figures), strict=True)
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, POPULATIONS, strict=True)], schema=POPULATIONS)

    def _find_tables(self) -> list[PersonsTable]:
        """The tables of all people; sheets that count part of them are set aside, if others do not."""
        tables: list[PersonsTable] = []
        set_aside: list[PublishedFileError] = []
        for sheet in read_workbook(self.path, lambda name: self.path.suffix.lower() == ".csv" or _may_hold_persons(name)):
            try:
                table = find_table(sheet)
            except NotAllPersons as error:
                set_aside.append(error)
                continue
            if table is not None:
                tables.append(table)
            else:
                self.published = self.published or read_notes(sheet).updated
        if not tables and set_aside:
            raise set_aside[0]
        if not tables:
            raise PublishedFileError(self.path.name, "a sheet with columns of codes, names and persons", "none")
        return tables

    def _read_table(self, table: PersonsTable) -> Iterator[_Figure]:
        sheet, boundaries = table.sheet, table.boundaries or _boundaries_in(self.path.name)
        with_figures: set[int] = set()
        without: dict[int, int] = {}  # year → a row that lacks its figure
        counted: set[tuple[str, int]] = set()
        narrowed: dict[tuple[str, int], tuple[int, str, str]] = {}
        for i, cells in enumerate(sheet.text_rows()[table.header + 1 :], start=table.header + 2):
            code = plain_text(cells[table.code] or "").upper()
            name = " ".join((cells[table.name] or "").split())
            if not re.fullmatch(r"[A-Z]\d{8}", code):
                holds_figures = any(_FIGURE.fullmatch(_clean(cells[place])) for place in table.years)
                if (code and name) or (name and holds_figures and not _WHOLES.fullmatch(name)):
                    found = quoted(cells[table.code])
                    raise PublishedFileError(sheet.file, "an area code such as E07000237", found, sheet.name, i)
                continue
            if code == ENGLAND_AND_WALES:
                kind = "total"
            elif COUNCIL.fullmatch(code):
                kind = "council"
            elif OTHER_CODES.fullmatch(code):
                continue
            else:
                raise PublishedFileError(sheet.file, "a council, county, region or country code", quoted(code), sheet.name, i)
            part = table.part_of_row(cells)
            for place, heading_year in table.years.items():
                year = heading_year or self._year(table, cells, i)
                if part:
                    narrowed.setdefault((code, year), (i, *part))
                    continue
                counted.add((code, year))
                persons = _persons(sheet, i, cells[place], kind)
                if persons is None:
                    self.gaps.append(f"{code} in mid-{year}")
                    without.setdefault(year, i)
                    continue
                with_figures.add(year)
                yield _Figure(code, name or code, kind, year, persons, boundaries, sheet.name, i)
        for key, (row, column, found) in narrowed.items():
            if key not in counted:  # beside a row of all people, one of part of them is no loss
                expected = "all persons of all ages, as a count"
                raise PublishedFileError(sheet.file, expected, found, sheet.name, row, column)
        for year, row in without.items():
            if year not in with_figures:
                raise PublishedFileError(sheet.file, f"persons in mid-{year}", "no figure of any council", sheet.name, row)

    def _year(self, table: PersonsTable, cells: Sequence[str | None], row: int) -> int:
        """The year of a row: from its own column, else from the manifest, the file name, or the title above."""
        sheet = table.sheet
        if table.year is not None:
            text = plain_text(cells[table.year] or "")
            if not (match := re.fullmatch(r"(?:mid[- ]?(?:year )?|(?:30 )?june )?((?:19|20)[0-9]{2})(\.0)?(-06-30.*)?", text)):
                raise PublishedFileError(sheet.file, "a year", quoted(cells[table.year]), sheet.name, row)
            return int(match[1])
        if re.fullmatch(r"(19|20)[0-9]{2}", self.covers):
            return int(self.covers)
        in_title = {int(year) for year in re.findall(r"mid[- ]?(?:year )?((?:19|20)[0-9]{2})", table.title)}
        if match := _FILE_YEAR.search(self.path.name):
            year = int(match[1] or match[3] or f"20{match[2]}")
            if in_title and year not in in_title:
                found = f"mid-{min(in_title)} in the title of the table"
                raise PublishedFileError(sheet.file, f"persons of mid-{year}, as the file is called", found, sheet.name)
            return year
        if len(in_title) == 1:
            return in_title.pop()
        expected = "a mid-year in a column, the title, the file name or manifest.csv"
        found = "none" if not in_title else " and ".join(f"mid-{year}" for year in sorted(in_title))
        raise PublishedFileError(sheet.file, expected, found, sheet.name)


def _may_hold_persons(name: str) -> bool:
    """Leave out males, females, density, components of change and the like; the totals and a cover stay."""
    return not re.search(r"male|densit|median|MYE\s*[13567][a-z]?\b|MYEB\s*[12]\b|contents", name, re.IGNORECASE)


def _boundaries_in(file_name: str) -> str | None:
    match = re.search(r"on(20\d\d)geography|geog(\d\d)(?!\d)|(20\d\d)geogs?\b", file_name, re.IGNORECASE)
    return (match[1] or match[3] or f"20{match[2]}") if match else None


def _clean(cell: str | None) -> str:
    return plain_text((cell or "").replace("\u00a0", " "))


def _persons(sheet: Sheet, row: int, cell: str | None, kind: str) -> int | None:
    """A count of persons; None for a cell that says that there is none. Digits of other scripts are no number here."""
    text = _clean(cell)
    if _NO_FIGURE.fullmatch(text):
        return None
    if any(c.isdigit() and not c.isascii() for c in cell or "") or not (match := _FIGURE.fullmatch(text)):
        raise PublishedFileError(sheet.file, "a whole number of persons", quoted(cell), sheet.name, row)
    persons = int(re.sub(r"[ ,]", "", match[1]))
    if persons == 0 and kind == "council":
        raise PublishedFileError(sheet.file, "at least one person in a council", quoted(cell), sheet.name, row)
    return persons
