"""ODS, XLSX, XLS and CSV files as named sheets of text cells. Knows file formats, and nothing of what the cells mean.

Cells are read as text, whatever type the file gives them: offence code 4.10 is not 4.1, and 5E is not 500,000.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms.errors import PublishedFileError, quoted
from transforms.readers.calamine import CalamineError, read_calamine
from transforms.readers.csv import read_csv
from transforms.readers.ods.reader import OdsError, OdsUnsupported, read_ods
from transforms.readers.zips import ZipError, check_zip

MAX_CALAMINE_BYTES = 4 << 30  # decompressed, all parts of a file together
MAX_CALAMINE_CELLS = 1 << 24  # of an ODS, all sheets together
MAX_LISTED_CELLS = 1 << 22  # of a sheet that is read as a list of rows; the largest population table has 70,000
SUFFIXES = (".ods", ".xlsx", ".xls", ".csv")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # how each XLS begins
# what LibreOffice calls a hidden sheet that keeps cells of another file to which formulas refer
_LINK_CACHE = re.compile(r"'?(file|https?|ftp|smb|vnd\.[\w.]+):.*#", re.IGNORECASE)
_YEAR_SUFFIX = re.compile(r"[_-](\d{4}[_-]\d{2})$")


@dataclass(frozen=True)
class Sheet:
    """A sheet of text cells. Row i of `cells` is row i + 1 of the sheet; empty cells are null."""

    file: str
    name: str
    cells: pa.Table

    def row(self, index: int) -> list[str | None]:
        """The cells of one row, counted from 0."""
        return [column[index].as_py() for column in self.cells.columns]

    def text_rows(self, most: int | None = None) -> list[list[str | None]]:
        """The first `most` rows, or all, as lists of cells: for notes, headers and small tables, not for a million figures.

        Raises PublishedFileError when all rows are asked for and the sheet has more than MAX_LISTED_CELLS cells.
        """
        if most is None and self.cells.num_rows * self.cells.num_columns > MAX_LISTED_CELLS:
            raise PublishedFileError(
                self.file,
                f"a table of at most {MAX_LISTED_CELLS:,} cells",
                f"{self.cells.num_rows:,} rows of {self.cells.num_columns:,} columns",
                self.name,
            )
        columns = [[cell for chunk in column.chunks for cell in _to_list(chunk)] for column in self.cells.slice(0, most).columns]
        return [list(row) for row in zip(*columns, strict=True)]


def _to_list(column: pa.Array[Any]) -> list[str | None]:
    """A text that stands in a million cells becomes one string, not a million."""
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    return [None if code is None else texts[code] for code in encoded.indices.to_pylist()]


def release_stem(file_name: str) -> str:
    """The file name without its ending, and of a CSV without its year: a CSV release has one file a year, …_2015_16.csv."""
    stem = Path(file_name).stem
    return _YEAR_SUFFIX.sub("", stem) if file_name.lower().endswith(".csv") else stem


def read_workbook(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Sheet]:
    """The sheets of a workbook whose names are wanted, in their order; a CSV file is one sheet, named for its year.

    A hidden sheet that only keeps cells of another file, to which formulas refer, is no sheet of this one.

    Raises PublishedFileError when the file is not what its name says, is damaged, too large, or has two sheets of one name.
    """
    name, suffix = path.name, path.suffix.lower()

    def is_read(sheet: str) -> bool:
        return wanted(sheet) and not _LINK_CACHE.match(sheet)

    if not path.is_file():  # a pipe would be waited for without end
        raise PublishedFileError(name, "a file", "something else" if path.exists() else "nothing")
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if not head:
        raise PublishedFileError(name, "a workbook", "an empty file")
    if suffix in SUFFIXES and (found := _describe_other(head)):
        raise PublishedFileError(name, "a workbook", found)
    if suffix == ".xls" and not head.startswith(_OLE):  # calamine would look for long
        raise PublishedFileError(name, "an Excel workbook", "a file of another kind")
    if suffix == ".csv":
        year = _YEAR_SUFFIX.search(path.stem)
        sheets = iter([Sheet(name, year[1] if year else path.stem, read_csv(path))])
    elif suffix == ".ods":
        sheets = _read_ods(path, is_read)
    elif suffix in (".xlsx", ".xls"):
        sheets = _read_calamine(path, is_read)
    else:
        raise PublishedFileError(name, f"a name that ends in {', '.join(SUFFIXES)}", suffix or "no ending")
    seen = set()
    for sheet in sheets:
        if sheet.name in seen:  # which one counts?
            raise PublishedFileError(name, "sheets of different names", f"two that are called {quoted(sheet.name)}")
        seen.add(sheet.name)
        yield sheet


def _describe_other(head: bytes) -> str:
    """What a file is instead of a workbook or a table, by its first bytes; nothing where it may be one."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<(!doctype\s+html|html|head|body)\b", start, re.IGNORECASE):
        return "an HTML page"
    others = {b"<": "a page of HTML or XML", b"{": "JSON", b"%PDF": "a PDF document"}
    return next((what for sign, what in others.items() if start.startswith(sign)), "")


def _read_ods(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    """The sheets as our own reader gives them; from the first one with an unsupported feature on, as calamine does."""
    done = 0
    try:
        for sheet in read_ods(path, wanted):
            yield Sheet(path.name, sheet.name, sheet.cells)
            done += 1
    except OdsUnsupported:
        yield from islice(_read_calamine(path, wanted), done, None)
    except OdsError as error:
        raise _not_a_workbook(path, str(error)) from error


def _read_calamine(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    """The sheets as calamine reads them, in a process whose memory and time are limited.

    What can be found out beforehand is said more clearly, and at less cost: a damaged zip file, one that decompresses to
    more than MAX_CALAMINE_BYTES whatever its directory states, an ODS that repeats cells and rows into too many.
    """
    try:
        if path.suffix.lower() == ".ods":
            _check_ods_size(path)
        if path.suffix.lower() != ".xls":  # an XLS is no zip file, and calamine opens no zip file of that name
            check_zip(path, MAX_CALAMINE_BYTES)
        for name, cells in read_calamine(path, wanted):
            yield Sheet(path.name, name, cells)
    except OdsError as error:
        raise _not_a_workbook(path, str(error)) from error
    except ZipError as error:
        raise _not_a_workbook(path, f"a file that cannot be opened ({error})") from error
    except CalamineError as error:
        if error.sheet is not None:
            raise PublishedFileError(path.name, "rows of cells", str(error), sheet=error.sheet) from error
        raise _not_a_workbook(path, f"a file that cannot be opened ({error})") from error


def _check_ods_size(path: Path) -> None:
    """Raise OdsError for more cells, in wanted and unwanted sheets together, than calamine should be asked to lay out."""
    with suppress(OdsUnsupported):
        for _ in read_ods(path, max_bytes=MAX_CALAMINE_BYTES, max_cells=MAX_CALAMINE_CELLS):
            pass


def _not_a_workbook(path: Path, found: str) -> PublishedFileError:
    kind = "an OpenDocument spreadsheet" if path.suffix.lower() == ".ods" else "an Excel workbook"
    return PublishedFileError(path.name, kind, found.rstrip("."))
