"""What the pages ask of the published database: rows as they are, and differences of two published rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from flows.queries.connection import fetch_rows
from flows.report.model import NATION, Entry, Site
from transforms.periods import HalfYear

Rows = list[dict[str, Any]]
KEYS = "list_contains(?, offence_level || '|' || offence_code)"


def keys(entries: Sequence[Entry]) -> list[str]:
    """Entries as KEYS compares them."""
    return [f"{e.offence.level}|{e.offence.code}" for e in entries]


def tables(con: duckdb.DuckDBPyConnection, site: Site, level: str, entries: Sequence[Entry]) -> dict[tuple[str, str], Rows]:
    """The ranked tables of some offences at a level, each as `crime-rates table` orders it."""
    rows = fetch_rows(
        con,
        f"from ranked_rates where half_year = ? and level = ? and {KEYS} "
        "order by offence_level, offence_code, rank nulls last, status, area_name",
        [str(site.half_year), level, keys(entries)],
    )
    found: dict[tuple[str, str], Rows] = {e.key: [] for e in entries}
    for row in rows:
        found[row["offence_level"], row["offence_code"]].append(row)
    return found


def nation(con: duckdb.DuckDBPyConnection, half_year: HalfYear) -> dict[tuple[str, str], dict[str, Any]]:
    """England and Wales in a half-year: (offence level, code) → its row."""
    rows = fetch_rows(
        con, "from ranked_rates where half_year = ? and level = 'country' and area_name = ?", [str(half_year), NATION]
    )
    return {(row["offence_level"], row["offence_code"]): row for row in rows}


def changes(con: duckdb.DuckDBPyConnection, site: Site, level: str, against: HalfYear) -> Rows:
    """Areas with a rank in both half-years, each on its newest boundaries: all offences and each group, then and now.

    `rate_change` is per 10,000 residents; `places` is how many ranks nearer to the first; `apart` whether the 95% intervals
    do not overlap.
    """
    return fetch_rows(
        con,
        """
        select n.area_name, n.offence_level, n.offence_code, n.offence_name, n.rate_per_10k, n.rate_lower_95, n.rate_upper_95,
            n.rank, n.areas_ranked, t.rate_per_10k as rate_before, t.rank as rank_before,
            t.rate_lower_95 as lower_before, t.rate_upper_95 as upper_before,
            n.rate_per_10k - t.rate_per_10k as rate_change, t.rank - n.rank as places,
            n.rate_lower_95 > t.rate_upper_95 or n.rate_upper_95 < t.rate_lower_95 as apart,
        from ranked_rates_harmonised as n
        join ranked_rates_harmonised as t using (level, area_name, offence_level, offence_code)
        where n.half_year = ? and t.half_year = ? and n.level = ? and n.offence_level in ('total', 'group')
            and n.rank is not null and t.rank is not null
        order by n.offence_level <> 'total', n.offence_code, n.area_name""",
        [str(site.half_year), str(against), level],
    )


def unranked(con: duckdb.DuckDBPyConnection, site: Site) -> Rows:
    """Why areas have no rank for all offences: per level, status and note the areas and their offences."""
    return fetch_rows(
        con,
        """
        select level, status, status_note, count(*) as areas, list(area_name order by area_name) as names,
            sum(offences)::bigint as offences,
        from ranked_rates where half_year = ? and offence_level = 'total' and rank is null
        group by level, status, status_note
        order by list_position(['csp', 'pfa', 'region', 'country'], level), areas desc, status, status_note""",
        [str(site.half_year)],
    )


def populations(con: duckdb.DuckDBPyConnection, half_years: Sequence[HalfYear]) -> Rows:
    """The population estimates that divide in some half-years, and the files that they come from."""
    return fetch_rows(
        con,
        """
        with used as (
            select level, population_year as year, population_vintage as vintage,
                max(areas) as areas, max(apportioned) as apportioned,
            from (
                select half_year, level, population_year, population_vintage, count(population) as areas,
                    count(*) filter (population_method = 'apportioned') as apportioned,
                from ranked_rates where offence_level = 'total' and list_contains(?, half_year) group by all
            ) group by all
        )
        select u.*, string_agg(distinct p.source_file, '; ' order by p.source_file) as files,
        from used as u left join populations as p
            on p.level = u.level and p.year = u.year and p.vintage = u.vintage
        group by u.level, u.year, u.vintage, u.areas, u.apportioned
        order by u.year, u.vintage, list_position(['csp', 'pfa', 'region', 'country'], u.level)""",
        [[str(h) for h in half_years]],
    )


def later(con: duckdb.DuckDBPyConnection, site: Site) -> Rows:
    """Half-years after the site's, and why England and Wales has no rate there, where it has none."""
    return fetch_rows(
        con,
        "select half_year, rank, status, status_note from ranked_rates where offence_level = 'total' "
        "and level = 'country' and area_name = ? and half_year > ? order by half_year",
        [NATION, str(site.half_year)],
    )


REVISED = """
    select r.level, r.to_release, t.published, {columns}
        count(*) as counts, sum(coalesce(r.after, 0) - coalesce(r.before, 0))::bigint as net,
    from revisions as r join releases as t on t.release_id = r.to_release
    join offences as o on o.offence_level = 'code' and o.offence_code = r.offence_code
    where r.financial_year = ? and r.quarter in (?, ?) {where}
    group by all order by t.published, r.to_release, r.level{order}"""


def _quarters(site: Site) -> list[Any]:
    first, last = site.half_year.quarters
    return [str(first.year), first.number, last.number]


def revised(con: duckdb.DuckDBPyConnection, site: Site) -> Rows:
    """How later releases changed the half-year's counts: per release and level."""
    return fetch_rows(con, REVISED.format(columns="", where="", order=""), _quarters(site))


def revised_areas(con: duckdb.DuckDBPyConnection, site: Site, level: str, areas: Sequence[str]) -> Rows:
    """The same per area and offence group."""
    where, key = "and r.level = ? and list_contains(?, r.area_name)", "r.area_name, o.offence_group"
    return fetch_rows(
        con, REVISED.format(columns=f"{key},", where=where, order=f", {key}"), [*_quarters(site), level, list(areas)]
    )


def area_now(con: duckdb.DuckDBPyConnection, site: Site, level: str, areas: Sequence[str]) -> dict[str, Rows]:
    """The half-year's rows of some areas: all offences, groups, subgroups; a whole in pieces from the harmonised table."""
    rows = fetch_rows(
        con,
        """
        with published as (
            from ranked_rates where half_year = ? and level = ? and list_contains(?, area_name) and offence_level <> 'code'
        )
        from published
        union all
        from ranked_rates_harmonised where half_year = ? and level = ? and list_contains(?, area_name)
            and offence_level <> 'code' and area_name not in (select area_name from published)""",
        [str(site.half_year), level, list(areas)] * 2,
    )
    found: dict[str, Rows] = {name: [] for name in areas}
    for row in rows:
        found[row["area_name"]].append(row)
    return found


def ties(con: duckdb.DuckDBPyConnection, site: Site, level: str) -> set[tuple[str, str, int]]:
    """(offence level, code, rank) of the half-year that several areas share, but for single offence codes."""
    rows = fetch_rows(
        con,
        "select offence_level, offence_code, rank from ranked_rates where half_year = ? and level = ? "
        "and offence_level <> 'code' and rank is not null group by all having count(*) > 1",
        [str(site.half_year), level],
    )
    return {(row["offence_level"], row["offence_code"], row["rank"]) for row in rows}


def histories(con: duckdb.DuckDBPyConnection, level: str, areas: Sequence[str]) -> dict[str, Rows]:
    """All half-years of some areas on their newest boundaries, all offences and groups; a piece as it was published."""
    rows = fetch_rows(
        con,
        """
        with whole as (
            from ranked_rates_harmonised where level = ? and list_contains(?, area_name) and offence_level in ('total', 'group')
        )
        from whole
        union all
        from ranked_rates where level = ? and list_contains(?, area_name) and offence_level in ('total', 'group')
            and area_name not in (select area_name from whole)
        order by half_year""",
        [level, list(areas)] * 2,
    )
    found: dict[str, Rows] = {name: [] for name in areas}
    for row in rows:
        found[row["area_name"]].append(row)
    return found


def sizes(con: duckdb.DuckDBPyConnection, site: Site, level: str) -> Rows:
    """The ranked areas of a level with all their groups' rows, by population: for areas of similar size."""
    return fetch_rows(
        con,
        """
        from ranked_rates_harmonised where half_year = ? and level = ? and offence_level in ('total', 'group')
            and rank is not null and population is not null
        order by population, area_name""",
        [str(site.half_year), level],
    )
