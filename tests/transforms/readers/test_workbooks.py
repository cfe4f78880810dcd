"""A workbook is named sheets of text cells, whichever format it came in."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import releases
from tests.support.releases import Cell, figures, write_csv, write_ods, write_xlsx
from tests.support.workbook_files import as_csv, as_ods, as_xlsx, change_part, only_sheet, unsupported_ods
from transforms.readers.workbooks import Sheet, read_workbook, release_stem

Write = Callable[[Path, list[list[Cell]]], Path]
every_format = pytest.mark.parametrize("write", [as_ods, as_xlsx, as_csv])


def cells(sheet: Sheet) -> dict[tuple[int, int], str]:
    """The filled cells by row and column, from 1 on, as a spreadsheet counts them."""
    return {(i, j): cell for i, row in enumerate(sheet.text_rows(), 1) for j, cell in enumerate(row, 1) if cell}


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
        ["a", None, "b"],
        ["c", "d", "e"],
        [None, None, None],
        ["f", None, None],
    ]


@every_format
def test_names_come_through_letter_by_letter(tmp_path: Path, write: Write) -> None:
    names: list[Cell] = [
        "Cheshire West_Elle Prt,Neston",
        "Northern Devon_ Torridge",
        "King's Lynn",
        "Devon & Cornwall",
        'a "quoted" <name>',
        "Ynys Môn",
        "Burglary – dwelling",
    ]
    assert list(cells(only_sheet(write(tmp_path, [names]))).values()) == names


# without what openpyxl takes for a formula, an error or an escape
LETTERS = st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="=#_", exclude_categories=["C", "Z"])
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)
CELLS = st.none() | WORDS | st.integers(-(10**6), 10**6)
GRIDS = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5)
QUOTABLE = st.text(st.sampled_from("a,\"; \n'é–"), max_size=6)


@settings(max_examples=40, deadline=None)
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
        (path,) = write_csv(Path(folder), "book", [("2015_16", rows)], line_end=end, bom=bom)
        assert cells(only_sheet(path)) == meant


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize(("encoding", "bom"), [("utf-8", False), ("utf-8", True), ("cp1252", False)])
def test_a_csv_reads_the_same_in_every_state_that_was_published(tmp_path: Path, encoding: str, bom: bool, line_end: str) -> None:
    rows: list[list[Cell]] = [["Financial Year", "CSP Name"], ["2015/16", "Ynys Môn – Anglesey"], ["2015/16", "b, c"]]
    (path,) = write_csv(tmp_path, "book", [("2015_16", rows)], encoding=encoding, bom=bom, line_end=line_end)
    assert only_sheet(path).text_rows() == rows


@pytest.mark.parametrize("write", [as_ods, as_xlsx])
def test_sheets_keep_their_names_and_order_and_unwanted_ones_are_left_out(tmp_path: Path, write: Write) -> None:
    writer = write_ods if write is as_ods else write_xlsx
    path = writer(
        tmp_path / f"book.{'ods' if write is as_ods else 'xlsx'}",
        [(name, [[f"in {name}"]]) for name in ("Notes & definitions", "2014-15", "2015_16")],
    )
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
    change_part(
        path,
        "content.xml",
        lambda xml: xml.replace(b'<table:table-row table:style-name="ro1">', b'<table:table-row table:number-rows-repeated="3">'),
    )
    assert only_sheet(path).text_rows() == [["a", "b"]] * 3


def test_an_ods_that_the_fast_reader_does_not_vouch_for_reads_on_in_the_other(tmp_path: Path) -> None:
    assert [(sheet.name, sheet.text_rows()) for sheet in read_workbook(unsupported_ods(tmp_path))] == [
        (name, [["4.10", f"in {name}"]]) for name in ("2014_15", "2015_16", "Notes")
    ]


def test_the_csv_sheets_of_one_stem_belong_together() -> None:
    names = [
        "prc-csp-mar2016-tables-230426_2015_16.csv",
        "prc-csp-mar2016-tables-230426_2016-17.CSV",
        "prc-csp-mar2016-tables-230426.ods",
        "prc-csp-mar2016-tables-230426.csv",
    ]
    assert {release_stem(name) for name in names} == {"prc-csp-mar2016-tables-230426"}
    assert release_stem("prc-csp-tables_2015_16.ods") == "prc-csp-tables_2015_16"


def test_a_csv_sheet_is_named_for_its_year(tmp_path: Path) -> None:
    assert only_sheet(as_csv(tmp_path, [["a"]])).name == "2015_16"


def test_a_long_csv_is_put_together_again(tmp_path: Path) -> None:
    rows = [[], *([str(i), f"name {i % 7}"] for i in range(700_000)), ["a", "b", "c"]]
    (path,) = write_csv(tmp_path, "book", [("2015_16", rows)])
    cells = only_sheet(path).cells
    assert cells.shape == (700_002, 3) and [len(column.chunks) for column in cells.columns] == [1, 1, 1]
    assert [cells[name][at].as_py() for at in (0, 1, 700_000, 700_001) for name in cells.column_names] == [
        None,
        None,
        None,
        "0",
        "name 0",
        None,
        "699999",
        f"name {699_999 % 7}",
        None,
        "a",
        "b",
        "c",
    ]
