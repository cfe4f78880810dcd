"""The area pages: every offence group in the half-year and over the years, areas of similar size, later revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from flows.queries.lookups import fetch_area_pieces
from flows.report import charts, queries
from flows.report.charts import Scale
from flows.report.histories import Histories
from flows.report.model import NATION, Site, SiteArea, SiteOffence
from flows.report.templating import render_page
from sql.rows import RankedRate

SIMILAR_AREAS = 6  # areas of similar size that stand beside an area


@dataclass(frozen=True)
class SimilarAreas:
    """The ranked areas nearest in population to an area, itself among them, from the largest population."""

    totals: list[RankedRate]  # for all offences, one an area
    rates: dict[tuple[str, str, str], RankedRate]  # by area, offence level and code
    scale: Scale  # that holds the rates of all ranked areas shown
    offences: list[SiteOffence]  # that any of them has a rate for: all offences, then groups


def render_area_pages(
    con: duckdb.DuckDBPyConnection, site: Site, level: str, areas: Sequence[SiteArea]
) -> Iterator[tuple[str, str]]:
    """(URL, HTML) of the pages of some areas of a level."""
    names = [area.name for area in areas]
    rates = queries.fetch_area_rates(con, site, level, names)
    rows = queries.fetch_histories(con, level, names)
    revisions = queries.fetch_area_revisions(con, site, level, names)
    nation_rows = queries.fetch_histories(con, "country", [NATION])[NATION]
    nation_history = {(row["half_year"], row["offence_level"], row["offence_code"]): row for row in nation_rows}
    nation = queries.fetch_nation(con, site.half_year)
    shared_ranks = queries.fetch_shared_ranks(con, site, level)
    by_population = queries.fetch_ranked_by_population(con, site, level)
    pieces = fetch_area_pieces(con, level)
    histories = Histories(con, site, level)
    for area in areas:
        yield (
            area.url,
            render_page(
                "area.html",
                site,
                url=area.url,
                title=area.name,
                levels=[level, "country"],
                banner=_partly_simulated_banner(site, level, rows[area.name]),
                area=area,
                rates=[(o, rates[area.name][o.key]) for o in site.offences if o.key in rates[area.name]],
                shared_ranks=shared_ranks,
                nation=nation,
                nation_total=nation.get(("total", "Total")),
                nation_history=nation_history,
                whole=pieces.get(area.name),
                pieces=sorted(p for p, whole in pieces.items() if whole == area.name and (level, p) in site.areas),
                histories=histories.of_area(area, rows[area.name]),
                similar=_find_similar(site, area, by_population),
                revisions=revisions[area.name],
            ),
        )


def _partly_simulated_banner(site: Site, level: str, rows: Sequence[RankedRate]) -> str | None:
    """Which of an area's half-years are simulated, where those of the page's own half-year are not; else None."""
    simulated = {row["release_id"] for row in rows} & site.simulated
    if site.is_simulated(level) or not simulated:
        return None
    return f"SIMULATED in part: {', '.join(sorted(simulated))}. Not Home Office figures: do not quote them."


def _find_similar(site: Site, area: SiteArea, rows: Sequence[RankedRate]) -> SimilarAreas | None:
    """The areas of similar size among rows of ranked areas; None where the area has no rank, or the level few areas."""
    populations = {row["area_name"]: row["population"] or 0 for row in rows if row["offence_level"] == "total"}
    if area.name not in populations or len(populations) <= 3 * SIMILAR_AREAS:
        return None
    own = populations[area.name]
    names = sorted(populations, key=lambda name: (abs(populations[name] - own), name))[: SIMILAR_AREAS + 1]
    totals = [row for row in rows if row["offence_level"] == "total" and row["area_name"] in names]
    totals.sort(key=lambda row: (-populations[row["area_name"]], row["area_name"]))
    rates = {(row["area_name"], row["offence_level"], row["offence_code"]): row for row in rows if row["area_name"] in names}
    return SimilarAreas(
        totals,
        rates,
        charts.make_scale(row["rate_per_10k"] for row in totals),
        [o for o in site.offences if o.level in ("total", "group") and any((name, *o.key) in rates for name in names)],
    )
