"""Financial years, quarters, half-years and ranges of half-years as values: parsing, printing, ordering, dates.

A financial year runs from April to March. Quarter 1 is April to June, quarter 4 January to March of the next
calendar year (Home Office convention). H1 is quarters 1 and 2, H2 quarters 3 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from transforms.errors import UsageError

_QUARTER_MONTHS = ("April to June", "July to September", "October to December", "January to March")


class PeriodError(UsageError):
    """A text that names no financial year, quarter, half-year or range of them; says what one looks like."""


@dataclass(frozen=True, order=True)
class FinancialYear:
    """April of `start` to March of the next year; prints as 2015/16."""

    start: int

    @classmethod
    def parse(cls, text: str) -> FinancialYear:
        """Read 2015/16, 2015-16, 2015_16 or 2015/2016. Raises PeriodError, which says what a financial year looks like."""
        match = re.fullmatch(r"\s*([1-9]\d{3})\s*[/_-]\s*(\d{2}|\d{4})\s*", text, re.ASCII)
        if match and int(match[2]) % 100 == (int(match[1]) + 1) % 100 and len(match[2]) in (2, 4):
            start = int(match[1])
            if start < 9999 and (len(match[2]) == 2 or int(match[2]) == start + 1):  # it ends on a day that there is
                return cls(start)
        raise PeriodError(f'expected a financial year such as 2015/16, found "{text}"')

    def __str__(self) -> str:
        return f"{self.start}/{(self.start + 1) % 100:02d}"

    @property
    def slug(self) -> str:
        """As in file names: 2015-16."""
        return str(self).replace("/", "-")


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a financial year, 1 to 4; prints as 2015/16 Q1."""

    year: FinancialYear
    number: int

    def __str__(self) -> str:
        return f"{self.year} Q{self.number}"

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read 2015/16 Q1. Raises PeriodError, which says what a quarter looks like."""
        year, _, number = text.strip().rpartition(" ")
        return cls(FinancialYear.parse(year), parse_quarter_number(number))

    @property
    def key(self) -> int:
        """Quarters since the year 0, as in the column `quarter_key` of the database; that of the next quarter is 1 more."""
        return self.year.start * 4 + self.number - 1

    @property
    def months(self) -> str:
        """In words: April to June 2015."""
        return f"{_QUARTER_MONTHS[self.number - 1]} {self.year.start + (self.number == 4)}"

    @property
    def half_year(self) -> HalfYear:
        """The half-year that the quarter is part of."""
        return HalfYear(self.year, 1 if self.number <= 2 else 2)


@dataclass(frozen=True, order=True)
class HalfYear:
    """H1 (April to September) or H2 (October to March); prints as 2015/16 H1, in paths as 2015-16-H1."""

    year: FinancialYear
    half: int

    @classmethod
    def parse(cls, text: str) -> HalfYear:
        """Read 2015-16-H1, 2015/16 H1 and the like. Raises PeriodError, which says what a half-year looks like."""
        match = re.fullmatch(r"\s*(.+?)[\s_-]*[hH]([12])\s*", text)
        if match:
            try:
                return cls(FinancialYear.parse(match[1]), int(match[2]))
            except PeriodError:
                pass
        raise PeriodError(f'expected a half-year such as 2015-16-H1 (April to September 2015), found "{text}"')

    def __str__(self) -> str:
        return f"{self.year} H{self.half}"

    @property
    def slug(self) -> str:
        """As on the command line and in paths: 2015-16-H1."""
        return f"{self.year.slug}-H{self.half}"

    @property
    def start(self) -> date:
        """Its first day: 1 April or 1 October."""
        return date(self.year.start, 4 if self.half == 1 else 10, 1)

    @property
    def end(self) -> date:
        """Its last day: 30 September or 31 March."""
        return date(self.year.start, 9, 30) if self.half == 1 else date(self.year.start + 1, 3, 31)

    @property
    def quarters(self) -> tuple[Quarter, Quarter]:
        """Its two quarters, in order."""
        first = 2 * self.half - 1
        return Quarter(self.year, first), Quarter(self.year, first + 1)

    @property
    def months(self) -> str:
        """In words: April to September 2015."""
        if self.half == 1:
            return f"April to September {self.year.start}"
        return f"October {self.year.start} to March {self.year.start + 1}"

    def next(self) -> HalfYear:
        """The half-year that follows."""
        return HalfYear(self.year, 2) if self.half == 1 else HalfYear(FinancialYear(self.year.start + 1), 1)


@dataclass(frozen=True)
class HalfYearRange:
    """The half-years from `first` to `last`, both included. Raises PeriodError if `last` comes before `first`.

    >>> [half_year.slug for half_year in HalfYearRange.parse("2015-16-H2", "2016-17-H1")]
    ['2015-16-H2', '2016-17-H1']
    """

    first: HalfYear
    last: HalfYear

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise PeriodError(
                f"expected a span from an earlier to a later half-year, found {self.first.slug} to {self.last.slug}"
            )

    @classmethod
    def parse(cls, first: str, last: str) -> HalfYearRange:
        """Read two half-years, such as 2012-13-H1 and 2025-26-H2. Raises PeriodError, which says what was expected."""
        return cls(HalfYear.parse(first), HalfYear.parse(last))

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    def __iter__(self) -> Iterator[HalfYear]:
        half_year = self.first
        while half_year <= self.last:
            yield half_year
            half_year = half_year.next()

    def __contains__(self, half_year: HalfYear) -> bool:
        return self.first <= half_year <= self.last


def parse_quarter_number(text: str) -> int:
    """Read 1, 1.0 or Q1 as a quarter of the financial year. Raises PeriodError, which says what a quarter looks like."""
    match = re.fullmatch(r"\s*[qQ]?([1-4])(?:\.0+)?\s*", text)
    if not match:
        raise PeriodError(f'expected a quarter 1 to 4, found "{text}"')
    return int(match[1])


def parse_file_name_date(name: str) -> date | None:
    """The publication date that a file name carries as six digits DDMMYY, at its end or in its middle, or None.

    Source: file names on the Home Office open data page, such as prc-csp-mar2021-mar2026-tables-230726.ods.
    """
    for digits in reversed(re.findall(r"(?<!\d)(\d{6})(?!\d)", name)):
        try:
            return date(2000 + int(digits[4:]), int(digits[2:4]), int(digits[:2]))
        except ValueError:
            continue
    return None
