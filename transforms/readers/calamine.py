"""Workbooks as calamine (fastexcel) reads them: Excel's, and the ODS that our own reader does not vouch for.

calamine lays out every cell between the first and the last one, without a bound, and its process dies when the memory
does not suffice: two cells in the far corners of an XLSX ask for 500 GB. So it works in a process of its own, which may
take so much memory and so much time and no more; what dies there is an error here. Where the system knows no such
limits (Windows) there are none.

This file is both ends: imported, `read_calamine` asks; run as a script, it answers. The script imports nothing of ours,
so that it starts wherever the libraries are.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

MAX_MEMORY = 4 << 30  # bytes of address space, of which Python and its libraries take 0.4 GB
MAX_SECONDS = 300  # of processor; 120,000 rows of nine columns take two


class CalamineBroken(Exception):  # noqa: N818
    """The file is no workbook, or one that takes more than it may; `sheet` where only that sheet is concerned."""

    def __init__(self, found: str, sheet: str | None = None) -> None:
        super().__init__(found)
        self.sheet = sheet


def read_calamine(
    path: Path, wanted: Callable[[str], bool], memory: int = MAX_MEMORY, seconds: int = MAX_SECONDS
) -> Iterator[tuple[str, pa.Table]]:
    """(name, cells) of the wanted sheets, in their order; cells are text in dictionaries, null where blank.

    Raises CalamineBroken, perhaps after some sheets.
    """
    command = [sys.executable, "-P", __file__, str(path), str(memory), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        try:
            for number, name in enumerate(_answer(reader)):
                if wanted(name):
                    with suppress(BrokenPipeError):  # it died: its answer will not come either
                        os.write(reader.stdin.fileno(), b"%d\n" % number)
                    _answer(reader, name)
                    yield name, _table(reader, name)
        finally:
            reader.kill()


def _answer(reader: subprocess.Popen[bytes], sheet: str | None = None) -> Any:
    """What the reader says next; after it the table follows, if a sheet was asked for."""
    assert reader.stdout is not None
    try:
        answer = json.loads(reader.stdout.readline())
    except ValueError as error:
        raise _death(reader, sheet) from error
    if "error" in answer:
        raise CalamineBroken(answer["error"], sheet)
    return answer["sheets"]


def _table(reader: subprocess.Popen[bytes], sheet: str) -> pa.Table:
    stdout: Any = reader.stdout
    try:
        with pa.ipc.open_stream(stdout) as stream:
            return stream.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise _death(reader, sheet) from error


def _death(reader: subprocess.Popen[bytes], sheet: str | None) -> CalamineBroken:
    if reader.wait() == -getattr(signal, "SIGXCPU", signal.SIGTERM):
        return CalamineBroken("something that takes more time than any published workbook", sheet)
    return CalamineBroken(
        "something that takes more memory than any published workbook, or on which its reader breaks down", sheet
    )


# ---------------------------------------------------------------- the other end
def _serve(path: str, requests: IO[bytes], out: Any) -> None:
    """Name the sheets; then, for each number that is asked for, send that sheet."""
    book = _tell(out, lambda: fastexcel.read_excel(path))
    _say(out, sheets=book.sheet_names)
    for line in requests:
        batch = _tell(out, partial(_load, book, int(line)))
        columns = [as_texts(batch.column(i)) for i in range(batch.num_columns)]
        table = pa.table(columns, names=[str(i) for i in range(len(columns))])
        _say(out, sheets=[])
        with pa.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
        out.flush()


def _load(book: fastexcel.ExcelReader, number: int) -> pa.RecordBatch:
    return book.load_sheet(number, header_row=None, skip_rows=0, dtypes="string").to_arrow()


def as_texts(column: pa.Array[Any]) -> pa.Array[Any]:
    """Blank text as null, each different text once."""
    text = column.cast(pa.string())
    blank = pc.equal(pc.utf8_trim_whitespace(text), pa.scalar(""))
    found: pa.Array[Any] = pc.if_else(blank, pa.scalar(None, pa.string()), text).dictionary_encode()
    return found


def _tell(out: Any, read: Callable[[], Any]) -> Any:
    """The result of a call to fastexcel; if it refuses, what it says is told, and this process has done its work."""
    try:
        return read()
    except fastexcel.FastExcelError as error:
        _say(out, error=str(error).strip().split("\n")[0].rstrip("."))
        sys.exit()


def _say(out: Any, **words: Any) -> None:
    out.write(json.dumps(words).encode() + b"\n")
    out.flush()


def _limit(memory: int, seconds: int) -> None:
    """Bound this process, where the system can; limits that are lower already stay."""
    with suppress(ImportError):
        import resource

        for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
            _, hard = resource.getrlimit(kind)
            with suppress(ValueError, OSError):  # macOS knows the first, and does not keep it
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    _limit(int(sys.argv[2]), int(sys.argv[3]))
    _serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
