"""Questions to the published database: connects read-only, imports neither Prefect nor settings, changes nothing."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows import builds, lakehouse, store
from sql import quoted
from transforms.periods import HalfYear

LEVELS = {"csp": "Community Safety Partnership", "pfa": "police force area", "region": "region", "country": "country"}
OFFENCE_LEVELS = ["code", "subgroup", "group", "total"]
PUBLISHED_LEVELS = {"csp": "csp", "pfa": "pfa", "region": "pfa", "country": "pfa"}  # level → the releases that it is made of


class NotFound(LookupError):
    """Nothing fits what was asked for; the message offers what is nearest."""


@dataclass(frozen=True)
class Offence:
    level: str
    code: str
    name: str


@dataclass(frozen=True)
class Basis:
    """On which day's figures, over which population, on which areas; None is the default of each."""

    as_of: date | None = None
    population_year: int | None = None
    population_vintage: date | None = None
    areas: str = "published"  # or harmonised: each area on its newest boundaries

    @property
    def source(self) -> tuple[str, list[Any]]:
        """What to select from, and its parameters: a table where one holds this basis, else the macro behind it."""
        parameters = [self.as_of, self.population_year, self.population_vintage]
        if self.areas == "harmonised":
            if parameters == [None, None, None]:
                return "ranked_rates_harmonised", []
            return "crime_rates_core.rates_on('harmonised', ?, ?, ?)", parameters
        return ("ranked_rates", []) if parameters == [None, None, None] else ("ranked_rates_for(?, ?, ?)", parameters)


@dataclass(frozen=True)
class Answer:
    """A ranked table: its rows in order, as dictionaries of column to value, and the releases behind them."""

    half_year: HalfYear
    level: str
    offence: Offence
    rows: list[dict[str, Any]]
    releases: list[dict[str, Any]]

    @property
    def is_simulated(self) -> bool:
        """Whether any release behind it says that its figures are a simulation."""
        return any(release["simulated"] for release in self.releases)


def connect(data_dir: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published database, by its own name, so that a later publication is no concern.

    Where the folder holds none, to the lakehouse that CRIME_RATES_LAKEHOUSE names; a snapshot named in
    CRIME_RATES_LAKEHOUSE_SNAPSHOT is asked for even where there is a file.
    """
    database = builds.published(data_dir)
    if (database is None or os.environ.get(lakehouse.SNAPSHOT)) and (con := lakehouse.asked_for()) is not None:
        return con
    if database is None:
        demo = data_dir / "demo"
        hint = f" The demo's is in {demo}: add --data-dir {demo}." if builds.published(demo) else ""
        raise NotFound(f"{store.shown(data_dir)} holds no published database yet: run `crime-rates update` "
                       f"(or `crime-rates demo`) first.{hint}")
    return duckdb.connect(str(database), read_only=True)


def rows_of(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a query; each ? in it stands for a parameter.

    They are written into the query, because DuckDB imports pandas (a quarter of a second) to look at bound ones.
    """
    text, *rest = query.split("?")
    result = con.execute(text + "".join(literal(p) + then for p, then in zip(parameters, rest, strict=True)))
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def literal(value: object) -> str:
    """A value in SQL."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    raise TypeError(f"cannot put a {type(value).__name__} into a query")


def find_offence(con: duckdb.DuckDBPyConnection, wanted: str) -> Offence:
    """An offence by code (8Q), by name (Stalking), or by words that stand in one name only; at any offence level.

    Where a subgroup and a group bear one name the subgroup is meant, unless the level is told: `group:Public order offences`.
    """
    level, _, rest = wanted.partition(":")
    if level in OFFENCE_LEVELS:
        wanted = rest
    offences = [Offence(**row) for row in rows_of(
        con, "select offence_level as level, offence_code as code, offence_name as name from offences "
        "order by list_position(?, offence_level), offence_code", [OFFENCE_LEVELS])]
    if level in OFFENCE_LEVELS:
        offences = [offence for offence in offences if offence.level == level]
    folded = " ".join(wanted.split()).casefold()
    exact = [o for o in offences if folded == o.code.casefold()] or [o for o in offences if folded == o.name.casefold()]
    if exact:
        return exact[0]
    fits = [o for o in offences if all(word in o.name.casefold() for word in folded.split())]
    if len(fits) == 1 or len({o.name for o in fits}) == 1:
        return fits[0]
    if fits:
        raise NotFound(f'"{wanted}" fits {len(fits)} offences: {some([f"{o.code} {o.name}" for o in fits])}. Give a code.')
    near = difflib.get_close_matches(folded, [o.name.casefold() for o in offences], n=5, cutoff=0.5)
    names = [f"{o.code} {o.name}" for name in near for o in offences if o.name.casefold() == name]
    raise NotFound(f'No offence fits "{wanted}".' + (f" Nearest: {some(names)}." if names else ""))


def find_area(names: Sequence[str], wanted: str) -> str:
    """One of the names, matched without case; a part of it suffices where it is unique."""
    folded = " ".join(wanted.split()).casefold()
    exact = [name for name in names if name.casefold() == folded]
    part = exact or [name for name in names if folded in name.casefold()]
    if len(part) == 1:
        return part[0]
    if part:
        raise NotFound(f'"{wanted}" is part of {len(part)} names: {some(part)}. Give more of one.')
    by_fold = {name.casefold(): name for name in names}
    near = [name for name in names if name.casefold() in folded]
    near += [by_fold[n] for n in difflib.get_close_matches(folded, by_fold, n=3, cutoff=0.6) if by_fold[n] not in near]
    raise NotFound(f'No area in this table is called "{wanted}".' + (f" Nearest: {some(near)}." if near else ""))


def ranked_table(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: str, wanted: str, basis: Basis
) -> Answer:
    """The rows of one ranked table, ranked ones first, on a basis. Raises NotFound where there is no such table."""
    if level not in LEVELS:
        raise NotFound(f'expected a level {", ".join(list(LEVELS)[:-1])} or {list(LEVELS)[-1]}, found "{level}".')
    offence = find_offence(con, wanted)
    if basis.population_vintage is not None:
        _check_vintage(con, basis, half_year)
    source, parameters = basis.source
    rows = rows_of(
        con,
        f"from {source} where half_year = ? and level = ? and offence_level = ? and offence_code = ? "
        "order by rank nulls last, status, area_name",
        [*parameters, str(half_year), level, offence.level, offence.code],
    )
    if not rows:
        raise NotFound(_why_no_rows(con, half_year, level, offence, basis))
    return Answer(half_year, level, offence, rows, releases_of(con, rows))


def releases_of(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The releases that rows of rates come from: id, day of publication, whether simulated, what a manifest says of it."""
    return rows_of(
        con, "select release_id, published, simulated, note from releases where release_id in (select unnest(?)) order by 1",
        [sorted({row["release_id"] for row in rows})])


def pieces_of(con: duckdb.DuckDBPyConnection, level: str) -> dict[str, str]:
    """Name of each piece that a release publishes or once published → the area that it is part of now."""
    rows = rows_of(
        con, "select p.area_name as piece, w.area_name as whole from crime_rates_core.area_members as m "
        "join crime_rates_core.areas as p on p.area_key = m.member_key "
        "join crime_rates_core.areas as w on w.area_key = m.area_key "
        "where m.basis = 'harmonised' and p.area_key <> w.area_key and p.level = w.level and w.level = ?", [level])
    return {row["piece"]: row["whole"] for row in rows}


def area_in(con: duckdb.DuckDBPyConnection, answer: Answer, wanted: str) -> str:
    """The area of a table that a name means. Raises NotFound, which says so where the area stands there in pieces."""
    names = [row["area_name"] for row in answer.rows]
    try:
        return find_area(names, wanted)
    except NotFound:
        pieces = pieces_of(con, answer.level)
        folded = " ".join(wanted.split()).casefold()
        parts = sorted(piece for piece, whole in pieces.items() if whole.casefold() == folded and piece in names)
        if not parts:
            raise
        raise NotFound(f"{pieces[parts[0]]} is published in pieces in {answer.half_year}: {some(parts)}. "
                       "Give one of them, or --area-basis harmonised for the whole.") from None


def _check_vintage(con: duckdb.DuckDBPyConnection, basis: Basis, half_year: HalfYear) -> None:
    year = basis.population_year or half_year.year.start - 1
    held = [row["vintage"] for row in rows_of(
        con, "select distinct vintage from populations where year = ? order by 1", [year])]
    if basis.population_vintage not in held:
        have = f"those of {some([str(v) for v in held])}" if held else "none"
        raise NotFound(f"No mid-{year} population estimate was published on {basis.population_vintage}; held: {have}.")


def _why_no_rows(
    con: duckdb.DuckDBPyConnection, half_year: HalfYear, level: str, offence: Offence, basis: Basis
) -> str:
    held = half_years_held(con, level)
    kind = PUBLISHED_LEVELS[level]
    if not held:
        return f"The database holds no {LEVELS[level]} ({level}) table."
    if basis.as_of is not None and str(half_year) in held:
        first = rows_of(con, "select min(published) as day from releases where table_kind = ?", [kind])[0]["day"]
        return f"On {basis.as_of} no {kind} release that is held covered {half_year}; the first is of {first}."
    if str(half_year) not in held:
        return f"No {kind} release covers {half_year}; held: {held[0]} to {held[-1]}."
    seen = rows_of(con, "select first_half_year, last_half_year from offences where offence_level = ? and offence_code = ?",
                   [offence.level, offence.code])[0]
    return (f"{offence.code} {offence.name} has no rows in {half_year} at level {level}; "
            f"it stands from {seen['first_half_year']} to {seen['last_half_year']}.")


def half_years_held(con: duckdb.DuckDBPyConnection, level: str) -> list[str]:
    """The half-years that releases of a level cover, in order."""
    return [row["half_year"] for row in rows_of(con, "select half_year from half_years where level = ? order by 1", [level])]


def some(names: Sequence[str], most: int = 8) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
