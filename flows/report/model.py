"""What the site of a half-year consists of: its offences, areas, levels and sources, found once and handed to every page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.queries.connection import NotFound, fetch_rows
from flows.queries.lookups import LEVELS, Offence, join_names
from flows.rendering.attribution import SIMULATION_WARNING
from flows.report import urls
from transforms.periods import HalfYear

NATION = "England and Wales"  # the area whose rate is the national line
PLURALS = {"csp": "Community Safety Partnerships", "pfa": "police force areas", "region": "regions", "country": "countries"}
KINDS = {"total": "all offences", "group": "offence group", "subgroup": "subgroup", "code": "offence"}


@dataclass(frozen=True)
class Entry:
    """An offence with rows in the half-year: where it stands among the others, and at which levels it has a table."""

    offence: Offence
    slug: str
    group: str | None
    subgroup: str | None
    levels: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.offence.level, self.offence.code


@dataclass(frozen=True)
class Place:
    """An area with rows in the half-year; `pages` is where its page lies."""

    level: str
    name: str
    slug: str
    code: str | None
    force: str | None
    region: str | None

    @property
    def page(self) -> str:
        return urls.area_page(self.level, self.slug)


@dataclass(frozen=True)
class Site:
    """A half-year's site: small, and the same in every process that writes a part of it."""

    database: str  # name of the file of the published database
    half_year: HalfYear
    before: HalfYear | None  # the half-year before, where it has ranked areas
    year_before: HalfYear | None  # the same half of the year before, likewise
    held: tuple[HalfYear, ...]  # every half-year of the database, in order
    entries: tuple[Entry, ...]  # total, then each group with its subgroups and codes
    places: dict[tuple[str, str], Place]  # by level and name
    releases: tuple[dict[str, Any], ...]  # all releases of the database
    simulated: frozenset[str]  # ids of those that say that they are a simulation
    behind: dict[str, tuple[str, ...]]  # level → ids of the releases that the half-year's rows come from

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that have tables, from partnerships to countries."""
        return tuple(level for level in LEVELS if level in self.behind)

    def entry(self, offence_level: str, code: str) -> Entry:
        return next(e for e in self.entries if e.key == (offence_level, code))

    def at(self, level: str) -> list[Place]:
        """The areas of a level, by name."""
        return sorted((p for p in self.places.values() if p.level == level), key=lambda p: p.name.casefold())

    def banner(self, *levels: str) -> str:
        """What the releases behind these levels say of themselves: that they are a simulation, else what a manifest notes."""
        if self.is_simulated(*levels):
            return SIMULATION_WARNING
        behind = {release for level in levels for release in self.behind.get(level, ())}
        notes = dict.fromkeys(r["note"] for r in self.releases if r["note"] and r["release_id"] in behind)
        return f"NOTE: {' '.join(notes)}" if notes else ""

    def is_simulated(self, *levels: str) -> bool:
        """Whether any figure of these levels comes from a release that says it is a simulation."""
        return any(release in self.simulated for level in levels for release in self.behind.get(level, ()))


def find(con: duckdb.DuckDBPyConnection, wanted: HalfYear | None, database: Path) -> Site:
    """The site of the half-year that is wanted, by default the newest complete one with ranks. Raises NotFound."""
    held = fetch_rows(
        con,
        "select half_year, bool_and(complete) as complete, (select count(r.rank) from ranked_rates as r "
        "where r.half_year = h.half_year and r.offence_level = 'total') as ranked "
        "from half_years as h group by half_year order by half_year",
    )
    if not held:
        raise NotFound("The database holds no half-year yet: run `crime-rates update` with releases first.")
    if wanted is None:
        wanted = HalfYear.parse(
            max(held, key=lambda h: (h["complete"] and h["ranked"] > 0, h["complete"], h["half_year"]))["half_year"]
        )
    if str(wanted) not in {h["half_year"] for h in held}:
        raise NotFound(f"The database holds no {wanted}; held: {join_names([h['half_year'] for h in held])}.")
    ranked = {HalfYear.parse(h["half_year"]) for h in held if h["ranked"]}
    before = [h for h in ranked if h.next() == wanted]
    year_before = [h for h in ranked if h.next().next() == wanted]
    behind = {
        row["level"]: tuple(row["releases"])
        for row in fetch_rows(
            con,
            "select level, list(distinct release_id order by release_id) as releases from ranked_rates "
            "where half_year = ? group by level",
            [str(wanted)],
        )
    }
    releases = fetch_rows(con, "from releases order by table_kind, published, release_id")
    return Site(
        database.name,
        wanted,
        min(before, default=None),
        min(year_before, default=None),
        tuple(HalfYear.parse(h["half_year"]) for h in held),
        _entries(con, wanted),
        _places(con, wanted),
        tuple(releases),
        frozenset(r["release_id"] for r in releases if r["simulated"]),
        behind,
    )


def _entries(con: duckdb.DuckDBPyConnection, half_year: HalfYear) -> tuple[Entry, ...]:
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
    slugs = urls.slugs(
        {
            (r["offence_level"], r["offence_code"]): urls.offence_words(r["offence_level"], r["offence_code"], r["offence_name"])
            for r in rows
        }
    )
    return tuple(
        Entry(
            Offence(r["offence_level"], r["offence_code"], r["offence_name"]),
            slugs[r["offence_level"], r["offence_code"]],
            r["offence_group"],
            r["subgroup"],
            tuple(level for level in LEVELS if level in r["levels"]),
        )
        for r in rows
    )


def _places(con: duckdb.DuckDBPyConnection, half_year: HalfYear) -> dict[tuple[str, str], Place]:
    """Areas as published, and wholes that were published in pieces."""
    rows = fetch_rows(
        con,
        "select level, area_name, any_value(area_code) as code, any_value(force_name) as force, "
        "any_value(region_name) as region from (from ranked_rates where half_year = ? and offence_level = 'total' "
        "union all from ranked_rates_harmonised where half_year = ? and offence_level = 'total') group by all order by all",
        [str(half_year)] * 2,
    )
    slugs = {level: urls.slugs({r["area_name"]: r["area_name"] for r in rows if r["level"] == level}) for level in LEVELS}
    return {
        (r["level"], r["area_name"]): Place(
            r["level"], r["area_name"], slugs[r["level"]][r["area_name"]], r["code"], r["force"], r["region"]
        )
        for r in rows
    }
