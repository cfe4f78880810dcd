"""What breaks a series of half-years: gaps, changes of boundaries, and the breaks of the table `breaks`. Computes no figure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import duckdb

from flows.common.wording import join_names
from flows.queries.connection import fetch_rows
from flows.queries.levels import Level, OffenceLevel
from flows.queries.lookups import Offence
from sql.rows import RankedRate
from transforms.periods import HalfYear, HalfYearRange

Rows = Mapping[HalfYear, RankedRate | None]  # every half-year of a span, in order; None where it has no row
Value = TypeVar("Value")
OffenceKey = tuple[str, str]  # offence level and code
AreaKey = tuple[str, str]  # area name and offence group


class BreakKind(StrEnum):
    """What kind of thing breaks a series; in the order in which breaks of one half-year are listed."""

    GAP = "gap"
    BOUNDARY = "boundary"
    RECORDING = "recording"
    CODE = "code"
    SYSTEM = "system"
    DETECTED = "detected"


@dataclass(frozen=True)
class Break:
    """What stands between the half-years of a series and a plain comparison of them."""

    first: HalfYear
    last: HalfYear
    kind: BreakKind
    note: str

    @property
    def period(self) -> str:
        """The half-years that it touches: `2015/16 H1`, or `2015/16 H1 to 2016/17 H2`."""
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    def __contains__(self, half_year: HalfYear) -> bool:
        return self.first <= half_year <= self.last


def sort_breaks(breaks: Iterable[Break]) -> list[Break]:
    """Breaks in the order of time, then of kind."""
    order = list(BreakKind)
    return sorted(breaks, key=lambda b: (b.first, order.index(b.kind), b.note))


def find_gaps(rows: Rows, covered: Container[HalfYear], offence: Offence, span: HalfYearRange) -> list[Break]:
    """Half-years without a rank, and why: `covered` are those that a release covers, `span` those that have the offence."""

    def explain(half_year: HalfYear) -> str | None:
        row = rows[half_year]
        if row is not None:
            return None if row["status"] == "ranked" else f"not ranked, {row['status']}: {row['status_note']}"
        if half_year not in covered:
            return "no row: no release that is held covers it"
        if half_year not in span:
            return f"no row: {offence.code} stands from {span}"
        return "no row: the releases that are held have none of this area and offence"

    return [Break(first, last, BreakKind.GAP, note) for first, last, note in _runs(rows, explain) if note]


def find_boundary_changes(con: duckdb.DuckDBPyConnection, area: str, level: Level, rows: Rows) -> list[Break]:
    """Where the area was published in pieces, where a shared council's people were split, where its councils changed."""
    return [
        *_find_pieces(con, area, level, rows),
        *_find_apportioned_populations(rows),
        *_find_council_changes(con, area, level, rows),
    ]


def _find_pieces(con: duckdb.DuckDBPyConnection, area: str, level: Level, rows: Rows) -> Iterable[Break]:
    published = {
        HalfYear.parse(row["half_year"]): row["names"]
        for row in fetch_rows(
            con,
            "select h.half_year, list(distinct p.area_name order by p.area_name) as names "
            "from crime_rates_core.area_quarters as q "
            "join crime_rates_core.area_members as m on m.member_key = q.area_key and m.basis = 'harmonised' "
            "join crime_rates_core.areas as p on p.area_key = q.area_key "
            "join crime_rates_core.areas as a on a.area_key = m.area_key and a.level = p.level "
            "join crime_rates_core.half_years as h on h.half_year_key = q.quarter_key // 2 "
            "where a.area_name = ? and a.level = ? and q.valid_to = date '9999-12-31' group by all",
            [area, level],
        )
    }
    runs = _runs(sorted(published), lambda h: published[h])
    for i, (first, last, names) in enumerate(runs):
        first, last = max(first, min(rows)), min(last, max(rows))
        if names != [area] and first <= last:
            then = f"; as one area from {runs[i + 1][0]} on" if i + 1 < len(runs) and runs[i + 1][2] == [area] else ""
            yield Break(first, last, BreakKind.BOUNDARY, f"published as {', '.join(names)}, summed here{then}")


def _find_apportioned_populations(rows: Rows) -> Iterable[Break]:
    with_population = {h: row for h, row in rows.items() if row is not None and row["population_method"] is not None}
    for first, last, method in _runs(with_population, lambda h: with_population[h]["population_method"]):
        if method == "apportioned":
            notes = [row["status_note"] for h, row in with_population.items() if first <= h <= last]
            yield Break(first, last, BreakKind.BOUNDARY, next(filter(None, notes), "population apportioned"))


def _find_council_changes(con: duckdb.DuckDBPyConnection, area: str, level: Level, rows: Rows) -> Iterable[Break]:
    lookups: dict[HalfYear, tuple[int, list[str]]] = {
        HalfYear.parse(row["half_year"]): (row["lookup_year"], row["units"])
        for row in fetch_rows(
            con,
            "select h.half_year, y.lookup_year, list(u.unit order by u.unit) as units "
            "from crime_rates_core.half_years as h join crime_rates_core.year_lookups as y using (start_year) "
            "join crime_rates_core.area_units as u using (lookup_year) join crime_rates_core.areas as a using (area_key) "
            "where a.area_name = ? and a.level = ? group by all",
            [area, level],
        )
    }
    before: tuple[int, list[str]] | None = None
    for half_year in rows:
        now = lookups.get(half_year, before)
        if before and now and now[1] != before[1]:
            note = f"its councils are those of the ONS lookup of {now[0]}, before of that of {before[0]}"
            yield Break(half_year, half_year, BreakKind.BOUNDARY, note)
        before = now


def fetch_offence_breaks(con: duckdb.DuckDBPyConnection, offence: Offence | None = None) -> dict[OffenceKey, list[Break]]:
    """Offence level and code → the breaks that hold for it in all areas; of one offence, or of all that have any."""
    rows = fetch_rows(
        con,
        "select o.offence_level, o.offence_code, b.half_year, b.kind, b.note from crime_rates_core.offence_breaks as m "
        "join crime_rates_core.all_breaks as b using (break_key) join offences as o on o.offence_key = m.rollup_key "
        "where ? is null or (o.offence_level = ? and o.offence_code = ?) order by b.break_key",
        [offence and offence.level, offence and offence.level, offence and offence.code],
    )
    found: dict[OffenceKey, list[Break]] = {}
    for row in rows:
        found.setdefault((row["offence_level"], row["offence_code"]), []).append(_read_break(row))
    return found


def fetch_area_breaks(con: duckdb.DuckDBPyConnection, level: Level, area: str | None = None) -> dict[AreaKey, list[Break]]:
    """Area and offence group ("" for the total) → the breaks that hold there; of one area of a level, or of all that have any."""
    rows = fetch_rows(
        con,
        "select a.area_name, m.offence_group, b.half_year, b.kind, b.note from crime_rates_core.area_breaks as m "
        "join crime_rates_core.all_breaks as b using (break_key) join crime_rates_core.areas as a using (area_key) "
        "where a.level = ? and a.area_name = coalesce(?, a.area_name) order by b.break_key",
        [level, area],
    )
    found: dict[AreaKey, list[Break]] = {}
    for row in rows:
        found.setdefault((row["area_name"], row["offence_group"]), []).append(_read_break(row))
    return found


def fetch_offence_groups(con: duckdb.DuckDBPyConnection) -> dict[OffenceKey, str]:
    """Offence level and code → the group that the offence belongs to, "" for the total."""
    rows = fetch_rows(con, "select offence_level, offence_code, coalesce(offence_group, '') as offence_group from offences")
    return {(row["offence_level"], row["offence_code"]): row["offence_group"] for row in rows}


def _read_break(row: Mapping[str, str]) -> Break:
    at = HalfYear.parse(row["half_year"])
    return Break(at, at, BreakKind(row["kind"]), row["note"])


def find_counting_breaks(con: duckdb.DuckDBPyConnection, area: str, level: Level, offence: Offence, rows: Rows) -> list[Break]:
    """The breaks of the table `breaks` that hold for a series: of its offence in all areas, and of its area."""
    key = (offence.level, offence.code)
    group = fetch_offence_groups(con)[key]
    known = [*fetch_offence_breaks(con, offence).get(key, []), *fetch_area_breaks(con, level, area).get((area, group), [])]
    return [b for b in known if min(rows) <= b.first <= max(rows)]


def find_code_changes(
    con: duckdb.DuckDBPyConnection, offence: Offence, span: HalfYearRange, rows: Rows, known: Sequence[Break]
) -> list[Break]:
    """The start of the offence, unless a `known` break says it, and codes that start or end within a wider one.

    `span` are the half-years that have the offence.
    """
    series = HalfYearRange(min(rows), max(rows))
    if offence.level is not OffenceLevel.CODE:
        return list(_find_first_and_last_codes(con, offence, series))
    earliest = fetch_rows(con, "select min(half_year) as half_year from half_years")[0]["half_year"]
    if span.first in series and str(span.first) != earliest and all(b.first != span.first for b in known):
        return [Break(span.first, span.first, BreakKind.CODE, f"the first half-year with rows of {offence.code} {offence.name}")]
    return []


def _find_first_and_last_codes(con: duckdb.DuckDBPyConnection, offence: Offence, series: HalfYearRange) -> Iterable[Break]:
    if offence.level is OffenceLevel.BUNDLE:
        return  # a bundle is there to bridge them
    codes = fetch_rows(
        con,
        "select o.offence_code, o.offence_name, o.first_half_year, o.last_half_year from offences as o "
        "join crime_rates_core.offences as c using (offence_code) "
        "join crime_rates_core.offence_rollup as r on r.offence_key = c.offence_key "
        "where o.offence_level = 'code' and r.offence_level = ? and r.code = ? order by all",
        [offence.level, offence.code],
    )
    for column, words, bound in (
        ("first_half_year", "first rows of", series.first),
        ("last_half_year", "last rows of", series.last),
    ):
        for half_year in sorted({code[column] for code in codes}):
            at = HalfYear.parse(half_year)
            if at in series and at != bound:
                names = [f"{code['offence_code']} {code['offence_name']}" for code in codes if code[column] == half_year]
                yield Break(at, at, BreakKind.CODE, f"{words} {join_names(names, 4)}")


def _runs(half_years: Iterable[HalfYear], value_of: Callable[[HalfYear], Value]) -> list[tuple[HalfYear, HalfYear, Value]]:
    """Stretches of half-years that have the same value: first, last, value."""
    runs: list[tuple[HalfYear, HalfYear, Value]] = []
    for half_year in half_years:
        value = value_of(half_year)
        if runs and runs[-1][2] == value:
            runs[-1] = (runs[-1][0], half_year, value)
        else:
            runs.append((half_year, half_year, value))
    return runs
