"""ODS, XLSX, XLS and CSV files as named sheets of text cells. Knows file formats, and nothing of what the cells mean.

Cells are read as text, whatever a reader would make of them: offence code 4.10 is not 4.1, and 5E is not 500,000.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastexcel
import pyarrow as pa

from transforms.errors import PublishedFileError
from transforms.ods import OdsBroken, OdsUnsure, read_ods

MAX_CSV_BYTES = 2 * 1024**3
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
        """Rows as lists of cells; for sheets of notes and for headers, not for a million figures."""
        columns = [column.to_pylist() for column in self.cells.slice(0, most).columns]
        return [list(row) for row in zip(*columns, strict=True)]


def release_stem(file_name: str) -> str:
    """The stem that the sheets of one release share: a CSV release has one file a year, …_2015_16.csv."""
    stem = Path(file_name).stem
    return _YEAR_SUFFIX.sub("", stem) if file_name.lower().endswith(".csv") else stem


def read_workbook(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Sheet]:
    """The sheets of a workbook whose names are wanted, in their order.

    Raises PublishedFileError when the file is not what its name says, is broken or holds no sheet.
    """
    name, suffix = path.name, path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise PublishedFileError(name, "a workbook", "an empty file")
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body)\b", head, re.IGNORECASE):
        raise PublishedFileError(name, "a workbook", "an HTML page")
    if suffix == ".csv":
        yield _read_csv(path)
    elif suffix == ".ods":
        yield from _read_ods(path, wanted)
    elif suffix in (".xlsx", ".xls"):
        yield from _read_calamine(path, wanted)
    else:
        raise PublishedFileError(name, f"a name that ends in {', '.join(SUFFIXES)}", suffix or "no ending")


def _read_ods(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    done = 0
    try:
        for sheet in read_ods(path, wanted):
            columns = [_blank_as_null(column) for column in sheet.cells.columns]
            yield Sheet(path.name, sheet.name, pa.table(columns, names=sheet.cells.column_names))
            done += 1
    except OdsUnsure:
        for index, other in enumerate(_read_calamine(path, wanted)):
            if index >= done:
                yield other
    except OdsBroken as error:
        raise PublishedFileError(path.name, "an OpenDocument spreadsheet", str(error).rstrip(".")) from error


def _blank_as_null(column: Any) -> Any:
    """A column of one dictionary, without its cells of nothing but blanks."""
    texts = column.chunk(0)
    blank = [code for code, text in enumerate(texts.dictionary.to_pylist()) if not text.strip()]
    if not blank:
        return texts
    is_blank = pa.compute.is_in(texts.indices, value_set=pa.array(blank, pa.int32()))
    return pa.DictionaryArray.from_arrays(pa.compute.if_else(is_blank, None, texts.indices), texts.dictionary)


def _read_calamine(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    try:
        book = fastexcel.read_excel(path)
        names = [name for name in book.sheet_names if wanted(name)]
    except fastexcel.FastExcelError as error:
        kind = "an OpenDocument spreadsheet" if path.suffix.lower() == ".ods" else "an Excel workbook"
        raise PublishedFileError(path.name, kind, f"a file that cannot be opened ({_first_line(error)})") from error
    for name in names:
        try:
            batch = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow()
        except fastexcel.FastExcelError as error:
            raise PublishedFileError(path.name, "rows of cells", _first_line(error), sheet=name) from error
        yield Sheet(path.name, name, _text_table(pa.Table.from_batches([batch])))


def _text_table(table: pa.Table) -> pa.Table:
    """Columns named 0, 1, 2 …, blank text as null."""
    columns = []
    for column in table.columns:
        text = column.cast(pa.string()).combine_chunks()
        blank = pa.compute.equal(pa.compute.utf8_trim_whitespace(text), "")
        columns.append(pa.compute.if_else(blank, pa.scalar(None, pa.string()), text))
    return pa.table(columns, names=[str(i) for i in range(len(columns))])


def _read_csv(path: Path) -> Sheet:
    """A CSV file in UTF-8 (with or without a byte-order mark) or cp1252, with any line ends."""
    if path.stat().st_size > MAX_CSV_BYTES:
        raise PublishedFileError(path.name, f"at most {MAX_CSV_BYTES:,} bytes", f"{path.stat().st_size:,} bytes")
    raw = path.read_bytes()
    if b"\0" in raw[:4096]:
        raise PublishedFileError(path.name, "text in UTF-8 or Windows-1252", "a binary file")
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    if "\0" in text:
        raise PublishedFileError(path.name, "text", "a NUL character")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise PublishedFileError(path.name, "comma-separated values", str(error)) from error
    width = max(map(len, rows), default=0)
    if width > 1000:
        raise PublishedFileError(path.name, "at most 1,000 columns", f"{width:,} columns")
    for row in rows:
        row.extend([""] * (width - len(row)))
    columns = [pa.array([cell if cell.strip() else None for cell in column], pa.string())
               for column in zip(*rows, strict=True)]
    match = _YEAR_SUFFIX.search(path.stem)
    name = match[1] if match else path.stem
    return Sheet(path.name, name, pa.table(columns, names=[str(i) for i in range(width)]))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
