"""Persons that cannot be, held against other files and against England and Wales."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.errors import PublishedFileError
from transforms.population_bounds import KnownPersons, check_persons
from transforms.populations import POPULATIONS

KNOWN = [KnownPersons("E07000237", year, 100_000, "mid2014.csv") for year in (2013, 2014)]
TOTALS = {2014: 57_408_654, 2015: 57_885_413}


def table(*councils: tuple[str, int, int]) -> pa.Table:
    rows = [
        {
            "area_code": code,
            "area_name": "Worcester",
            "area_kind": "council",
            "year": year,
            "persons": n,
            "sheet": "MYE4",
            "row": i,
        }
        for i, (code, year, n) in enumerate(councils, start=2)
    ]
    return pa.Table.from_pylist([row | {"boundaries": None} for row in rows], schema=POPULATIONS)


def everybody(share: float, year: int = 2014) -> pa.Table:
    return table(*((f"E07{n:06}", year, int(57_408_654 * share / 348)) for n in range(348)))


@pytest.mark.parametrize("persons", [50_000, 28_707, 200_000, 1_008_420, 100])
def test_a_council_of_twice_or_half_its_persons_is_refused(persons: int) -> None:
    with pytest.raises(PublishedFileError) as error:
        check_persons("new.csv", table(("E07000237", 2014, persons)), KNOWN, {})
    assert str(error.value) == (
        "new.csv, sheet MYE4, row 2: expected about 100,000 persons in Worcester (E07000237) in mid-2014, as mid2014.csv gives "
        f"for mid-2014, found {persons:,}."
    )


def test_neighbouring_years_are_compared_and_others_are_not() -> None:
    with pytest.raises(PublishedFileError, match="as mid2014.csv gives for mid-2014"):
        check_persons("new.csv", table(("E07000237", 2015, 49_000)), KNOWN, {})
    check_persons("new.csv", table(("E07000237", 2017, 49_000)), KNOWN, {})
    check_persons("new.csv", table(("E07000237", 2014, 80_000), ("E07000238", 2014, 1)), KNOWN, {})


@pytest.mark.parametrize("share", [0.49, 0.51, 0.63, 10, 0.001])
def test_a_whole_of_england_and_wales_that_is_not_everybody_is_refused(share: float) -> None:
    with pytest.raises(PublishedFileError, match=r"expected about 57,408,654 persons in England and Wales in mid-2014"):
        check_persons("females.csv", everybody(share), [], TOTALS)


def test_revisions_and_a_year_that_is_newer_than_all_totals_pass() -> None:
    check_persons("new.csv", everybody(1.01), [], TOTALS)
    check_persons("new.csv", everybody(1.04, year=2019), [], TOTALS)
