"""A tiny Excel 97 workbook (BIFF8 in an OLE file), written by hand: enough for cells of text and numbers in any place."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support.releases import Cell, Sheet

Cells = Mapping[tuple[int, int], Cell]  # (row, column), both from 0
SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def write_xls(path: Path, sheets: Iterable[Sheet]) -> Path:
    """Write an Excel 97 workbook."""
    placed = [
        (name, {(i, j): cell for i, row in enumerate(rows) for j, cell in enumerate(row) if cell is not None})
        for name, rows in sheets
    ]
    path.write_bytes(ole(biff(placed)))
    return path


def biff(sheets: list[tuple[str, Cells]]) -> bytes:
    """The stream of a workbook: its globals, then each sheet."""
    bodies = [
        _bof(0x10) + b"".join(_cell(*place, cell) for place, cell in sorted(cells.items())) + _record(0x0A) for _, cells in sheets
    ]
    codepage = _record(0x42, struct.pack("<H", 1200))
    names = [struct.pack("<BB", len(name), 1) + name.encode("utf-16-le") for name, _ in sheets]
    at = len(_bof(5) + codepage) + sum(4 + 6 + len(name) for name in names) + len(_record(0x0A))
    globals_ = _bof(5) + codepage
    for name, body in zip(names, bodies, strict=True):
        globals_ += _record(0x85, struct.pack("<IH", at, 0) + name)
        at += len(body)
    return globals_ + _record(0x0A) + b"".join(bodies)


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _bof(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 1996, 0, 6))


def _cell(row: int, column: int, value: Cell) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        return _record(0x204, place + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
    return _record(0x203, place + struct.pack("<d", value or 0))


def ole(stream: bytes) -> bytes:
    """An OLE file that holds one stream, `Workbook`."""
    stream = stream.ljust(4096, b"\0")  # a shorter one would lie in a stream of small streams
    sectors = -(-len(stream) // SECTOR)
    fats = next(n for n in range(1, 110) if n * (SECTOR // 4) >= sectors + 1 + n)
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        fats,
        fats,
        0,
        4096,
        _END,
        0,
        _END,
        0,
    )
    header += struct.pack("<109I", *range(fats), *[_FREE] * (109 - fats))
    chain = [*[_FAT] * fats, _END, *range(fats + 2, fats + 1 + sectors), _END]
    fat = struct.pack(f"<{fats * SECTOR // 4}I", *chain, *[_FREE] * (fats * SECTOR // 4 - len(chain)))
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, fats + 1, len(stream))
    directory = entries.ljust(SECTOR, b"\0")
    return header + fat + directory + stream.ljust(sectors * SECTOR, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII16xI16xIII", text, len(text) + 2, kind, 1, _FREE, _FREE, child, 0, start, size, 0)
