"""A release of any era becomes the same rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.support.offence_sheets import KENT, WORCESTER, book, columns, csp_2015, read, reader_of
from tests.support.releases import (
    CSP_2002,
    CSP_2015,
    PFA,
    Cell,
    Row,
    Sheet,
    cover,
    figures,
    notes,
    write_csv,
    write_ods,
    write_xlsx,
)
from transforms.offences import COUNTS


# ---------------------------------------------------------------- layouts
@pytest.mark.parametrize(
    ("year", "sheets"),
    [
        ("2002/03", [("2002-03", CSP_2002)]),
        ("2010/11", [("2010-11", CSP_2002)]),
        ("2014/15", [("Notes and definitions", None), ("2014-15", CSP_2002)]),
        ("2015/16", [("Cover_sheet", None), ("Notes", None), ("2015_16", CSP_2015)]),
    ],
)
def test_every_layout_of_the_partnership_table_reads_the_same(
    tmp_path: Path, year: str, sheets: list[tuple[str, Row | None]]
) -> None:
    row = figures(year, 1, count=36, **WORCESTER)
    table = read(book(tmp_path, *[(name, [header, row] if header else [["Police recorded crime"]]) for name, header in sheets]))
    assert table.to_pylist() == [
        {
            "release_id": "release@1",
            "level": "csp",
            "financial_year": year,
            "quarter": 1,
            "force_name": "West Mercia",
            "area_name": "South Worcester",
            "offence_code": "8Q",
            "offence_name": "Stalking",
            "offence_group": "Violence against the person",
            "offence_subgroup": "Stalking and harassment",
            "offences": 36,
            "file_name": "csp.ods",
            "sheet": sheets[-1][0],
            "row": 2,
        }
    ]
    assert table.schema.names == COUNTS.names


def test_the_force_table_keeps_its_old_header_and_its_area_is_the_force(tmp_path: Path) -> None:
    rows = [PFA, figures("2015/16", 2, "West Mercia", count=66), figures("2015/16", 2, "Action Fraud", "AF", 51927)]
    reader = reader_of(book(tmp_path, cover(date(2026, 4, 23)), notes([]), ("2015_16", rows)))
    [(year, table)] = reader.years()
    assert (reader.level, str(year)) == ("pfa", "2015/16")
    assert columns(table, "level", "force_name", "area_name", "offences") == [
        ("pfa", "Action Fraud", "Action Fraud", 51927),
        ("pfa", "West Mercia", "West Mercia", 66),
    ]


def test_a_workbook_gives_one_table_a_year(tmp_path: Path) -> None:
    sheets = [
        csp_2015(figures(year, 1, **WORCESTER), name=name) for year, name in (("2016/17", "2016_17"), ("2015/16", "2015_16"))
    ]
    years = [(str(year), table.num_rows) for year, table in reader_of(book(tmp_path, *sheets)).years()]
    assert years == [("2016/17", 1), ("2015/16", 1)]


def test_a_sheet_of_two_years_gives_each_its_own_table(tmp_path: Path) -> None:
    rows = [("2014/15", 1), ("2015/16", 1), ("2014/15", 2)]
    sheet = csp_2015(*[figures(year, quarter, **WORCESTER) for year, quarter in rows])
    years = [(str(year), table.num_rows) for year, table in reader_of(book(tmp_path, sheet)).years()]
    assert sorted(years) == [("2014/15", 2), ("2015/16", 1)]


def test_stray_header_cells_with_nothing_beneath_are_no_columns(tmp_path: Path) -> None:
    # one sheet of 2013/14 carries three of them after its last column
    header = [*PFA, None, "Force Name", "Offence Code", "Number of Offences"]
    table = read(book(tmp_path, ("2013-14", [header, figures("2013/14", 1, "West Mercia", count=5)])))
    assert columns(table, "force_name", "offences") == [("West Mercia", 5)]


def test_title_and_note_rows_may_stand_above_the_header_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    above: list[Row] = [["Table 1: offences by force"], [], ["Financial Year: April to March"], [None, "see Notes"]]
    row = figures("2015/16", 1, **WORCESTER)
    for path in (
        write_ods(tmp_path / "a.ods", [("2015_16", [*above, CSP_2015, row])]),
        write_xlsx(tmp_path / "a.xlsx", [("2015_16", [*above, CSP_2015, row])]),
        *write_csv(tmp_path, "a", [("2015_16", [*above, CSP_2015, row])]),
    ):
        assert columns(read(path), "area_name", "row") == [("South Worcester", 6)]


def test_a_header_is_known_by_its_words_in_any_order_and_case(tmp_path: Path) -> None:
    order = [8, 7, 3, 2, 6, 5, 4, 1, 0]
    header = [f" {CSP_2015[i].upper()} ".replace(" ", "  ") for i in order]
    row = figures("2015/16", 1, count=36, **WORCESTER)
    paths = write_csv(tmp_path, "a", [("2015_16", [header, [row[i] for i in order]])])
    assert columns(read(*paths), "financial_year", "area_name", "offence_code", "offences") == [
        ("2015/16", "South Worcester", "8Q", 36)
    ]


def test_blank_rows_and_notes_below_the_figures_are_no_figures(tmp_path: Path) -> None:
    sheet = csp_2015(
        figures("2015/16", 1, **WORCESTER),
        [],
        figures("2015/16", 2, **WORCESTER),
        [],
        ["Source: police recorded crime, Home Office"],
    )
    assert columns(read(book(tmp_path, sheet)), "quarter", "row") == [(1, 2), (2, 4)]


def test_a_note_below_the_figures_stands_in_any_one_cell(tmp_path: Path) -> None:
    alone = [[None] * place + ["Figures are provisional"] for place in (0, 2, 3, 4)]
    sheet = csp_2015(figures("2015/16", 1, **WORCESTER), *alone, figures("2015/16", 2, **WORCESTER))
    assert columns(read(book(tmp_path, sheet)), "quarter", "row") == [(1, 2), (2, 7)]


def test_a_remark_beside_the_header_or_below_the_figures_is_no_figure(tmp_path: Path) -> None:
    rows: list[Row] = [
        [*[None] * 10, "Back to contents"],
        CSP_2015,
        figures("2015/16", 1, **WORCESTER),
        [*[None] * 10, "End of the table"],
    ]
    assert columns(read(book(tmp_path, ("2015_16", rows))), "row") == [3]


def test_rows_come_sorted_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    rows = [
        figures("2015/16", quarter, "West Mercia", code, csp=csp)
        for code in ("8Q", "46")
        for csp in ("South Worcester", "North Worcestershire")
        for quarter in (2, 1)
    ]
    first, second = read(book(tmp_path, csp_2015(*rows))), read(book(tmp_path, csp_2015(*reversed(rows))))
    keys = columns(first, "quarter", "area_name", "offence_code")
    assert keys == sorted(keys) == columns(second, "quarter", "area_name", "offence_code")


# ---------------------------------------------------------------- cells
@pytest.mark.parametrize("quarter", [1, 1.0, "1", "1.0", "Q1", " 1 "])
def test_a_quarter_may_be_a_number_or_text(tmp_path: Path, quarter: Cell) -> None:
    sheet = csp_2015(figures("2015/16", quarter, **WORCESTER))
    paths = [book(tmp_path, sheet), write_xlsx(tmp_path / "a.xlsx", [sheet]), *write_csv(tmp_path, "a", [sheet])]
    assert [columns(read(path), "quarter") for path in paths] == [[1], [1], [1]]


def test_offence_codes_that_look_like_numbers_stay_apart(tmp_path: Path) -> None:
    codes = ["1/4.1/4.10/4.2", "30A", "4.1", "4.10", "46", "5E", "8Q"]
    sheet = csp_2015(*[figures("2015/16", 1, "West Mercia", code, i, csp="South Worcester") for i, code in enumerate(codes)])
    paths = [book(tmp_path, sheet), write_xlsx(tmp_path / "a.xlsx", [sheet]), *write_csv(tmp_path, "a", [sheet])]
    for path in paths:
        assert columns(read(path), "offence_code", "offences") == [(code, i) for i, code in enumerate(codes)]
    assert dict(columns(read(paths[0]), "offence_code", "offence_name"))["4.10"] == "Corporate manslaughter"


def test_a_negative_count_corrects_an_earlier_quarter_and_stays(tmp_path: Path) -> None:
    sheet = csp_2015(*[figures("2015/16", 1, count=count, **WORCESTER) for count in (-3, 5, "-2", "1,234", 0)])
    assert columns(read(book(tmp_path, sheet)), "offences") == [-3, 5, -2, 1234, 0]


@pytest.mark.parametrize("cell", ["N/a", "n/a", "N/A", " N/a "])
def test_a_count_that_is_not_known_is_null_and_not_nought(tmp_path: Path, cell: str) -> None:
    sheet = csp_2015(figures("2015/16", 1, count=cell, **WORCESTER), figures("2015/16", 1, count=0, **WORCESTER))
    assert columns(read(book(tmp_path, sheet)), "offences") == [None, 0]


def test_a_repeated_key_is_kept_as_often_as_it_stands(tmp_path: Path) -> None:
    # an earlier release of 2017/18 has four rows a quarter under one code of homicide
    rows = [figures("2017/18", 1, "West Mercia", "1/4.1/4.10/4.2", n, csp="South Worcester") for n in (1, 1, 2, 0)]
    table = read(book(tmp_path, csp_2015(*rows, name="2017_18")))
    assert columns(table, "offences", "row") == [(1, 2), (1, 3), (2, 4), (0, 5)]


def test_offence_names_drift_and_stay_as_published(tmp_path: Path) -> None:
    drift = ["Burglary in a dwelling(outcome only)", "Burglary in a dwelling (outcome only)", "Burglary in a dwelling"]
    rows = [
        figures("2015/16", quarter, "West Mercia", "28A", csp="South Worcester", description=name)
        for quarter, name in enumerate(drift, 1)
    ]
    assert columns(read(book(tmp_path, csp_2015(*rows))), "offence_code", "offence_name") == [("28A", d) for d in drift]


def test_pieces_catch_alls_and_names_with_marks_stay_as_published(tmp_path: Path) -> None:
    pairs = [
        ("Devon & Cornwall", "Northern Devon_ Torridge"),
        ("West Mercia", "South Worcs_Malvern Hills"),
        ("West Mercia", "Unassigned West Mercia"),
    ]
    sheet = csp_2015(*[figures("2015/16", 1, force, csp=csp) for force, csp in pairs])
    assert columns(read(book(tmp_path, sheet)), "force_name", "area_name") == pairs


# ---------------------------------------------------------------- formats
def test_ods_xlsx_and_csv_of_one_release_give_the_same_rows(tmp_path: Path) -> None:
    rows = [
        figures(year, quarter, "West Mercia", code, count, csp=csp)
        for year in ("2014/15", "2015/16")
        for quarter in (1, 2)
        for code in ("4.1", "4.10", "5E", "8Q")
        for csp, count in (("South Worcester", -1), ("North Worcestershire", "N/a"), ("Unassigned West Mercia", 0))
    ]
    sheets: list[Sheet] = [("Cover_sheet", [["A title"]]), csp_2015(*rows[:24], name="2014_15"), csp_2015(*rows[24:])]
    stem = "prc-csp-tables-230426"
    tables = [
        read(write_ods(tmp_path / f"{stem}.ods", sheets)),
        read(write_xlsx(tmp_path / f"{stem}.xlsx", sheets)),
        read(*write_csv(tmp_path, stem, sheets)),
    ]
    first, *others = [table.drop_columns(["file_name"]).to_pylist() for table in tables]
    assert len(first) == 48
    assert others == [first, first]


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize(("encoding", "bom"), [("utf-8", False), ("utf-8", True), ("cp1252", False)])
def test_a_csv_in_any_published_state_gives_the_same_rows(tmp_path: Path, encoding: str, bom: bool, line_end: str) -> None:
    sheet = csp_2015(figures("2015/16", 1, count=36, description="Stalking – all kinds", **WORCESTER))
    paths = write_csv(tmp_path, "a", [sheet], encoding=encoding, bom=bom, line_end=line_end)
    assert columns(read(*paths), "financial_year", "offence_name", "offences", "row") == [
        ("2015/16", "Stalking – all kinds", 36, 2)
    ]


# ---------------------------------------------------------------- what a release says of itself
def test_notes_the_day_of_update_and_a_simulation_come_with_the_figures(tmp_path: Path) -> None:
    simulated = cover(date(2026, 7, 23), simulated="SIMULATED: real force totals, split by chance.")
    reader = reader_of(book(tmp_path, simulated, notes([KENT], date(2026, 7, 23), ["Other notes."]), csp_2015()))
    assert [str(year) for year, _ in reader.years()] == ["2015/16"]
    assert (reader.notes.updated, reader.notes.simulated) == (date(2026, 7, 23), True)
    assert reader.notes.force_notes == [KENT]


def test_a_release_as_published_is_no_simulation(tmp_path: Path) -> None:
    reader = reader_of(book(tmp_path, cover(date(2026, 7, 23)), csp_2015()))
    list(reader.years())
    assert not reader.notes.simulated
