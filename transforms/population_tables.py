"""Where in a sheet the persons of councils stand: the header row, found by its words, and what the rows above it say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from transforms.errors import PublishedFileError, quoted
from transforms.population_headings import Heading, Role, means_everybody, names_a_part, parse_heading, plain_text
from transforms.readers.workbooks import Sheet

HEADER_ROWS = 40  # how far down a header may stand
_EVERYBODY = "all persons of all ages, as a count"
_PERSONS = 'one column of persons ("All ages", "population", "OBS_VALUE") or one a year ("Mid-2020", "population_2020")'


class NotAllPersons(PublishedFileError):
    """A sheet counts part of the people, or none: another sheet of the workbook may hold all of them."""


@dataclass(frozen=True)
class PersonsTable:
    """A table of persons by council in a sheet. Places are columns, counted from 0."""

    sheet: Sheet
    header: int  # row, counted from 0
    code: int
    name: int
    years: dict[int, int | None]  # place of persons → its year, None where the heading does not say
    year: int | None  # place of a column of years
    subgroups: dict[int, str]  # place → heading of a column that says whom a row counts
    others: tuple[int, ...]  # places of columns in which a text may still tell of part of the people
    boundaries: str | None
    title: str  # the rows above the header

    def part_of_row(self, cells: Sequence[str | None]) -> tuple[str, str] | None:
        """(heading, what it says) of the first column by which a row counts part of the people; None if it counts all."""
        for place, heading in self.subgroups.items():
            if not means_everybody(heading, cells[place]):
                return heading, quoted(cells[place])
        for place in self.others:
            if cells[place] and names_a_part(cells[place] or ""):
                return f"{place + 1}", quoted(cells[place])
        return None


def find_table(sheet: Sheet) -> PersonsTable | None:
    """The table of persons by council in a sheet; None for a sheet without a header of codes and names (a cover, notes).

    Raises NotAllPersons where the sheet's name, its title, its headings or all its rows count part of the people, and
    PublishedFileError where a heading looks like one of persons and cannot be read as such.
    """
    above: list[list[str]] = []
    for i, row in enumerate(sheet.text_rows(HEADER_ROWS)):
        cells = [" ".join((cell or "").split()) for cell in row]
        headings = [parse_heading(cell) for cell in cells]
        code, name = _first(headings, Role.CODE), _first(headings, Role.NAME)
        if code is None or name is None:
            above.append(cells)
            continue
        _refuse_titles(sheet, above)
        table = PersonsTable(
            sheet=sheet,
            header=i,
            code=code,
            name=name,
            years=_find_years(sheet, cells, headings, i),
            year=_first(headings, Role.YEAR),
            subgroups={k: cells[k] for k, heading in enumerate(headings) if heading.role is Role.SUBGROUP},
            others=tuple(k for k, heading in enumerate(headings) if heading.role is Role.OTHER and cells[k]),
            boundaries=_boundaries(cells[code]),
            title=" ".join(plain_text(" ".join(row)) for row in above),
        )
        _refuse_columns_without_heading(table, cells)
        _refuse_subgroups(table)
        return table
    return None


def _first(headings: Sequence[Heading], role: Role) -> int | None:
    return next((k for k, heading in enumerate(headings) if heading.role is role), None)


def _boundaries(code_heading: str) -> str | None:
    match = re.search(r"(\d\d)( ?(cd|code))?$", plain_text(code_heading))
    return f"20{match[1]}" if match else None


def _refuse_titles(sheet: Sheet, above: Sequence[Sequence[str]]) -> None:
    """The sheet's name and the rows above the header; Nomis writes there `"sex","Male"`, a pair a row."""
    if part := names_a_part(sheet.name):
        raise NotAllPersons(sheet.file, _EVERYBODY, f'"{part}" in the name of the sheet', sheet.name)
    for number, row in enumerate(above, start=1):
        filled = [cell for cell in row if cell]
        if len(filled) == 2 and parse_heading(filled[0]).role is Role.SUBGROUP and not means_everybody(*filled):
            raise NotAllPersons(sheet.file, _EVERYBODY, quoted(filled[1]), sheet.name, number, filled[0])
        if part := names_a_part(" ".join(filled)):
            raise NotAllPersons(sheet.file, _EVERYBODY, f'"{part}" in the title', sheet.name, number)


def _find_years(sheet: Sheet, cells: Sequence[str], headings: Sequence[Heading], row: int) -> dict[int, int | None]:
    persons = {k: heading for k, heading in enumerate(headings) if heading.role is Role.PERSONS}
    unclear = next((cells[k] for k, heading in enumerate(headings) if heading.role is Role.UNCLEAR), None)
    if unclear is not None:
        expected = 'headings such as "All ages", "Mid-2020" or "population_2020"'
        raise PublishedFileError(sheet.file, expected, quoted(unclear), sheet.name, row + 1)
    years: dict[int, int | None] = {k: heading.year for k, heading in persons.items() if heading.year}
    if not years:
        years = {k: None for k, heading in persons.items() if heading.is_named} or dict.fromkeys(persons)
    if len(years) == 0 or (None in years.values() and len(years) > 1):
        raise NotAllPersons(sheet.file, _PERSONS, ", ".join(c for c in cells if c)[:200], sheet.name, row + 1)
    return years


def _refuse_columns_without_heading(table: PersonsTable, cells: Sequence[str]) -> None:
    has_code = table.sheet.cells.column(table.code).slice(table.header + 1).is_valid()
    for place, cell in enumerate(cells):
        if not cell and pc.any(pc.and_(has_code, table.sheet.cells.column(place).slice(table.header + 1).is_valid())).as_py():
            expected, found = f"a heading above column {place + 1}", "none above its figures"
            raise PublishedFileError(table.sheet.file, expected, found, table.sheet.name, table.header + 1)


def _refuse_subgroups(table: PersonsTable) -> None:
    """A column in which no cell means everybody: the whole table counts part of the people."""
    for place, heading in table.subgroups.items():
        values = table.sheet.cells.column(place).slice(table.header + 1).drop_null().unique().to_pylist()
        if values and not any(means_everybody(heading, value) for value in values):
            raise NotAllPersons(table.sheet.file, _EVERYBODY, quoted(values[0]), table.sheet.name, table.header + 2, heading)
