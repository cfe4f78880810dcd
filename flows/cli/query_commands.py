"""The commands that ask: table, series, revisions, explain. Each parses its words, asks, and prints the answer as rendered.

They write nothing, and import neither Prefect nor settings. What one command needs is imported when it runs: it starts faster.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators

from flows.cli.app import DATA, DataDir, app
from flows.cli.table_command import TableRequest, write_table
from flows.queries.levels import AreaBasis, Level
from flows.rendering.formats import TableFormat, TextFormat

if TYPE_CHECKING:
    pass


@app.command
def table(
    half_year: str,
    *,
    offence: str = "total",
    level: Level = Level.CSP,
    top: Annotated[int, Parameter(validator=validators.Number(gte=1))] | None = None,
    area: str | None = None,
    as_of: date | None = None,
    area_basis: AreaBasis = AreaBasis.PUBLISHED,
    population_year: int | None = None,
    population_vintage: date | None = None,
    format: TableFormat = TableFormat.TEXT,
    store: DataDir = DATA,
) -> None:
    """Print one ranked table: an offence in a half-year, at a level.

    Parameters
    ----------
    half_year
        such as 2015-16-H1 (April to September 2015) or 2015-16-H2 (October to March).
    offence
        a code (8Q), a name or words of it (stalking), a subgroup, a group (group:Public order offences), or total.
    level
        csp (Community Safety Partnership), pfa (police force area), region or country.
    top
        only the first so many ranks.
    area
        only this area; a part of its name suffices where it is unique.
    as_of
        figures and populations as published by that day, such as 2016-02-01.
    area_basis
        areas as published, or harmonised: each on its newest boundaries.
    population_year
        divide by this mid-year, and not by that before the financial year starts.
    population_vintage
        divide by the estimate published on that day, such as 2015-06-25.
    format
        what to print; parquet and xlsx want a redirected standard output, xlsx the extra [report].
    """
    request = TableRequest(half_year, offence, level, top, area, as_of, area_basis, population_year, population_vintage, format)
    write_table(store, request)


@app.command
def series(
    *,
    area: str,
    offence: str = "total",
    level: Level = Level.CSP,
    first: Annotated[str | None, Parameter(name="--from")] = None,
    last: Annotated[str | None, Parameter(name="--to")] = None,
    format: TextFormat = TextFormat.TEXT,
    store: DataDir = DATA,
) -> None:
    """Print the half-years of one area, on its newest boundaries, with what breaks the series.

    Parameters
    ----------
    area
        a name, or a part of one that is unique.
    offence
        a code (8Q), a name or words of it (stalking), a subgroup, a group (group:Public order offences), or total.
    level
        csp (Community Safety Partnership), pfa (police force area), region or country.
    first
        the first half-year, such as 2012-13-H1; by default the first that is held.
    last
        the last half-year; by default the last that is held.
    format
        what to print.
    """
    from flows.queries import connection
    from flows.queries.series import fetch_series
    from flows.rendering import series_text
    from transforms.periods import HalfYear

    start, end = (HalfYear.parse(text) if text is not None else None for text in (first, last))
    with connection.connect(store) as con:
        answer = fetch_series(con, area, offence, level, start, end)
    sys.stdout.write(series_text.render(answer, format))


@app.command
def revisions(
    *,
    release: str | None = None,
    area: str | None = None,
    offence: str | None = None,
    level: Literal[Level.CSP, Level.PFA] | None = None,
    top: int = 10,
    format: TextFormat = TextFormat.TEXT,
    store: DataDir = DATA,
) -> None:
    """Print what each release changed in earlier ones: sums, and the biggest changes with the ranks they moved.

    Parameters
    ----------
    release
        only what this release changed; a part of its name suffices, such as 230426.
    area
        only this area; a part of its name suffices where it is unique.
    offence
        a code, a name or words of it, a subgroup, or a group.
    level
        csp (Community Safety Partnership) or pfa (police force area).
    top
        how many of the biggest changes.
    format
        what to print.
    """
    from flows.queries import connection
    from flows.queries.revisions import fetch_revisions, find_revision_filter
    from flows.rendering import revisions_text

    with connection.connect(store) as con:
        answer = fetch_revisions(con, find_revision_filter(con, release, area, offence, level), top)
    sys.stdout.write(revisions_text.render(answer, format))


@app.command
def explain(half_year: str, *, area: str, offence: str, level: Level = Level.CSP, store: DataDir = DATA) -> None:
    """Print how one figure comes about, from the cells of its release to its rank.

    Parameters
    ----------
    half_year
        such as 2015-16-H1 (April to September 2015).
    area
        a name, or a part of one that is unique.
    offence
        a code (8Q), a name or words of it (stalking), a subgroup, a group (group:Public order offences), or total.
    level
        csp, pfa, region or country.
    """
    from flows.queries import connection, derivation
    from flows.rendering import explanation_text
    from transforms.periods import HalfYear

    with connection.connect(store) as con:
        explanation = derivation.explain_figure(con, store, HalfYear.parse(half_year), level, offence, area)
    sys.stdout.write(explanation_text.render(explanation))
