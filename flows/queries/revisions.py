"""What each release changed in the figures of earlier ones, and the ranks that this moved: for `revisions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from flows.queries import lookups
from flows.queries.connection import NotFound, fetch_rows
from flows.queries.lookups import Offence, join_names

SMALLEST = 10  # below it a relative change is hearsay
CHANGES = """
from (
    select
        r.*, t.published, t.simulated, f.published as from_published, f.simulated as from_simulated,
        a.is_place, o.offence_name,
        r.financial_year || if(r.quarter <= 2, ' H1', ' H2') as half_year,
        coalesce(r.after, 0) - coalesce(r.before, 0) as change,
    from revisions as r
    join releases as t on t.release_id = r.to_release
    join releases as f on f.release_id = r.from_release
    join areas as a on a.level = r.level and a.area_name = r.area_name
    join offences as o on o.offence_level = 'code' and o.offence_code = r.offence_code
)
"""


@dataclass(frozen=True)
class RevisionFilter:
    """What revisions are wanted: each part is None where it is not narrowed down; names are as the database has them."""

    releases: list[str] | None = None
    area: str | None = None
    offence: Offence | None = None
    level: str | None = None

    @property
    def where(self) -> tuple[str, list[Any]]:
        """The condition, and its parameters."""
        parts: list[tuple[str, Any]] = []
        if self.releases is not None:
            parts.append(("to_release in (select unnest(?))", self.releases))
        if self.area is not None:
            parts.append(("area_name = ?", self.area))
        if self.level is not None:
            parts.append(("level = ?", self.level))
        if self.offence is not None and self.offence.level != "total":
            column = {"code": "offence_code", "subgroup": "subgroup", "group": "offence_group"}[self.offence.level]
            parts.append(
                (
                    f"offence_code in (select offence_code from offences where offence_level = 'code' and {column} = ?)",
                    self.offence.code,
                )
            )
        return " and ".join(["true", *(text for text, _ in parts)]), [value for _, value in parts]

    @property
    def words(self) -> str:
        offence = lookups.offence_title(self.offence) if self.offence is not None else None
        level = lookups.LEVELS[self.level] if self.level is not None else None
        return ", ".join(filter(None, [offence, self.area, level, *(self.releases or [])]))


@dataclass(frozen=True)
class Revisions:
    """Sums per release pair, and the biggest changes with their ranks; `aside` counts those of what is not a place."""

    asked: RevisionFilter
    top: int
    summary: list[dict[str, Any]]
    aside: list[dict[str, Any]]
    absolute: list[dict[str, Any]]
    relative: list[dict[str, Any]]


def _asked(
    con: duckdb.DuckDBPyConnection, release: str | None, area: str | None, offence: str | None, level: str | None
) -> RevisionFilter:
    releases = None
    if release is not None:
        held = [row["release_id"] for row in fetch_rows(con, "select release_id from releases order by published, release_id")]
        releases = [name for name in held if release.casefold() in name.casefold()]
        if not releases:
            raise NotFound(f'No release that is held has "{release}" in its name; held: {join_names(held)}.')
    name = None
    if area is not None:
        names = [
            row["area_name"]
            for row in fetch_rows(
                con,
                "select distinct area_name from areas where level in ('csp', 'pfa') and level = coalesce(?, level) order by 1",
                [level],
            )
        ]
        name = lookups.find_area(names, area)
    return RevisionFilter(releases, name, lookups.find_offence(con, offence) if offence is not None else None, level)


def fetch_revisions(con: duckdb.DuckDBPyConnection, asked: RevisionFilter, top: int) -> Revisions:
    """Sums and the biggest changes; unless an area is named, those of what is not a place are only counted."""
    where, parameters = asked.where
    sums = (
        "count(*) filter (before is not null and after is not null) as changed, "
        "count(*) filter (before is null) as added, count(*) filter (after is null) as dropped, "
        "sum(change)::bigint as net_change, sum(abs(change))::bigint as gross_change"
    )
    summary = fetch_rows(
        con,
        f"select from_release, to_release, from_published, published, level, {sums}, "
        f"from_simulated or simulated as simulated, {CHANGES} where {where} "
        "group by all order by published, level, to_release, from_published, from_release",
        parameters,
    )
    aside = (
        []
        if asked.area is not None
        else fetch_rows(
            con,
            f"select level, area_name, count(*) as counts, sum(change)::bigint as net_change, "
            f"sum(abs(change))::bigint as gross_change {CHANGES} where {where} and not is_place "
            "group by all order by gross_change desc, area_name",
            parameters,
        )
    )
    places = "true" if asked.area is not None else "is_place"
    ties = "published desc, level, area_name, financial_year, quarter, offence_code"
    absolute = fetch_rows(
        con, f"{CHANGES} where {where} and {places} order by abs(change) desc, {ties} limit {top:d}", parameters
    )
    relative = fetch_rows(
        con,
        f"{CHANGES} where {where} and {places} and before >= {SMALLEST} and after is not null "
        f"order by abs(change) / before desc, abs(change) desc, {ties} limit {top:d}",
        parameters,
    )
    _add_ranks(con, [*absolute, *relative])
    return Revisions(asked, top, summary, aside, absolute, relative)


def _add_ranks(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Add to each row its rank on the eve of the release and on its day; one query a day."""
    days: dict[date, list[tuple[dict[str, Any], str]]] = {}
    for row in rows:
        days.setdefault(row["published"] - timedelta(days=1), []).append((row, "before"))
        days.setdefault(row["published"], []).append((row, "after"))
    for day, wanted in days.items():
        columns = ("half_year", "level", "offence_code", "area_name")
        values = {column: sorted({row[column] for row, _ in wanted}) for column in columns}
        # values, not a join: these conditions reach below the macro's window
        conditions = " and ".join(f"{column} in ({', '.join('?' * len(values[column]))})" for column in columns)
        found = {
            tuple(row[column] for column in columns): row
            for row in fetch_rows(
                con,
                f"select {', '.join(columns)}, rank, areas_ranked, status from ranked_rates_as_of(?) "
                f"where offence_level = 'code' and {conditions}",
                [day, *(value for column in columns for value in values[column])],
            )
        }
        for row, side in wanted:
            then = found.get(tuple(row[column] for column in columns), {})
            row[f"rank_{side}"], row[f"status_{side}"] = then.get("rank"), then.get("status")
            row[f"areas_ranked_{side}"] = then.get("areas_ranked")
