"""calamine works in a process of its own, so that what it can not hold ends there and is told."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pyarrow as pa
import pytest

from tests.support.releases import write_xlsx
from tools.fuzz.xls import biff, ole, write_xls
from transforms.errors import PublishedFileError
from transforms.readers.calamine import CalamineError, read_calamine
from transforms.readers.workbooks import read_workbook


def far_apart(path: Path, corner: str) -> Path:
    """Two cells of text, in the second sheet."""
    book = openpyxl.Workbook()
    book.active.title, book.active["A1"] = "near", "a"
    sheet = book.create_sheet("far")
    sheet["A1"], sheet[corner] = "a", "b"
    book.save(path)
    return path


def read(path: Path, **limits: Any) -> dict[str, tuple[int, int]]:
    return {name: cells.shape for name, cells in read_calamine(path, lambda _: True, **limits)}


def test_two_cells_in_the_far_corners_of_a_sheet_end_in_a_sentence_and_not_in_the_end_of_the_process(tmp_path: Path) -> None:
    sheets = read_workbook(far_apart(tmp_path / "book.xlsx", "XFD1048576"))
    assert next(sheets).text_rows() == [["a"]]
    with pytest.raises(PublishedFileError) as error:
        next(sheets)
    assert str(error.value) == (
        "book.xlsx, sheet far: expected rows of cells, found something that takes more memory than any published workbook, "
        "or on which its reader breaks down."
    )


def test_the_same_in_an_old_excel_workbook(tmp_path: Path) -> None:  # all of it is read when it is opened
    path = tmp_path / "book.xls"
    path.write_bytes(ole(biff([("far", {(0, 0): "a", (65535, 65535): "b"})])))
    with pytest.raises(PublishedFileError, match=r"^book\.xls: expected an Excel workbook, .* more memory"):
        list(read_workbook(path))


def test_an_old_excel_workbook_of_figures_is_read(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "book.xls", [("Notes", [["a"]]), ("2015_16", [["4.10", 36, None, -4.0], [None, "Môn"]])])
    assert [(sheet.name, sheet.text_rows()) for sheet in read_workbook(path)] == [
        ("Notes", [["a"]]),
        ("2015_16", [["4.10", "36", None, "-4"], [None, "Môn", None, None]]),
    ]


def test_both_bounds_are_kept(tmp_path: Path) -> None:
    path = far_apart(tmp_path / "book.xlsx", "XFD1000")
    with pytest.raises(CalamineError, match="more memory"):
        read(path, memory=700 << 20)
    with pytest.raises(CalamineError, match="more time"):
        read(path, seconds=1)


def test_only_wanted_sheets_are_laid_out(tmp_path: Path) -> None:
    found = read_calamine(far_apart(tmp_path / "book.xlsx", "XFD1048576"), lambda name: name == "near")
    assert [name for name, _ in found] == ["near"]


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that were started."""
    started = []

    def start(*words: Any, _start: Any = subprocess.Popen, **more: Any) -> Any:
        started.append(_start(*words, **more))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return started


def two_sheets(folder: Path) -> Iterator[tuple[str, pa.Table]]:
    return read_calamine(write_xlsx(folder / "book.xlsx", [("a", [["a"]]), ("b", [["b"]])]), lambda _: True)


def test_a_reader_that_was_left_half_way_is_gone(tmp_path: Path, readers: list[subprocess.Popen[bytes]]) -> None:
    reading = two_sheets(tmp_path)
    assert next(reading)[0] == "a"
    reading.close()
    assert readers[0].returncode is not None


def test_a_reader_that_dies_between_two_sheets_is_told(tmp_path: Path, readers: list[subprocess.Popen[bytes]]) -> None:
    reading = two_sheets(tmp_path)
    assert next(reading)[0] == "a"
    readers[0].kill()
    readers[0].wait()
    with pytest.raises(CalamineError, match="its reader breaks down"):
        next(reading)


def test_where_the_system_knows_no_limits_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resource.py").write_text("raise ImportError")  # as on Windows
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = write_xlsx(tmp_path / "book.xlsx", [("a", [["a"]])])
    assert read(path, memory=1, seconds=1) == {"a": (1, 1)}
