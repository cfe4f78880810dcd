"""ODS, XLSX, XLS and CSV files as named sheets of text cells. Knows file formats, and nothing of what the cells mean.

Cells are read as text, whatever a reader would make of them: offence code 4.10 is not 4.1, and 5E is not 500,000.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import PublishedFileError
from transforms.ods import OdsBroken, OdsUnsure, read_ods
from transforms.zips import ZipBroken, check_zip

MAX_CSV_BYTES = 2 * 1024**3
MAX_CALAMINE_BYTES = 4 * 1024**3  # inflated, all parts of a file together
MAX_CALAMINE_CELLS = 1 << 24  # of an ODS, all sheets together: up to 3 GB of memory
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
            yield Sheet(path.name, sheet.name, sheet.cells)
            done += 1
    except OdsUnsure:
        yield from islice(_read_calamine(path, wanted), done, None)
    except OdsBroken as error:
        raise _not_a_workbook(path, str(error)) from error


def _read_calamine(path: Path, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
    """The sheets as fastexcel reads them, which bounds nothing by itself.

    Guarded: an ODS or XLSX that really inflates to more than MAX_CALAMINE_BYTES, whatever its directory says; an ODS
    that repeats cells and rows into more of them than MAX_CALAMINE_CELLS.
    Not guarded: an ODS made by hand to look small to our reader and large to calamine (in tables inside shapes, say);
    an XLSX or XLS with two cells a million rows and thousands of columns apart, for calamine lays out every cell
    between them; an XLSX of many short cells, which may take several times its inflated bytes in memory.
    """
    try:
        if path.suffix.lower() == ".ods":
            _bound_ods(path)
        if path.suffix.lower() != ".xls":  # an XLS is no zip file, and calamine opens no zip file of that name
            check_zip(path, MAX_CALAMINE_BYTES)
        book = fastexcel.read_excel(path)
        names = [name for name in book.sheet_names if wanted(name)]
    except OdsBroken as error:
        raise _not_a_workbook(path, str(error)) from error
    except (ZipBroken, fastexcel.FastExcelError) as error:
        raise _not_a_workbook(path, f"a file that cannot be opened ({_first_line(error)})") from error
    for name in names:
        try:
            batch = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow()
        except fastexcel.FastExcelError as error:
            raise PublishedFileError(path.name, "rows of cells", _first_line(error), sheet=name) from error
        yield Sheet(path.name, name, _text_table(pa.Table.from_batches([batch])))


def _bound_ods(path: Path) -> None:
    """Raise OdsBroken for more cells, in all sheets, wanted or not, than calamine should be asked to lay out."""
    with suppress(OdsUnsure):
        for _ in read_ods(path, max_bytes=MAX_CALAMINE_BYTES, max_cells=MAX_CALAMINE_CELLS):
            pass


def _not_a_workbook(path: Path, found: str) -> PublishedFileError:
    kind = "an OpenDocument spreadsheet" if path.suffix.lower() == ".ods" else "an Excel workbook"
    return PublishedFileError(path.name, kind, found.rstrip("."))


def _text_table(table: pa.Table) -> pa.Table:
    """Columns named 0, 1, 2 …, blank text as null."""
    columns = []
    for column in table.columns:
        text = column.cast(pa.string()).combine_chunks()
        blank = pc.equal(pc.utf8_trim_whitespace(text), pa.scalar(""))
        columns.append(pc.if_else(blank, pa.scalar(None, pa.string()), text))
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
