"""CSV files as columns of text: in UTF-8 or Windows-1252, with any line ends, and within limits."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from transforms.errors import PublishedFileError
from transforms.readers.calamine import encode_text
from transforms.readers.ods.limits import MAX_CELLS

MAX_BYTES = 1 << 30
MAX_LINE = 1 << 20  # characters
MAX_ROWS, MAX_COLUMNS = 1 << 22, 1000  # Excel can hold 1,048,576 rows
_BATCH_BYTES, _BATCH_CELLS = 1 << 26, 1 << 20  # as lists of strings, rows take twenty times their size in the file


def read_csv(path: Path) -> pa.Table:
    """The cells of a CSV file: row i is line i + 1, column "j" is text in a dictionary, null where a cell is blank.

    Raises PublishedFileError for a binary file, a NUL character, a quote that does not end, and anything beyond the limits.
    """
    if path.stat().st_size > MAX_BYTES:
        raise PublishedFileError(path.name, f"at most {MAX_BYTES:,} bytes", f"{path.stat().st_size:,} bytes")
    with path.open("rb") as file:
        if b"\0" in file.read(4096):
            raise PublishedFileError(path.name, "text in UTF-8 or Windows-1252", "a binary file")
    try:
        with path.open(encoding="utf-8-sig") as text:
            return _read_cells(path.name, text)
    except UnicodeDecodeError:
        with path.open(encoding="cp1252", errors="replace") as text:
            return _read_cells(path.name, text)


def _read_cells(file: str, text: TextIO) -> pa.Table:
    """Rows become columns one batch at a time."""
    batches, rows, width, done, size = [], list[list[str]](), 0, 0, 0
    reader = csv.reader(_read_lines(file, text))
    try:
        for row in reader:
            rows.append(row)
            width, size = max(width, len(row)), size + sum(map(len, row)) + 64 * len(row) + 64
            if width > MAX_COLUMNS:
                raise PublishedFileError(file, f"at most {MAX_COLUMNS:,} columns", f"{width:,} columns", row=done + len(rows))
            if size > _BATCH_BYTES or len(rows) * width > _BATCH_CELLS:
                batches.append(_to_columns(rows, max(width, 1)))
                rows, done, size = [], done + len(rows), 0
            if done + len(rows) > min(MAX_ROWS, MAX_CELLS // max(width, 1)):
                raise PublishedFileError(file, f"at most {MAX_ROWS:,} rows and {MAX_CELLS:,} cells", "more")
    except csv.Error as error:
        raise PublishedFileError(file, "comma-separated values", f"{error} in line {reader.line_num:,}") from error
    batches.append(_to_columns(rows, max(width, 1)))
    table = pa.concat_tables(batches, promote_options="default").unify_dictionaries().combine_chunks()
    return table if width else pa.table({})  # nothing but blank lines


def _read_lines(file: str, text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise PublishedFileError(file, f"lines of at most {MAX_LINE:,} characters", f"a longer line {number:,}")
        if "\0" in line:
            raise PublishedFileError(file, "text", f"a NUL character in line {number:,}")
        yield line


def _to_columns(rows: list[list[str]], width: int) -> pa.Table:
    for row in rows:
        row.extend([""] * (width - len(row)))
    columns = [encode_text(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
    return pa.table(columns or [encode_text(pa.array([], pa.string()))] * width, names=[str(i) for i in range(width)])
