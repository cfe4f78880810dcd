"""A workbook that is broken, too large, or not what its name says is told in one sentence."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import releases
from tests.support.releases import write_ods, write_xlsx
from tests.support.workbook_files import as_ods, as_xlsx, change_part, unsupported_ods
from transforms.errors import PublishedFileError, quoted
from transforms.readers import csv, workbooks
from transforms.readers.workbooks import read_workbook


def refusal(path: Path) -> str:
    with pytest.raises(PublishedFileError) as error:
        list(read_workbook(path))
    return str(error.value)


def test_a_truncated_ods_is_not_read_by_half(tmp_path: Path) -> None:
    path = as_ods(tmp_path, [["a"]] * 100)
    path.write_bytes(path.read_bytes()[:-40])
    assert refusal(path) == (
        "book.ods: expected an OpenDocument spreadsheet, found this is not a whole zip file: File is not a zip file."
    )


def test_a_workbook_whose_zip_directory_is_damaged_is_told(tmp_path: Path) -> None:
    for path in (as_ods(tmp_path, [["a"]]), as_xlsx(tmp_path, [["a"]])):
        data = bytearray(path.read_bytes())
        data[-6:-2] = struct.pack("<I", 2**31)  # where the directory starts
        path.write_bytes(data)
        assert "this is not a whole zip file: " in refusal(path)


def test_an_ods_with_a_damaged_middle_is_not_read_by_half(tmp_path: Path) -> None:
    path = as_ods(tmp_path, [[f"cell {i}"] for i in range(5000)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 50] = bytes(50)
    path.write_bytes(data)
    assert refusal(path).startswith("book.ods: expected an OpenDocument spreadsheet, found this is not a whole zip")


@pytest.mark.parametrize("name", ["book.ods", "book.xlsx", "book.csv"])
@pytest.mark.parametrize("page", ["<!DOCTYPE html><html>Not found</html>", "\n  <HTML>\n<body>", "\ufeff<html>"])
def test_a_web_page_under_a_workbooks_name_is_told_from_a_workbook(tmp_path: Path, name: str, page: str) -> None:
    (tmp_path / name).write_text(page, encoding="utf-8")
    assert refusal(tmp_path / name) == f"{name}: expected a workbook, found an HTML page."


@pytest.mark.parametrize("name", ["book.ods", "book.xlsx", "book.xls", "book.csv"])
@pytest.mark.parametrize(
    "start",
    [
        "<!doctype html><title>x</title>",
        "<!-- saved -->\n<html>",
        "<?xml version='1.0'?>",
        "\n" * 9000 + "<html>",
        '{"a":[',
        "<p>\xe9",
    ],
)
def test_what_is_no_workbook_is_refused_at_once_however_long_it_is(tmp_path: Path, name: str, start: str) -> None:
    (tmp_path / name).write_text(start + "<p>a,b</p>\n" * 400_000, encoding="cp1252")
    began = time.process_time()
    assert re.fullmatch(
        rf"{name}: expected a workbook, found (an HTML page|a page of HTML or XML|JSON)\.", refusal(tmp_path / name)
    )
    assert time.process_time() - began < 0.5


def test_an_xls_that_does_not_begin_like_one_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "book.xls").write_bytes(b"\xff\xfe" + bytes(5_000_000))
    assert refusal(tmp_path / "book.xls") == "book.xls: expected an Excel workbook, found a file of another kind."


@pytest.mark.parametrize("name", ["book.ods", "book.xlsx", "book.csv"])
def test_an_empty_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert refusal(tmp_path / name) == f"{name}: expected a workbook, found an empty file."


def test_a_zip_that_is_no_spreadsheet_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "book.ods", "w") as book:
        book.writestr("readme.txt", "nothing")
    assert refusal(tmp_path / "book.ods") == (
        "book.ods: expected an OpenDocument spreadsheet, found this zip file has no content.xml, so it is no spreadsheet."
    )


def test_a_broken_excel_workbook_is_told(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path, [["a"]])
    path.write_bytes(path.read_bytes()[:300])
    assert refusal(path).startswith("book.xlsx: expected an Excel workbook, found a file that cannot be opened (")


@pytest.mark.parametrize("book", ["xlsx", "ods"])
def test_a_small_file_that_inflates_to_too_much_never_gets_to_calamine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book: str
) -> None:
    if book == "xlsx":
        path, part = as_xlsx(tmp_path, [["a"]]), "xl/worksheets/sheet1.xml"
    else:
        path, part = unsupported_ods(tmp_path), "content.xml"
    change_part(path, part, lambda xml: xml + b" " * 999_999)
    with zipfile.ZipFile(path) as opened:
        size = struct.pack("<I", opened.getinfo(part).file_size)
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 1000)))  # the directory plays it down
    assert list(read_workbook(path))
    monkeypatch.setattr(workbooks, "MAX_CALAMINE_BYTES", 500_000)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("it did"))
    assert "more than 500,000 bytes in " in refusal(path)


def test_a_few_cells_that_repeat_too_often_never_get_to_calamine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = unsupported_ods(tmp_path)
    many = b'<table:table-row table:number-rows-repeated="20000000"><table:table-cell office:value-type="string">'
    bomb = many + b"<text:p>a</text:p></table:table-cell></table:table-row></table:table>"
    change_part(path, "content.xml", lambda xml: bomb.join(xml.rsplit(b"</table:table>", 1)))  # in the last sheet,
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("it did"))
    with pytest.raises(PublishedFileError, match="found more than 16,777,216 cells up to sheet Notes"):
        list(read_workbook(path, lambda name: name == "2015_16"))  # which is not wanted


def test_a_zip_file_with_two_parts_of_one_name_is_told(tmp_path: Path) -> None:
    for path, part in ((as_xlsx(tmp_path, [["a"]]), "xl/worksheets/sheet1.xml"), (as_ods(tmp_path, [["a"]]), "content.xml")):
        with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as book:
            book.writestr(part, "another")
        assert "a zip file with two parts of one name" in refusal(path)


def test_a_binary_file_named_csv_is_told(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_bytes(as_ods(tmp_path, [["a"]]).read_bytes())
    assert refusal(tmp_path / "book.csv") == "book.csv: expected text in UTF-8 or Windows-1252, found a binary file."


@pytest.mark.parametrize("write", [write_ods, write_xlsx])
def test_two_sheets_of_one_name_are_told(tmp_path: Path, write: Callable[[Path, list[releases.Sheet]], Path]) -> None:
    path = write(tmp_path / f"book.{write.__name__[6:]}", [("2015_16", [["a"]]), ("2014_15", [["b"]])])
    part, other = ("content.xml", b"2014_15") if write is write_ods else ("xl/workbook.xml", b"2014_15")
    change_part(path, part, lambda xml: xml.replace(other, b"2015_16"))
    assert refusal(path) == f'{path.name}: expected sheets of different names, found two that are called "2015_16".'


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ods")
    assert refusal(tmp_path / "pipe.ods") == "pipe.ods: expected a file, found something else."
    assert refusal(tmp_path / "none.ods") == "none.ods: expected a file, found nothing."


def test_a_csv_of_nothing_but_line_ends_or_commas_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "MAX_ROWS", 1000)
    (tmp_path / "book.csv").write_bytes(b"\n" * 2000)
    assert refusal(tmp_path / "book.csv") == "book.csv: expected at most 1,000 rows and 67,108,864 cells, found more."
    monkeypatch.setattr(csv, "MAX_CELLS", 5000)
    (tmp_path / "book.csv").write_bytes(b",,,,,,,,,\n" * 600)
    assert refusal(tmp_path / "book.csv") == "book.csv: expected at most 1,000 rows and 5,000 cells, found more."


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'a,b\n"c' + b"d" * 200_000, "comma-separated values, found field larger than field limit (131072) in line 2"),
        (b"a,b\n" + b"c" * 2_000_000, "lines of at most 1,048,576 characters, found a longer line 2"),
        (b"a,b\n" * 2000 + b"c\0,d\n", "text, found a NUL character in line 2,001"),
        (b"a,b\n" + b"," * 1000, "at most 1,000 columns, found 1,001 columns"),
        ("a,b\n".encode("utf-16"), "text in UTF-8 or Windows-1252, found a binary file"),
    ],
)
def test_what_is_no_csv_is_told_before_much_of_it_is_held(tmp_path: Path, data: bytes, found: str) -> None:
    (tmp_path / "book.csv").write_bytes(data)
    assert f": expected {found}." in refusal(tmp_path / "book.csv").replace(", row 2:", ":")


def test_an_ending_that_nobody_reads_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    assert refusal(tmp_path / "a.pdf") == "a.pdf: expected a name that ends in .ods, .xlsx, .xls, .csv, found .pdf."


@given(st.text())
def test_a_value_in_an_error_never_breaks_its_line_or_fills_the_screen(text: str) -> None:
    shown = quoted(text)
    assert shown.isprintable()
    assert len(shown) <= 63
    assert text or shown == "an empty cell"
