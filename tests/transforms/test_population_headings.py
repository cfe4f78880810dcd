"""Headings of persons in every spelling that a publisher may use: read where they fit, refused where they nearly fit."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.releases import Row, write_ods, write_xlsx
from transforms.errors import PublishedFileError
from transforms.populations import PopulationReader

WORCESTER = ["E07000237", "Worcester"]


def csv_file(folder: Path, *rows: Row, name: str = "persons.csv") -> Path:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder / name


def persons(path: Path) -> dict[tuple[str, int], int]:
    table = PopulationReader(path).read()
    return dict(
        zip(zip(*(table[n].to_pylist() for n in ("area_code", "year")), strict=True), table["persons"].to_pylist(), strict=True)
    )


def refusal(path: Path) -> str:
    with pytest.raises(PublishedFileError) as error:
        PopulationReader(path).read()
    return str(error.value)


@pytest.mark.parametrize(
    "heading",
    [
        "Mid-2014 [note 1]",
        "Mid-2014 [note 1], [note 2]",
        "Mid-2014 (revised)",
        "Mid-2014 [r]",
        "Mid-2014 (p)",
        "Mid-2014*",
        "Mid-2014\u00b9",
        "Mid\u20132014",
        "Mid\u20112014",
        "Mid\u22122014",
        "Mid\u00a02014",
        "Mid-\u200b2014",
        "MID 2014",
        "mid2014",
        "Mid-year 2014",
        "Revised mid-2014",
        "Mid-2014, revised",
        "Mid-2014\npopulation",
        "Mid-2014 population estimate",
        "2014 mid-year estimate",
        "Estimated Population mid-2014",
        "Population 2014",
        "population_2014_r",
        "30 June 2014",
        "2014",
        "2014.0",
        "Mid-2014 (2023 boundaries)",
    ],
)
def test_a_heading_with_a_note_a_state_or_another_dash_is_read(tmp_path: Path, heading: str) -> None:
    path = csv_file(tmp_path, ["code", "name", heading, "Mid-2013"], [*WORCESTER, 100842, 100500])
    assert persons(path) == {("E07000237", 2013): 100500, ("E07000237", 2014): 100842}


@pytest.mark.parametrize("heading", ["All ages [note 2]", "ALL AGES*", "Population (persons)", "Total population", "All persons"])
def test_a_heading_of_all_persons_may_carry_a_note_too(tmp_path: Path, heading: str) -> None:
    path = csv_file(tmp_path, ["code", "name", heading], [*WORCESTER, 100842], name="mid2014.csv")
    assert persons(path) == {("E07000237", 2014): 100842}


@pytest.mark.parametrize(
    "heading",
    ["Mid-14", "Mid-20I4", "Mid-2014 / Mid-2013", "2014/15", "Mid-2014 on other boundaries", "Pop. of 2014, old basis"],
)
def test_a_heading_that_nearly_fits_is_refused_and_not_passed_over(tmp_path: Path, heading: str) -> None:
    path = csv_file(tmp_path, ["code", "name", heading, "Mid-2013"], [*WORCESTER, 100842, 100500])
    assert refusal(path) == (
        "persons.csv, sheet persons, row 1: "
        f'expected headings such as "All ages", "Mid-2020" or "population_2020", found "{heading}".'
    )


def test_figures_without_a_heading_are_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["code", "name", None, "Mid-2013"], [*WORCESTER, 100842, 100500])
    assert refusal(path) == (
        "persons.csv, sheet persons, row 1: expected a heading above column 3, found none above its figures."
    )


@pytest.mark.parametrize("heading", ["Mid-2014 males", "Population (thousands)", "Aged 16 to 64, 2014", "Females", "65+"])
def test_a_column_of_part_of_the_people_is_not_everybody(tmp_path: Path, heading: str) -> None:
    path = csv_file(tmp_path, ["code", "name", heading], [*WORCESTER, 50000], name="mid2014.csv")
    assert "row 1: expected one column of persons" in refusal(path)
    beside = csv_file(tmp_path, ["code", "name", "Mid-2014", heading], [*WORCESTER, 100842, 50000])
    assert persons(beside) == {("E07000237", 2014): 100842}


# ---------------------------------------------------------------- columns that say whom a row counts
@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("GENDER_NAME", "Male"),
        ("GENDER", "1"),
        ("SEX", "F"),
        ("C_SEX_NAME", "Females"),
        ("Sex (2 categories)", "Female"),
        ("C_AGE_NAME", "Aged 16 to 64"),
        ("C_AGE", "203"),
        ("AGE", "0"),
        ("Age group", "65+"),
        ("MEASURES", "20301"),
        ("MEASURES_NAME", "Percent"),
        ("VARIABLE_NAME", "Economically active"),
        ("Ethnic group", "White: British"),
        ("Unit", "Thousands"),
        ("Comment", "males only"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "ods", "xlsx"])
def test_rows_of_part_of_the_people_are_refused_in_every_format(tmp_path: Path, column: str, cell: str, suffix: str) -> None:
    rows: list[Row] = [
        ["DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", column, "OBS_VALUE"],
        [2014, "Worcester", "E07000237", cell, 9],
    ]
    if suffix == "csv":
        path = csv_file(tmp_path, *rows)
    else:
        path = (write_ods if suffix == "ods" else write_xlsx)(tmp_path / f"persons.{suffix}", [("persons", rows)])
    said = "4" if column == "Comment" else column
    assert refusal(path) == (
        f'persons.{suffix}, sheet persons, row 2, column {said}: expected all persons of all ages, as a count, found "{cell}".'
    )


def test_columns_that_say_that_all_people_are_counted_are_read(tmp_path: Path) -> None:
    header = [
        "DATE",
        "GEOGRAPHY_CODE",
        "GEOGRAPHY_NAME",
        "GENDER",
        "GENDER_NAME",
        "C_AGE",
        "C_AGE_NAME",
        "MEASURES",
        "MEASURES_NAME",
    ]
    path = csv_file(
        tmp_path,
        [*header, "OBS_VALUE", "OBS_STATUS", "RECORD_COUNT"],
        [2014, "E07000237", "Worcester", 0, "Total", 200, "All Ages", 20100, "Value", 100842, "A", 1],
    )
    assert persons(path) == {("E07000237", 2014): 100842}


def test_beside_a_row_of_everybody_one_of_males_is_no_loss_and_alone_it_is_refused(tmp_path: Path) -> None:
    header = ["DATE", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", "SEX", "OBS_VALUE"]
    everybody = [2014, "Worcester", "E07000237", "Total", 100842]
    path = csv_file(tmp_path, header, everybody, [2014, "Worcester", "E07000237", "Male", 50000])
    assert persons(path) == {("E07000237", 2014): 100842}
    path = csv_file(tmp_path, header, everybody, [2014, "Wychavon", "E07000238", "Male", 60000])
    assert refusal(path).startswith("persons.csv, sheet persons, row 3, column SEX: expected all persons of all ages")


# ---------------------------------------------------------------- titles, sheets, file names
@pytest.mark.parametrize(
    "title", ["Females", "Population aged 16 to 64, mid-2014", "Percentages", "Thousands", "2014-based projections"]
)
def test_a_title_that_names_part_of_the_people_is_refused(tmp_path: Path, title: str) -> None:
    path = csv_file(tmp_path, [title], [], ["code", "name", "population"], [*WORCESTER, 50000], name="mid2014.csv")
    assert refusal(path).startswith("mid2014.csv, sheet mid2014, row 1: expected all persons of all ages, as a count, found ")


def test_nomis_writes_a_pair_a_row_above_its_header(tmp_path: Path) -> None:
    def table(sex: str) -> list[Row]:
        return [
            ["Population estimates - local authority based by single year of age"],
            ["sex", sex],
            ["measure", "value"],
            [],
            ["local authority: district / unitary (as of April 2023)", "mnemonic", "2013", "2014"],
            ["Worcester", "E07000237", 100500, 100842],
        ]

    assert persons(csv_file(tmp_path, *table("Total")))[("E07000237", 2014)] == 100842
    assert refusal(csv_file(tmp_path, *table("Male"))) == (
        'persons.csv, sheet persons, row 2, column sex: expected all persons of all ages, as a count, found "Male".'
    )


@pytest.mark.parametrize("name", ["males_mid2014.csv", "mid2014_aged_16-64.csv", "mid2014 percent.csv"])
def test_a_file_name_that_names_part_of_the_people_is_refused(tmp_path: Path, name: str) -> None:
    path = csv_file(tmp_path, ["code", "name", "population"], [*WORCESTER, 50000], name=name)
    assert refusal(path).startswith(f"{name}: expected all persons of all ages, as a count, found ")


def test_a_title_of_both_sexes_counts_everybody(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, ["Males and females, all ages"], ["code", "name", "population"], [*WORCESTER, 9], name="mid2014.csv"
    )
    assert persons(path) == {("E07000237", 2014): 9}


def test_a_workbook_of_females_only_is_refused(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "estimates.ods", [("Table 2", [["FEMALES"], ["Code", "Name", "Mid-2014"], [*WORCESTER, 51000]])])
    assert refusal(path) == (
        'estimates.ods, sheet Table 2, row 1: expected all persons of all ages, as a count, found "females" in the title.'
    )


# ---------------------------------------------------------------- workbooks of several tables
def test_an_myeb_workbook_gives_the_totals_and_not_the_table_by_sex_and_age(tmp_path: Path) -> None:
    by_age: list[Row] = [
        ["MYEB1: Detailed population estimates series"],
        ["ladcode23", "laname23", "country", "sex", "age", "population_2013", "population_2014"],
        [*WORCESTER, "E", "F", 0, 600, 610],
        [*WORCESTER, "E", "M", 0, 620, 630],
    ]
    totals: list[Row] = [
        ["MYEB3: Summary components of change series"],
        ["ladcode23", "laname23", "country", "population_2013", "births_2014", "population_2014"],
        [*WORCESTER, "E", 100500, 1300, 100842],
    ]
    path = write_xlsx(tmp_path / "myebtables.xlsx", [("Detailed", by_age), ("Summary", totals)])
    assert persons(path) == {("E07000237", 2013): 100500, ("E07000237", 2014): 100842}
    assert refusal(write_xlsx(tmp_path / "detailed.xlsx", [("Detailed", by_age)])) == (
        'detailed.xlsx, sheet Detailed, row 3, column sex: expected all persons of all ages, as a count, found "F".'
    )


def test_components_of_change_do_not_keep_the_summary_from_being_read(tmp_path: Path) -> None:
    by_age: list[Row] = [["MYE2: Persons, mid-2021"], ["Code", "Name", "Geography", "All ages"], [*WORCESTER, "District", 103872]]
    change: list[Row] = [
        ["Code", "Name", "Census 2021", "Births", "Estimated Population 2021"],
        [*WORCESTER, 103900, 1000, 103872],
    ]
    summary: list[Row] = [["Code", "Name", "Geography", "Mid-2021", "Mid-2011"], [*WORCESTER, "District", 103872, 98679]]
    path = write_ods(
        tmp_path / "ukpopestimatesmid2021on2021geographyfinal.ods",
        [("MYE2 - Persons", by_age), ("MYE3a", change), ("MYE3b", change), ("MYE4", summary)],
    )
    assert persons(path) == {("E07000237", 2011): 98679, ("E07000237", 2021): 103872}


# ---------------------------------------------------------------- the year, and cells without a figure
@pytest.mark.parametrize(
    ("name", "year"), [("mye23tablesew.csv", 2023), ("mye24tablesew.csv", 2024), ("ukmidyearestimates2016.csv", 2016)]
)
def test_the_ons_names_of_exports_tell_the_year(tmp_path: Path, name: str, year: int) -> None:
    path = csv_file(
        tmp_path, ["Code", "Name", "Geography", "All ages", "0"], [*WORCESTER, "District", "104,554 ", 990], name=name
    )
    assert persons(path) == {("E07000237", year): 104554}


def test_a_title_of_another_year_than_the_file_name_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["Persons, mid-2015"], ["code", "name", "population"], [*WORCESTER, 9], name="mid2014.csv")
    assert refusal(path) == (
        "mid2014.csv, sheet mid2014: "
        "expected persons of mid-2014, as the file is called, found mid-2015 in the title of the table."
    )


@pytest.mark.parametrize("cell", [None, "..", ":", "[x]", "[u1]", "N/A"])
def test_a_cell_without_a_figure_loses_that_cell_only(tmp_path: Path, cell: str | None) -> None:
    reader = PopulationReader(
        csv_file(
            tmp_path,
            ["DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", "OBS_VALUE"],
            [2013, "Worcester", "E07000237", 100500],
            [2014, "Worcester", "E07000237", cell],
            [2014, "Wychavon", "E07000238", 119752],
        )
    )
    table = reader.read()
    assert table.select(["area_code", "year", "persons"]).to_pylist() == [
        {"area_code": "E07000237", "year": 2013, "persons": 100500},
        {"area_code": "E07000238", "year": 2014, "persons": 119752},
    ]
    assert reader.gaps == ["E07000237 in mid-2014"]


def test_a_year_without_any_figure_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["code", "name", "Mid-2014", "Mid-2013"], [*WORCESTER, None, 100500])
    assert refusal(path) == "persons.csv, sheet persons, row 2: expected persons in mid-2014, found no figure of any council."


def test_a_council_of_nobody_and_figures_without_a_code_are_refused(tmp_path: Path) -> None:
    header = ["code", "name", "population"]
    path = csv_file(tmp_path, header, [*WORCESTER, 0], name="mid2014.csv")
    assert refusal(path) == 'mid2014.csv, sheet mid2014, row 2: expected at least one person in a council, found "0".'
    path = csv_file(tmp_path, header, [*WORCESTER, 100842], [None, "Wychavon", 119752], name="mid2014.csv")
    assert refusal(path) == "mid2014.csv, sheet mid2014, row 3: expected an area code such as E07000237, found an empty cell."
