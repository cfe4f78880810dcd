"""The curated table of ONS's population files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from flows.sources.content_check import kind_for
from flows.sources.ons_files import COLUMNS, ons_files
from transforms.errors import PublishedFileError

TABLE = Path(__file__).parents[3] / "data/reference/ons_files.csv"
ROW = "x.xls,/file?uri=/a/x.xls,population,2001-2020,2021-06-25,2021,a note,somebody"


def test_the_curated_table_reads_and_gives_addresses() -> None:
    files = {file.file_name: file for file in ons_files(TABLE)}
    mid2020 = files["ukpopestimatesmid2020on2021geography.xls"]
    assert mid2020.url("https://www.ons.gov.uk/").startswith("https://www.ons.gov.uk/file?uri=/peoplepopulation")
    assert (mid2020.first_year, mid2020.last_year, mid2020.vintage) == (2011, 2020, date(2021, 6, 25))
    assert files["mid2014_original_by_lad.csv"].vintage == date(2015, 6, 25)
    for file in files.values():
        assert file.url_path.endswith(f"/{file.file_name}")
        assert kind_for(file.file_name) and file.kind == "population" and file.source


def test_no_vintage_mixes_two_maps_under_one_pair_of_years_and_boundaries() -> None:
    keys = [(f.vintage, f.first_year, f.last_year, f.boundaries) for f in ons_files(TABLE)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file_name,url"], "expected the columns file_name, url_path"),
        ([",".join(COLUMNS), ROW, ROW], "row 3: expected each file once, found x.xls again"),
        ([",".join(COLUMNS), ROW.replace("2001-2020", "some")], "row 2: expected years .* found 'some'"),
        ([",".join(COLUMNS), ROW.replace("2021-06-25", "June")], "found .*'June'"),
        ([",".join(COLUMNS), ROW.replace("/file", "https://elsewhere/file")], "row 2, column url_path: expected the part"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    (tmp_path / "ons_files.csv").write_text("\n".join(lines))
    with pytest.raises(PublishedFileError, match=message):
        ons_files(tmp_path / "ons_files.csv")
