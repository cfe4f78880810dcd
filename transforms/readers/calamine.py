"""Workbooks as calamine (fastexcel) reads them: Excel's, and the ODS with features that our own reader does not support.

calamine lays out every cell between the first and the last one, without a limit, and its process dies when memory runs
out: two cells in the far corners of an XLSX ask for 500 GB. So it runs in a process of its own with limited memory and
time; if that process dies, the caller gets an error. Where the system has no such limits (Windows) there are none.

This file is both ends: imported, `read_calamine` sends requests; run as a script, it answers them. The script imports
nothing of ours, so that it starts wherever the libraries are.
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
from typing import IO, Any, TypedDict, TypeVar, cast

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

MAX_MEMORY = 4 << 30  # bytes of address space, of which Python and its libraries take 0.4 GB
MAX_SECONDS = 300  # of processor; 120,000 rows of nine columns take two
T = TypeVar("T")


class _Answer(TypedDict, total=False):
    """One line of JSON from the script."""

    sheets: list[str]
    error: str


class CalamineError(Exception):
    """The file is no workbook, or takes more memory or time than allowed. A reader catches it and names the file."""

    def __init__(self, found: str, sheet: str | None = None) -> None:
        """`found` is part of a sentence; `sheet` is the sheet that could not be read, None where it is the file."""
        super().__init__(found)
        self.sheet = sheet


def read_calamine(
    path: Path, wanted: Callable[[str], bool], memory: int = MAX_MEMORY, seconds: int = MAX_SECONDS
) -> Iterator[tuple[str, pa.Table]]:
    """(name, cells) of the wanted sheets, in their order; cells are dictionary-encoded text, null where blank.

    Raises CalamineError, perhaps after some sheets. `memory` is in bytes of address space, `seconds` are of processor.
    """
    command = [sys.executable, "-P", __file__, str(path), str(memory), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        try:
            for number, name in enumerate(_receive_names(reader)):
                if wanted(name):
                    with suppress(BrokenPipeError):  # it died: its answer will not come either
                        os.write(reader.stdin.fileno(), b"%d\n" % number)
                    _receive_names(reader, name)
                    yield name, _receive_table(reader, name)
        finally:
            reader.kill()


def _receive_names(reader: subprocess.Popen[bytes], sheet: str | None = None) -> list[str]:
    """The names of all sheets, the first answer; or none, if a sheet was asked for, whose table follows."""
    assert reader.stdout is not None
    try:
        answer: _Answer = json.loads(reader.stdout.readline())
    except ValueError as error:
        raise _explain_death(reader, sheet) from error
    if "error" in answer:
        raise CalamineError(answer["error"], sheet)
    return answer["sheets"]


def _receive_table(reader: subprocess.Popen[bytes], sheet: str) -> pa.Table:
    stdout: Any = reader.stdout  # pyarrow's stubs know no pipes
    try:
        with pa.ipc.open_stream(stdout) as stream:
            return stream.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise _explain_death(reader, sheet) from error


def _explain_death(reader: subprocess.Popen[bytes], sheet: str | None) -> CalamineError:
    if reader.wait() == -getattr(signal, "SIGXCPU", signal.SIGTERM):
        return CalamineError("something that takes more time than any published workbook", sheet)
    return CalamineError(
        "something that takes more memory than any published workbook, or on which its reader breaks down", sheet
    )


# ---------------------------------------------------------------- the other end
def _serve(path: str, requests: IO[bytes], out: IO[bytes]) -> None:
    """Send the names of the sheets; then, for each number that is asked for, that sheet."""
    book = _try(out, lambda: fastexcel.read_excel(path))
    _send(out, {"sheets": book.sheet_names})
    for line in requests:
        batch = _try(out, partial(_load, book, int(line)))
        columns = [encode_text(batch.column(i)) for i in range(batch.num_columns)]
        table = pa.table(columns, names=[str(i) for i in range(len(columns))])
        _send(out, {"sheets": []})
        with pa.ipc.new_stream(cast(Any, out), table.schema) as stream:
            stream.write_table(table)
        out.flush()


def _load(book: fastexcel.ExcelReader, number: int) -> pa.RecordBatch:
    return book.load_sheet(number, header_row=None, skip_rows=0, dtypes="string").to_arrow()


def encode_text(column: pa.Array[Any]) -> pa.Array[Any]:
    """A column of text, dictionary-encoded; blank text becomes null."""
    text = column.cast(pa.string())
    blank = pc.equal(pc.utf8_trim_whitespace(text), pa.scalar(""))
    found: pa.Array[Any] = pc.if_else(blank, pa.scalar(None, pa.string()), text).dictionary_encode()
    return found


def _try(out: IO[bytes], read: Callable[[], T]) -> T:
    """The result of a call to fastexcel; if it refuses the file, send what it says and end this process."""
    try:
        return read()
    except fastexcel.FastExcelError as error:
        _send(out, {"error": str(error).strip().split("\n")[0].rstrip(".")})
        sys.exit()


def _send(out: IO[bytes], answer: _Answer) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


def limit_process(memory: int, seconds: int) -> None:
    """Limit this process, where the system can; limits that are lower already stay."""
    with suppress(ImportError):
        import resource

        for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
            _, hard = resource.getrlimit(kind)
            with suppress(ValueError, OSError):  # macOS knows the first, and does not keep it
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    limit_process(int(sys.argv[2]), int(sys.argv[3]))
    _serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
