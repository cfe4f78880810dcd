"""The ranked tables: a page and a CSV file for each offence and level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from flows.queries.levels import Level
from flows.queries.table_breaks import TableBreak, fetch_table_breaks
from flows.rendering.formats import csv_text
from flows.rendering.unassigned_text import describe_unassigned
from flows.report import charts, queries, urls
from flows.report.model import Site, SiteOffence
from flows.report.templating import format_ranks, render_page
from sql.contract import RANKED_RATES
from sql.rows import RankedRate

PARENTS = {"csp": ("Force", "force_name"), "pfa": ("Region", "region_name")}  # level → the column of what its areas lie in


def render_table_files(
    con: duckdb.DuckDBPyConnection, site: Site, level: str, offences: Sequence[SiteOffence]
) -> Iterator[tuple[str, str]]:
    """(URL, text) of the page and the CSV file of each of some offences at a level."""
    nation = queries.fetch_nation(con, site.half_year)
    breaks = fetch_table_breaks(con, site.half_year, Level(level))
    for key, rows in queries.fetch_ranked_tables(con, site, level, offences).items():
        offence = site.offence(*key)
        url = urls.table_page_url(level, offence.slug)
        yield url, _render_table_page(site, level, offence, rows, nation.get(key), breaks.get(key, []), url)
        yield url.removesuffix("html") + "csv", table_csv(rows)


def table_csv(rows: Sequence[RankedRate]) -> str:
    """All columns of rows of `ranked_rates`, unrounded, for spreadsheets: with a byte-order mark and Windows line ends."""
    return "\ufeff" + csv_text(rows, [column.name for column in RANKED_RATES.columns], line_end="\r\n")


def _render_table_page(
    site: Site,
    level: str,
    offence: SiteOffence,
    rows: Sequence[RankedRate],
    nation: RankedRate | None,
    breaks: Sequence[TableBreak],
    url: str,
) -> str:
    ranked = [row for row in rows if row["rank"] is not None]
    scale = charts.make_scale(row["rate_per_10k"] for row in ranked)
    nation_rate = nation["rate_per_10k"] if nation is not None else None
    return render_page(
        "table.html",
        site,
        url=url,
        levels=[level],
        title=f"{offence.name} by {Level(level).label}",
        level=level,
        offence=offence,
        ranked=ranked,
        ranks=format_ranks(ranked),
        scale=scale,
        nation=nation,
        breaks=breaks,
        nation_line=scale.fraction(nation_rate) if nation_rate is not None and nation_rate <= scale.top else None,
        all_zero=all(row["offences"] == 0 for row in rows),
        none_recorded=sum(charts.is_none_recorded(row) for row in rows),
        unassigned=describe_unassigned(rows) if level == Level.CSP else None,
        unranked=[row for row in rows if row["rank"] is None],
        noted=[row for row in ranked if row["status_note"]],
        parent=PARENTS.get(level),
        area_count=len(rows),
        population_year=rows[0]["population_year"],
        vintage=max((row["population_vintage"] for row in rows if row["population_vintage"]), default=None),
        slugs={row["area_name"]: site.areas[level, row["area_name"]].slug for row in rows},
        above=_offences_above(site, offence, level),
        related=_related_offences(site, offence, level),
        csv_url=offence.slug + ".csv",
    )


def _offences_above(site: Site, offence: SiteOffence, level: str) -> list[SiteOffence]:
    """The offences with a table at the level that an offence is a part of, the widest first."""
    wider = {
        "total": [],
        "group": ["total"],
        "bundle": ["total", "group"],
        "subgroup": ["total", "group"],
        "code": ["total", "group", "subgroup"],
    }[offence.level]
    return [
        other
        for other in site.offences
        if level in other.levels
        and other.level in wider
        and (other.level == "total" or other.group == offence.group)
        and (other.level != "subgroup" or other.subgroup == offence.subgroup)
    ]


def _related_offences(site: Site, offence: SiteOffence, level: str) -> list[SiteOffence]:
    """The offences with a table at the level that are parts of an offence; of a single code, those of its subgroup."""
    narrower = {"total": "group", "group": "subgroup", "bundle": "subgroup", "subgroup": "code", "code": "code"}[offence.level]
    return [
        other
        for other in site.offences
        if level in other.levels
        and other.level == narrower
        and (offence.level == "total" or other.group == offence.group)
        and (narrower != "code" or other.subgroup == offence.subgroup)
    ]
