"""The recorded counts that a figure is the sum of: by quarter, by police force, by offence code.

Where those counts stand in the workbooks is in figure_sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from flows.queries.connection import fetch_records
from flows.queries.figure import CURRENT, Figure

MOST_CODES = 12  # offence codes listed one by one; smaller ones are added up

# one row per police force or partnership, quarter and offence code of the figure
_CELLS = (
    "cells as (select a.area_name as member, c.quarter_key % 4 + 1 as quarter, o.offence_code, o.offence_name, "
    "c.offences, c.is_known "
    "from crime_rates_core.area_members as m "
    "join crime_rates_core.areas as a on a.area_key = m.member_key "
    "join crime_rates_core.count_history as c on c.area_key = m.member_key "
    "join crime_rates_core.offence_rollup as r on r.offence_key = c.offence_key and r.offence_level = ? and r.code = ? "
    "join crime_rates_core.offences as o on o.offence_key = c.offence_key "
    f"where m.basis = 'published' and m.area_key = ? and c.quarter_key in (?, ?) and c.valid_to = {CURRENT})"
)
_COUNTS = (
    "sum(offences) filter (where quarter = ?)::bigint as first, "
    "coalesce(bool_and(is_known) filter (where quarter = ?), true) as first_known, "
    "sum(offences) filter (where quarter = ?)::bigint as second, "
    "coalesce(bool_and(is_known) filter (where quarter = ?), true) as second_known, "
    "sum(offences)::bigint as total, bool_and(is_known) as total_known"
)


@dataclass(frozen=True)
class QuarterCount:
    """The count of one quarter, and the newest release that covers the quarter, if any does."""

    quarter: int
    release_id: str | None
    published: date | None
    cells: int  # rows of the release that it adds up; none where the release has no such row
    offences: int | None
    is_known: bool  # false where the release says N/a for any of them


@dataclass(frozen=True)
class PartCount:
    """The counts of a force or an offence code in the two quarters, and their sum; `_known` is false where any is N/a."""

    code: str | None  # of an offence; None of a force, and of the codes that are added up
    name: str
    first: int | None
    first_known: bool
    second: int | None
    second_known: bool
    total: int | None
    total_known: bool


@dataclass(frozen=True)
class FigureCounts:
    """What a figure is the sum of: its two quarters, and the same by force and by code."""

    quarters: list[QuarterCount]
    forces: list[PartCount]  # of a region or country, the biggest first; else none
    codes: list[PartCount]  # of a subgroup, group or total, the biggest first; else none

    @property
    def is_known(self) -> bool:
        """Whether the releases give a number for every cell."""
        return all(quarter.is_known for quarter in self.quarters)

    @property
    def releases(self) -> list[str]:
        """The releases that the quarters come from, in the order of the quarters."""
        return list(dict.fromkeys(quarter.release_id for quarter in self.quarters if quarter.release_id))


def fetch_counts(con: duckdb.DuckDBPyConnection, figure: Figure) -> FigureCounts:
    """The counts of a figure, by quarter, force and code."""
    return FigureCounts(
        _quarters(con, figure),
        _forces(con, figure) if figure.is_sum_of_forces else [],
        _codes(con, figure) if figure.table.offence.level != "code" else [],
    )


def _quarters(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[QuarterCount]:
    return fetch_records(
        con,
        QuarterCount,
        f"with {_CELLS} select w.quarter, q.release_id, r.published, count(c.quarter)::integer as cells, "
        "sum(c.offences)::bigint as offences, coalesce(bool_and(c.is_known), true) as is_known "
        "from (select unnest([?, ?]) as quarter) as w left join crime_rates_core.release_quarters as q "
        f"on q.level = ? and q.quarter_key = ? + w.quarter - 1 and q.valid_to = {CURRENT} "
        "left join releases as r on r.release_id = q.release_id left join cells as c on c.quarter = w.quarter "
        "group by all order by 1",
        [*_cells_of(figure), *figure.quarters, figure.release_level, figure.start_year * 4],
    )


def _forces(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[PartCount]:
    return fetch_records(
        con,
        PartCount,
        f"with {_CELLS} select null as code, member as name, {_COUNTS} from cells group by all "
        "order by total desc nulls last, member",
        [*_cells_of(figure), *_twice_each(figure)],
    )


def _codes(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[PartCount]:
    """The biggest codes, and any with a correction below nought or an N/a; the rest in one row."""
    return fetch_records(
        con,
        PartCount,
        f"with {_CELLS}, codes as (select offence_code as code, offence_name as name, {_COUNTS} from cells group by all), "
        "placed as (select *, row_number() over (order by total desc nulls last, code) as place from codes), "
        f"split as (select *, place <= {MOST_CODES} or coalesce(first < 0, false) or coalesce(second < 0, false) "
        "or not total_known as is_listed from placed) "
        "select code, name, first, first_known, second, second_known, total, total_known "
        "from (select * from split where is_listed order by place) union all "
        "select null, printf('%d more codes', count(*)), sum(first)::bigint, true, sum(second)::bigint, true, "
        "sum(total)::bigint, true from split where not is_listed having count(*) > 0",
        [*_cells_of(figure), *_twice_each(figure)],
    )


def _cells_of(figure: Figure) -> list[str | int]:
    """The parameters of _CELLS."""
    return [figure.table.offence.level, figure.table.offence.code, figure.area_key, *figure.quarter_keys]


def _twice_each(figure: Figure) -> list[int]:
    """The parameters of _COUNTS."""
    first, second = figure.quarters
    return [first, first, second, second]
