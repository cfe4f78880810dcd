"""The header row of a sheet of offences: found by its words, in every layout since 2002/03; drift from them is an error."""

from __future__ import annotations

import re
from dataclasses import dataclass

from transforms.errors import PublishedFileError, quoted
from transforms.readers.workbooks import Sheet

# our column -> its published names, newest first
HEADER = {
    "financial_year": ("Financial Year",),
    "quarter": ("Financial Quarter",),
    "force_name": ("Police Force", "Force Name"),
    "area_name": ("CSP Name",),
    "offence_name": ("Offence Description",),
    "offence_group": ("Offence Group",),
    "offence_subgroup": ("Offence Subgroup",),
    "offence_code": ("Offence Code",),
    "offences": ("Offence Count", "Number of Offences"),
}
_COLUMN_OF = {name.casefold(): column for column, names in HEADER.items() for name in names}
_YEAR_SHEET = re.compile(r"\d{4}[-_]\d{2}")
HEADER_ROWS = 60  # how far down a header may stand
NOTES_ROWS = 1000  # a longer sheet without a header is not one of notes


@dataclass(frozen=True)
class Header:
    """Where the header of a sheet stands, and which of our columns stands in which of its columns."""

    index: int  # of its row in the sheet, from 0
    columns: dict[str, int]  # our column -> its place


def find_header(sheet: Sheet) -> Header | None:
    """The header row of a sheet of offences, found by its words; None for a sheet of notes.

    A sheet without a header counts as notes if it is not named for a year and is not longer than NOTES_ROWS: figures are
    never skipped silently. Raises PublishedFileError for any drift from the known layouts: a missing, repeated or unknown
    column.
    """
    best: list[str | None] | None = None
    index = 0
    for i, row in enumerate(sheet.text_rows(HEADER_ROWS)):
        known = {_COLUMN_OF[_normalise_text(cell)] for cell in row if cell and _normalise_text(cell) in _COLUMN_OF}
        if len(known) >= 4:
            best, index = row, i
            break
    if best is None:
        if _YEAR_SHEET.fullmatch(sheet.name) or sheet.cells.num_rows > NOTES_ROWS:
            found = "an empty sheet" if sheet.cells.num_rows == 0 else f"none in the first {HEADER_ROWS} rows"
            raise PublishedFileError(sheet.file, "a header row with Financial Year, Offence Code …", found, sheet=sheet.name)
        return None
    columns: dict[str, int] = {}
    for place, cell in enumerate(best):
        if cell is None:
            continue
        column = _COLUMN_OF.get(_normalise_text(cell))
        if column is not None and column not in columns:
            columns[column] = place
        elif not _is_empty_below(sheet, place, index):
            expected = "each column once" if column else "only the known columns"
            raise PublishedFileError(
                sheet.file,
                expected,
                f"{quoted(cell.strip())} {'again ' if column else ''}in column {place + 1}",
                sheet=sheet.name,
                row=index + 1,
            )
    missing = [
        " or ".join(f'"{n}"' for n in reversed(names))
        for column, names in HEADER.items()
        if column not in columns and column != "area_name"
    ]
    if missing:
        found = ", ".join(cell.strip() for cell in best if cell)
        raise PublishedFileError(sheet.file, f"a column {' and a column '.join(missing)}", found, sheet=sheet.name, row=index + 1)
    return Header(index, columns)


def _normalise_text(cell: str) -> str:
    return " ".join(cell.split()).casefold()


def _is_empty_below(sheet: Sheet, place: int, index: int) -> bool:
    """One sheet of 2013/14 carries stray header cells after its last column, with nothing beneath."""
    below = sheet.cells.column(place).slice(index + 1)
    return bool(below.null_count == len(below))
