"""One sheet of cells as a workbook of each format, and workbooks changed behind their writer's back."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.releases import Cell, write_csv, write_ods, write_xlsx
from transforms.readers.ods.reader import OdsUnsupported, read_ods
from transforms.readers.workbooks import Sheet, read_workbook


def as_ods(folder: Path, rows: list[list[Cell]]) -> Path:
    return write_ods(folder / "book.ods", [("2015_16", rows)])


def as_xlsx(folder: Path, rows: list[list[Cell]]) -> Path:
    return write_xlsx(folder / "book.xlsx", [("2015_16", rows)])


def as_csv(folder: Path, rows: list[list[Cell]]) -> Path:
    return write_csv(folder, "book", [("2015_16", rows)])[0]


def only_sheet(path: Path) -> Sheet:
    sheets = list(read_workbook(path))
    assert len(sheets) == 1
    return sheets[0]


def change_part(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, data in parts.items():
            book.writestr(part, data)


def unsupported_ods(folder: Path) -> Path:
    """Three sheets, of which the second holds a cell that the fast reader does not vouch for."""
    names = ["2014_15", "2015_16", "Notes"]
    path = write_ods(folder / "book.ods", [(name, [["4.10", f"in {name}"]]) for name in names])
    change_part(
        path,
        "content.xml",
        lambda xml: xml.replace(b"<text:p>in 2015_16", b"<text:p><text:ruby><text:ruby-base/></text:ruby>in 2015_16"),
    )
    with pytest.raises(OdsUnsupported, match="sheet 2015_16: a cell holds a ruby"):
        list(read_ods(path))
    return path
