"""Rows that stand there twice, codes that a spreadsheet changed, sheets that are another file's: refused, or named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.offence_sheets import KNOWN, WORCESTER, book, columns, csp_2015, read, reader_of
from tests.support.releases import CSP_2015, Cell, figures, write_csv, write_ods, write_xlsx
from tests.support.workbook_files import change_part
from transforms.errors import PublishedFileError, quoted
from transforms.offence_codes import KnownCodes
from transforms.offences import ReleaseReader

CODES = KnownCodes.from_rows(
    [
        {"offence_code": code, "offence_name": name}
        for code, name in (
            ("8Q", "Stalking"),
            ("4.1", "Manslaughter"),
            ("4.10", "Corporate manslaughter"),
            ("5E", "Endangering life"),
            ("46", "Shoplifting"),
            ("3B", "Threats to kill"),
            ("72", "Trafficking for sexual exploitation"),
            ("CIFAS", "Fraud offences recorded by CIFAS"),
        )
    ]
)
AREAS = ("South Worcester", "North Worcestershire", "Unassigned West Mercia")


def row(code: Cell, count: Cell, csp: str = "South Worcester", quarter: int = 1, description: str | None = None) -> list[Cell]:
    return figures("2015/16", quarter, "West Mercia", code, count, csp=csp, description=description)


def with_codes(*paths: Path) -> ReleaseReader:
    return ReleaseReader("release@1", paths, lambda level, name: (level, name) in KNOWN, CODES)


def refusal(path: Path) -> str:
    with pytest.raises(PublishedFileError) as error:
        list(with_codes(path).years())
    return str(error.value)


def doubts(path: Path) -> list[str]:
    reader = with_codes(path)
    list(reader.years())
    return reader.doubts


# ---------------------------------------------------------------- rows twice
def test_a_table_that_stands_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    rows = [row(code, count, csp, quarter) for code, count in (("8Q", 18), ("46", 3)) for csp in AREAS for quarter in (1, 2)]
    assert refusal(book(tmp_path, csp_2015(*rows, *rows))) == (
        "csp.ods, sheet 2015_16, row 22: expected each row once, found rows that stand there again: 12, such as 46 in North "
        "Worcestershire, quarter 1, in rows 10, 22."
    )


def test_one_area_twice_is_refused(tmp_path: Path) -> None:
    rows = [row("8Q", 18, csp, quarter) for csp in AREAS for quarter in (1, 2)]
    assert "expected each row once, found rows that stand there again: 2," in refusal(book(tmp_path, csp_2015(*rows, *rows[:2])))


def test_a_single_row_twice_among_hundreds_is_summed_and_named(tmp_path: Path) -> None:
    rows = [row(f"{n}X", n, csp) for n in range(1, 101) for csp in AREAS]
    found = doubts(book(tmp_path, csp_2015(*rows, rows[5])))
    assert found == [
        "csp.ods, sheet 2015_16: rows that stand there again, and are summed: 1, such as 2X in Unassigned West Mercia, "
        "quarter 1, in rows 7, 302"
    ]


def test_four_homicide_rows_of_one_key_are_four_rows(tmp_path: Path) -> None:
    counts = {"South Worcester": (0, 0, 1, 1), "North Worcestershire": (0, 0, 0, 2), "Unassigned West Mercia": (0, 0, 0, 0)}
    rows = [row("1/4.1/4.10/4.2", n, csp) for csp, four in counts.items() for n in four]
    assert doubts(book(tmp_path, csp_2015(*rows))) == []
    assert "expected each row once" in refusal(book(tmp_path, csp_2015(*rows, *rows)))  # eight of them are four, twice


def test_noughts_that_stand_there_twice_change_nothing(tmp_path: Path) -> None:
    assert doubts(book(tmp_path, csp_2015(row("8Q", 0), row("8Q", 0), row("46", 3)))) == []


def test_two_counts_of_one_key_are_summed_and_named(tmp_path: Path) -> None:
    assert doubts(book(tmp_path, csp_2015(row("8Q", 18), row("8Q", -2)))) == [
        "csp.ods, sheet 2015_16: counts in several rows, which are summed: 1, such as 8Q in South Worcester, "
        "quarter 1, in rows 2, 3"
    ]


# ---------------------------------------------------------------- two descriptions
def test_a_code_with_two_descriptions_in_every_area_is_refused(tmp_path: Path) -> None:
    rows = [row("9Z", n, csp, description=name) for csp in AREAS for n, name in ((3, "Manslaughter"), (4, "Something else"))]
    assert "expected one description of the code 9Z, found" in refusal(book(tmp_path, csp_2015(*rows)))


def test_a_slip_in_one_description_is_named_and_counted_under_its_code(tmp_path: Path) -> None:
    slip = row("72", 1, "North Worcestershire", description="Threats to kill")
    rows = [row("72", n, csp, description="Trafficking for sexual exploitation") for n, csp in enumerate(AREAS) if n != 1]
    assert doubts(book(tmp_path, csp_2015(*rows, slip))) == [
        'csp.ods, sheet 2015_16, row 4: 72 is called "threats to kill" here and "trafficking for sexual exploitation" in 2 '
        "other rows, and is counted under its code"
    ]


# ---------------------------------------------------------------- codes
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("8q", 'the offence code "8Q"'),
        ("8 Q", 'the offence code "8Q"'),
        ("8\u00a0Q", 'the offence code "8Q"'),
        ("5\u0415", 'the offence code "5E"'),  # a Cyrillic letter
        ("\uff18Q", 'the offence code "8Q"'),  # a digit of full width
        ("46.0", 'the offence code "46"'),
        ("2010-04-01", "an offence code as published, not what a spreadsheet makes of one"),
        ("Apr-10", "an offence code as published, not what a spreadsheet makes of one"),
        ("5E+00", "an offence code as published, not what a spreadsheet makes of one"),
        ("#REF!", "an offence code as published, not what a spreadsheet makes of one"),
    ],
)
def test_a_code_that_is_nearly_a_known_one_is_refused(tmp_path: Path, code: str, expected: str) -> None:
    path = book(tmp_path, csp_2015(row("46", 1), row(code, 18)))
    assert refusal(path) == f"csp.ods, sheet 2015_16, row 3, column Offence Code: expected {expected}, found {quoted(code)}."


@pytest.mark.parametrize("code", ["8Q\u200b", "\ufeff8Q", " 8Q ", "8\u2060Q"])
def test_characters_that_nobody_sees_are_no_part_of_a_code_or_a_name(tmp_path: Path, code: str) -> None:
    sheet = csp_2015(row(code, 18, "South\u200b Worcester"))
    for path in (book(tmp_path, sheet), write_xlsx(tmp_path / "a.xlsx", [sheet]), *write_csv(tmp_path, "a", [sheet])):
        assert columns(read(path), "offence_code", "area_name") == [("8Q", "South Worcester")]


@pytest.mark.parametrize("code", ["4.1", 4.1])
def test_4_10_that_a_spreadsheet_took_for_a_number_is_refused(tmp_path: Path, code: Cell) -> None:
    eaten = row(code, 2, description="Corporate manslaughter")
    for path in (
        book(tmp_path, csp_2015(row("4.1", 1), eaten)),
        write_xlsx(tmp_path / "csp.xlsx", [csp_2015(row("4.1", 1), eaten)]),
    ):
        assert refusal(path) == (
            f"{path.name}, sheet 2015_16, row 3, column Offence Code: "
            'expected the code "4.10" of "Corporate manslaughter", found "4.1".'
        )


def test_a_new_code_and_a_code_that_is_a_name_are_read(tmp_path: Path) -> None:
    path = book(tmp_path, csp_2015(row("8V", 1), row("Cifas", 2), row("46", 3)))
    assert doubts(path) == []
    assert columns(read(path), "offence_code") == ["46", "8V", "Cifas"]


# ---------------------------------------------------------------- sheets that are not this file's
@pytest.mark.parametrize(
    "name", ["'file:///C:/work/old.ods'#$2014_15", "file:///old.ods#2014_15", "'https://example.org/a.ods'#x"]
)
def test_a_hidden_sheet_that_keeps_cells_of_another_file_is_not_read(tmp_path: Path, name: str) -> None:
    stale = (name, [CSP_2015, figures("2014/15", 1, count=99, **WORCESTER)])
    for path in (write_ods(tmp_path / "a.ods", [csp_2015(), stale]),):
        assert [str(year) for year, _ in reader_of(path).years()] == ["2015/16"]


def test_such_a_sheet_is_known_by_its_style_too(tmp_path: Path) -> None:
    stale = ("2014_15", [CSP_2015, figures("2014/15", 1, count=99, **WORCESTER)])
    path = write_ods(tmp_path / "a.ods", [csp_2015(), stale])
    old, new = b'<table:table table:name="2014_15">', b'<table:table table:name="2014_15" table:style-name="ta_extref">'
    change_part(path, "content.xml", lambda xml: xml.replace(old, new))
    assert [str(year) for year, _ in reader_of(path).years()] == ["2015/16"]
