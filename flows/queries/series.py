"""One area over the half-years, on its newest boundaries, and what breaks the series: for `series`. Computes no figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from flows.queries import lookups, ranked_table
from flows.queries.connection import NotFound, fetch_rows
from flows.queries.lookups import Offence, join_names
from transforms.periods import HalfYear, HalfYearRange


@dataclass(frozen=True)
class Break:
    """What stands between the half-years of a series and a plain comparison of them."""

    first: HalfYear
    last: HalfYear
    kind: str  # gap, boundaries or recording
    what: str

    @property
    def when(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Series:
    """The half-years of one area in order; None where it has no row."""

    area: str
    level: str
    offence: Offence
    rows: dict[HalfYear, dict[str, Any] | None]
    breaks: list[Break]
    releases: list[dict[str, Any]]


def fetch_series(
    con: duckdb.DuckDBPyConnection,
    wanted_area: str,
    wanted_offence: str,
    level: str,
    first: HalfYear | None = None,
    last: HalfYear | None = None,
) -> Series:
    """The half-years from `first` to `last`, by default all that are held and have the offence. Raises NotFound."""
    offence = lookups.find_offence(con, wanted_offence)
    held = lookups.fetch_half_years(con, level)
    if not held:
        raise NotFound(f"The database holds no {lookups.LEVELS[level]} ({level}) table.")
    area = _find_area(con, wanted_area, level)
    seen = fetch_rows(
        con,
        "select first_half_year, last_half_year from offences where offence_level = ? and offence_code = ?",
        [offence.level, offence.code],
    )[0]
    start = first or HalfYear.parse(max(held[0], seen["first_half_year"]))
    end = last or HalfYear.parse(min(held[-1], seen["last_half_year"]))
    half_years = HalfYearRange(start, end)
    found = {
        HalfYear.parse(row["half_year"]): row
        for row in fetch_rows(
            con,
            "from ranked_rates_harmonised where level = ? and area_name = ? and offence_level = ? and offence_code = ? "
            "and half_year between ? and ?",
            [level, area, offence.level, offence.code, str(start), str(end)],
        )
    }
    if not found:
        raise NotFound(
            f"{area} has no rows of {offence.code} {offence.name} from {start} to {end}; "
            f"the offence stands from {seen['first_half_year']} to {seen['last_half_year']}, "
            f"{lookups.PUBLISHED_LEVELS[level]} releases that are held from {held[0]} to {held[-1]}."
        )
    rows = {half_year: found.get(half_year) for half_year in half_years}
    breaks = [
        *find_gaps(rows, set(held), offence, seen),
        *find_boundary_changes(con, area, level, rows),
        *find_recording_changes(con, area, level, offence, seen, rows),
    ]
    order = ("gap", "boundaries", "recording").index
    breaks.sort(key=lambda b: (b.first, order(b.kind), b.what))
    return Series(area, level, offence, rows, breaks, ranked_table.fetch_releases(con, list(found.values())))


def _find_area(con: duckdb.DuckDBPyConnection, wanted: str, level: str) -> str:
    """The one area of a level that is meant; the whole name of another one is not taken for a part of a name here."""
    found = fetch_rows(
        con, "select distinct level, area_name from ranked_rates_harmonised where offence_level = 'total' order by all"
    )
    names = [row["area_name"] for row in found if row["level"] == level]
    folded = " ".join(wanted.split()).casefold()
    if folded not in map(str.casefold, names):
        for piece, whole in lookups.fetch_area_pieces(con, level).items():
            if piece.casefold() == folded and whole in names:
                raise NotFound(f"{piece} is a piece of {whole} now: ask for the series of {whole}.")
        for row in found:
            if row["area_name"].casefold() == folded:
                raise NotFound(f"{row['area_name']} is a {lookups.LEVELS[row['level']]}: add --level {row['level']}.")
    return lookups.find_area(names, wanted)


def _runs(half_years: Iterable[HalfYear], of: Callable[[HalfYear], Any]) -> list[tuple[HalfYear, HalfYear, Any]]:
    """Stretches of half-years that have the same of something: first, last, and what they have."""
    runs: list[tuple[HalfYear, HalfYear, Any]] = []
    for half_year in half_years:
        value = of(half_year)
        if runs and runs[-1][2] == value:
            runs[-1] = (runs[-1][0], half_year, value)
        else:
            runs.append((half_year, half_year, value))
    return runs


def find_gaps(rows: dict[HalfYear, dict[str, Any] | None], held: set[str], offence: Offence, seen: dict[str, str]) -> list[Break]:
    def why(half_year: HalfYear) -> str | None:
        row = rows[half_year]
        if row is not None:
            return None if row["status"] == "ranked" else f"not ranked, {row['status']}: {row['status_note']}"
        if str(half_year) not in held:
            return "no row: no release that is held covers it"
        if not seen["first_half_year"] <= str(half_year) <= seen["last_half_year"]:
            return f"no row: {offence.code} stands from {seen['first_half_year']} to {seen['last_half_year']}"
        return "no row: the releases that are held have none of this area and offence"

    return [Break(first, last, "gap", what) for first, last, what in _runs(rows, why) if what]


def find_boundary_changes(
    con: duckdb.DuckDBPyConnection, area: str, level: str, rows: dict[HalfYear, dict[str, Any] | None]
) -> list[Break]:
    """Where the area was published in pieces, where a shared council's people were split, where its councils changed."""
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
    breaks = []
    runs = _runs(sorted(published), lambda h: published[h])
    for i, (first, last, names) in enumerate(runs):
        first, last = max(first, min(rows)), min(last, max(rows))
        if names != [area] and first <= last:
            then = f"; as one area from {runs[i + 1][0]} on" if i + 1 < len(runs) and runs[i + 1][2] == [area] else ""
            breaks.append(Break(first, last, "boundaries", f"published as {', '.join(names)}, summed here{then}"))
    peopled = [h for h, row in rows.items() if row is not None and row["population_method"] is not None]
    for first, last, method in _runs(peopled, lambda h: (rows[h] or {})["population_method"]):
        if method == "apportioned":
            notes = [(rows[h] or {})["status_note"] for h in peopled if first <= h <= last]
            breaks.append(Break(first, last, "boundaries", next(filter(None, notes), "population apportioned")))
    lookups = {
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
            breaks.append(
                Break(
                    half_year,
                    half_year,
                    "boundaries",
                    f"its councils are those of the ONS lookup of {now[0]}, before of that of {before[0]}",
                )
            )
        before = now
    return breaks


def find_recording_changes(
    con: duckdb.DuckDBPyConnection,
    area: str,
    level: str,
    offence: Offence,
    seen: dict[str, str],
    rows: dict[HalfYear, dict[str, Any] | None],
) -> list[Break]:
    """Curated changes of recording, the start of the offence, and codes that start or end within a wider one."""
    start, end = min(rows), max(rows)
    curated = fetch_rows(con, "from crime_rates_core.recording_breaks order by all")
    found = [
        Break(at, at, "recording", row["what"])
        for row in curated
        if row["offence_code"] in ("", offence.code)
        and start <= (at := HalfYear.parse(row["half_year"])) <= end
        and (not row["area_name"] or (row["level"], row["area_name"]) in fetch_forces(con, area, level))
    ]
    if offence.level == "code":
        first = HalfYear.parse(seen["first_half_year"])
        everywhere = fetch_rows(con, "select min(half_year) as first from half_years")[0]["first"]
        if start <= first <= end and str(first) != everywhere and all(b.first != first for b in found):
            found.append(Break(first, first, "recording", f"the first half-year with rows of {offence.code} {offence.name}"))
        return found
    column = {"subgroup": "subgroup = ?", "group": "offence_group = ?", "total": "? is not null"}[offence.level]
    codes = fetch_rows(
        con,
        "select offence_code, offence_name, first_half_year, last_half_year from offences "
        f"where offence_level = 'code' and {column} order by all",
        [offence.code],
    )
    for when, words, bound in (("first_half_year", "first rows of", start), ("last_half_year", "last rows of", end)):
        for half_year in sorted({code[when] for code in codes}):
            at = HalfYear.parse(half_year)
            if start <= at <= end and at != bound:
                names = [f"{code['offence_code']} {code['offence_name']}" for code in codes if code[when] == half_year]
                found.append(Break(at, at, "recording", f"{words} {join_names(names, 4)}"))
    return found


def fetch_forces(con: duckdb.DuckDBPyConnection, area: str, level: str) -> set[tuple[str, str]]:
    """(level, name) of an area itself, of the force that it lies in, of the forces that add up to it."""
    rows = fetch_rows(
        con,
        "select a.force_name, p.level, p.area_name from crime_rates_core.areas as a "
        "left join crime_rates_core.area_members as m on m.area_key = a.area_key and m.basis = 'harmonised' "
        "left join crime_rates_core.areas as p on p.area_key = m.member_key where a.level = ? and a.area_name = ?",
        [level, area],
    )
    return {(level, area), *((r["level"], r["area_name"]) for r in rows), *(("pfa", r["force_name"]) for r in rows)}
