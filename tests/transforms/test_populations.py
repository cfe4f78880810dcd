"""Persons by council from every file that the ONS has published them in, or a sentence that says what is missing."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.releases import Row, Sheet, write_ods, write_xlsx
from transforms.errors import PublishedFileError
from transforms.populations import POPULATIONS, PopulationReader

SOUTH = [("E07000235", "Malvern Hills", 75911), ("E07000237", "Worcester", 100842), ("E07000238", "Wychavon", 119752)]
# countries, regions and counties stand among the districts
AROUND = [
    ("K02000001", "UNITED KINGDOM", 65110034),
    ("K04000001", "ENGLAND AND WALES", 57885413),
    ("E92000001", "ENGLAND", 54786327),
    ("E12000005", "WEST MIDLANDS", 5751000),
    ("E10000034", "Worcestershire", 578593),
]
ELSEWHERE = [
    ("W92000004", "WALES", 3099086),
    ("W06000015", "Cardiff", 357160),
    ("S12000033", "Aberdeen City", 230350),
    ("N09000003", "Belfast", 338907),
    ("E11000005", "West Midlands (Met County)", 2833557),
]
OURS = {"E07000235": 75911, "E07000237": 100842, "E07000238": 119752, "W06000015": 357160, "K04000001": 57885413}


def csv_file(folder: Path, name: str, *rows: Row, encoding: str = "utf-8") -> Path:
    path = folder / name
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


def persons(path: Path, covers: str = "") -> dict[str, int]:
    """Area → persons, of a file that holds one year."""
    assert len(set(rows(path, "year", covers=covers))) == 1
    return dict(rows(path, "area_code", "persons", covers=covers))


def rows(path: Path, *names: str, covers: str = "") -> list[Any]:
    table = PopulationReader(path, covers).read()
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def refusal(path: Path, covers: str = "") -> str:
    with pytest.raises(PublishedFileError) as error:
        PopulationReader(path, covers).read()
    return str(error.value)


# ---------------------------------------------------------------- workbooks
def mye2_of_2015() -> list[Sheet]:
    """The layout up to mid-2015: header on row 3, one sheet a sex, single years of age after the total."""

    def sheet(name: str, who: str, share: float) -> Sheet:
        body: list[Row] = [
            [code, area, int(count * share), int(count * share) // 90] for code, area, count in [*AROUND, *SOUTH, *ELSEWHERE]
        ]
        title = "MYE2: Population Estimates by single year of age and sex for local authorities in the UK, mid-2015"
        return name, [[title], [who], ["CODE", "NAME", "ALL AGES", 0], *body, [], ["Source: ONS"]]

    return [
        ("Terms & Conditions", [["Contents"], ["Crown copyright 2016"]]),
        sheet("UK persons", "ALL PERSONS", 1),
        sheet("UK males", "MALES", 0.49),
        sheet("UK females", "FEMALES", 0.51),
    ]


def mye_of_2020() -> list[Sheet]:
    """The layout of mid-2020: header on row 8, a cover, the newest year by age, and a summary of all years."""
    above: list[Row] = [
        ["MYE: Persons by single year of age and sex for local authorities in the UK, mid-2020"],
        *[["Please choose from the links below"]] * 6,
    ]
    by_age: list[Row] = [[code, area, "District", count, count // 90] for code, area, count in SOUTH]
    by_year: list[Row] = [[code, area, "District", count, count - 1000] for code, area, count in SOUTH]
    return [
        ("Cover sheet", [["Mid-Year Population Estimates, UK, June 2020"], ["Date published: 25 June 2021"]]),
        ("Contents", [["Worksheet number/name", "Worksheet title"], ["MYE1", "Code and Name"]]),
        ("MYE1", [["Groups/codes", "United Kingdom"], ["Country Code", "K02000001"]]),
        ("MYE2 - Persons", [*above, ["Code", "Name", "Geography", "All ages", 0], *by_age]),
        ("MYE2 - Males", [*above, ["Code", "Name", "Geography", "All ages", 0], *by_age]),
        ("MYE4", [*above, ["Code", "Name", "Geography", "Mid-2020", "Mid-2019"], *by_year]),
        ("MYE 5", [*above, ["Code", "Name", "Geography", "Area (sq km)", "2020 people per sq. km"], *by_age]),
    ]


@pytest.mark.parametrize("suffix", ["ods", "xlsx"])
def test_the_workbook_of_mid_2015_gives_persons_of_councils_and_the_printed_total(tmp_path: Path, suffix: str) -> None:
    write = write_ods if suffix == "ods" else write_xlsx
    path = write(tmp_path / f"MYE2_population_by_sex_and_age_for_local_authorities_UK_mid2015.{suffix}", mye2_of_2015())
    assert persons(path) == OURS
    assert set(rows(path, "year", "sheet", "boundaries")) == {(2015, "UK persons", None)}
    kinds = dict(rows(path, "area_code", "area_kind"))
    assert [code for code, kind in kinds.items() if kind == "total"] == ["K04000001"]


def test_the_workbook_of_mid_2020_gives_every_year_of_its_summary(tmp_path: Path) -> None:
    file = PopulationReader(write_ods(tmp_path / "ukpopestimatesmid2020on2021geography.ods", mye_of_2020()))
    table = file.read()
    keys = [(row["year"], row["area_code"], row["persons"], row["sheet"], row["row"]) for row in table.to_pylist()]
    assert keys == [
        (2019, "E07000235", 74911, "MYE4", 9),
        (2019, "E07000237", 99842, "MYE4", 10),
        (2019, "E07000238", 118752, "MYE4", 11),
        (2020, "E07000235", 75911, "MYE4", 9),
        (2020, "E07000237", 100842, "MYE4", 10),
        (2020, "E07000238", 119752, "MYE4", 11),
    ]
    assert set(table["boundaries"].to_pylist()) == {"2021"}
    assert file.published == date(2021, 6, 25)
    assert table.schema.equals(POPULATIONS)


def test_the_table_by_age_serves_where_there_is_no_summary(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "estimates.ods", [sheet for sheet in mye_of_2020() if sheet[0] != "MYE4"])
    assert set(rows(path, "year", "sheet")) == {(2020, "MYE2 - Persons")}


# ---------------------------------------------------------------- CSV
@pytest.mark.parametrize("key", ["ladcode20", "lacode20", "ladcode21"])
def test_a_series_gives_each_year_and_the_boundaries_that_its_key_names(tmp_path: Path, key: str) -> None:
    header = [key, key.replace("code", "name"), "country", "population_2001", "births_2002", "population_2002"]
    path = csv_file(
        tmp_path,
        "MYEB3_summary_components_of_change_series_UK.csv",
        header,
        ["E07000237", "Worcester", "E", 93400, 1100, 93700],
        ["S12000033", "Aberdeen City", "S", 1, 2, 3],
        encoding="utf-8-sig",
    )
    assert rows(path, "area_code", "year", "persons", "boundaries") == [
        ("E07000237", 2001, 93400, f"20{key[-2:]}"),
        ("E07000237", 2002, 93700, f"20{key[-2:]}"),
    ]


def test_boundaries_may_stand_in_the_file_name(tmp_path: Path) -> None:
    for name, boundaries in (
        ("series_(2020_geog20).csv", "2020"),
        ("ukpopestimatesmid2020on2021geography.csv", "2021"),
        ("mid2014.csv", None),
    ):
        path = csv_file(tmp_path, name, ["code", "name", "population"], SOUTH[0])
        assert rows(path, "boundaries", covers="2014") == [(boundaries,)]


def test_a_plain_csv_takes_its_year_from_the_manifest(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "original_by_lad.csv", ["lad_code", "lad_name", "population"], *SOUTH)
    assert rows(path, "year", "area_name", "persons", covers="2014") == [(2014, name, n) for _, name, n in SOUTH]


def test_the_manifest_goes_before_the_file_name_and_the_file_name_suffices(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "mid2014_original_by_lad.csv", ["lad_code", "lad_name", "population"], SOUTH[0])
    assert rows(path, "year") == [(2014,)]
    assert rows(path, "year", covers="2013") == [(2013,)]
    assert rows(path, "year", covers="2001-2020") == [(2014,)]  # a span names no year


def test_our_own_columns_of_the_sample_read_the_same_way(tmp_path: Path) -> None:
    header = ["area_code", "area_name", "population_2013", "population_2014", "source", "licence"]
    path = csv_file(
        tmp_path,
        "mid2013-2014_revised.csv",
        header,
        ["E07000237", "Worcester", 100500, 100842, "ONS", "Open Government Licence v3.0"],
    )
    assert rows(path, "year", "persons") == [(2013, 100500), (2014, 100842)]


def test_nomis_gives_a_row_a_year_and_scotland_is_left_out(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "nomis.csv",
        ["DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", "OBS_VALUE"],
        [2015, "Worcester", "E07000237", 101891],
        [2014, "Worcester", "E07000237", 100842],
        [2014, "Aberdeen City", "S12000033", 228990],
        [2014, "Cardiff", "W06000015", 354294],
    )
    assert rows(path, "year", "area_code", "persons", covers="2001-2025") == [
        (2014, "E07000237", 100842),
        (2014, "W06000015", 354294),
        (2015, "E07000237", 101891),
    ]


def test_thousands_may_be_marked_and_notes_may_stand_below(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "mid2014.csv",
        ["code", "name", "population"],
        ["E07000237", "Worcester", "100,842"],
        [],
        ["Source: Office for National Statistics"],
    )
    assert rows(path, "persons") == [(100842,)]


# ---------------------------------------------------------------- refusals
def test_a_code_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    header = ["code", "name", "population"]
    path = csv_file(tmp_path, "mid2014.csv", header, SOUTH[0], ["E05000237", "A ward", 5000])
    assert refusal(path) == (
        'mid2014.csv, sheet mid2014, row 3: expected a council, county, region or country code, found "E05000237".'
    )
    path = csv_file(tmp_path, "mid2014.csv", header, SOUTH[0], ["47UE", "Worcester", 5000])  # a code of before 2011
    assert refusal(path) == ('mid2014.csv, sheet mid2014, row 3: expected an area code such as E07000237, found "47UE".')


def test_a_file_that_names_no_year_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "persons.csv", ["code", "name", "population"], SOUTH[0])
    assert refusal(path) == (
        "persons.csv, sheet persons: expected a mid-year in a column, the title, the file name or manifest.csv, found none."
    )


def test_a_row_without_its_year_is_refused(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "nomis.csv",
        ["DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", "OBS_VALUE"],
        [2014, "Worcester", "E07000237", 100842],
        [None, "Worcester", "E07000237", 101891],
    )
    assert refusal(path, covers="2014") == "nomis.csv, sheet nomis, row 3: expected a year, found an empty cell."


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("-5", '"-5"'),
        ("1.5", '"1.5"'),
        ("1,5", '"1,5"'),
        ("10,08,42", '"10,08,42"'),
        ("many", '"many"'),
        ("9" * 30, f'"{"9" * 30}"'),
        ("٣٦", '"٣٦"'),
    ],
)
def test_persons_that_are_no_whole_number_are_refused(tmp_path: Path, cell: str, found: str) -> None:
    path = csv_file(tmp_path, "mid2014.csv", ["code", "name", "population"], SOUTH[0], ["E07000237", "Worcester", cell])
    assert refusal(path) == f"mid2014.csv, sheet mid2014, row 3: expected a whole number of persons, found {found}."


def test_two_figures_for_one_council_are_refused_and_the_same_twice_is_not(tmp_path: Path) -> None:
    header = ["code", "name", "population"]
    path = csv_file(tmp_path, "mid2014.csv", header, SOUTH[1], ["E07000237", "Worcester", 100843])
    assert refusal(path) == (
        "mid2014.csv, sheet mid2014, row 3: expected one figure for E07000237 in mid-2014, found 100,842 and 100,843."
    )
    assert rows(csv_file(tmp_path, "mid2014.csv", header, SOUTH[1], SOUTH[1]), "persons") == [(100842,)] * 2


def test_a_table_without_a_column_of_all_persons_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "mid2014.csv", ["code", "name", "males", "females"], ["E07000237", "Worcester", 1, 2])
    assert refusal(path) == (
        'mid2014.csv, sheet mid2014, row 1: expected one column of persons ("All ages", "population", "OBS_VALUE") or '
        'one a year ("Mid-2020", "population_2020"), found code, name, males, females.'
    )


def test_two_columns_that_may_both_be_all_persons_are_refused(tmp_path: Path) -> None:
    header = ["code", "name", "persons", "population"]
    path = csv_file(tmp_path, "mid2014.csv", header, ["E07000237", "Worcester", 1, 2])
    assert "row 1: expected one column of persons" in refusal(path)


def test_a_file_without_such_a_table_is_refused(tmp_path: Path) -> None:
    sentence = "expected a sheet with columns of codes, names and persons, found none."
    assert refusal(csv_file(tmp_path, "a.csv", ["something", "else"], [1, 2])) == f"a.csv: {sentence}"
    assert refusal(write_ods(tmp_path / "a.ods", [])) == f"a.ods: {sentence}"


def test_a_table_without_a_single_council_is_refused(tmp_path: Path) -> None:
    sentence = "expected persons of councils in England and Wales, found none."
    header = ["code", "name", "population"]
    assert refusal(csv_file(tmp_path, "mid2014.csv", header)) == f"mid2014.csv: {sentence}"
    scotland = csv_file(tmp_path, "mid2014.csv", header, ["S12000033", "Aberdeen City", 1])
    assert refusal(scotland) == f"mid2014.csv: {sentence}"


def test_a_broken_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "mid2015.ods", mye2_of_2015())
    path.write_bytes(path.read_bytes()[:500])
    assert refusal(path).startswith("mid2015.ods: expected an OpenDocument spreadsheet, found this is not a whole zip")
    (tmp_path / "mid2015.csv").write_text("<html>Service unavailable</html>")
    assert refusal(tmp_path / "mid2015.csv") == "mid2015.csv: expected a workbook, found an HTML page."
