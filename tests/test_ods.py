"""OpenDocument spreadsheets: what a cell says, where it stands, and what a bad file can not do."""

import struct
import time
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import fastexcel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms import odf_cells, ods, zips
from transforms.ods import OdsBroken, OdsUnsure, read_ods

NAMES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "drawing")
)
CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
Column = list[str | None]


def text(*paragraphs: str, more: str = "") -> str:
    """A cell of text; the paragraphs are XML."""
    inner = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    return f'<table:table-cell office:value-type="string"{more}>{inner}</table:table-cell>'


def number(value: str, kind: str = "float", shown: str = "as shown", more: str = "") -> str:
    start = f'<table:table-cell office:value-type="{kind}" office:value="{value}"{more}>'
    return f"{start}<text:p>{shown}</text:p></table:table-cell>"


def empty(times: int = 1) -> str:
    return f'<table:table-cell table:number-columns-repeated="{times}"/>'


def row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def sheet(*rows: str, name: str = "S") -> str:
    return f"<table:table table:name={quoteattr(name)}><table:table-column/>{''.join(rows)}</table:table>"


def document(*sheets: str, names: str = NAMES, before: str = "") -> str:
    body = f"<office:body><office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body>"
    start = f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content{names} xmlns:calcext="{CALCEXT}">'
    return f"{start}{body}</office:document-content>"


def zipped(path: Path, content: str, manifest: str = "<manifest/>", name: str = "content.xml") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        book.writestr("META-INF/manifest.xml", manifest)
        book.writestr(name, content)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.ods"


def columns(path: Path) -> dict[str, list[Column]]:
    return {sheet.name: [column.to_pylist() for column in sheet.cells.columns] for sheet in read_ods(path)}


def cells(path: Path, *rows: str) -> list[Column]:
    """The columns of a book of one sheet."""
    return columns(zipped(path, document(sheet(*rows))))["S"]


def fastexcel_columns(path: Path) -> dict[str, list[Column]]:
    """The same as fastexcel reads it, without its blank cells, and the rows and columns after the last other one."""
    book = fastexcel.read_excel(path)
    tables = {
        name: book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow()
        for name in book.sheet_names
    }
    return {name: without_blanks([column.to_pylist() for column in table.columns]) for name, table in tables.items()}


def without_blanks(columns: list[Column]) -> list[Column]:
    columns = [[cell if cell and cell.strip() else None for cell in column] for column in columns]
    height = max((i for column in columns for i, cell in enumerate(column, 1) if cell), default=0)
    width = max((j for j, column in enumerate(columns, 1) if any(column)), default=0)
    return [column[:height] for column in columns[:width]]


# ---------------------------------------------------------------- what a cell says
def test_offence_codes_4_1_and_4_10_stay_apart(path: Path) -> None:
    assert cells(path, row(text("4.1")), row(text("4.10")), row(text("5E"))) == [["4.1", "4.10", "5E"]]


def test_a_number_is_its_value_and_not_what_is_shown(path: Path) -> None:
    values = ["36", "36.0", "-4", "1e5", "0.25", "4.10", "0.30000000000000004", "123456789.123"]
    found = cells(path, *(row(number(value, shown="1,234")) for value in values))
    assert found == [["36", "36", "-4", "100000", "0.25", "4.1", "0.3", "123456789.122999996"]]
    assert found == fastexcel_columns(path)["S"]


def test_percentages_currency_dates_and_booleans_read_as_fastexcel_reads_them(path: Path) -> None:
    found = cells(
        path,
        row(number("0.25", "percentage")),
        row(number("2.5", "currency")),
        row(
            '<table:table-cell office:value-type="date" office:date-value="2020-01-02">'
            "<text:p>2 Jan</text:p></table:table-cell>"
        ),
        row('<table:table-cell office:date-value="2020-01-02T03:04:05" office:value-type="date"/>'),
        row("<table:table-cell office:boolean-value='true' office:value-type='boolean'/>"),
    )
    assert found == [["0.25", "2.5", "2020-01-02", "2020-01-02T03:04:05", "true"]] == fastexcel_columns(path)["S"]


def test_a_formula_gives_its_last_result(path: Path) -> None:
    formula = ' table:formula="of:=&quot;a&quot;&gt;1"'
    found = cells(
        path, row(number("2", more=formula)), row(text("shown", more=formula + ' office:string-value="said"'))
    )
    assert found == [["2", "said"]] == fastexcel_columns(path)["S"]


def test_a_comment_on_a_cell_is_not_its_text(path: Path) -> None:
    note = "<office:annotation><text:p>a note</text:p></office:annotation>"
    inside = f'<table:table-cell office:value-type="string">{note}<text:p>Kent</text:p></table:table-cell>'
    found = cells(path, row(inside), row(f"<table:table-cell>{note}</table:table-cell>"), row(text(f"De{note}von")))
    assert found == [["Kent", None, "Devon"]] == fastexcel_columns(path)["S"]


def test_paragraphs_are_lines_and_an_empty_one_is_a_line_too(path: Path) -> None:
    assert cells(path, row(text("a", "", "b"), text("", "c"), text(""))) == [["a\n\nb"], ["\nc"]]
    assert columns(path) == fastexcel_columns(path)


def test_a_cell_of_nothing_but_blanks_is_empty(path: Path) -> None:
    blanks = [text(""), text(" "), text("<text:s/>"), text("", ""), text(more=' office:string-value="&#160; "')]
    assert cells(path, row(text("a"), *blanks, text("b")), row(*blanks)) == [["a"], *[[None]] * len(blanks), ["b"]]
    assert columns(path) == fastexcel_columns(path)


def test_spans_links_entities_and_blanks(path: Path) -> None:
    rich = 'a<text:span>b<text:a>c</text:a></text:span>d<text:s/>e<text:s text:c="3"/>f &amp; &lt;g&gt; &#233; '
    assert cells(path, row(text(rich))) == [["abcd e   f & <g> é "]] == fastexcel_columns(path)["S"]


def test_tabs_and_line_breaks_follow_the_standard_where_fastexcel_drops_them(path: Path) -> None:
    assert cells(path, row(text("within<text:line-break/>Derbyshire<text:tab/>have"))) == [["within\nDerbyshire\thave"]]
    assert fastexcel_columns(path)["S"] == [["withinDerbyshirehave"]]


def test_an_indented_file_reads_as_the_same_where_fastexcel_adds_the_indent(path: Path) -> None:
    pretty = document(sheet(row(text("a", "b"), number("1")), row(text("c")))).replace("><", ">\n  <")
    assert columns(zipped(path, pretty)) == {"S": [["a\nb", "c"], ["1", None]]}


def test_comments_and_cdata_are_read_where_fastexcel_drops_text(path: Path) -> None:
    hidden = "<!-- </table:table-row></table:table><table:table-row> -->"
    content = document(sheet(row(text("x<![CDATA[<table:table-row>&]]>y")), hidden, row(text("z" + hidden))))
    assert columns(zipped(path, content)) == {"S": [["x<table:table-row>&y", "z"]]}


def test_text_in_a_drawing_over_a_cell_is_not_its_text(path: Path) -> None:
    drawing = "<drawing:frame><text:p>logo</text:p></drawing:frame>"
    assert cells(
        path, row(f'<table:table-cell office:value-type="string">{drawing}<text:p>t</text:p></table:table-cell>')
    ) == [["t"]]


@pytest.mark.parametrize(
    "cell",
    [
        '<table:table-cell office:value-type="time" office:time-value="PT10H"><text:p>10</text:p></table:table-cell>',
        "<table:table-cell><text:p>shown, of no type</text:p></table:table-cell>",
        number("0", shown="#N/A", more=' calcext:value-type="error"'),
        number("1_000"),
        number("NaN"),
        text("a raw\nline end"),
        text("<text:ruby>x</text:ruby>"),
        '<table:table-cell office:value-type="string"><text:list/></table:table-cell>',
        f"<table:table-cell>{sheet(row(text('in a cell')), name='N')}</table:table-cell>",
    ],
)
def test_what_the_reader_does_not_vouch_for_is_left_to_another(path: Path, cell: str) -> None:
    with pytest.raises(OdsUnsure, match="sheet S: a cell"):
        cells(path, row(text("fine"), cell))


# ---------------------------------------------------------------- where it stands
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
    found = cells(
        path, row(text("title"), covered, text("z")), row(covered, text("y")), row(text("title"), covered, text("z"))
    )
    assert (
        found
        == [["title", None, "title"], [None] * 3, [None, "y", None], ["z", None, "z"]]
        == fastexcel_columns(path)["S"]
    )


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
    with pytest.raises(OdsUnsure, match="the prefix table"):
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
    with pytest.raises(OdsUnsure, match="value 'NaN'"):
        next(reading)
    with pytest.raises(OdsBroken, match=r"more than 10,001 cells up to sheet S \(at least 10,002\)"):
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


# ---------------------------------------------------------------- what a bad file can not do
def test_a_web_page_named_ods(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    with pytest.raises(OdsBroken, match="not a whole zip file"):
        columns(path)


def test_a_truncated_download(path: Path) -> None:
    cells(path, *(row(text(f"a {i}")) for i in range(999)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OdsBroken, match="not a whole zip file"):
        columns(path)


def test_a_damaged_byte(path: Path) -> None:
    cells(path, *(row(text(f"a {i}")) for i in range(999)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(OdsBroken):
        columns(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(sheet(row(text("a"))))[:-30], "not well-formed"),
        (document(sheet(row(text("a")), "</table:table-row>")), "not well-formed"),
        (document(sheet("<table:table-row>" + text("a"), row(text("a")), row(text("a")))), "not well-formed"),
        (document(sheet(row(text("a &nbsp; b")))), "not well-formed.*undefined entity"),
        (document().replace("spreadsheet", "text"), "no spreadsheet"),
        ("", "not well-formed"),
        (document().replace("UTF-8", "UTF-0"), "content.xml in the encoding UTF-0"),
        (document().replace("UTF-8", "hex"), "content.xml in the encoding hex"),
        (document(sheet(row(text("a"), times=0))), "number-rows-repeated '0' instead of a number from 1 on"),
    ],
)
def test_malformed_content(path: Path, content: str, message: str) -> None:
    with pytest.raises(OdsBroken, match=message):
        columns(zipped(path, content))


def test_a_bomb_of_entities_or_a_look_outside_is_refused_unread(path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(OdsBroken, match="document type"):
        columns(zipped(path, document(sheet(row(text("&b;&c;"))), before=bomb)))


def test_no_content_and_encrypted_content(path: Path) -> None:
    with pytest.raises(OdsBroken, match=r"no content\.xml"):
        columns(zipped(path, document(), name="other.xml"))
    with pytest.raises(OdsBroken, match="encrypted"):
        columns(zipped(path, "\x12", manifest="<m:encryption-data/>"))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (row(text("a"), times=999_999_999), r"more than 67,108,864 cells up to sheet S \(at least 999,999,999\)"),
        (
            row(text("a", more=' table:number-columns-repeated="20000"')),
            r"more than 16,384 columns in sheet S \(at least 20,000\)",
        ),
        (row(empty(16000), text("a"), times=5000), "at least 80,005,000"),
        (row(text("a")) + row(empty(), times=99_999_999) + row(text("a")), "at least 100,000,001"),
        (row(text("a" * (odf_cells.MAX_CELL + 1))), "1,048,576 characters in a cell of sheet S"),
        (row(text('<text:s text:c="999999999"/>')), "1,048,576 characters in a cell of sheet S"),
        (row(text("<text:span>" * 300 + "</text:span>" * 300)), "256 tags in each other"),
        (row(text("a" * 100_000, more=' table:number-columns-repeated="16000"')), "bytes of text in the columns of sheet S"),
        ("</table:table><table:table>" * 1100, "more than 1,024 sheets"),
    ],
)
def test_a_small_file_can_not_ask_for_much_memory(path: Path, rows: str, found: str) -> None:
    with pytest.raises(OdsBroken, match=found):
        cells(path, rows)


def test_the_widest_sheet_is_read_by_both_passes_and_a_wider_row_by_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "BLOCK", 1 << 14)
    for comment in ("", "<!-- -->"):
        found = cells(path, comment, row(*(number(str(i % 9)) for i in range(odf_cells.MAX_COLUMNS))), row(text("a")))
        last = str((odf_cells.MAX_COLUMNS - 1) % 9)
        assert [len(found), *found[0], *found[-1]] == [odf_cells.MAX_COLUMNS, "0", "a", last, None]
        with pytest.raises(OdsBroken, match="in a row of sheet S"):
            cells(path, comment, row("<table:table-cell/>" * (3 * odf_cells.MAX_COLUMNS)))


def test_a_book_larger_than_allowed(path: Path) -> None:
    zipped(path, document(sheet(*(row(text("a")) for _ in range(9999)))))
    with pytest.raises(OdsBroken, match="more than 5,000 bytes in content.xml"):
        list(read_ods(path, max_bytes=5000))
    with pytest.raises(OdsBroken, match=r"more than 5,000 cells up to sheet S \(at least 9,99"):
        list(read_ods(path, max_cells=5000))


def test_a_book_in_which_hardly_a_piece_comes_twice_is_left_to_expat_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ods, "MAX_MEMO", 20)
    passes = []
    monkeypatch.setattr(ods, "_read_all", lambda *a, _read=ods._read_all: passes.append(1) or _read(*a))
    for different, slow in ((10, 0), (999, 1)):
        assert cells(path, *(row(text(f"a {i % different}")) for i in range(999))) == [[f"a {i % different}" for i in range(999)]]
        assert len(passes) == slow


def test_a_size_that_the_zip_directory_plays_down_is_not_believed(path: Path) -> None:
    content = document(sheet(*(row(text("a")) for _ in range(9999))))
    true_size, told = (struct.pack("<I", size) for size in (len(content), 100))
    path.write_bytes(zipped(path, content).read_bytes().replace(true_size, told))
    with zipfile.ZipFile(path) as book:
        assert book.getinfo("content.xml").file_size == 100
    assert [len(found.cells) for found in read_ods(path)] == [9999]
    with pytest.raises(OdsBroken, match=r"more than 5,000 bytes in content\.xml"):
        list(read_ods(path, max_bytes=5000))


def test_a_tag_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ods, odf_cells):
        monkeypatch.setattr(module, "MAX_TOKEN", 1 << 14)
    monkeypatch.setattr(zips, "BLOCK", 1 << 12)
    with pytest.raises(OdsBroken, match="bytes in a tag"):
        cells(path, row(text("a", more=f' office:string-value="{"a" * 999_999}"')))
