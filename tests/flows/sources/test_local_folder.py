"""What a local folder offers: a manifest that names what is not there says so, and a lookup is known by its columns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.sources.local_folder import FolderListing, discover
from flows.storage.raw_store import FileKind
from transforms.errors import PublishedFileError

PORTAL = "Local_Authority_District_to_Community_Safety_Partnerships_(December_2022)_Lookup_in_England_and_Wales.csv"
LOOKUP = "LAD22CD,LAD22NM,CSP22CD,CSP22NM,PFA22CD,PFA22NM,ObjectId\nE07000237,Worcester,E22000332,South Worcester,E23000016,X,1\n"


def folder(path: Path, *files: str, manifest: str = "") -> Path:
    for name in files:
        (path / name).write_text("code,name\n")
    if manifest:
        (path / "manifest.csv").write_text(f"file,kind,published,covers,note\n{manifest}")
    return path


def names(listing: FolderListing) -> list[str]:
    return [file.path.name for file in listing.files]


def refusals(listing: FolderListing) -> list[str]:
    return [str(refusal) for refusal in listing.refusals]


# ---------------------------------------------------------------- rows without their file
def test_a_row_whose_file_is_not_there_is_refused_with_the_nearest_name_and_the_other_files_go_on(tmp_path: Path) -> None:
    row = "prc-pfa-tables-230426_2015-16.csv,offences,2020-01-23,,SIMULATED"
    listing = discover(folder(tmp_path, "prc-pfa-tables-230426_2015_16.csv", "prc-csp-x.ods", manifest=row), FileKind.OFFENCES)
    assert refusals(listing) == [
        f"{tmp_path.name}/manifest.csv, row 2, column file: expected the name of a file in this folder "
        '(nearest: "prc-pfa-tables-230426_2015_16.csv", which is not taken in until a row names it), '
        'found "prc-pfa-tables-230426_2015-16.csv".'
    ]
    assert names(listing) == ["prc-csp-x.ods"]  # the other one may be what the row dates and calls simulated


@pytest.mark.parametrize("name", ["MID2014.CSV", "mid 2014.csv", "mid2014.csv ", "mid-2014.csv", "mid2014.cvs"])
def test_case_blanks_dashes_and_exchanged_letters_are_no_other_file(tmp_path: Path, name: str) -> None:
    listing = discover(folder(tmp_path, "mid2014.csv", manifest=f"{name},population,2015-06-25,2014,\n"), FileKind.POPULATION)
    assert names(listing) == [] and 'nearest: "mid2014.csv"' in refusals(listing)[0]


def test_a_row_of_a_file_that_is_simply_gone_holds_nothing_back(tmp_path: Path) -> None:
    manifest = (
        "mid2014.csv,population,,2014,\nprc-csp-mar2021-dec2025-tables-290126.ods,offences,,,\nsomething.csv,population,,2014,\n"
    )
    listing = discover(folder(tmp_path, "mid2014.csv", manifest=manifest), FileKind.POPULATION)
    assert names(listing) == ["mid2014.csv"]
    assert refusals(listing) == [
        f'{tmp_path.name}/manifest.csv, row 4, column file: expected the name of a file in this folder, found "something.csv".'
    ]


def test_a_file_that_has_two_rows_is_refused(tmp_path: Path) -> None:
    manifest = "mid2014.csv,population,2015-06-25,2014,\nmid2014.csv,population,2016-06-23,2014,\n"
    with pytest.raises(PublishedFileError, match='row 3, column file: expected one row a file, found "mid2014.csv" again'):
        discover(folder(tmp_path, "mid2014.csv", manifest=manifest), FileKind.POPULATION)


@pytest.mark.parametrize("day", [date(1999, 1, 1), datetime.now(UTC).date() + timedelta(days=3)])
def test_a_date_before_the_first_release_or_in_the_future_is_refused(tmp_path: Path, day: date) -> None:
    with pytest.raises(
        PublishedFileError, match=rf"row 2, column published: expected a date .* from 2003 to today .*found {day}"
    ):
        discover(folder(tmp_path, "a.ods", manifest=f"a.ods,offences,{day},,\n"), FileKind.OFFENCES)


# ---------------------------------------------------------------- kinds
@pytest.mark.parametrize("name", [PORTAL, "download.csv", "CSP names and codes.csv"])
def test_a_lookup_is_known_by_its_columns_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(f"\ufeff{LOOKUP}", encoding="utf-8")
    (tmp_path / "mid2014.csv").write_text("code,name,population\n")
    assert names(discover(tmp_path, FileKind.LOOKUP)) == [name]
    assert names(discover(tmp_path, FileKind.POPULATION)) == ["mid2014.csv"]
