"""ONS population files (MYE workbooks, MYEB series, plain CSV, Nomis CSV) → persons by council and year.

Councils are as the file gives them, on its own boundaries; what they add up to is decided in sql/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from transforms.errors import PublishedFileError, quoted
from transforms.notes import read_notes
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
_CODE = re.compile(r"code|la(d|ua)?_?code(\d\d)?|lad\d\dcd|geography_code|area_?code", re.IGNORECASE)
_NAME = re.compile(r"name|la(d|ua)?_?name(\d\d)?|lad\d\dnm|geography_name|area_?name", re.IGNORECASE)
_MID = re.compile(r"(?:mid[-_ ]?|population_)((?:19|20)[0-9]{2})", re.IGNORECASE)
_TOTAL = re.compile(r"all ages|population|obs_value|persons", re.IGNORECASE)
_YEAR = re.compile(r"date_name|date|year", re.IGNORECASE)


@dataclass
class PopulationReader:
    """What is known of a file beside its bytes: the year that it covers, where its columns do not say."""

    path: Path
    covers: str = ""
    published: date | None = None  # as a cover sheet says, after `read()`
    rows: list[tuple[str, str, str, int, int, str | None, str, int]] = field(default_factory=list)

    def read(self) -> pa.Table:
        """Persons in the `POPULATIONS` schema, sorted by year and code.

        Raises PublishedFileError when no sheet has persons by council, or a cell is not what its column says.
        """
        sheets = {s.name: s for s in read_workbook(self.path, _holds_persons)}
        tables = {name: found for name, sheet in sheets.items() if (found := _find_columns(sheet))}
        days = [read_notes(sheet).updated for name, sheet in sheets.items() if name not in tables]
        self.published = next((day for day in days if day), None)
        # a workbook's summary holds all years; its table by age only the newest
        chosen = [n for n in tables if len(tables[n].years) > 1] or list(tables)
        if not chosen:
            raise PublishedFileError(self.path.name, "a sheet with columns of codes, names and persons", "none")
        for name in chosen:
            self._read_sheet(sheets[name], tables[name])
        if not self.rows:
            raise PublishedFileError(self.path.name, "persons of councils in England and Wales", "none")
        self.rows.sort(key=lambda row: (row[3], row[0]))
        seen: dict[tuple[str, int], int] = {}
        for code, _, _, year, persons, _, sheet_name, row in self.rows:
            if seen.setdefault((code, year), persons) != persons:
                raise PublishedFileError(
                    self.path.name,
                    f"one figure for {code} in mid-{year}",
                    f"{seen[code, year]:,} and {persons:,}",
                    sheet_name,
                    row,
                )
        columns = zip(*self.rows, strict=True)
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, POPULATIONS, strict=True)], schema=POPULATIONS)

    def _read_sheet(self, sheet: Sheet, columns: _Columns) -> None:
        boundaries = columns.boundaries or _boundaries_in(self.path.name)
        for i, cells in enumerate(sheet.text_rows()[columns.header + 1 :], start=columns.header + 2):
            code = (cells[columns.code] or "").strip()
            if not re.fullmatch(r"[A-Z]\d{8}", code):
                if code and cells[columns.name]:
                    raise PublishedFileError(sheet.file, "an area code such as E07000237", quoted(code), sheet.name, i)
                continue
            if code == ENGLAND_AND_WALES:
                kind = "total"
            elif COUNCIL.fullmatch(code):
                kind = "council"
            elif OTHER_CODES.fullmatch(code):
                continue
            else:
                raise PublishedFileError(sheet.file, "a council, county, region or country code", quoted(code), sheet.name, i)
            for place, year in columns.years.items():
                when = year or self._year(sheet, columns, cells, i)
                persons = _persons(sheet, i, cells[place])
                name = " ".join((cells[columns.name] or code).split())
                self.rows.append((code, name, kind, when, persons, boundaries, sheet.name, i))

    def _year(self, sheet: Sheet, columns: _Columns, cells: list[str | None], row: int) -> int:
        """The year of a row: from its own column, else from the title above, the file name, or the manifest."""
        if columns.year is not None:
            text = (cells[columns.year] or "").strip()
            if not re.fullmatch(r"(19|20)[0-9]{2}(\.0)?", text):
                raise PublishedFileError(sheet.file, "a year", quoted(text), sheet.name, row)
            return int(text[:4])
        if re.fullmatch(r"(19|20)[0-9]{2}", self.covers):
            return int(self.covers)
        if match := re.search(r"mid[-_ ]?((?:19|20)[0-9]{2})", f"{self.path.name} {columns.title}", re.IGNORECASE):
            return int(match[1])
        raise PublishedFileError(
            sheet.file, "a mid-year in a column, the title, the file name or manifest.csv", "none", sheet.name
        )


@dataclass(frozen=True)
class _Columns:
    header: int
    code: int
    name: int
    years: dict[int, int | None]  # place of persons → its year, None where the column does not say
    year: int | None  # place of a year column
    boundaries: str | None
    title: str


def _holds_persons(name: str) -> bool:
    """Leave out males, females, density and the like; the totals, a CSV's one sheet and a cover stay."""
    return not re.search(r"male|densit|median|MYE\s*[13567]\b|contents", name, re.IGNORECASE)


def _find_columns(sheet: Sheet) -> _Columns | None:
    title = ""
    for i, row in enumerate(sheet.text_rows(40)):
        cells = [" ".join((cell or "").split()) for cell in row]
        code = next((k for k, cell in enumerate(cells) if _CODE.fullmatch(cell)), None)
        name = next((k for k, cell in enumerate(cells) if _NAME.fullmatch(cell)), None)
        if code is None or name is None:
            title = f"{title} {' '.join(cells)}"
            continue
        years: dict[int, int | None] = {k: int(m[1]) for k, cell in enumerate(cells) if (m := _MID.fullmatch(cell))}
        if not years:
            years = {k: None for k, cell in enumerate(cells) if _TOTAL.fullmatch(cell)}
        if len(years) == 0 or (None in years.values() and len(years) > 1):
            expected = (
                'one column of persons ("All ages", "population", "OBS_VALUE") or one a year ("Mid-2020", "population_2020")'
            )
            raise PublishedFileError(sheet.file, expected, ", ".join(c for c in cells if c)[:200], sheet.name, i + 1)
        year = next((k for k, cell in enumerate(cells) if _YEAR.fullmatch(cell)), None)
        suffix = re.search(r"(\d\d)(cd)?$", cells[code], re.IGNORECASE)
        return _Columns(i, code, name, years, year, f"20{suffix[1]}" if suffix else None, title)
    return None


def _boundaries_in(file_name: str) -> str | None:
    match = re.search(r"on(20\d\d)geography|geog(\d\d)(?!\d)", file_name, re.IGNORECASE)
    return (match[1] or f"20{match[2]}") if match else None


def _persons(sheet: Sheet, row: int, cell: str | None) -> int:
    text = (cell or "").strip().replace(",", "")
    if not re.fullmatch(r"[0-9]{1,9}(\.0+)?", text):
        raise PublishedFileError(sheet.file, "a whole number of persons", quoted(cell), sheet.name, row)
    return int(text.partition(".")[0])
