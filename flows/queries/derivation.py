"""How one figure of `ranked_rates` comes about: all that `explain` prints, read from the published database and the lake.

Looks up and adds: a rate, an interval, a rank or an apportionment is read from the tables that the models made. The wording is
in flows/rendering/explanation_text.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.queries.connection import fetch_records, fetch_rows
from flows.queries.figure import Figure, fetch_figure
from flows.queries.figure_context import FigureContext, fetch_context
from flows.queries.figure_counts import FigureCounts, fetch_counts
from flows.queries.figure_sources import FigureSources, fetch_sources
from flows.queries.levels import Level
from flows.queries.population_breakdown import PopulationBreakdown, fetch_population
from flows.queries.ranked_table import TableBasis, fetch_ranked_table
from flows.storage.data_store import DataStore
from transforms.periods import HalfYear

MOST_TIES = 3  # areas of the same rank that are listed


@dataclass(frozen=True)
class PoissonLimits:
    """The exact 95% limits of a small count."""

    lower: float
    upper: float


@dataclass(frozen=True)
class RankedArea:
    """A row of the table that has a rate. Rates are per 10,000 persons, with a 95% interval."""

    area_name: str
    offences: int
    population: int
    rate: float
    lower: float
    upper: float
    rank: int | None  # None of a whole, which is not ranked among its parts


@dataclass(frozen=True)
class Standing:
    """Where a figure that has a rate stands in its table."""

    area: RankedArea
    areas_ranked: int
    exact_limits: PoissonLimits | None  # None of a count from 10 up, whose interval is approximated
    neighbours: list[RankedArea]  # in order: the next above, the area among some that share its rank, the next below
    ties: int  # how many other areas share its rank


@dataclass(frozen=True)
class Explanation:
    """A figure, and how it comes about."""

    figure: Figure
    standing: Standing | None  # None where it has no rate
    counts: FigureCounts
    sources: FigureSources
    population: PopulationBreakdown | None  # None where nobody lives
    context: FigureContext
    lake: Path  # where the rows of the sources were looked for


def explain_figure(
    con: duckdb.DuckDBPyConnection, store: DataStore, half_year: HalfYear, level: Level, offence: str, area: str
) -> Explanation:
    """The derivation of a figure on the default basis, areas as published.

    Offence and area are as a person types them. Raises NotFound where there is no such table or no such area in it.
    """
    figure = fetch_figure(con, fetch_ranked_table(con, half_year, level, offence, TableBasis()), area)
    counts = fetch_counts(con, figure)
    return Explanation(
        figure,
        _standing(con, figure),
        counts,
        fetch_sources(con, figure, store, counts.releases),
        fetch_population(con, figure, store.folder / "lake"),
        fetch_context(con, figure),
        store.folder / "lake",
    )


def _standing(con: duckdb.DuckDBPyConnection, figure: Figure) -> Standing | None:
    if figure.row["rate_per_10k"] is None:
        return None
    rated = _rated_areas(con, figure)
    area = next(other for other in rated if other.area_name == figure.area_name)
    others = [(other.rank, other) for other in rated if other.rank is not None and other is not area and area.rank is not None]
    above = [other for rank, other in others if rank < (area.rank or 0)][-1:]
    below = [other for rank, other in others if rank > (area.rank or 0)][:1]
    ties = [other for rank, other in others if rank == area.rank]
    limits = fetch_rows(
        con,
        "select lower_limit as lower, upper_limit as upper from crime_rates_core.exact_poisson_limits where events = ?",
        [area.offences],
    )
    return Standing(
        area,
        figure.row["areas_ranked"],
        PoissonLimits(**limits[0]) if limits else None,
        [*above, *sorted([area, *ties[:MOST_TIES]], key=lambda other: other.area_name), *below],
        len(ties),
    )


def _rated_areas(con: duckdb.DuckDBPyConnection, figure: Figure) -> list[RankedArea]:
    """The rows of the table that have a rate, the first rank first; a whole, which has no rank, last."""
    return fetch_records(
        con,
        RankedArea,
        "select area_name, offences, population, rate_per_10k as rate, rate_lower_95 as lower, rate_upper_95 as upper, rank "
        "from ranked_rates where half_year = ? and level = ? and offence_level = ? and offence_code = ? "
        "and rate_per_10k is not null order by rank nulls last, area_name",
        [str(figure.table.half_year), figure.table.level, figure.table.offence.level, figure.table.offence.code],
    )
