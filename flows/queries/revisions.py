"""What each release changed in the counts of earlier ones, and the ranks that this moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypedDict

import duckdb

from flows.common.wording import join_names
from flows.queries import lookups
from flows.queries.connection import NotFound, fetch_records, fetch_rows
from flows.queries.levels import Level, OffenceLevel
from flows.queries.lookups import Offence
from transforms.errors import UsageError

SMALLEST = 10  # offences: a smaller count changes by a large proportion for no reason worth a line

_CHANGES = """
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
_CHANGE_COLUMNS = (
    "from_release, to_release, published, level, area_code, area_name, financial_year, quarter, half_year, "
    "offence_code, offence_name, before, after, change"
)
_SUMS = "sum(change)::bigint as net_change, sum(abs(change))::bigint as gross_change"


@dataclass(frozen=True)
class RevisionFilter:
    """Which revisions are wanted: each part is None where it is not narrowed down; names are as the database has them."""

    releases: list[str] | None = None
    area: str | None = None
    offence: Offence | None = None
    level: Level | None = None

    @property
    def _where(self) -> tuple[str, list[object]]:
        """The condition, and its parameters."""
        parts: list[tuple[str, object]] = []
        if self.releases is not None:
            parts.append(("to_release in (select unnest(?))", self.releases))
        if self.area is not None:
            parts.append(("area_name = ?", self.area))
        if self.level is not None:
            parts.append(("level = ?", self.level))
        if self.offence is not None and self.offence.level is not OffenceLevel.TOTAL:
            codes = (
                "select c.offence_code from crime_rates_core.offence_rollup as r "
                "join crime_rates_core.offences as c using (offence_key) where r.offence_level || ':' || r.code = ?"
            )
            parts.append((f"offence_code in ({codes})", f"{self.offence.level}:{self.offence.code}"))
        return " and ".join(["true", *(condition for condition, _ in parts)]), [value for _, value in parts]


class RevisionSummary(TypedDict):
    """One pair of releases at one level: how many counts changed, came and went, and by how many offences."""

    from_release: str
    to_release: str
    from_published: date
    published: date
    level: str
    changed: int
    added: int
    dropped: int
    net_change: int
    gross_change: int
    simulated: bool


class NotPlaceSummary(TypedDict):
    """What changed in the counts of something that is not a place, such as an unassigned group."""

    level: str
    area_name: str
    counts: int
    net_change: int
    gross_change: int


class ChangedCount(TypedDict):
    """One count that a release changed; `before` and `after` are null where that release has no such row."""

    from_release: str
    to_release: str
    published: date
    level: str
    area_code: str | None
    area_name: str
    financial_year: str
    quarter: int
    half_year: str
    offence_code: str
    offence_name: str
    before: int | None
    after: int | None
    change: int


class RevisedCount(ChangedCount):
    """A changed count with the rank of its area and code in the half-year: on the eve of the release, and on its day."""

    rank_before: int | None
    rank_after: int | None
    areas_ranked_before: int | None
    areas_ranked_after: int | None
    status_before: str | None
    status_after: str | None


@dataclass(frozen=True)
class Revisions:
    """Sums for each pair of releases, and the largest changes with their ranks."""

    filter: RevisionFilter
    summary: list[RevisionSummary]
    not_places: list[NotPlaceSummary]  # only counted, not listed, unless one is asked for by name
    largest: list[RevisedCount]  # in offences
    largest_relative: list[RevisedCount]  # in proportion, of counts of SMALLEST or more
    any_known: bool  # whether the database holds any revision at all


def find_revision_filter(
    con: duckdb.DuckDBPyConnection, release: str | None, area: str | None, offence: str | None, level: Level | None
) -> RevisionFilter:
    """The filter that a person's words mean. Raises NotFound for a release, area or offence that is not held."""
    releases = None
    if release is not None:
        rows = fetch_rows(con, "select release_id from releases order by published, release_id")
        names = [row["release_id"] for row in rows]
        releases = [name for name in names if release.casefold() in name.casefold()]
        if not releases:
            raise NotFound(f'No release that is held has "{release}" in its name; held: {join_names(names)}.')
    area_name = None
    if area is not None:
        rows = fetch_rows(
            con,
            "select distinct area_name from areas where level in ('csp', 'pfa') and level = coalesce(?, level) order by 1",
            [level],
        )
        aliases: dict[str, str] = {}
        for one in [level] if level is not None else ["csp", "pfa"]:
            aliases |= lookups.fetch_aliases(con, one)
        area_name = lookups.find_area([row["area_name"] for row in rows], area, aliases)
    return RevisionFilter(releases, area_name, lookups.find_offence(con, offence) if offence is not None else None, level)


def fetch_revisions(con: duckdb.DuckDBPyConnection, wanted: RevisionFilter, top: int) -> Revisions:
    """Sums and the `top` largest changes; unless an area is named, those of what is not a place are only counted.

    Raises UsageError for a `top` below 1.
    """
    if top < 1:
        raise UsageError(f"expected a number of changes of 1 or more, found {top}")
    where, parameters = wanted._where
    summary = fetch_records(
        con,
        RevisionSummary,
        "select from_release, to_release, from_published, published, level, "
        "count(*) filter (before is not null and after is not null) as changed, "
        "count(*) filter (before is null) as added, count(*) filter (after is null) as dropped, "
        f"{_SUMS}, from_simulated or simulated as simulated {_CHANGES} where {where} "
        "group by all order by published, level, to_release, from_published, from_release",
        parameters,
    )
    not_places: list[NotPlaceSummary] = []
    places = "true"
    if wanted.area is None:
        places = "is_place"
        not_places = fetch_records(
            con,
            NotPlaceSummary,
            f"select level, area_name, count(*) as counts, {_SUMS} {_CHANGES} where {where} and not is_place "
            "group by all order by gross_change desc, area_name",
            parameters,
        )
    ties = f"published desc, level, area_name, financial_year, quarter, offence_code limit {top:d}"
    select = f"select {_CHANGE_COLUMNS} {_CHANGES} where {where} and {places}"
    largest = fetch_records(con, ChangedCount, f"{select} order by abs(change) desc, {ties}", parameters)
    largest_relative = fetch_records(
        con,
        ChangedCount,
        f"{select} and before >= {SMALLEST} and after is not null order by abs(change) / before desc, abs(change) desc, {ties}",
        parameters,
    )
    ranked = _with_ranks(con, [*largest, *largest_relative])
    return Revisions(
        wanted,
        summary,
        not_places,
        ranked[: len(largest)],
        ranked[len(largest) :],
        bool(summary) or bool(fetch_rows(con, "from revisions limit 1")),
    )


class _Ranking(TypedDict):
    rank: int | None
    areas_ranked: int | None
    status: str | None


_Key = tuple[str, str, str, str]
_NOT_IN_TABLE = _Ranking(rank=None, areas_ranked=None, status=None)


def _with_ranks(con: duckdb.DuckDBPyConnection, changes: Sequence[ChangedCount]) -> list[RevisedCount]:
    """The changes with their ranks on the eve of the release and on its day; one query a day."""
    keys: dict[date, set[_Key]] = {}
    for change in changes:
        for day in _days_around(change):
            keys.setdefault(day, set()).add(_key(change))
    rankings = {day: _fetch_rankings(con, day, wanted) for day, wanted in keys.items()}
    revised = []
    for change in changes:
        before, after = (rankings[day].get(_key(change), _NOT_IN_TABLE) for day in _days_around(change))
        revised.append(
            RevisedCount(
                **change,
                rank_before=before["rank"],
                rank_after=after["rank"],
                areas_ranked_before=before["areas_ranked"],
                areas_ranked_after=after["areas_ranked"],
                status_before=before["status"],
                status_after=after["status"],
            )
        )
    return revised


def _key(change: ChangedCount) -> _Key:
    return change["half_year"], change["level"], change["offence_code"], change["area_name"]


def _days_around(change: ChangedCount) -> tuple[date, date]:
    return change["published"] - timedelta(days=1), change["published"]


def _fetch_rankings(con: duckdb.DuckDBPyConnection, day: date, keys: set[_Key]) -> dict[_Key, _Ranking]:
    """Where areas ranked, for offence codes, as it could have been printed on a day."""
    columns = ("half_year", "level", "offence_code", "area_name")
    values = [sorted(set(column)) for column in zip(*keys, strict=True)]
    # values, not a join: these conditions reach below the macro's window
    conditions = " and ".join(
        f"{column} in ({', '.join('?' * len(wanted))})" for column, wanted in zip(columns, values, strict=True)
    )
    rows = fetch_rows(
        con,
        f"select {', '.join(columns)}, rank, areas_ranked, status from ranked_rates_as_of(?) "
        f"where offence_level = 'code' and {conditions}",
        [day, *(value for wanted in values for value in wanted)],
    )
    return {
        (row["half_year"], row["level"], row["offence_code"], row["area_name"]): _Ranking(
            rank=row["rank"], areas_ranked=row["areas_ranked"], status=row["status"]
        )
        for row in rows
    }
