"""Financial years, quarters and half-years: what people write, what files are named, and the days that are meant."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.periods import (
    FinancialYear,
    HalfYear,
    HalfYearRange,
    PeriodError,
    Quarter,
    parse_file_name_date,
    parse_quarter_number,
)

YEARS = st.integers(1000, 9998).map(FinancialYear)
HALVES = st.builds(HalfYear, YEARS, st.sampled_from([1, 2]))


@given(YEARS, st.sampled_from("/-_"))
@example(FinancialYear(1999), "/")
@example(FinancialYear(2009), "_")
def test_a_financial_year_reads_as_it_is_printed(year: FinancialYear, separator: str) -> None:
    assert FinancialYear.parse(str(year).replace("/", separator)) == year


def test_the_years_around_the_century_print_two_digits() -> None:
    assert [str(FinancialYear(start)) for start in (1999, 2008, 2015)] == ["1999/00", "2008/09", "2015/16"]


@pytest.mark.parametrize("text", ["2015/16", "2015-16", "2015_16", " 2015/16 ", "2015/2016", "2015 / 16"])
def test_sheets_and_cells_write_a_financial_year_in_several_ways(text: str) -> None:
    assert FinancialYear.parse(text) == FinancialYear(2015)


NOT_YEARS = [
    "2015",
    "2015/17",
    "2015/15",
    "2015/6",
    "15/16",
    "2015/2116",
    "201/02",
    "",
    "2015/16a",
    "0001/02",
    "9999/00",
    "２０１５/16",
]


@pytest.mark.parametrize("text", NOT_YEARS)
def test_what_is_no_financial_year_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(PeriodError, match="expected a financial year such as 2015/16, found") as error:
        FinancialYear.parse(text)
    assert f'found "{text}"' in str(error.value)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("1.0", 1), ("Q1", 1), ("q2", 2), (" 3 ", 3), ("4.00", 4)])
def test_a_quarter_is_a_number_however_it_is_typed(text: str, number: int) -> None:
    assert parse_quarter_number(text) == number


@pytest.mark.parametrize("text", ["0", "5", "1.5", "11", "Q", "", "-1", "1st", "Apr-Jun"])
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(PeriodError, match="expected a quarter 1 to 4, found"):
        parse_quarter_number(text)


@given(HALVES)
def test_a_half_year_reads_as_it_is_printed_and_as_it_stands_in_a_path(half: HalfYear) -> None:
    assert HalfYear.parse(str(half)) == HalfYear.parse(half.slug) == HalfYear.parse(half.slug.lower()) == half


@pytest.mark.parametrize("text", ["2015-16-H3", "2015-16", "H1", "2015H1", "2015-17-H1", "first half of 2015", ""])
def test_what_is_no_half_year_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(PeriodError, match="expected a half-year such as 2015-16-H1") as error:
        HalfYear.parse(text)
    assert f'found "{text}"' in str(error.value)


def test_h1_is_april_to_september_and_h2_october_to_march() -> None:
    h1, h2 = HalfYear.parse("2015-16-H1"), HalfYear.parse("2015-16-H2")
    assert (h1.start, h1.end, h1.months) == (date(2015, 4, 1), date(2015, 9, 30), "April to September 2015")
    assert (h2.start, h2.end, h2.months) == (date(2015, 10, 1), date(2016, 3, 31), "October 2015 to March 2016")


@given(HALVES)
def test_half_years_follow_each_other_without_a_gap(half: HalfYear) -> None:
    assert half.next().start == half.end + timedelta(days=1)
    assert half < half.next()
    assert half.next().next() == HalfYear(FinancialYear(half.year.start + 1), half.half)


@given(HALVES)
def test_a_half_year_is_two_quarters_and_each_knows_it(half: HalfYear) -> None:
    assert {quarter.half_year for quarter in half.quarters} == {half}
    assert sorted(half.quarters + half.next().quarters) == [*half.quarters, *half.next().quarters]


@given(st.builds(Quarter, YEARS, st.integers(1, 4)))
def test_a_quarter_reads_as_it_is_printed(quarter: Quarter) -> None:
    assert Quarter.parse(str(quarter)) == quarter


@given(st.builds(Quarter, YEARS, st.integers(1, 4)))
def test_the_key_of_a_quarter_counts_on_from_year_to_year(quarter: Quarter) -> None:
    assert (quarter.key // 4, quarter.key % 4 + 1) == (quarter.year.start, quarter.number)
    first, second = quarter.half_year.quarters
    assert (second.key - first.key, quarter.half_year.next().quarters[0].key - second.key) == (1, 1)


def test_the_last_quarter_of_a_financial_year_is_in_the_next_calendar_year() -> None:
    assert [Quarter(FinancialYear(2015), number).months for number in (1, 2, 3, 4)] == [
        "April to June 2015",
        "July to September 2015",
        "October to December 2015",
        "January to March 2016",
    ]


def test_a_range_of_half_years_holds_both_ends_and_all_between() -> None:
    half_years = HalfYearRange.parse("2014-15-H2", "2015/16 H2")
    assert [half_year.slug for half_year in half_years] == ["2014-15-H2", "2015-16-H1", "2015-16-H2"]
    assert str(half_years) == "2014/15 H2 to 2015/16 H2"
    assert HalfYear.parse("2015-16-H1") in half_years
    assert half_years.last.next() not in half_years
    only = HalfYearRange.parse("2015-16-H1", "2015-16-H1")
    assert list(only) == [only.first]


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PeriodError, match="expected a span from an earlier to a later half-year, found 2015-16-H1 to 2014-15-H2"):
        HalfYearRange.parse("2015-16-H1", "2014-15-H2")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("prc-csp-mar2021-mar2026-tables-230726.ods", date(2026, 7, 23)),
        ("prc-csp-mar16-dec24-tables-240425.xlsx", date(2025, 4, 24)),
        ("prc-csp-mar2015-tables-230426_2015_16.csv", date(2026, 4, 23)),
        ("prc-pfa-230426-revised-tables.ods", date(2026, 4, 23)),  # in the middle
        ("prc-pfa-290126-tables-230426.ods", date(2026, 4, 23)),  # the last of two
        ("prc-pfa-tables-230426-999999.ods", date(2026, 4, 23)),  # the last that is a day
        ("prc-pfa-tables-290228.ods", date(2028, 2, 29)),
        ("prc-pfa-tables-310226.ods", None),  # no such day
        ("prc-pfa-tables-2304261.ods", None),
        ("prc-csp-1112-1415-tables.ods", None),
        ("prc-csp-0708-to-1011-tabs.xlsx", None),
        ("prc-pfa-mar2008-mar2012-tabs.ods", None),
    ],
)
def test_a_file_name_carries_its_publication_date_as_ddmmyy(name: str, day: date | None) -> None:
    assert parse_file_name_date(name) == day


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_of_the_century_can_be_in_a_name(day: date) -> None:
    assert parse_file_name_date(f"prc-csp-mar2021-mar2026-tables-{day:%d%m%y}.ods") == day


def test_a_text_sort_of_names_is_not_the_order_of_publication() -> None:
    names = ["prc-csp-mar21-sep25-tables-290126.ods", "prc-csp-mar21-mar26-tables-230426.ods"]
    assert sorted(names, key=lambda name: parse_file_name_date(name) or date.min) == names
    assert sorted(name[-10:] for name in names) != [name[-10:] for name in names]
