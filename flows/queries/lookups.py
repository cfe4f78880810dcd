"""Find an offence, an area or a half-year by what a person types."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from flows.queries.connection import NotFound, fetch_rows


def offence_title(offence: Offence) -> str:
    code = {"code": f" ({offence.code})", "total": ""}.get(offence.level, f" ({offence.level})")
    return f"{offence.name}{code}"


LEVELS = {"csp": "Community Safety Partnership", "pfa": "police force area", "region": "region", "country": "country"}
OFFENCE_LEVELS = ["code", "subgroup", "group", "total"]
PUBLISHED_LEVELS = {"csp": "csp", "pfa": "pfa", "region": "pfa", "country": "pfa"}  # level → the releases that it is made of


@dataclass(frozen=True)
class Offence:
    level: str
    code: str
    name: str


def find_offence(con: duckdb.DuckDBPyConnection, wanted: str) -> Offence:
    """An offence by code (8Q), by name (Stalking), or by words that stand in one name only; at any offence level.

    Where a subgroup and a group bear one name the subgroup is meant, unless the level is told: `group:Public order offences`.
    """
    level, _, rest = wanted.partition(":")
    if level in OFFENCE_LEVELS:
        wanted = rest
    offences = [
        Offence(**row)
        for row in fetch_rows(
            con,
            "select offence_level as level, offence_code as code, offence_name as name from offences "
            "order by list_position(?, offence_level), offence_code",
            [OFFENCE_LEVELS],
        )
    ]
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
        raise NotFound(f'"{wanted}" fits {len(fits)} offences: {join_names([f"{o.code} {o.name}" for o in fits])}. Give a code.')
    near = difflib.get_close_matches(folded, [o.name.casefold() for o in offences], n=5, cutoff=0.5)
    names = [f"{o.code} {o.name}" for name in near for o in offences if o.name.casefold() == name]
    raise NotFound(f'No offence fits "{wanted}".' + (f" Nearest: {join_names(names)}." if names else ""))


def find_area(names: Sequence[str], wanted: str) -> str:
    """One of the names, matched without case; a part of it suffices where it is unique."""
    folded = " ".join(wanted.split()).casefold()
    exact = [name for name in names if name.casefold() == folded]
    part = exact or [name for name in names if folded in name.casefold()]
    if len(part) == 1:
        return part[0]
    if part:
        raise NotFound(f'"{wanted}" is part of {len(part)} names: {join_names(part)}. Give more of one.')
    by_fold = {name.casefold(): name for name in names}
    near = [name for name in names if name.casefold() in folded]
    near += [by_fold[n] for n in difflib.get_close_matches(folded, by_fold, n=3, cutoff=0.6) if by_fold[n] not in near]
    raise NotFound(f'No area in this table is called "{wanted}".' + (f" Nearest: {join_names(near)}." if near else ""))


def fetch_area_pieces(con: duckdb.DuckDBPyConnection, level: str) -> dict[str, str]:
    """Name of each piece that a release publishes or once published → the area that it is part of now."""
    rows = fetch_rows(
        con,
        "select p.area_name as piece, w.area_name as whole from crime_rates_core.area_members as m "
        "join crime_rates_core.areas as p on p.area_key = m.member_key "
        "join crime_rates_core.areas as w on w.area_key = m.area_key "
        "where m.basis = 'harmonised' and p.area_key <> w.area_key and p.level = w.level and w.level = ?",
        [level],
    )
    return {row["piece"]: row["whole"] for row in rows}


def fetch_half_years(con: duckdb.DuckDBPyConnection, level: str) -> list[str]:
    """The half-years that releases of a level cover, in order."""
    return [row["half_year"] for row in fetch_rows(con, "select half_year from half_years where level = ? order by 1", [level])]


def join_names(names: Sequence[str], most: int = 8) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
