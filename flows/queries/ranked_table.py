"""One ranked table: an offence in a half-year at a level, on a chosen basis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypedDict

import duckdb

from flows.common.wording import join_names
from flows.queries.connection import NotFound, fetch_records, fetch_rows
from flows.queries.levels import AreaBasis, Level
from flows.queries.lookups import (
    Offence,
    fetch_aliases,
    fetch_area_pieces,
    fetch_half_years,
    fetch_offence_span,
    find_area,
    find_offence,
    is_named,
)
from flows.queries.table_breaks import TableBreak, fetch_table_breaks
from sql.rows import RankedRate
from transforms.periods import HalfYear


class SourceRelease(TypedDict):
    """A release that figures come from: when it was published, whether it is a simulation, what a manifest notes of it."""

    release_id: str
    published: date
    simulated: bool
    note: str | None


@dataclass(frozen=True)
class TableBasis:
    """On which day's figures, over which population and on which areas a table stands; None is the default of each."""

    as_of: date | None = None
    population_year: int | None = None
    population_vintage: date | None = None
    areas: AreaBasis = AreaBasis.PUBLISHED

    @property
    def _source(self) -> tuple[str, list[object]]:
        """What to select from, and its parameters: a table where one holds this basis, else the macro behind it."""
        parameters: list[object] = [self.as_of, self.population_year, self.population_vintage]
        is_default = parameters == [None, None, None]
        if self.areas is AreaBasis.HARMONISED:
            return ("ranked_rates_harmonised", []) if is_default else (_HARMONISED_MACRO, parameters)
        return ("ranked_rates", []) if is_default else ("ranked_rates_for(?, ?, ?)", parameters)


_HARMONISED_MACRO = "crime_rates_core.rates_on('harmonised', ?, ?, ?)"


@dataclass(frozen=True)
class RankedTable:
    """A ranked table: its rows in order, ranked ones first, the releases behind them, and the breaks of its half-year."""

    half_year: HalfYear
    level: Level
    offence: Offence
    basis: TableBasis
    rows: list[RankedRate]
    releases: list[SourceRelease]
    breaks: list[TableBreak]

    @property
    def title(self) -> str:
        """What the table ranks: `Stalking (8Q), April to September 2015, by Community Safety Partnership`."""
        return f"{self.offence.title_in(self.half_year)}, {self.half_year.months}, by {self.level.label}"

    @property
    def is_simulated(self) -> bool:
        """Whether any release behind it says that its figures are a simulation."""
        return any(release["simulated"] for release in self.releases)

    def select(self, top: int | None = None, area: str | None = None) -> list[RankedRate]:
        """The rows of one area, or the first ranks with whoever ties there, or all. None where `top` finds no rank."""
        if area is not None:
            return [row for row in self.rows if row["area_name"] == area]
        if top is not None:
            return [row for row in self.rows if row["rank"] is not None and row["rank"] <= top]
        return self.rows


def fetch_ranked_table(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: Level, wanted_offence: str, basis: TableBasis
) -> RankedTable:
    """One ranked table on a basis; the offence as a person types it. Raises NotFound where there is no such table."""
    offence = find_offence(con, wanted_offence)
    if basis.population_vintage is not None:
        _check_vintage(con, basis, half_year)
    source, parameters = basis._source
    rows = fetch_records(
        con,
        RankedRate,
        f"from {source} where half_year = ? and level = ? and offence_level = ? and offence_code = ? "
        "order by rank nulls last, status, area_name",
        [*parameters, str(half_year), level, offence.level, offence.code],
    )
    if not rows:
        raise NotFound(_explain_absence(con, half_year, level, offence, basis))
    breaks = fetch_table_breaks(con, half_year, level, offence).get((offence.level, offence.code), [])
    releases = _fetch_half_year_releases(con, half_year, level, basis.as_of)
    return RankedTable(half_year, level, offence, basis, rows, releases, breaks)


def fetch_source_releases(con: duckdb.DuckDBPyConnection, rows: Iterable[RankedRate]) -> list[SourceRelease]:
    """The releases that rows of rates come from, by name."""
    return fetch_records(
        con,
        SourceRelease,
        "select release_id, published, simulated, note from releases where release_id in (select unnest(?)) order by 1",
        [sorted({row["release_id"] for row in rows})],
    )


def _fetch_half_year_releases(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: Level, as_of: date | None
) -> list[SourceRelease]:
    """Every release that a half-year draws on: its quarters may come from two of them."""
    return fetch_records(
        con,
        SourceRelease,
        "select distinct r.release_id, r.published, r.simulated, r.note from releases as r "
        "join crime_rates_core.release_quarters as q using (release_id) "
        "where q.level = ? and q.quarter_key in (?, ?) and q.valid_from <= ? and q.valid_to > ? order by 1",
        [
            level if level in (Level.CSP, Level.PFA) else Level.PFA,
            *(quarter.key for quarter in half_year.quarters),
            *[as_of or date(9999, 12, 30)] * 2,
        ],
    )


def find_area_in_table(con: duckdb.DuckDBPyConnection, table: RankedTable, wanted: str) -> str:
    """The area of a table that a name means. Raises NotFound, which says so where the area stands there in pieces."""
    names = [row["area_name"] for row in table.rows]
    try:
        return find_area(names, wanted, fetch_aliases(con, table.level))
    except NotFound:
        pieces = fetch_area_pieces(con, table.level)
        parts = sorted(piece for piece, whole in pieces.items() if is_named(whole, wanted) and piece in names)
        if not parts:
            raise
        raise NotFound(
            f"{pieces[parts[0]]} is published in pieces in {table.half_year}: {join_names(parts)}. "
            "Give one of them, or --area-basis harmonised for the whole."
        ) from None


def _check_vintage(con: duckdb.DuckDBPyConnection, basis: TableBasis, half_year: HalfYear) -> None:
    year = basis.population_year or half_year.year.start - 1
    rows = fetch_rows(con, "select distinct vintage from populations where year = ? order by 1", [year])
    vintages = [row["vintage"] for row in rows]
    if basis.population_vintage not in vintages:
        known = f"those of {join_names([str(vintage) for vintage in vintages])}" if vintages else "none"
        raise NotFound(f"No mid-{year} population estimate was published on {basis.population_vintage}; held: {known}.")


def _explain_absence(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: Level, offence: Offence, basis: TableBasis
) -> str:
    half_years = fetch_half_years(con, level)
    kind = level.release_level
    if basis.as_of is not None and half_year in half_years:
        first = fetch_rows(con, "select min(published) as day from releases where table_kind = ?", [kind])[0]["day"]
        return f"On {basis.as_of} no {kind} release that is held covered {half_year}; the first is of {first}."
    if half_year not in half_years:
        return f"No {kind} release covers {half_year}; held: {half_years[0]} to {half_years[-1]}."
    span = fetch_offence_span(con, offence)
    return f"{offence.code} {offence.name} has no rows in {half_year} at level {level}; it stands from {span}."
