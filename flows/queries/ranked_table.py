"""One ranked table: an offence in a half-year at a level, on a chosen basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from flows.queries.connection import NotFound, fetch_rows
from flows.queries.lookups import (
    LEVELS,
    PUBLISHED_LEVELS,
    Offence,
    fetch_area_pieces,
    fetch_half_years,
    find_area,
    find_offence,
    join_names,
)
from transforms.periods import HalfYear


@dataclass(frozen=True)
class TableBasis:
    """On which day's figures, over which population, on which areas; None is the default of each."""

    as_of: date | None = None
    population_year: int | None = None
    population_vintage: date | None = None
    areas: str = "published"  # or harmonised: each area on its newest boundaries

    @property
    def source(self) -> tuple[str, list[Any]]:
        """What to select from, and its parameters: a table where one holds this basis, else the macro behind it."""
        parameters = [self.as_of, self.population_year, self.population_vintage]
        if self.areas == "harmonised":
            if parameters == [None, None, None]:
                return "ranked_rates_harmonised", []
            return "crime_rates_core.rates_on('harmonised', ?, ?, ?)", parameters
        return ("ranked_rates", []) if parameters == [None, None, None] else ("ranked_rates_for(?, ?, ?)", parameters)


@dataclass(frozen=True)
class RankedTable:
    """A ranked table: its rows in order, as dictionaries of column to value, and the releases behind them."""

    half_year: HalfYear
    level: str
    offence: Offence
    rows: list[dict[str, Any]]
    releases: list[dict[str, Any]]

    @property
    def is_simulated(self) -> bool:
        """Whether any release behind it says that its figures are a simulation."""
        return any(release["simulated"] for release in self.releases)


def fetch_ranked_table(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: str, wanted: str, basis: TableBasis
) -> RankedTable:
    """The rows of one ranked table, ranked ones first, on a basis. Raises NotFound where there is no such table."""
    if level not in LEVELS:
        raise NotFound(f'expected a level {", ".join(list(LEVELS)[:-1])} or {list(LEVELS)[-1]}, found "{level}".')
    offence = find_offence(con, wanted)
    if basis.population_vintage is not None:
        _check_vintage(con, basis, half_year)
    source, parameters = basis.source
    rows = fetch_rows(
        con,
        f"from {source} where half_year = ? and level = ? and offence_level = ? and offence_code = ? "
        "order by rank nulls last, status, area_name",
        [*parameters, str(half_year), level, offence.level, offence.code],
    )
    if not rows:
        raise NotFound(_why_no_rows(con, half_year, level, offence, basis))
    return RankedTable(half_year, level, offence, rows, fetch_releases(con, rows))


def fetch_releases(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The releases that rows of rates come from: id, day of publication, whether simulated, what a manifest says of it."""
    return fetch_rows(
        con,
        "select release_id, published, simulated, note from releases where release_id in (select unnest(?)) order by 1",
        [sorted({row["release_id"] for row in rows})],
    )


def find_area_in_table(con: duckdb.DuckDBPyConnection, answer: RankedTable, wanted: str) -> str:
    """The area of a table that a name means. Raises NotFound, which says so where the area stands there in pieces."""
    names = [row["area_name"] for row in answer.rows]
    try:
        return find_area(names, wanted)
    except NotFound:
        pieces = fetch_area_pieces(con, answer.level)
        folded = " ".join(wanted.split()).casefold()
        parts = sorted(piece for piece, whole in pieces.items() if whole.casefold() == folded and piece in names)
        if not parts:
            raise
        raise NotFound(
            f"{pieces[parts[0]]} is published in pieces in {answer.half_year}: {join_names(parts)}. "
            "Give one of them, or --area-basis harmonised for the whole."
        ) from None


def _check_vintage(con: duckdb.DuckDBPyConnection, basis: TableBasis, half_year: HalfYear) -> None:
    year = basis.population_year or half_year.year.start - 1
    held = [
        row["vintage"] for row in fetch_rows(con, "select distinct vintage from populations where year = ? order by 1", [year])
    ]
    if basis.population_vintage not in held:
        have = f"those of {join_names([str(v) for v in held])}" if held else "none"
        raise NotFound(f"No mid-{year} population estimate was published on {basis.population_vintage}; held: {have}.")


def _why_no_rows(con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: str, offence: Offence, basis: TableBasis) -> str:
    held = fetch_half_years(con, level)
    kind = PUBLISHED_LEVELS[level]
    if not held:
        return f"The database holds no {LEVELS[level]} ({level}) table."
    if basis.as_of is not None and str(half_year) in held:
        first = fetch_rows(con, "select min(published) as day from releases where table_kind = ?", [kind])[0]["day"]
        return f"On {basis.as_of} no {kind} release that is held covered {half_year}; the first is of {first}."
    if str(half_year) not in held:
        return f"No {kind} release covers {half_year}; held: {held[0]} to {held[-1]}."
    seen = fetch_rows(
        con,
        "select first_half_year, last_half_year from offences where offence_level = ? and offence_code = ?",
        [offence.level, offence.code],
    )[0]
    return (
        f"{offence.code} {offence.name} has no rows in {half_year} at level {level}; "
        f"it stands from {seen['first_half_year']} to {seen['last_half_year']}."
    )
