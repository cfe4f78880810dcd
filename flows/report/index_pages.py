"""The pages that are there once: the front page, the lists of offences and areas, the method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from flows.queries import lookups
from flows.queries.connection import fetch_rows
from flows.report import charts, queries
from flows.report.model import NATION, Site
from flows.report.queries import Rows
from flows.report.templating import page

FEW = 5  # rows of a list of the biggest changes


def files(con: duckdb.DuckDBPyConnection, site: Site) -> Iterator[tuple[str, str]]:
    """(address, text) of these pages."""
    yield "index.html", _front(con, site)
    yield (
        "offences.html",
        page(
            "offences.html",
            site,
            at="offences.html",
            title="Offences",
            levels=["country"],
            nation=queries.nation(con, site.half_year),
        ),
    )
    yield "areas.html", page("areas.html", site, at="areas.html", title="Areas", forces=_forces(site))
    yield "method.html", _method(con, site)


def _front(con: duckdb.DuckDBPyConnection, site: Site) -> str:
    nation = {h: queries.nation(con, h) for h in (site.half_year, site.before, site.year_before) if h is not None}
    levels = [level for level in ("csp", "pfa") if level in site.levels]
    simulated = " and by ".join(lookups.LEVELS[level] for level in levels if site.is_simulated(level))
    return page(
        "index.html",
        site,
        at="index.html",
        title=f"Recorded crime, {site.half_year.months}",
        levels=site.levels,
        banner=f"SIMULATED: figures by {simulated} are a simulation, not Home Office figures: do not quote them."
        if simulated
        else None,
        nation=nation,
        now=nation[site.half_year],
        history=[row for row in queries.histories(con, "country", [NATION])[NATION] if row["offence_level"] == "total"],
        top=[e for e in site.entries if e.offence.level in ("total", "group")],
        moved={level: moved(queries.changes(con, site, level, site.before)) for level in levels} if site.before else {},
        unranked=queries.unranked(con, site),
        populations=queries.populations(con, [site.half_year]),
        later=queries.later(con, site),
        revised=queries.revised(con, site),
        ranked=_ranked(con, site),
    )


def _ranked(con: duckdb.DuckDBPyConnection, site: Site) -> dict[str, int]:
    """How many areas of each level have a rank for all offences."""
    return {
        row["level"]: row["n"]
        for row in fetch_rows(
            con,
            "select level, count(rank) as n from ranked_rates where half_year = ? and offence_level = 'total' group by level",
            [str(site.half_year)],
        )
    }


def moved(rows: Rows) -> dict[str, Any]:
    """The biggest rises and falls of rate and rank for all offences, and the biggest of each group."""
    totals = [row for row in rows if row["offence_level"] == "total"]
    groups: dict[str, Rows] = {}
    for row in rows:
        if row["offence_level"] == "group":
            groups.setdefault(row["offence_code"], []).append(row)
    lists = {
        "rate_up": _biggest(totals, "rate_change", 1),
        "rate_down": _biggest(totals, "rate_change", -1),
        "rank_up": _biggest(totals, "places", 1),
        "rank_down": _biggest(totals, "places", -1),
    }
    shown = [row for some in lists.values() for row in some]
    both = [{"rate_per_10k": value} for row in shown for value in (row["rate_per_10k"], row["rate_before"])]
    return {
        **lists,
        "scale": charts.scale(both),
        "areas": len(totals),
        "apart": sum(row["apart"] for row in totals),
        "groups": [
            (code, *(next(iter(_biggest(some, "rate_change", sign)), None) for sign in (1, -1))) for code, some in groups.items()
        ],
    }


def _biggest(rows: Rows, column: str, sign: int) -> Rows:
    """The first few in one direction, the biggest first."""
    there = [row for row in rows if row[column] * sign > 0]
    return sorted(there, key=lambda row: (-row[column] * sign, row["area_name"]))[:FEW]


def _forces(site: Site) -> dict[str, list[Any]]:
    """Force → its partnerships, by name."""
    found: dict[str, list[Any]] = {}
    for place in site.at("csp"):
        found.setdefault(place.force or "No force", []).append(place)
    return dict(sorted(found.items()))


def _method(con: duckdb.DuckDBPyConnection, site: Site) -> str:
    dictionary: dict[str, Rows] = {}
    for row in fetch_rows(con, "from data_dictionary order by table_name, position"):
        dictionary.setdefault(row["table_name"], []).append(row)
    grains = {
        row["table_name"]: row["comment"]
        for row in fetch_rows(con, "select table_name, comment from duckdb_tables() where schema_name = 'main'")
    }
    return page(
        "method.html",
        site,
        at="method.html",
        title="Method and sources",
        levels=site.levels,
        banner="",
        populations=queries.populations(con, site.held),
        dictionary=dictionary,
        grains=grains,
        checks=fetch_rows(con, "from quality_checks order by passed, required desc, check_name"),
        example=_example(con, site),
    )


def _example(con: duckdb.DuckDBPyConnection, site: Site) -> dict[str, Any] | None:
    """A row to explain a rate with: the area whose rate of all offences is in the middle of the widest table."""
    rows = fetch_rows(
        con,
        "from ranked_rates where half_year = ? and level in ('csp', 'pfa') and offence_level = 'total' "
        "and rank = (areas_ranked + 1) // 2 order by level, area_name limit 1",
        [str(site.half_year)],
    )
    return rows[0] if rows else None
