"""Lookups of councils to partnerships and forces, and the names that our reference table knows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.releases import Cell, Row, write_csv, write_ods, write_xlsx
from transforms.areas import LOOKUP, known_names, read_lookup, read_reference
from transforms.errors import PublishedFileError

REFERENCE = Path(__file__).parents[2] / "data/reference"
WEST_MERCIA = ["E23000016", "West Mercia"]
SOUTH: list[list[Cell]] = [
    [code, name, "E22000332", "South Worcester", *WEST_MERCIA]
    for code, name in (("E07000238", "Wychavon"), ("E07000235", "Malvern Hills"), ("E07000237", "Worcester"))
]
OLD = ["LAD17CD", "LAD17NM", "CSP17CD", "CSP17NM", "PFA17CD", "PFA17NM", "FID"]
NEW = ["ltla24_code", "ltla24_name", "csp24_code", "csp24_name", "pfa24_code", "pfa24_name"]
OURS = ["lad24_code", "lad24_name", "csp24_code", "csp24_name", "pfa24_code", "pfa24_name", "source", "licence"]


def lookup(folder: Path, *rows: Row, encoding: str = "utf-8") -> Path:
    path = folder / "lookup.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(PublishedFileError) as error:
        read_lookup(path)
    return str(error.value)


@pytest.mark.parametrize(("header", "year"), [(OLD, 2017), (NEW, 2024), (OURS, 2024)], ids=["2017", "2024", "sample"])
def test_every_header_of_the_lookups_reads_the_same(tmp_path: Path, header: list[str], year: int) -> None:
    path = lookup(tmp_path, header, *[[*row, "x", "y"][: len(header)] for row in SOUTH], encoding="utf-8-sig")
    table = read_lookup(path)
    assert table.schema.equals(LOOKUP)
    assert [list(row.values()) for row in table.to_pylist()] == [
        [year, *row] for row in sorted(SOUTH, key=lambda row: str(row[0]))
    ]


def test_a_lookup_may_be_a_workbook_and_its_columns_in_any_order(tmp_path: Path) -> None:
    rows: list[Row] = [NEW[::-1], *[row[::-1] for row in SOUTH]]
    first = read_lookup(lookup(tmp_path, NEW, *SOUTH)).to_pylist()
    assert read_lookup(write_ods(tmp_path / "a.ods", [("lookup", rows)])).to_pylist() == first
    assert read_lookup(write_xlsx(tmp_path / "a.xlsx", [("lookup", rows)])).to_pylist() == first


def test_a_council_of_several_partnerships_and_a_row_told_twice(tmp_path: Path) -> None:
    partnerships = [("E22000062", "Bournemouth"), ("E22000063", "Poole"), ("E22000062", "Bournemouth")]
    rows: list[Row] = [
        ["E06000058", "Bournemouth, Christchurch and Poole", code, name, "E23000039", "Dorset"] for code, name in partnerships
    ]
    table = read_lookup(lookup(tmp_path, NEW, *rows))
    assert table["csp_name"].to_pylist() == ["Bournemouth", "Poole"]


def test_a_lookup_without_a_column_is_refused(tmp_path: Path) -> None:
    path = lookup(tmp_path, ["LAD17CD", "LAD17NM", "CSP17CD", "CSP17NM"], *[row[:4] for row in SOUTH])
    assert refusal(path) == (
        "lookup.csv, row 1: expected columns for pfa_code, pfa_name, found LAD17CD, LAD17NM, CSP17CD, CSP17NM."
    )


def test_an_empty_cell_in_a_lookup_is_refused(tmp_path: Path) -> None:
    path = lookup(tmp_path, NEW, SOUTH[0], [*SOUTH[1][:2], " ", *SOUTH[1][3:]])
    assert refusal(path) == (
        "lookup.csv, row 3: expected codes and names of council, partnership and force, found an empty cell."
    )


def test_a_lookup_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    assert refusal(lookup(tmp_path, NEW)) == "lookup.csv: expected rows of councils below the header, found none."
    assert refusal(lookup(tmp_path, [])) == "lookup.csv: expected a table of councils, found an empty sheet."
    assert refusal(write_ods(tmp_path / "a.ods", [])) == "a.ods: expected a table of councils, found no sheet."


def test_an_error_that_the_portal_answers_with_is_no_lookup(tmp_path: Path) -> None:
    (tmp_path / "lookup.csv").write_text('{"error":{"code":400,"message":"Invalid query parameters"}}')
    assert refusal(tmp_path / "lookup.csv") == "lookup.csv: expected a workbook, found JSON."


# ---------------------------------------------------------------- the reference table
def test_the_names_of_2015_are_known_at_their_level_only() -> None:
    known = known_names(read_reference(REFERENCE / "areas.csv"))
    assert {
        ("csp", "South Worcester"),
        ("csp", "South Worcs_Malvern Hills"),
        ("csp", "Northern Devon_ Torridge"),
        ("csp", "Cheshire West_Elle Prt,Neston"),
        ("csp", "Manchester Airport"),
        ("csp", "Unassigned Kent"),
        ("pfa", "London, City of"),
        ("pfa", "Devon & Cornwall"),
        ("pfa", "Devon and Cornwall"),
        ("pfa", "British Transport Police"),
        ("pfa", "CIFAS"),
        ("pfa", "Cifas"),
    } <= known
    assert not {("csp", "West Mercia"), ("pfa", "South Worcester"), ("csp", "South Worcestershire")} & known


def test_names_of_one_area_are_one_area() -> None:
    areas = {(row["level"], row["published_name"]): row for row in read_reference(REFERENCE / "areas.csv")}
    for level, names in (
        ("csp", ("Folkestone and Hythe", "Shepway")),
        ("csp", ("London, City of", "City of London")),
        ("csp", ("Kings Lynn and West Norfolk", "King's Lynn and West Norfolk")),
        ("pfa", ("Devon & Cornwall", "Devon and Cornwall")),
        ("pfa", ("Cifas", "CIFAS")),
    ):
        first, second = (areas[level, name] for name in names)
        assert (first["area_name"], first["area_code"]) == (second["area_name"], second["area_code"])


def test_the_gaps_of_the_published_reference_table_are_mended() -> None:
    areas = {row["published_name"]: row for row in read_reference(REFERENCE / "areas.csv") if row["level"] == "csp"}
    assert areas["North Hampshire"]["area_code"] == "E22000374"
    assert areas["Cwm Taf"]["area_code"] == "W14000023"
    assert [areas[name]["councils"] for name in ("Merthyr Tydfil", "Rhondda Cynon Taf")] == ["W06000024", "W06000016"]
    assert areas["South Worcester"]["area_code"] == "E22000332"
    assert areas["Central Beds_Mid Bedfordshire"]["area_code"] != areas["Central Beds_South Bedfordshire"]["area_code"]


def test_a_reference_table_reads_as_text(tmp_path: Path) -> None:
    (path,) = write_csv(tmp_path, "a", [("2015_16", [["code", "name"], ["0012", "Ynys Môn"]])])
    assert read_reference(path) == [{"code": "0012", "name": "Ynys Môn"}]
