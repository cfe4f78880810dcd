"""What the pages ask of the published database: rows as they are, and differences of two published rows.

Nothing here renders; pages ask the database through this module alone (the breaks of a series: `histories`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import duckdb

from flows.queries.connection import fetch_rows
from flows.report.model import NATION, Site, SiteOffence
from flows.report.rows import AreaRevision, LaterHalfYear, PopulationUse, RateChange, RevisionTotal, UnrankedAreas
from sql.rows import DictionaryEntry, QualityCheck, RankedRate
from transforms.periods import HalfYear

OffenceKey = tuple[str, str]  # offence level and code
KEYS = "list_contains(?, offence_level || '|' || offence_code)"


def fetch_ranked_tables(
    con: duckdb.DuckDBPyConnection, site: Site, level: str, offences: Sequence[SiteOffence]
) -> dict[OffenceKey, list[RankedRate]]:
    """The ranked tables of some offences at a level, each as `crime-rates table` orders it."""
    rows = _fetch_rates(
        con,
        f"from ranked_rates where half_year = ? and level = ? and {KEYS} "
        "order by offence_level, offence_code, rank nulls last, status, area_name",
        [str(site.half_year), level, [f"{offence.level}|{offence.code}" for offence in offences]],
    )
    tables: dict[OffenceKey, list[RankedRate]] = {offence.key: [] for offence in offences}
    for row in rows:
        tables[row["offence_level"], row["offence_code"]].append(row)
    return tables


def fetch_nation(con: duckdb.DuckDBPyConnection, half_year: HalfYear) -> dict[OffenceKey, RankedRate]:
    """The rows of England and Wales in a half-year, by offence."""
    rows = _fetch_rates(
        con, "from ranked_rates where half_year = ? and level = 'country' and area_name = ?", [str(half_year), NATION]
    )
    return {(row["offence_level"], row["offence_code"]): row for row in rows}


def fetch_changes(con: duckdb.DuckDBPyConnection, site: Site, level: str, before: HalfYear) -> list[RateChange]:
    """The areas of a level with a rank in the site's half-year and an earlier one: all offences, then each group."""
    rows = fetch_rows(
        con,
        """
        select n.area_name, n.offence_level, n.offence_code, n.rate_per_10k, t.rate_per_10k as rate_before,
            n.rank, t.rank as rank_before,
            n.rate_per_10k - t.rate_per_10k as rate_change, t.rank - n.rank as places,
            n.rate_lower_95 > t.rate_upper_95 or n.rate_upper_95 < t.rate_lower_95 as apart,
        from ranked_rates_harmonised as n
        join ranked_rates_harmonised as t using (level, area_name, offence_level, offence_code)
        where n.half_year = ? and t.half_year = ? and n.level = ? and n.offence_level in ('total', 'group')
            and n.rank is not null and t.rank is not null
        order by n.offence_level <> 'total', n.offence_code, n.area_name""",
        [str(site.half_year), str(before), level],
    )
    return cast("list[RateChange]", rows)


def fetch_unranked(con: duckdb.DuckDBPyConnection, site: Site) -> list[UnrankedAreas]:
    """Why areas have no rank for all offences: a row for each level, status and note."""
    rows = fetch_rows(
        con,
        """
        select level, status, status_note, count(*) as areas, list(area_name order by area_name) as names,
            sum(offences)::bigint as offences,
        from ranked_rates where half_year = ? and offence_level = 'total' and status <> 'ranked'
        group by level, status, status_note
        order by list_position(['csp', 'pfa', 'region', 'country'], level), areas desc, status, status_note""",
        [str(site.half_year)],
    )
    return cast("list[UnrankedAreas]", rows)


def fetch_populations(con: duckdb.DuckDBPyConnection, half_years: Sequence[HalfYear]) -> list[PopulationUse]:
    """The population estimates that the rates of some half-years divide by, by year, vintage and level."""
    rows = fetch_rows(
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
    return cast("list[PopulationUse]", rows)


def fetch_later_half_years(con: duckdb.DuckDBPyConnection, site: Site) -> list[LaterHalfYear]:
    """The half-years of the database after the site's, in order."""
    rows = fetch_rows(
        con,
        "select half_year, rank, status, status_note from ranked_rates where offence_level = 'total' "
        "and level = 'country' and area_name = ? and half_year > ? order by half_year",
        [NATION, str(site.half_year)],
    )
    return cast("list[LaterHalfYear]", rows)


REVISED = """
    select r.level, r.to_release, t.published, {columns}
        count(*) as counts, sum(coalesce(r.after, 0) - coalesce(r.before, 0))::bigint as net,
    from revisions as r join releases as t on t.release_id = r.to_release
    join offences as o on o.offence_level = 'code' and o.offence_code = r.offence_code
    where r.financial_year = ? and r.quarter in (?, ?) {where}
    group by all order by t.published, r.to_release, r.level{order}"""


def fetch_revisions(con: duckdb.DuckDBPyConnection, site: Site) -> list[RevisionTotal]:
    """How later releases changed the half-year's counts, by release and level."""
    rows = fetch_rows(con, REVISED.format(columns="", where="", order=""), _quarters(site))
    return cast("list[RevisionTotal]", rows)


def fetch_area_revisions(
    con: duckdb.DuckDBPyConnection, site: Site, level: str, areas: Sequence[str]
) -> dict[str, list[AreaRevision]]:
    """How later releases changed the half-year's counts of some areas of a level, by area; by release and offence group."""
    where, key = "and r.level = ? and list_contains(?, r.area_name)", "r.area_name, o.offence_group"
    query = REVISED.format(columns=f"{key},", where=where, order=f", {key}")
    revisions: dict[str, list[AreaRevision]] = {name: [] for name in areas}
    for row in cast("list[AreaRevision]", fetch_rows(con, query, [*_quarters(site), level, list(areas)])):
        revisions[row["area_name"]].append(row)
    return revisions


def _quarters(site: Site) -> list[str | int]:
    first, last = site.half_year.quarters
    return [str(first.year), first.number, last.number]


def fetch_area_rates(
    con: duckdb.DuckDBPyConnection, site: Site, level: str, areas: Sequence[str]
) -> dict[str, dict[OffenceKey, RankedRate]]:
    """The half-year's rows of some areas: all offences, groups, subgroups; a whole in pieces from the harmonised table."""
    rows = _fetch_rates(
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
    rates: dict[str, dict[OffenceKey, RankedRate]] = {name: {} for name in areas}
    for row in rows:
        rates[row["area_name"]][row["offence_level"], row["offence_code"]] = row
    return rates


def fetch_shared_ranks(con: duckdb.DuckDBPyConnection, site: Site, level: str) -> set[tuple[str, str, int]]:
    """(offence level, code, rank) of the half-year that several areas share, but for single offence codes."""
    rows = fetch_rows(
        con,
        "select offence_level, offence_code, rank from ranked_rates where half_year = ? and level = ? "
        "and offence_level <> 'code' and rank is not null group by all having count(*) > 1",
        [str(site.half_year), level],
    )
    return {(row["offence_level"], row["offence_code"], row["rank"]) for row in rows}


def fetch_histories(con: duckdb.DuckDBPyConnection, level: str, areas: Sequence[str]) -> dict[str, list[RankedRate]]:
    """All half-years of some areas on their newest boundaries, all offences and groups; a piece as it was published."""
    rows = _fetch_rates(
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
    histories: dict[str, list[RankedRate]] = {name: [] for name in areas}
    for row in rows:
        histories[row["area_name"]].append(row)
    return histories


def fetch_ranked_by_population(con: duckdb.DuckDBPyConnection, site: Site, level: str) -> list[RankedRate]:
    """The ranked areas of a level with all their groups' rows, by population: for areas of similar size."""
    return _fetch_rates(
        con,
        """
        from ranked_rates_harmonised where half_year = ? and level = ? and offence_level in ('total', 'group')
            and rank is not null and population is not null
        order by population, area_name""",
        [str(site.half_year), level],
    )


def count_ranked_areas(con: duckdb.DuckDBPyConnection, site: Site) -> dict[str, int]:
    """Level → how many of its areas have a rank for all offences."""
    rows = fetch_rows(
        con,
        "select level, count(rank) as areas from ranked_rates where half_year = ? and offence_level = 'total' group by level",
        [str(site.half_year)],
    )
    return {row["level"]: row["areas"] for row in rows}


def fetch_example(con: duckdb.DuckDBPyConnection, site: Site) -> RankedRate | None:
    """A row to explain a rate with: the area whose rate of all offences is in the middle of the widest table."""
    rows = _fetch_rates(
        con,
        "from ranked_rates where half_year = ? and level in ('csp', 'pfa') and offence_level = 'total' "
        "and rank = (areas_ranked + 1) // 2 order by level, area_name limit 1",
        [str(site.half_year)],
    )
    return rows[0] if rows else None


def fetch_dictionary(con: duckdb.DuckDBPyConnection) -> dict[str, list[DictionaryEntry]]:
    """Public table → its columns, in order."""
    tables: dict[str, list[DictionaryEntry]] = {}
    for row in cast("list[DictionaryEntry]", fetch_rows(con, "from data_dictionary order by table_name, position")):
        tables.setdefault(row["table_name"], []).append(row)
    return tables


def fetch_table_comments(con: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """Public table or view → what a row of it is."""
    rows = fetch_rows(
        con,
        "select table_name, comment from duckdb_tables() where schema_name = 'main' "
        "union all select view_name, comment from duckdb_views() where schema_name = 'main' and not internal",
    )
    return {row["table_name"]: row["comment"] for row in rows}


def fetch_checks(con: duckdb.DuckDBPyConnection) -> list[QualityCheck]:
    """The checks of this build, those that found something first."""
    return cast("list[QualityCheck]", fetch_rows(con, "from quality_checks order by passed, required desc, check_name"))


def _fetch_rates(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object]) -> list[RankedRate]:
    return cast("list[RankedRate]", fetch_rows(con, query, parameters))
