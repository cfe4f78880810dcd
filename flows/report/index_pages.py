"""Pages of which the site has only one: the front page, the lists of offences and of areas, and the method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import duckdb

from flows.queries.levels import Level
from flows.report import charts, queries
from flows.report.charts import Scale
from flows.report.model import NATION, Site, SiteArea
from flows.report.rows import RateChange
from flows.report.templating import render_page

MOST_CHANGES = 5  # rows of a list of the largest changes


@dataclass(frozen=True)
class GroupChanges:
    """The largest rise and fall of rate in an offence group; None where no area rose, or fell."""

    code: str
    rise: RateChange | None
    fall: RateChange | None


@dataclass(frozen=True)
class LevelChanges:
    """The largest changes at a level since the half-year before: for all offences, and for each group."""

    rate_rises: list[RateChange]
    rate_falls: list[RateChange]
    rank_rises: list[RateChange]
    rank_falls: list[RateChange]
    area_count: int
    apart_count: int  # areas whose two intervals do not overlap
    groups: list[GroupChanges]

    @property
    def scale(self) -> Scale:
        """A scale for the rates of all four lists, before and after."""
        listed = [*self.rate_rises, *self.rate_falls, *self.rank_rises, *self.rank_falls]
        return charts.make_scale(rate for row in listed for rate in (row["rate_per_10k"], row["rate_before"]))


def render_index_pages(con: duckdb.DuckDBPyConnection, site: Site) -> Iterator[tuple[str, str]]:
    """(URL, HTML) of these pages."""
    yield "index.html", _render_front_page(con, site)
    nation = queries.fetch_nation(con, site.half_year)
    yield (
        "offences.html",
        render_page("offences.html", site, url="offences.html", title="Offences", levels=["country"], nation=nation),
    )
    yield "areas.html", render_page("areas.html", site, url="areas.html", title="Areas", forces=_partnerships_by_force(site))
    yield "method.html", _render_method_page(con, site)


def _render_front_page(con: duckdb.DuckDBPyConnection, site: Site) -> str:
    half_years = [h for h in (site.half_year, site.half_year_before, site.year_before) if h is not None]
    nation_by_half_year = {h: queries.fetch_nation(con, h) for h in half_years}
    levels = [level for level in ("csp", "pfa") if level in site.levels]
    history = queries.fetch_histories(con, "country", [NATION])[NATION]
    changes: dict[str, LevelChanges] = {}
    if site.half_year_before is not None:
        changes = {level: find_changes(queries.fetch_changes(con, site, level, site.half_year_before)) for level in levels}
    return render_page(
        "index.html",
        site,
        url="index.html",
        title=f"Recorded crime, {site.half_year.months}",
        levels=site.levels,
        banner=_front_banner(site, levels),
        nation_by_half_year=nation_by_half_year,
        nation=nation_by_half_year[site.half_year],
        history=[row for row in history if row["offence_level"] == "total"],
        groups=[offence for offence in site.offences if offence.level in ("total", "group")],
        changes=changes,
        unranked=queries.fetch_unranked(con, site),
        populations=queries.fetch_populations(con, [site.half_year]),
        later_half_years=queries.fetch_later_half_years(con, site),
        revisions=queries.fetch_revisions(con, site),
        ranked_areas=queries.count_ranked_areas(con, site),
    )


def _front_banner(site: Site, levels: Sequence[str]) -> str | None:
    """Which levels' figures are simulated; None, for the banner of every page, where none are."""
    simulated = " and by ".join(Level(level).label for level in levels if site.is_simulated(level))
    if not simulated:
        return None
    return f"SIMULATED: figures by {simulated} are a simulation, not Home Office figures: do not quote them."


def find_changes(rows: Sequence[RateChange]) -> LevelChanges:
    """The largest rises and falls of rate and rank for all offences, and the largest of each group, among changes."""
    totals = [row for row in rows if row["offence_level"] == "total"]
    groups: dict[str, list[RateChange]] = {}
    for row in rows:
        if row["offence_level"] == "group":
            groups.setdefault(row["offence_code"], []).append(row)
    return LevelChanges(
        rate_rises=_largest(totals, "rate_change", 1),
        rate_falls=_largest(totals, "rate_change", -1),
        rank_rises=_largest(totals, "places", 1),
        rank_falls=_largest(totals, "places", -1),
        area_count=len(totals),
        apart_count=sum(row["apart"] for row in totals),
        groups=[
            GroupChanges(code, *(next(iter(_largest(some, "rate_change", sign)), None) for sign in (1, -1)))
            for code, some in groups.items()
        ],
    )


def _largest(rows: Sequence[RateChange], column: Literal["rate_change", "places"], sign: int) -> list[RateChange]:
    """The first few in one direction, the largest first."""
    in_direction = [row for row in rows if row[column] * sign > 0]
    return sorted(in_direction, key=lambda row: (-row[column] * sign, row["area_name"]))[:MOST_CHANGES]


def _partnerships_by_force(site: Site) -> dict[str, list[SiteArea]]:
    """Force → its partnerships, by name."""
    forces: dict[str, list[SiteArea]] = {}
    for area in site.areas_at("csp"):
        forces.setdefault(area.force or "No force", []).append(area)
    return dict(sorted(forces.items()))


def _render_method_page(con: duckdb.DuckDBPyConnection, site: Site) -> str:
    return render_page(
        "method.html",
        site,
        url="method.html",
        title="Method and sources",
        levels=site.levels,
        banner="",
        populations=queries.fetch_populations(con, site.half_years),
        dictionary=queries.fetch_dictionary(con),
        table_comments=queries.fetch_table_comments(con),
        checks=queries.fetch_checks(con),
        example=queries.fetch_example(con, site),
    )
