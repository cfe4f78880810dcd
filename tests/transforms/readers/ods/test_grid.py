"""OpenDocument spreadsheets: where a cell stands, whatever repeats, is covered, or lies across two blocks."""

import time
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.ods_books import cells, columns, document, empty, fastexcel_columns, number, row, sheet, text, zipped
from transforms.readers import zips
from transforms.readers.ods.reader import OdsError, OdsUnsupported, read_ods


def test_the_filler_row_of_a_million_repeats_costs_nothing(path: Path) -> None:
    start = time.perf_counter()
    found = cells(path, row(text("a"), empty(16383)), row(empty(16384), times=1_048_575))
    assert found == [["a"]]
    assert time.perf_counter() - start < 1


def test_rows_and_columns_keep_their_places(path: Path) -> None:
    found = cells(path, row(empty(3), times=2), row(empty(), text("a")), row(empty(9)), row(empty(), text("b")))
    assert found == [[None] * 5, [None, None, "a", None, "b"]]
    assert fastexcel_columns(path)["S"] == found[1:]  # it cuts empty columns on the left


def test_repeated_cells_and_rows_are_spelt_out(path: Path) -> None:
    more = ' table:number-columns-repeated="3"'
    found = cells(path, row(text("a", more=more), empty(2), number("1"), times=2), row(number("2")))
    assert found == [["a", "a", "2"], ["a", "a", None], ["a", "a", None], *[[None] * 3] * 2, ["1", "1", None]]
    assert found == fastexcel_columns(path)["S"]


def test_covered_cells_keep_the_cells_after_them_in_place(path: Path) -> None:
    covered = '<table:covered-table-cell table:number-columns-repeated="2"/>'
    found = cells(path, row(text("title"), covered, text("z")), row(covered, text("y")), row(text("title"), covered, text("z")))
    assert found == [["title", None, "title"], [None] * 3, [None, "y", None], ["z", None, "z"]] == fastexcel_columns(path)["S"]


def test_header_rows_groups_hidden_and_lone_rows_count_in_order(path: Path) -> None:
    hidden = '<table:table-row table:visibility="collapse">' + text("hidden") + "</table:table-row>"
    found = cells(
        path,
        f"<table:table-header-rows>{row(text('head'))}</table:table-header-rows>",
        f"<table:table-row-group>{row(text('a'))}<table:table-row-group>{hidden}</table:table-row-group></table:table-row-group>",
        '<table:table-row/><table:table-row table:style-name="a>/>b" table:number-rows-repeated="2"/>',
        f"<table:table-rows>{row(text('b'))}</table:table-rows>",
    )
    assert found == [["head", "a", "hidden", None, None, None, "b"]] == fastexcel_columns(path)["S"]


@pytest.mark.parametrize("block", [7, 100, 1 << 20])
def test_sheets_come_in_order_and_unwanted_ones_are_not_looked_at(
    path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "BLOCK", block)
    odd = sheet(row(number("NaN")), row(text("a")), name="Cover & notes")
    zipped(path, document(sheet(row(text("a"))), odd, "<table:table/>", sheet(row(text("b")), name="2015_16")))
    assert [found.name for found in read_ods(path, lambda name: "&" not in name)] == ["S", "", "2015_16"]
    assert [found.cells["0"].to_pylist() for found in read_ods(path, lambda name: name > "2" and "&" not in name)] == [
        ["a"],
        ["b"],
    ]


def test_other_prefixes_read_as_well(path: Path) -> None:
    content = document(sheet(row(text("a"), empty(), number("1"))))
    for name in ("office", "table", "text"):
        content = content.replace(f"{name}:", f"x{name}:").replace(f"xmlns:{name}=", f"xmlns:x{name}=")
    content = content.replace("opendocument:xmlns:x", "opendocument:xmlns:")
    assert columns(zipped(path, content)) == {"S": [["a"], [None], ["1"]]}


def test_a_prefix_that_changes_its_meaning_is_left_to_another_reader(path: Path) -> None:
    foreign = f'<table:table xmlns:table="urn:other">{row(text("foreign"))}</table:table>'
    with pytest.raises(OdsUnsupported, match="the prefix table"):
        columns(zipped(path, document(sheet(row(text("a"))), foreign)))


def test_tables_that_are_no_sheets_are_passed_over(path: Path) -> None:
    shape = f"<table:shapes><drawing:frame>{sheet(row(text('a')), name='shape')}</drawing:frame></table:shapes>"
    links = f"<table:dde-links><table:dde-link>{sheet(row(text('a')))}</table:dde-link></table:dde-links>"
    found = columns(zipped(path, document(f'<table:table table:name="S">{shape}{row(text("a"))}</table:table>', links)))
    assert found == {"S": [["a"]]}


def test_a_book_cut_anywhere_into_blocks_reads_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(text("2015/16"), number(str(i % 7)), text(f"d {i % 5}"), empty(16000)) for i in range(50)]
    expected = cells(path, *rows)
    assert [len(column) for column in expected] == [50, 50, 50]
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(zips, "BLOCK", size)
        assert columns(path) == {"S": expected}


def test_a_doubt_after_some_sheets_gives_none_of_them_twice(path: Path) -> None:
    zipped(path, document(sheet(row(text("a"))), sheet(row(text("b<!-- -->")), name="T")))
    assert [found.name for found in read_ods(path)] == ["S", "T"]


def test_the_bounds_hold_after_a_doubt_for_whoever_reads_on_has_none(path: Path) -> None:
    zipped(path, document(sheet(row(text("a"))), sheet(row(number("NaN"))), sheet(row(text("b"), times=10_000))))
    reading = read_ods(path)
    assert next(reading).cells["0"].to_pylist() == ["a"]
    with pytest.raises(OdsUnsupported, match="value 'NaN'"):
        next(reading)
    with pytest.raises(OdsError, match=r"more than 10,001 cells up to sheet S \(at least 10,002\)"):
        list(read_ods(path, max_cells=10_001))


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=6)
floats = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e12, 1e12)).map(repr)
written = st.one_of(
    st.lists(texts, min_size=1, max_size=2).map(lambda lines: text(*map(escape, lines))),
    st.tuples(texts, st.integers(1, 3)).map(
        lambda pair: text(escape(pair[0]), more=f' table:number-columns-repeated="{pair[1]}"')
    ),
    floats.map(number),
    st.integers(1, 3).map(empty),
    st.sampled_from(["<table:covered-table-cell/>", "<table:table-cell/>", text(more=' office:string-value="v"')]),
)
rows_written = st.lists(st.tuples(st.lists(written, max_size=4), st.integers(1, 3)), max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sheets=st.lists(rows_written, min_size=1, max_size=3))
def test_any_sheet_equals_fastexcel_cell_by_cell(path: Path, sheets: list[list[tuple[list[str], int]]]) -> None:
    # a first row and column of text, since fastexcel cuts columns that are empty on the left
    bodies = [[row(text("corner"))] + [row(*cells, times=times) for cells, times in rows] for rows in sheets]
    zipped(path, document(*(sheet(*rows, name=f"S{i}") for i, rows in enumerate(bodies))))
    assert columns(path) == fastexcel_columns(path)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_written)
def test_the_first_pass_and_expat_alone_read_the_same(path: Path, rows: list[tuple[list[str], int]]) -> None:
    content = document(sheet(*(row(*cells, times=times) for cells, times in rows)))
    fast = columns(zipped(path, content))
    assert columns(zipped(path, content.replace("<office:body>", "<!-- --><office:body>"))) == fast
