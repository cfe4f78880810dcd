"""One area over the half-years, on its newest boundaries. What breaks the series is in flows/queries/breaks.py."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from flows.queries import breaks, lookups, ranked_table
from flows.queries.breaks import Break
from flows.queries.connection import NotFound, fetch_records, fetch_rows
from flows.queries.levels import Level
from flows.queries.lookups import Offence
from flows.queries.ranked_table import SourceRelease
from sql.rows import RankedRate
from transforms.periods import HalfYear, HalfYearRange


@dataclass(frozen=True)
class Series:
    """The half-years of one area in order (None where it has no row), what breaks them, and the releases behind them."""

    area: str
    level: Level
    offence: Offence
    rows: dict[HalfYear, RankedRate | None]
    breaks: list[Break]
    releases: list[SourceRelease]


def fetch_series(
    con: duckdb.DuckDBPyConnection,
    wanted_area: str,
    wanted_offence: str,
    level: Level,
    first: HalfYear | None = None,
    last: HalfYear | None = None,
) -> Series:
    """The half-years from `first` to `last`, by default all that a release covers and that have the offence.

    Raises NotFound where nothing fits, and PeriodError for a span that runs backwards.
    """
    offence = lookups.find_offence(con, wanted_offence)
    covered = lookups.fetch_half_years(con, level)
    area = _find_area(con, wanted_area, level)
    span = lookups.fetch_offence_span(con, offence)
    half_years = HalfYearRange(first or max(covered[0], span.first), last or min(covered[-1], span.last))
    found = {
        HalfYear.parse(row["half_year"]): row
        for row in fetch_records(
            con,
            RankedRate,
            "from ranked_rates_harmonised where level = ? and area_name = ? and offence_level = ? and offence_code = ? "
            "and half_year between ? and ?",
            [level, area, offence.level, offence.code, str(half_years.first), str(half_years.last)],
        )
    }
    if not found:
        raise NotFound(
            f"{area} has no rows of {offence.code} {offence.name} from {half_years}; "
            f"the offence stands from {span}, "
            f"{level.release_level} releases that are held from {covered[0]} to {covered[-1]}."
        )
    rows = {half_year: found.get(half_year) for half_year in half_years}
    counting = breaks.find_counting_breaks(con, area, level, offence, rows)
    found_breaks = [
        *breaks.find_gaps(rows, set(covered), offence, span),
        *breaks.find_boundary_changes(con, area, level, rows),
        *counting,
        *breaks.find_code_changes(con, offence, span, rows, counting),
    ]
    releases = ranked_table.fetch_source_releases(con, found.values())
    return Series(area, level, offence, rows, breaks.sort_breaks(found_breaks), releases)


def _find_area(con: duckdb.DuckDBPyConnection, wanted: str, level: Level) -> str:
    """The one area of a level that is meant; the whole name of another one is not taken for a part of a name here."""
    areas = fetch_rows(
        con, "select distinct level, area_name from ranked_rates_harmonised where offence_level = 'total' order by all"
    )
    names = [row["area_name"] for row in areas if row["level"] == level]
    if not any(lookups.is_named(name, wanted) for name in names):
        for piece, whole in lookups.fetch_area_pieces(con, level).items():
            if lookups.is_named(piece, wanted) and whole in names:
                raise NotFound(f"{piece} is a piece of {whole} now: ask for the series of {whole}.")
        for row in areas:
            if lookups.is_named(row["area_name"], wanted):
                raise NotFound(f"{row['area_name']} is a {Level(row['level']).label}: add --level {row['level']}.")
    return lookups.find_area(names, wanted, lookups.fetch_aliases(con, level))
