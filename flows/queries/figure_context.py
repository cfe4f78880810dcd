"""What a figure stands beside: the rest of its table, the count of its police force, and what later releases changed in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from flows.queries.connection import fetch_records, fetch_rows
from flows.queries.figure import Figure

_TABLE = "from ranked_rates where half_year = ? and offence_level = ? and offence_code = ?"


@dataclass(frozen=True)
class StatusTotal:
    """How many areas of the table have a status, and their offences; without a status: all areas of the table."""

    status: str | None
    areas: int
    offences: int | None


@dataclass(frozen=True)
class Withdrawal:
    """A note that withdraws figures of the table, and the areas that it touches."""

    note: str
    areas: list[str]


@dataclass(frozen=True)
class ForceTotal:
    """The count of a police force as a force, and what its partnerships add up to; None where a table has no such row."""

    force_name: str
    offences: int | None
    partnership_offences: int | None
    partnerships: int
    unassigned_groups: list[str]  # rows of the partnership table that are no places; partnership_offences includes them
    unassigned_offences: int | None
    is_incomplete: bool  # a quarter is missing from some partnership


@dataclass(frozen=True)
class CountRevision:
    """A count of the figure that a later release changed; None where the release before, or after, has no such row."""

    to_release: str
    published: date
    area_name: str
    quarter: int
    offence_code: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class FigureContext:
    """What a figure stands beside."""

    areas: int  # in the table
    unranked_areas: int
    status_totals: list[StatusTotal]  # ranked first, the sum of all last
    withdrawals: list[Withdrawal]
    force_total: ForceTotal | None  # of a partnership or a force
    revisions: list[CountRevision]  # newest first, the biggest first within a release
    releases: int  # how many have covered one of the quarters

    def is_quoted(self, withdrawal: Withdrawal, figure: Figure) -> bool:
        """Whether a withdrawal's note is the one that withdraws the figure itself."""
        return figure.row["status"] == "withdrawn" and figure.row["status_note"] == withdrawal.note


def fetch_context(con: duckdb.DuckDBPyConnection, figure: Figure) -> FigureContext:
    """What a figure stands beside."""
    return FigureContext(
        len(figure.table.rows),
        sum(row["rank"] is None for row in figure.table.rows),
        _status_totals(con, figure),
        _withdrawals(con, figure),
        None if figure.is_sum_of_forces else _force_total(con, figure),
        _revisions(con, figure),
        _count_releases(con, figure),
    )


def _table_of(figure: Figure) -> list[str]:
    """The parameters of _TABLE."""
    return [str(figure.table.half_year), figure.table.offence.level, figure.table.offence.code]


def _status_totals(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[StatusTotal]:
    return fetch_records(
        con,
        StatusTotal,
        f"select status, count(*) as areas, sum(offences)::bigint as offences {_TABLE} and level = ? "
        "group by rollup (status) order by status is null, status <> 'ranked', status",
        [*_table_of(figure), figure.table.level],
    )


def _withdrawals(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[Withdrawal]:
    return fetch_records(
        con,
        Withdrawal,
        f"select status_note as note, list(area_name order by area_name) as areas {_TABLE} and level = ? "
        "and status = 'withdrawn' group by all order by 1",
        [*_table_of(figure), figure.table.level],
    )


def _force_total(con: duckdb.DuckDBPyConnection, figure: Figure) -> ForceTotal:
    force = figure.row["force_name"]
    [row] = fetch_rows(
        con,
        "select sum(offences) filter (where level = 'pfa')::bigint as offences, "
        "sum(offences) filter (where level = 'csp')::bigint as partnership_offences, "
        "count(*) filter (where level = 'csp' and status <> 'unassigned') as partnerships, "
        "coalesce(list(area_name order by area_name) filter (where level = 'csp' and status = 'unassigned'), []) "
        "as unassigned_groups, "
        "sum(offences) filter (where level = 'csp' and status = 'unassigned')::bigint as unassigned_offences, "
        f"coalesce(bool_or(level = 'csp' and status = 'incomplete'), false) as is_incomplete {_TABLE} "
        "and force_name = ? and level in ('csp', 'pfa')",
        [*_table_of(figure), force],
    )
    return ForceTotal(force_name=force or "", **row)


def _revisions(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[CountRevision]:
    return fetch_records(
        con,
        CountRevision,
        "select v.to_release, r.published, v.area_name, v.quarter, v.offence_code, v.before, v.after "
        "from revisions as v join releases as r on r.release_id = v.to_release "
        "join crime_rates_core.areas as a on a.level = v.level and a.area_name = v.area_name "
        "join crime_rates_core.area_members as m on m.member_key = a.area_key and m.basis = 'published' and m.area_key = ? "
        "join crime_rates_core.offences as o on o.offence_code = v.offence_code "
        "join crime_rates_core.offence_rollup as l on l.offence_key = o.offence_key and l.offence_level = ? and l.code = ? "
        "where v.financial_year = ? and v.quarter in (?, ?) "
        "order by r.published desc, v.to_release, abs(coalesce(v.after, 0) - coalesce(v.before, 0)) desc, "
        "v.area_name, v.quarter, v.offence_code",
        [
            figure.area_key,
            figure.table.offence.level,
            figure.table.offence.code,
            str(figure.table.half_year.year),
            *figure.quarters,
        ],
    )


def _count_releases(con: duckdb.DuckDBPyConnection, figure: Figure) -> int:
    rows = fetch_rows(
        con,
        "select count(*) as releases from crime_rates_core.release_quarters where level = ? and quarter_key in (?, ?) "
        "group by quarter_key order by 1 desc limit 1",
        [figure.release_level, *figure.quarter_keys],
    )
    return int(rows[0]["releases"]) if rows else 0
