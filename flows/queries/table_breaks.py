"""What breaks the comparison of a ranked table with earlier ones: the breaks at the start of its half-year, or within it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from flows.queries.breaks import BreakKind, OffenceKey
from flows.queries.connection import fetch_rows
from flows.queries.levels import Level
from flows.queries.lookups import Offence
from transforms.periods import HalfYear


@dataclass(frozen=True)
class TableBreak:
    """A break of the half-year of a table, and the areas that it holds for; none: all of them."""

    first_quarter: str
    kind: BreakKind
    note: str
    areas: tuple[str, ...]

    def holds_for(self, area: str) -> bool:
        """Whether the row of an area does not compare with earlier half-years because of it."""
        return not self.areas or area in self.areas


def fetch_table_breaks(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: Level, offence: Offence | None = None
) -> dict[OffenceKey, list[TableBreak]]:
    """Offence level and code → the breaks of its table in a half-year at a level; of one offence, or of all that have any."""
    rows = fetch_rows(
        con,
        """
        with touched as (
            select b.break_key, m.rollup_key as offence_key, null as area_name,
            from crime_rates_core.offence_breaks as m
            join crime_rates_core.all_breaks as b using (break_key)
            where b.half_year = ?
            union all
            select m.break_key, o.offence_key, a.area_name,
            from crime_rates_core.area_breaks as m
            join areas as a using (area_key)
            join offences as o on coalesce(o.offence_group, '') = m.offence_group
            where m.half_year = ? and a.level = ?
        )
        select
            o.offence_level, o.offence_code, b.first_quarter, b.kind, b.note,
            coalesce(list(t.area_name order by t.area_name) filter (where t.area_name is not null), []) as areas,
        from touched as t
        join offences as o using (offence_key)
        join crime_rates_core.all_breaks as b using (break_key)
        where ? is null or (o.offence_level = ? and o.offence_code = ?)
        group by all
        order by max(b.break_key)""",
        [str(half_year), str(half_year), level, *[offence and offence.level] * 2, offence and offence.code],
    )
    found: dict[OffenceKey, list[TableBreak]] = {}
    for row in rows:
        one = TableBreak(row["first_quarter"], BreakKind(row["kind"]), row["note"], tuple(row["areas"]))
        found.setdefault((row["offence_level"], row["offence_code"]), []).append(one)
    return found
