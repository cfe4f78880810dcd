"""Whatever the layout of a release does not allow is refused in one plain sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.support.offence_sheets import KENT, WORCESTER, book, csp_2015, read
from tests.support.releases import CSP_2015, PFA, Cell, Row, Sheet, cover, figures, notes, write_csv, write_ods, write_xlsx
from transforms.errors import PublishedFileError


def refusal(*files: Path) -> str:
    with pytest.raises(PublishedFileError) as error:
        read(*files)
    return str(error.value)


def test_a_sheet_without_a_count_column_is_refused(tmp_path: Path) -> None:
    header = [*CSP_2015[:-1], None]
    assert refusal(book(tmp_path, csp_2015(header=header))) == (
        'csp.ods, sheet 2015_16, row 1: expected a column "Number of Offences" or "Offence Count", found Financial '
        "Year, Financial Quarter, Police Force, CSP Name, Offence Description, Offence Group, Offence Subgroup, "
        "Offence Code."
    )


def test_a_renamed_column_is_refused_as_drift(tmp_path: Path) -> None:
    header = [*CSP_2015[:-1], "Offences"]
    assert refusal(book(tmp_path, csp_2015(header=header))) == (
        'csp.ods, sheet 2015_16, row 1: expected only the known columns, found "Offences" in column 9.'
    )


def test_two_missing_columns_are_both_named(tmp_path: Path) -> None:
    header = ["Financial Year", None, *CSP_2015[2:7], None, "Offence Count"]
    assert 'expected a column "Financial Quarter" and a column "Offence Code", found' in refusal(
        book(tmp_path, csp_2015(header=header))
    )


def test_a_duplicate_header_with_figures_beneath_is_refused(tmp_path: Path) -> None:
    sheet = csp_2015([*figures("2015/16", 1, **WORCESTER), 7], header=[*CSP_2015, "Offence Count"])
    assert refusal(book(tmp_path, sheet)) == (
        'csp.ods, sheet 2015_16, row 1: expected each column once, found "Offence Count" again in column 10.'
    )


def test_both_names_of_one_column_are_a_duplicate(tmp_path: Path) -> None:
    sheet = csp_2015([*figures("2015/16", 1, **WORCESTER), 7], header=[*CSP_2015, "Number of Offences"])
    assert 'expected each column once, found "Number of Offences" again in column 10.' in refusal(book(tmp_path, sheet))


BAD_CELLS: list[tuple[list[Cell], str]] = [
    (figures("2015/16", "5", **WORCESTER), 'Financial Quarter: expected a quarter 1 to 4, found "5".'),
    (figures("2015/16", None, **WORCESTER), "Financial Quarter: expected a quarter 1 to 4, found an empty cell."),
    (figures("2015/16", 1, count="lots", **WORCESTER), 'Offence Count: expected a whole number or N/a, found "lots".'),
    (figures("2015/16", 1, count=3.5, **WORCESTER), 'Offence Count: expected a whole number or N/a, found "3.5".'),
    (figures("2015/16", 1, count="9" * 10, **WORCESTER), 'Offence Count: expected a whole number or N/a, found "9999999999".'),
    (figures("2015/16", 1, count="٣٦", **WORCESTER), 'Offence Count: expected a whole number or N/a, found "٣٦".'),
    (figures("2015/16", 1, count="1,23", **WORCESTER), 'Offence Count: expected a whole number or N/a, found "1,23".'),
    (figures("2015/16", 1, count=None, **WORCESTER), "Offence Count: expected a whole number or N/a, found an empty cell."),
    (figures("2015/16", 1, code=None, **WORCESTER), "Offence Code: expected an offence code, found an empty cell."),
    (figures("2015", 1, **WORCESTER), 'Financial Year: expected a financial year such as 2015/16, found "2015".'),
    (
        figures("2015/16", 1, "West Mercia", csp="South Worcestershire"),
        'CSP Name: expected a known partnership (CSP), found "South Worcestershire".',
    ),
    (
        figures("2015/16", 1, "West Mercia", csp="West Mercia"),  # a force is no partnership
        'CSP Name: expected a known partnership (CSP), found "West Mercia".',
    ),
    (figures("2015/16", 1, "Mercia", csp="South Worcester"), 'Police Force: expected a known police force, found "Mercia".'),
    (figures("2015/16", 1, description=" ", **WORCESTER), "Offence Description: expected a name, found an empty cell."),
]


@pytest.mark.parametrize(("row", "sentence"), BAD_CELLS, ids=[sentence for _, sentence in BAD_CELLS])
def test_a_cell_that_the_layout_does_not_allow_is_named(tmp_path: Path, row: list[Cell], sentence: str) -> None:
    good = [figures("2015/16", 1, **WORCESTER) for _ in range(3)]
    sheet = csp_2015(*good, [], row, *good)
    for path in (book(tmp_path, cover(date(2026, 4, 23)), sheet), write_xlsx(tmp_path / "csp.xlsx", [sheet])):
        assert refusal(path) == f"{path.name}, sheet 2015_16, row 6, column {sentence}"
    (path,) = write_csv(tmp_path, "csp", [sheet])
    assert refusal(path) == f"csp_2015_16.csv, sheet 2015_16, row 6, column {sentence}"


def test_a_bad_cell_below_titles_is_named_by_the_sheets_own_row(tmp_path: Path) -> None:
    quarters = [figures("2015/16", quarter, **WORCESTER) for quarter in (1, 5)]
    rows: list[Row] = [["A title"], [], CSP_2015, *quarters]
    assert "sheet 2015_16, row 5, column Financial Quarter" in refusal(book(tmp_path, ("2015_16", rows)))


def test_a_row_with_more_cells_than_the_header_was_cut_in_the_wrong_place(tmp_path: Path) -> None:
    # a comma that nobody quoted: every cell behind it stands under the wrong header, and all may look sound
    lines = [
        "2015/16,1,West Mercia,South Worcester,Stalking,Violence,Stalking,8Q,36",
        "2015/16,1,West Mercia,South Worcester,Going equipped for stealing, etc,Miscellaneous,Miscellaneous,33,12",
    ]
    (tmp_path / "csp_2015_16.csv").write_text("\n".join([",".join(CSP_2015), *lines]))
    assert refusal(tmp_path / "csp_2015_16.csv") == (
        'csp_2015_16.csv, sheet 2015_16, row 3: expected figures under the header only, found "12" in column 10.'
    )


@pytest.mark.parametrize("csp", ["South Worcester", None], ids=["partnership", "force"])
def test_a_row_of_a_year_and_an_area_without_figures_is_damaged_and_no_note(tmp_path: Path, csp: str | None) -> None:
    sound = figures("2015/16", 1, "West Mercia", csp=csp)
    kept = (0, 2, 3) if csp else (0, 2)  # year, force, partnership
    damaged = [cell if place in kept else None for place, cell in enumerate(sound)]
    assert refusal(book(tmp_path, ("2015_16", [CSP_2015 if csp else PFA, sound, [], damaged, sound]))) == (
        "csp.ods, sheet 2015_16, row 4: expected a quarter, an offence code and a count, found three empty cells."
    )


def test_a_year_in_two_sheets_is_refused(tmp_path: Path) -> None:
    assert refusal(book(tmp_path, csp_2015(name="2015_16"), csp_2015(name="2016_17"))) == (
        "csp.ods, sheet 2016_17: expected 2015/16 in one sheet only, found it in csp.ods, sheet 2015_16 too."
    )


def test_a_year_in_two_files_of_one_release_is_refused(tmp_path: Path) -> None:
    (first,) = write_csv(tmp_path, "a", [csp_2015()])
    (second,) = write_csv(tmp_path, "a", [csp_2015(name="2016_17")])
    assert refusal(first, second) == (
        "a_2016_17.csv, sheet 2016_17: expected 2015/16 in one sheet only, found it in a_2015_16.csv, sheet 2015_16 too."
    )


def test_forces_and_partnerships_in_one_workbook_are_refused(tmp_path: Path) -> None:
    forces: Sheet = ("2016_17", [PFA, figures("2016/17", 1, "West Mercia")])
    assert refusal(book(tmp_path, csp_2015(), forces)) == (
        "csp.ods, sheet 2016_17: expected a csp table in every sheet, found a pfa table."
    )


@pytest.mark.parametrize(
    "sheets",
    [[], [("Sheet1", [])], [cover(date(2026, 4, 23)), notes([KENT])]],
    ids=["no sheet", "one empty sheet", "a cover and notes"],
)
def test_a_workbook_without_figures_is_refused(tmp_path: Path, sheets: list[Sheet]) -> None:
    sentence = "expected a sheet of offences by force or partnership, found none with a header row."
    assert refusal(write_ods(tmp_path / "csp.ods", sheets)) == f"csp.ods: {sentence}"
    if sheets:
        assert refusal(write_xlsx(tmp_path / "csp.xlsx", sheets)) == f"csp.xlsx: {sentence}"


def test_an_empty_sheet_of_a_year_is_refused(tmp_path: Path) -> None:
    sentence = "sheet 2016_17: expected a header row with Financial Year, Offence Code …, found an empty sheet."
    sheets: list[Sheet] = [csp_2015(), ("2016_17", [])]
    assert refusal(book(tmp_path, *sheets)) == f"csp.ods, {sentence}"
    assert refusal(write_xlsx(tmp_path / "csp.xlsx", sheets)) == f"csp.xlsx, {sentence}"
    (tmp_path / "csp_2016_17.csv").write_text("\n")
    assert refusal(tmp_path / "csp_2016_17.csv") == f"csp_2016_17.csv, {sentence}"


def test_a_year_whose_header_nobody_finds_is_refused(tmp_path: Path) -> None:
    assert refusal(book(tmp_path, ("2015_16", [["Année", "Trimestre"], ["2015/16", 1]]))) == (
        "csp.ods, sheet 2015_16: expected a header row with Financial Year, Offence Code …, found none in the first 60 rows."
    )


def test_a_long_sheet_without_a_header_is_no_sheet_of_notes(tmp_path: Path) -> None:
    drifted: list[Row] = [["Année", "Trimestre"], *[["2015/16", 1]] * 999]
    assert len(read(book(tmp_path, csp_2015(), ("Table 2", drifted)))) == 1
    assert refusal(book(tmp_path, csp_2015(), ("Table 2", [*drifted, ["2015/16", 2]]))) == (
        "csp.ods, sheet Table 2: expected a header row with Financial Year, Offence Code …, found none in the first 60 rows."
    )


def test_a_header_with_nothing_beneath_is_refused(tmp_path: Path) -> None:
    assert refusal(book(tmp_path, ("2015_16", [CSP_2015]))) == (
        "csp.ods, sheet 2015_16: expected rows of figures below the header, found none."
    )


def test_a_broken_workbook_is_refused_before_any_figure_counts(tmp_path: Path) -> None:
    whole = book(tmp_path, csp_2015(), name="whole.ods").read_bytes()
    (tmp_path / "cut.ods").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.ods").write_text("<!DOCTYPE html><title>Sign in</title>")
    assert refusal(tmp_path / "cut.ods").startswith("cut.ods: expected an OpenDocument spreadsheet, found this is not")
    assert refusal(tmp_path / "page.ods") == "page.ods: expected a workbook, found an HTML page."
