"""What the site of a half-year consists of: its offences, areas, levels and sources, found once and handed to every page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import duckdb

from flows.common.wording import join_names
from flows.queries.connection import NotFound, fetch_rows
from flows.queries.levels import Level, OffenceLevel
from flows.queries.lookups import Offence
from flows.rendering.attribution import SIMULATION_WARNING
from flows.report import urls
from sql.rows import PublishedRelease
from transforms.periods import HalfYear

NATION = "England and Wales"  # the area whose rate is the national line
PLURALS = {"csp": "Community Safety Partnerships", "pfa": "police force areas", "region": "regions", "country": "countries"}
AREA_KINDS = {
    "csp": "Partnership",
    "pfa": "Force",
    "region": "Region",
    "country": "Country",
}  # level → one of its areas, in short


@dataclass(frozen=True)
class SiteOffence:
    """An offence with rows in the half-year: its page, where it stands among the others, the levels at which it has a table."""

    offence: Offence
    slug: str
    group: str | None
    subgroup: str | None
    levels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its newest description."""
        return self.offence.name

    @property
    def level(self) -> str:
        """Its offence level: code, subgroup, bundle, group or total."""
        return self.offence.level

    @property
    def code(self) -> str:
        """Its Home Office code; at the other offence levels the name again."""
        return self.offence.code

    @property
    def key(self) -> tuple[str, str]:
        """Offence level and code."""
        return self.offence.level, self.offence.code


@dataclass(frozen=True)
class SiteArea:
    """An area with rows in the half-year, and its page."""

    level: str
    name: str
    slug: str
    code: str | None
    force: str | None
    region: str | None

    @property
    def url(self) -> str:
        """The address of its page from the site's root."""
        return urls.area_page_url(self.level, self.slug)


@dataclass(frozen=True)
class Site:
    """A half-year's site: small, and the same in every process that writes a part of it."""

    database: str  # name of the file of the published database
    half_year: HalfYear
    half_year_before: HalfYear | None  # where it has ranked areas
    year_before: HalfYear | None  # the same half of the year before, likewise
    half_years: tuple[HalfYear, ...]  # every half-year of the database, in order
    offences: tuple[SiteOffence, ...]  # total, then each group with its subgroups and codes
    areas: dict[tuple[str, str], SiteArea]  # by level and name
    releases: tuple[PublishedRelease, ...]  # all releases of the database
    simulated: frozenset[str]  # ids of those that say that they are a simulation
    release_ids: dict[str, tuple[str, ...]]  # level → ids of the releases that the half-year's rows come from

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that have tables, from partnerships to countries."""
        return tuple(level for level in Level if level in self.release_ids)

    def offence(self, offence_level: str, code: str) -> SiteOffence:
        """The offence of a level and code, which has rows in the half-year."""
        return {offence.key: offence for offence in self.offences}[offence_level, code]

    def areas_at(self, level: str) -> list[SiteArea]:
        """The areas of a level, by name."""
        return sorted((area for area in self.areas.values() if area.level == level), key=lambda area: area.name.casefold())

    def releases_of(self, *levels: str) -> list[PublishedRelease]:
        """The releases that the half-year's rows at these levels come from."""
        ids = {release_id for level in levels for release_id in self.release_ids.get(level, ())}
        return [release for release in self.releases if release["release_id"] in ids]

    def banner(self, *levels: str) -> str:
        """What the releases of these levels say of themselves: that they are a simulation, else what a manifest notes."""
        if self.is_simulated(*levels):
            return SIMULATION_WARNING
        notes = dict.fromkeys(release["note"] for release in self.releases_of(*levels) if release["note"])
        return f"NOTE: {' '.join(filter(None, notes))}" if notes else ""

    def is_simulated(self, *levels: str) -> bool:
        """Whether any figure of these levels comes from a release that says it is a simulation."""
        return any(release["release_id"] in self.simulated for release in self.releases_of(*levels))


def load_site(con: duckdb.DuckDBPyConnection, wanted: HalfYear | None, database: Path) -> Site:
    """The site of the wanted half-year, by default the newest complete one with ranks.

    Raises NotFound where the database holds no half-year, or not the wanted one.
    """
    half_years = fetch_rows(
        con,
        "select half_year, bool_and(complete) as complete, (select count(r.rank) from ranked_rates as r "
        "where r.half_year = h.half_year and r.offence_level = 'total') as ranked "
        "from half_years as h group by half_year order by half_year",
    )
    if not half_years:
        raise NotFound("The database holds no half-year yet: run `crime-rates update` with releases first.")
    if wanted is None:
        wanted = HalfYear.parse(
            max(half_years, key=lambda h: (h["complete"] and h["ranked"] > 0, h["complete"], h["half_year"]))["half_year"]
        )
    if str(wanted) not in {h["half_year"] for h in half_years}:
        raise NotFound(f"The database holds no {wanted}; held: {join_names([h['half_year'] for h in half_years])}.")
    ranked = {HalfYear.parse(h["half_year"]) for h in half_years if h["ranked"]}
    before = [h for h in ranked if h.next() == wanted]
    year_before = [h for h in ranked if h.next().next() == wanted]
    release_ids = {
        row["level"]: tuple(row["releases"])
        for row in fetch_rows(
            con,
            "select level, list(distinct release_id order by release_id) as releases from ranked_rates "
            "where half_year = ? group by level",
            [str(wanted)],
        )
    }
    releases = cast("list[PublishedRelease]", fetch_rows(con, "from releases order by table_kind, published, release_id"))
    return Site(
        database.name,
        wanted,
        min(before, default=None),
        min(year_before, default=None),
        tuple(HalfYear.parse(h["half_year"]) for h in half_years),
        _load_offences(con, wanted),
        _load_areas(con, wanted),
        tuple(releases),
        frozenset(r["release_id"] for r in releases if r["simulated"]),
        release_ids,
    )


def _load_offences(con: duckdb.DuckDBPyConnection, half_year: HalfYear) -> tuple[SiteOffence, ...]:
    rows = fetch_rows(
        con,
        """
        select o.*, r.levels
        from offences as o
        join (
            select offence_level, offence_code, list(distinct level) as levels from ranked_rates where half_year = ? group by all
        ) as r using (offence_level, offence_code)
        order by o.offence_group nulls first, o.offence_level <> 'group', o.subgroup nulls first,
            o.offence_level <> 'subgroup', o.offence_code""",
        [str(half_year)],
    )
    slugs = urls.assign_slugs(
        {
            (r["offence_level"], r["offence_code"]): urls.offence_file_name(
                r["offence_level"], r["offence_code"], r["offence_name"]
            )
            for r in rows
        }
    )
    return tuple(
        SiteOffence(
            Offence(OffenceLevel(r["offence_level"]), r["offence_code"], r["offence_name"]),
            slugs[r["offence_level"], r["offence_code"]],
            r["offence_group"],
            r["subgroup"],
            tuple(level for level in Level if level in r["levels"]),
        )
        for r in rows
    )


def _load_areas(con: duckdb.DuckDBPyConnection, half_year: HalfYear) -> dict[tuple[str, str], SiteArea]:
    """Areas as published, and wholes that were published in pieces."""
    rows = fetch_rows(
        con,
        "select level, area_name, any_value(area_code) as code, any_value(force_name) as force, "
        "any_value(region_name) as region from (from ranked_rates where half_year = ? and offence_level = 'total' "
        "union all from ranked_rates_harmonised where half_year = ? and offence_level = 'total') group by all order by all",
        [str(half_year)] * 2,
    )
    slugs = {level: urls.assign_slugs({r["area_name"]: r["area_name"] for r in rows if r["level"] == level}) for level in Level}
    return {
        (r["level"], r["area_name"]): SiteArea(
            r["level"], r["area_name"], slugs[r["level"]][r["area_name"]], r["code"], r["force"], r["region"]
        )
        for r in rows
    }
