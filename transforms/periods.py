"""Financial years, quarters and half-years as values: parsing, printing, ordering, dates.

A financial year runs from April to March. Quarter 1 is April to June, quarter 4 January to March of the next
calendar year (Home Office convention). H1 is quarters 1 and 2, H2 quarters 3 and 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class FinancialYear:
    """April of `start` to March of the next year; prints as 2015/16."""

    start: int

    @classmethod
    def parse(cls, text: str) -> FinancialYear:
        """Read 2015/16, 2015-16, 2015_16 or 2015/2016. ValueError says what a financial year looks like."""
        match = re.fullmatch(r"\s*([1-9]\d{3})\s*[/_-]\s*(\d{2}|\d{4})\s*", text, re.ASCII)
        if match and int(match[2]) % 100 == (int(match[1]) + 1) % 100 and len(match[2]) in (2, 4):
            start = int(match[1])
            if start < 9999 and (len(match[2]) == 2 or int(match[2]) == start + 1):  # it ends on a day that there is
                return cls(start)
        raise ValueError(f'expected a financial year such as 2015/16, found "{text}"')

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
        """Read 2015/16 Q1. ValueError says what a quarter looks like."""
        year, _, number = text.strip().rpartition(" ")
        return cls(FinancialYear.parse(year), quarter_number(number))

    @property
    def half_year(self) -> HalfYear:
        return HalfYear(self.year, 1 if self.number <= 2 else 2)


@dataclass(frozen=True, order=True)
class HalfYear:
    """H1 (April to September) or H2 (October to March); prints as 2015/16 H1, in paths as 2015-16-H1."""

    year: FinancialYear
    half: int

    @classmethod
    def parse(cls, text: str) -> HalfYear:
        """Read 2015-16-H1, 2015/16 H1 and the like. ValueError says what a half-year looks like."""
        match = re.fullmatch(r"\s*(.+?)[\s_-]*[hH]([12])\s*", text)
        if match:
            try:
                return cls(FinancialYear.parse(match[1]), int(match[2]))
            except ValueError:
                pass
        raise ValueError(f'expected a half-year such as 2015-16-H1 (April to September 2015), found "{text}"')

    def __str__(self) -> str:
        return f"{self.year} H{self.half}"

    @property
    def slug(self) -> str:
        return f"{self.year.slug}-H{self.half}"

    @property
    def start(self) -> date:
        return date(self.year.start, 4 if self.half == 1 else 10, 1)

    @property
    def end(self) -> date:
        return date(self.year.start, 9, 30) if self.half == 1 else date(self.year.start + 1, 3, 31)

    @property
    def quarters(self) -> tuple[Quarter, Quarter]:
        first = 2 * self.half - 1
        return Quarter(self.year, first), Quarter(self.year, first + 1)

    @property
    def months(self) -> str:
        """In words: April to September 2015."""
        if self.half == 1:
            return f"April to September {self.year.start}"
        return f"October {self.year.start} to March {self.year.start + 1}"

    def next(self) -> HalfYear:
        return HalfYear(self.year, 2) if self.half == 1 else HalfYear(FinancialYear(self.year.start + 1), 1)


def quarter_number(text: str) -> int:
    """Read 1, 1.0 or Q1 as a quarter of the financial year. ValueError says what a quarter looks like."""
    match = re.fullmatch(r"\s*[qQ]?([1-4])(?:\.0+)?\s*", text)
    if not match:
        raise ValueError(f'expected a quarter 1 to 4, found "{text}"')
    return int(match[1])


def date_in_file_name(name: str) -> date | None:
    """The publication date that a file name carries as six digits DDMMYY, at its end or in its middle, or None.

    Source: file names on the Home Office open data page, such as prc-csp-mar2021-mar2026-tables-230726.ods.
    """
    for digits in reversed(re.findall(r"(?<!\d)(\d{6})(?!\d)", name)):
        try:
            return date(2000 + int(digits[4:]), int(digits[2:4]), int(digits[:2]))
        except ValueError:
            continue
    return None
