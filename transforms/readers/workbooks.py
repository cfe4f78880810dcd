"""ODS, XLSX, XLS and CSV files as named sheets of text cells. Knows file formats, and nothing of what the cells mean.

Cells are read as text, whatever a reader would make of them: offence code 4.10 is not 4.1, and 5E is not 500,000.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from transforms.errors import PublishedFileError, quoted
from transforms.readers.calamine import CalamineBroken, as_texts, read_calamine
from transforms.readers.ods.grid import MAX_CELLS
from transforms.readers.ods.reader import OdsBroken, OdsUnsure, read_ods
from transforms.readers.zips import ZipBroken, check_zip

MAX_CSV_BYTES = 1 << 30
MAX_CSV_LINE = 1 << 20  # characters
MAX_CSV_ROWS, MAX_CSV_COLUMNS = 1 << 22, 1000  # Excel can hold 1,048,576 rows
MAX_CALAMINE_BYTES = 4 << 30  # inflated, all parts of a file together
MAX_CALAMINE_CELLS = 1 << 24  # of an ODS, all sheets together
MAX_TABLE_CELLS = 1 << 22  # of a sheet that is taken as a list of rows; the largest population table has 70,000
SUFFIXES = (".ods", ".xlsx", ".xls", ".csv")
_YEAR_SUFFIX = re.compile(r"[_-](\d{4}[_-]\d{2})$")


@dataclass(frozen=True)
class Sheet:
    """A sheet of text cells. Row i of `cells` is row i + 1 of the sheet; empty cells are null."""

    file: str
    name: str
    cells: pa.Table

    def row(self, index: int) -> list[str | None]:
        return [column[index].as_py() for column in self.cells.columns]

    def text_rows(self, most: int | None = None) -> list[list[str | None]]:
        """Rows as lists of cells; for sheets of notes and for headers, not for a million figures.

        Raises PublishedFileError when all rows are asked for, and they are that many.
        """
        if most is None and self.cells.num_rows * self.cells.num_columns > MAX_TABLE_CELLS:
            raise PublishedFileError(
                self.file,
                f"a table of at most {MAX_TABLE_CELLS:,} cells",
                f"{self.cells.num_rows:,} rows of {self.cells.num_columns:,} columns",
                self.name,
            )
        columns = [[cell for chunk in column.chunks for cell in _cells(chunk)] for column in self.cells.slice(0, most).columns]
        return [list(row) for row in zip(*columns, strict=True)]


def _cells(column: pa.Array[Any]) -> list[str | None]:
    """A cell that comes a million times is one string, not a million."""
    codes = column.dictionary_encode()
    words = codes.dictionary.to_pylist()
    return [None if code is None else words[code] for code in codes.indices.to_pylist()]


def release_stem(file_name: str) -> str:
    """The stem that the sheets of one release share: a CSV release has one file a year, …_2015_16.csv."""
    stem = Path(file_name).stem
    return _YEAR_SUFFIX.sub("", stem) if file_name.lower().endswith(".csv") else stem


def read_workbook(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Sheet]:
    """The sheets of a workbook whose names are wanted, in their order.

    Raises PublishedFileError when the file is not what its name says, is broken or holds no sheet.
    """
    name, suffix = path.name, path.suffix.lower()
    if not path.is_file():  # a pipe would be waited for without end
        raise PublishedFileError(name, "a file", "something else" if path.exists() else "nothing")
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise PublishedFileError(name, "a workbook", "an empty file")
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body)\b", head, re.IGNORECASE):
        raise PublishedFileError(name, "a workbook", "an HTML page")
    if suffix == ".csv":
        sheets = iter([_read_csv(path)])
    elif suffix == ".ods":
        sheets = _read_ods(path, wanted)
    elif suffix in (".xlsx", ".xls"):
        sheets = _read_calamine(path, wanted)
    else:
        raise PublishedFileError(name, f"a name that ends in {', '.join(SUFFIXES)}", suffix or "no ending")
    seen = set()
    for sheet in sheets:
        if sheet.name in seen:  # which one counts?
            raise PublishedFileError(name, "sheets of different names", f"two that are called {quoted(sheet.name)}")
        seen.add(sheet.name)
        yield sheet


def _read_ods(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    done = 0
    try:
        for sheet in read_ods(path, wanted):
            yield Sheet(path.name, sheet.name, sheet.cells)
            done += 1
    except OdsUnsure:
        yield from islice(_read_calamine(path, wanted), done, None)
    except OdsBroken as error:
        raise _not_a_workbook(path, str(error)) from error


def _read_calamine(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    """The sheets as calamine reads them, in a process whose memory and time are bounded.

    What can be told beforehand is told in better words, and at less cost: a zip file that is broken, or inflates to more
    than MAX_CALAMINE_BYTES, whatever its directory says; an ODS that repeats cells and rows into too many.
    """
    try:
        if path.suffix.lower() == ".ods":
            _bound_ods(path)
        if path.suffix.lower() != ".xls":  # an XLS is no zip file, and calamine opens no zip file of that name
            check_zip(path, MAX_CALAMINE_BYTES)
        for name, cells in read_calamine(path, wanted):
            yield Sheet(path.name, name, cells)
    except OdsBroken as error:
        raise _not_a_workbook(path, str(error)) from error
    except ZipBroken as error:
        raise _not_a_workbook(path, f"a file that cannot be opened ({error})") from error
    except CalamineBroken as error:
        if error.sheet is not None:
            raise PublishedFileError(path.name, "rows of cells", str(error), sheet=error.sheet) from error
        raise _not_a_workbook(path, f"a file that cannot be opened ({error})") from error


def _bound_ods(path: Path) -> None:
    """Raise OdsBroken for more cells, in all sheets, wanted or not, than calamine should be asked to lay out."""
    with suppress(OdsUnsure):
        for _ in read_ods(path, max_bytes=MAX_CALAMINE_BYTES, max_cells=MAX_CALAMINE_CELLS):
            pass


def _not_a_workbook(path: Path, found: str) -> PublishedFileError:
    kind = "an OpenDocument spreadsheet" if path.suffix.lower() == ".ods" else "an Excel workbook"
    return PublishedFileError(path.name, kind, found.rstrip("."))


def _read_csv(path: Path) -> Sheet:
    """A CSV file in UTF-8 (with or without a byte-order mark) or cp1252, with any line ends."""
    if path.stat().st_size > MAX_CSV_BYTES:
        raise PublishedFileError(path.name, f"at most {MAX_CSV_BYTES:,} bytes", f"{path.stat().st_size:,} bytes")
    with path.open("rb") as file:
        if b"\0" in file.read(4096):
            raise PublishedFileError(path.name, "text in UTF-8 or Windows-1252", "a binary file")
    try:
        with path.open(encoding="utf-8-sig") as text:
            cells = _csv_cells(path.name, text)
    except UnicodeDecodeError:
        with path.open(encoding="cp1252", errors="replace") as text:
            cells = _csv_cells(path.name, text)
    match = _YEAR_SUFFIX.search(path.stem)
    return Sheet(path.name, match[1] if match else path.stem, cells)


def _csv_cells(file: str, text: TextIO) -> pa.Table:
    """Rows go into columns a few megabytes at a time: as lists of strings a file takes twenty times its size."""
    bands, rows, width, done, waiting = [], list[list[str]](), 0, 0, 0
    reader = csv.reader(_csv_lines(file, text))
    try:
        for row in reader:
            rows.append(row)
            width, waiting = max(width, len(row)), waiting + sum(map(len, row)) + 64 * len(row) + 64
            if width > MAX_CSV_COLUMNS:
                raise PublishedFileError(file, f"at most {MAX_CSV_COLUMNS:,} columns", f"{width:,} columns", row=done + len(rows))
            if waiting > 1 << 26 or len(rows) * width > 1 << 20:
                bands.append(_csv_band(rows, max(width, 1)))
                rows, done, waiting = [], done + len(rows), 0
            if done + len(rows) > min(MAX_CSV_ROWS, MAX_CELLS // max(width, 1)):
                raise PublishedFileError(file, f"at most {MAX_CSV_ROWS:,} rows and {MAX_CELLS:,} cells", "more")
    except csv.Error as error:
        raise PublishedFileError(file, "comma-separated values", f"{error} in line {reader.line_num:,}") from error
    bands.append(_csv_band(rows, max(width, 1)))
    table = pa.concat_tables(bands, promote_options="default").unify_dictionaries().combine_chunks()
    return table if width else pa.table({})  # nothing but blank lines


def _csv_lines(file: str, text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_CSV_LINE + 1):
        number += 1
        if len(line) > MAX_CSV_LINE:
            raise PublishedFileError(file, f"lines of at most {MAX_CSV_LINE:,} characters", f"a longer line {number:,}")
        if "\0" in line:
            raise PublishedFileError(file, "text", f"a NUL character in line {number:,}")
        yield line


def _csv_band(rows: list[list[str]], width: int) -> pa.Table:
    for row in rows:
        row.extend([""] * (width - len(row)))
    columns = [as_texts(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
    return pa.table(columns or [as_texts(pa.array([], pa.string()))] * width, names=[str(i) for i in range(width)])
