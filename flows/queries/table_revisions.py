"""What became of a ranked table: its first ranks as they could have been printed on a day, beside those of today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypedDict

import duckdb

from flows.queries.connection import fetch_records
from flows.queries.levels import Level
from flows.queries.lookups import find_offence
from transforms.errors import UsageError
from transforms.periods import HalfYear


class RevisedRank(TypedDict):
    """An area's rank, offences and rate per 10,000 on the day and today; `net_change` is what revisions did, in offences."""

    area_name: str
    rank_then: int | None
    offences_then: int | None
    rate_then: float | None
    net_change: int
    rank_now: int | None
    offences_now: int | None
    rate_now: float | None


class RevisingRelease(TypedDict):
    """A release that changed counts of the table: how many, and by how many offences in all."""

    release_id: str
    published: date
    counts: int
    net_change: int


@dataclass(frozen=True)
class TableRevisions:
    """The areas among the first ranks of either day, in the order of the earlier; and the releases since."""

    as_of: date
    top: int
    rows: list[RevisedRank]
    releases: list[RevisingRelease]
    vintages: list[date]  # of the population estimates that divide: on the day, and today where that is another


_CHANGES = """
changes as (
    select r.to_release, t.published, r.area_name, coalesce(r.after, 0) - coalesce(r.before, 0) as change,
    from revisions as r
    join releases as t on t.release_id = r.to_release
    where r.level = ? and r.offence_code = ? and r.financial_year || if(r.quarter <= 2, ' H1', ' H2') = ? and t.published > ?
)
"""
_KEY = "half_year = ? and level = ? and offence_level = 'code' and offence_code = ?"
_TABLES = f"""
earlier as (from ranked_rates_as_of(?) where {_KEY}),
later as (from ranked_rates where {_KEY})
"""


def fetch_table_revisions(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: Level, wanted_offence: str, as_of: date, top: int
) -> TableRevisions:
    """The first `top` ranks of a table on a day and today, and what changed them.

    The offence is one code, as a person types it. Raises UsageError where it is a roll-up: revisions are of codes.
    """
    offence = find_offence(con, wanted_offence)
    if offence.level != "code":
        raise UsageError(f"expected an offence code, such as 8Q, found {offence.title}.")
    changes = [level, offence.code, str(half_year), as_of]
    key = [str(half_year), level, offence.code]
    rows = fetch_records(
        con,
        RevisedRank,
        f"with {_CHANGES}, {_TABLES}, net as (select area_name, sum(change)::bigint as net_change from changes group by all) "
        "select area_name, e.rank as rank_then, e.offences as offences_then, e.rate_per_10k as rate_then, "
        "coalesce(net_change, 0) as net_change, l.rank as rank_now, l.offences as offences_now, l.rate_per_10k as rate_now "
        "from earlier as e full join later as l using (area_name) left join net using (area_name) "
        "where least(e.rank, l.rank) <= ? order by e.rank nulls last, l.rank, area_name",
        [*changes, as_of, *key, *key, top],
    )
    releases = fetch_records(
        con,
        RevisingRelease,
        f"with {_CHANGES} select to_release as release_id, published, count(*) as counts, sum(change)::bigint as net_change "
        "from changes group by all order by published, release_id",
        changes,
    )
    vintages = fetch_records(
        con,
        _Vintage,
        f"with {_TABLES} select distinct population_vintage as vintage from (from earlier union all from later) "
        "where population_vintage is not null order by 1",
        [as_of, *key, *key],
    )
    return TableRevisions(as_of, top, rows, releases, [row["vintage"] for row in vintages])


class _Vintage(TypedDict):
    vintage: date
