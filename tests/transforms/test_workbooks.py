"""A workbook is named sheets of text cells, whichever format it came in, and a broken one says so."""

from __future__ import annotations

import os
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import releases
from tests.releases import Cell, figures, write_csv, write_ods, write_xlsx
from transforms import workbooks
from transforms.errors import PublishedFileError, quoted
from transforms.ods import OdsUnsure, read_ods
from transforms.workbooks import Sheet, read_workbook, release_stem

Write = Callable[[Path, list[list[Cell]]], Path]


def as_ods(folder: Path, rows: list[list[Cell]]) -> Path:
    return write_ods(folder / "book.ods", [("2015_16", rows)])


def as_xlsx(folder: Path, rows: list[list[Cell]]) -> Path:
    return write_xlsx(folder / "book.xlsx", [("2015_16", rows)])


def as_csv(folder: Path, rows: list[list[Cell]]) -> Path:
    return write_csv(folder, "book", [("2015_16", rows)])[0]


every_format = pytest.mark.parametrize("write", [as_ods, as_xlsx, as_csv])


def cells(sheet: Sheet) -> dict[tuple[int, int], str]:
    """The filled cells by row and column, from 1 on, as a spreadsheet counts them."""
    return {(i, j): cell for i, row in enumerate(sheet.text_rows(), 1) for j, cell in enumerate(row, 1) if cell}


def only_sheet(path: Path) -> Sheet:
    sheets = list(read_workbook(path))
    assert len(sheets) == 1
    return sheets[0]


def refusal(path: Path) -> str:
    with pytest.raises(PublishedFileError) as error:
        list(read_workbook(path))
    return str(error.value)


@every_format
@pytest.mark.parametrize("text", ["4.1", "4.10", "5E", "5E3", "8Q", "30A", "1/4.1/4.10/4.2", "007", "1/4", "TRUE"])
def test_a_code_is_text_and_not_what_a_reader_guesses(tmp_path: Path, write: Write, text: str) -> None:
    assert cells(only_sheet(write(tmp_path, [["Offence Code"], [text]]))) == {(1, 1): "Offence Code", (2, 1): text}


@every_format
def test_a_number_prints_as_people_write_it(tmp_path: Path, write: Write) -> None:
    numbers = [36, 0, -3, 1.5, 123456789]
    for rows in ([numbers], [[number] for number in numbers]):
        read = cells(only_sheet(write(tmp_path, [list(row) for row in rows])))
        assert list(read.values()) == ["36", "0", "-3", "1.5", "123456789"]


def test_a_float_without_a_fraction_prints_as_a_whole_number_in_workbooks(tmp_path: Path) -> None:
    for write in (as_ods, as_xlsx):
        assert cells(only_sheet(write(tmp_path, [["Financial Quarter"], [1.0]])))[2, 1] == "1"


@every_format
def test_blank_rows_and_cells_above_and_between_keep_the_place_of_what_follows(tmp_path: Path, write: Write) -> None:
    rows: list[list[Cell]] = [[None, None, None], ["title", None, None], [None, None, None], ["a", None, "c"]]
    assert cells(only_sheet(write(tmp_path, rows))) == {(2, 1): "title", (4, 1): "a", (4, 3): "c"}


@every_format
def test_a_cell_of_blanks_is_empty(tmp_path: Path, write: Write) -> None:
    rows: list[list[Cell]] = [["a", " ", "b"], ["c", "d", "e"], [None, " ", None], ["f", None, None]]
    assert only_sheet(write(tmp_path, rows)).text_rows() == [
        ["a", None, "b"], ["c", "d", "e"], [None, None, None], ["f", None, None]
    ]


@every_format
def test_names_come_through_letter_by_letter(tmp_path: Path, write: Write) -> None:
    names: list[Cell] = ["Cheshire West_Elle Prt,Neston", "Northern Devon_ Torridge", "King's Lynn", "Devon & Cornwall",
                         'a "quoted" <name>', "Ynys Môn", "Burglary – dwelling"]
    assert list(cells(only_sheet(write(tmp_path, [names]))).values()) == names


# without what openpyxl takes for a formula, an error or an escape
LETTERS = st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="=#_", exclude_categories=["C", "Z"])
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)
CELLS = st.none() | WORDS | st.integers(-(10**6), 10**6)
GRIDS = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5)
QUOTABLE = st.text(st.sampled_from('a,"; \n\'é–'), max_size=6)


@settings(max_examples=25, deadline=None)
@given(GRIDS)
def test_ods_xlsx_and_csv_of_the_same_cells_read_the_same(rows: list[list[Cell]]) -> None:
    rows = [["a title", *([None] * 4)], *rows]
    meant = {(i, j): str(cell) for i, row in enumerate(rows, 1) for j, cell in enumerate(row, 1) if cell is not None}
    with tempfile.TemporaryDirectory() as folder:
        for write in (as_ods, as_xlsx, as_csv):
            assert cells(only_sheet(write(Path(folder), rows))) == meant


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(QUOTABLE, min_size=2, max_size=3), min_size=1, max_size=5),
    st.sampled_from(["\r\n", "\n"]),
    st.booleans(),
)
def test_a_quoted_csv_cell_may_hold_commas_quotes_and_line_ends(rows: list[list[str]], end: str, bom: bool) -> None:
    meant = {(i, j): cell for i, row in enumerate(rows, 1) for j, cell in enumerate(row, 1) if cell.strip()}
    with tempfile.TemporaryDirectory() as folder:
        path, = write_csv(Path(folder), "book", [("2015_16", rows)], line_end=end, bom=bom)
        assert cells(only_sheet(path)) == meant


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize(("encoding", "bom"), [("utf-8", False), ("utf-8", True), ("cp1252", False)])
def test_a_csv_reads_the_same_in_every_state_that_was_published(
    tmp_path: Path, encoding: str, bom: bool, line_end: str
) -> None:
    rows: list[list[Cell]] = [["Financial Year", "CSP Name"], ["2015/16", "Ynys Môn – Anglesey"], ["2015/16", "b, c"]]
    path, = write_csv(tmp_path, "book", [("2015_16", rows)], encoding=encoding, bom=bom, line_end=line_end)
    assert only_sheet(path).text_rows() == rows


@pytest.mark.parametrize("write", [as_ods, as_xlsx])
def test_sheets_keep_their_names_and_order_and_unwanted_ones_are_left_out(tmp_path: Path, write: Write) -> None:
    writer = write_ods if write is as_ods else write_xlsx
    path = writer(tmp_path / f"book.{'ods' if write is as_ods else 'xlsx'}",
                  [(name, [[f"in {name}"]]) for name in ("Notes & definitions", "2014-15", "2015_16")])
    assert [sheet.name for sheet in read_workbook(path)] == ["Notes & definitions", "2014-15", "2015_16"]
    wanted = list(read_workbook(path, lambda name: name == "2014-15"))
    assert [(sheet.name, sheet.text_rows()) for sheet in wanted] == [("2014-15", [["in 2014-15"]])]


def test_the_filler_of_a_published_ods_is_never_expanded(tmp_path: Path) -> None:
    path = as_ods(tmp_path, [list(releases.CSP_2015), figures("2015/16", 1, "West Mercia", csp="South Worcester")])
    with zipfile.ZipFile(path) as book:  # the filler is there
        assert b'number-rows-repeated="800000"' in book.read("content.xml")
    sheet = only_sheet(path)
    assert (sheet.cells.num_rows, sheet.cells.num_columns) == (2, 9)


def test_rows_and_cells_that_repeat_and_hold_something_are_expanded(tmp_path: Path) -> None:
    path = as_ods(tmp_path, [["a", "b"]])
    change_part(path, "content.xml", lambda xml: xml.replace(
        b'<table:table-row table:style-name="ro1">', b'<table:table-row table:number-rows-repeated="3">'))
    assert only_sheet(path).text_rows() == [["a", "b"]] * 3


def doubtful_ods(folder: Path) -> Path:
    """Three sheets, of which the second holds a cell that the fast reader does not vouch for."""
    names = ["2014_15", "2015_16", "Notes"]
    path = write_ods(folder / "book.ods", [(name, [["4.10", f"in {name}"]]) for name in names])
    change_part(path, "content.xml", lambda xml: xml.replace(
        b"<text:p>in 2015_16", b"<text:p><text:ruby><text:ruby-base/></text:ruby>in 2015_16"))
    with pytest.raises(OdsUnsure, match="sheet 2015_16: a cell holds a ruby"):
        list(read_ods(path))
    return path


def change_part(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, data in parts.items():
            book.writestr(part, data)


def test_an_ods_that_the_fast_reader_does_not_vouch_for_reads_on_in_the_other(tmp_path: Path) -> None:
    assert [(sheet.name, sheet.text_rows()) for sheet in read_workbook(doubtful_ods(tmp_path))] == [
        (name, [["4.10", f"in {name}"]]) for name in ("2014_15", "2015_16", "Notes")
    ]


def test_the_csv_sheets_of_one_stem_belong_together() -> None:
    names = ["prc-csp-mar2016-tables-230426_2015_16.csv", "prc-csp-mar2016-tables-230426_2016-17.CSV",
             "prc-csp-mar2016-tables-230426.ods", "prc-csp-mar2016-tables-230426.csv"]
    assert {release_stem(name) for name in names} == {"prc-csp-mar2016-tables-230426"}
    assert release_stem("prc-csp-tables_2015_16.ods") == "prc-csp-tables_2015_16"


def test_a_csv_sheet_is_named_for_its_year(tmp_path: Path) -> None:
    assert only_sheet(as_csv(tmp_path, [["a"]])).name == "2015_16"


# ---------------------------------------------------------------- files that are not what their name says
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


@pytest.mark.parametrize("name", ["book.ods", "book.xlsx", "book.csv"])
def test_an_empty_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert refusal(tmp_path / name) == f"{name}: expected a workbook, found an empty file."


def test_a_zip_that_is_no_spreadsheet_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "book.ods", "w") as book:
        book.writestr("readme.txt", "nothing")
    assert refusal(tmp_path / "book.ods") == (
        "book.ods: expected an OpenDocument spreadsheet, "
        "found this zip file has no content.xml, so it is no spreadsheet."
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
        path, part = doubtful_ods(tmp_path), "content.xml"
    change_part(path, part, lambda xml: xml + b" " * 999_999)
    with zipfile.ZipFile(path) as opened:
        size = struct.pack("<I", opened.getinfo(part).file_size)
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 1000)))  # the directory plays it down
    assert list(read_workbook(path))
    monkeypatch.setattr(workbooks, "MAX_CALAMINE_BYTES", 500_000)
    monkeypatch.setattr(workbooks, "read_calamine", lambda *_: pytest.fail("it did"))
    assert "more than 500,000 bytes in " in refusal(path)


def test_a_few_cells_that_repeat_too_often_never_get_to_calamine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = doubtful_ods(tmp_path)
    many = b'<table:table-row table:number-rows-repeated="20000000"><table:table-cell office:value-type="string">'
    bomb = many + b"<text:p>a</text:p></table:table-cell></table:table-row></table:table>"
    change_part(path, "content.xml", lambda xml: bomb.join(xml.rsplit(b"</table:table>", 1)))  # in the last sheet,
    monkeypatch.setattr(workbooks, "read_calamine", lambda *_: pytest.fail("it did"))
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
    monkeypatch.setattr(workbooks, "MAX_CSV_ROWS", 1000)
    (tmp_path / "book.csv").write_bytes(b"\n" * 2000)
    assert refusal(tmp_path / "book.csv") == "book.csv: expected at most 1,000 rows and 67,108,864 cells, found more."
    monkeypatch.setattr(workbooks, "MAX_CELLS", 5000)
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


def test_a_long_csv_is_put_together_again(tmp_path: Path) -> None:
    rows = [[], *([str(i), f"name {i % 7}"] for i in range(700_000)), ["a", "b", "c"]]
    path, = write_csv(tmp_path, "book", [("2015_16", rows)])
    cells = only_sheet(path).cells
    assert cells.shape == (700_002, 3) and [len(column.chunks) for column in cells.columns] == [1, 1, 1]
    assert [cells[name][at].as_py() for at in (0, 1, 700_000, 700_001) for name in cells.column_names] == [
        None, None, None, "0", "name 0", None, "699999", f"name {699_999 % 7}", None, "a", "b", "c"]


def test_an_ending_that_nobody_reads_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    assert refusal(tmp_path / "a.pdf") == "a.pdf: expected a name that ends in .ods, .xlsx, .xls, .csv, found .pdf."


@given(st.text())
def test_a_value_in_an_error_never_breaks_its_line_or_fills_the_screen(text: str) -> None:
    shown = quoted(text)
    assert shown.isprintable()
    assert len(shown) <= 63
    assert text or shown == "an empty cell"
