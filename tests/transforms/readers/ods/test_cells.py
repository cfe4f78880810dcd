"""OpenDocument spreadsheets: what a cell says."""

from pathlib import Path

import pytest

from tests.support.ods_books import cells, columns, document, fastexcel_columns, number, row, sheet, text, zipped
from transforms.readers.ods.reader import OdsUnsupported


def test_offence_codes_4_1_and_4_10_stay_apart(path: Path) -> None:
    assert cells(path, row(text("4.1")), row(text("4.10")), row(text("5E"))) == [["4.1", "4.10", "5E"]]


def test_a_number_is_its_value_and_not_what_is_shown(path: Path) -> None:
    values = ["36", "36.0", "-4", "1e5", "0.25", "4.10", "0.30000000000000004", "123456789.123"]
    found = cells(path, *(row(number(value, shown="1,234")) for value in values))
    assert found == [["36", "36", "-4", "100000", "0.25", "4.1", "0.3", "123456789.122999996"]]
    assert found == fastexcel_columns(path)["S"]


def test_cells_that_differ_in_their_number_alone_keep_their_own(path: Path) -> None:
    values = ["0", "7", "12", "07", "999999999", "1234567890", "8", "12"]
    of_kinds = [number(value, kind, shown=value) for value in values for kind in ("float", "percentage", "currency")]
    repeated = [number(value, shown=value, more=' table:number-columns-repeated="2"') for value in ("3", "4", "5")]
    shown_otherwise = [number("5", shown="6"), number("6", shown="5"), number("6", shown="6"), text("6"), text("7")]
    found = cells(path, *map(row, of_kinds), *map(row, repeated), *map(row, shown_otherwise), row(*of_kinds))
    assert found[0] == [*(str(int(value)) for value in values for _ in range(3)), *"34556667", "0"]
    assert found == fastexcel_columns(path)["S"]


def test_percentages_currency_dates_and_booleans_read_as_fastexcel_reads_them(path: Path) -> None:
    found = cells(
        path,
        row(number("0.25", "percentage")),
        row(number("2.5", "currency")),
        row(
            '<table:table-cell office:value-type="date" office:date-value="2020-01-02"><text:p>2 Jan</text:p></table:table-cell>'
        ),
        row('<table:table-cell office:date-value="2020-01-02T03:04:05" office:value-type="date"/>'),
        row("<table:table-cell office:boolean-value='true' office:value-type='boolean'/>"),
    )
    assert found == [["0.25", "2.5", "2020-01-02", "2020-01-02T03:04:05", "true"]] == fastexcel_columns(path)["S"]


def test_a_formula_gives_its_last_result(path: Path) -> None:
    formula = ' table:formula="of:=&quot;a&quot;&gt;1"'
    found = cells(path, row(number("2", more=formula)), row(text("shown", more=formula + ' office:string-value="said"')))
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
    assert cells(path, row(f'<table:table-cell office:value-type="string">{drawing}<text:p>t</text:p></table:table-cell>')) == [
        ["t"]
    ]


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
    with pytest.raises(OdsUnsupported, match="sheet S: a cell"):
        cells(path, row(text("fine"), cell))
