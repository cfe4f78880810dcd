"""Find an offence, an area or a half-year by what a person types."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import duckdb

from flows.common.wording import join_names
from flows.queries.connection import NotFound, fetch_rows
from flows.queries.levels import Level, OffenceLevel
from transforms.periods import HalfYear, HalfYearRange

FRAUD_LEFT = HalfYear.parse("2013-14-H1")  # Action Fraud has recorded it since (data/reference/recording_breaks.csv)


@dataclass(frozen=True)
class Offence:
    """An offence at one of the offence levels; above `code`, its code is its name."""

    level: OffenceLevel
    code: str
    name: str

    @property
    def title(self) -> str:
        """Its name with its code, or with its level where that is not plain: `Stalking (8Q)`, `Homicide (subgroup)`."""
        if self.level is OffenceLevel.TOTAL:
            return self.name
        return f"{self.name} ({self.code if self.level is OffenceLevel.CODE else self.level})"

    def title_in(self, half_year: HalfYear) -> str:
        """Its title in a half-year: the total says that it leaves out fraud, which forces have not recorded since March 2013."""
        without_fraud = self.level is OffenceLevel.TOTAL and half_year >= FRAUD_LEFT
        return f"{self.title} (excluding fraud)" if without_fraud else self.title


def find_offence(con: duckdb.DuckDBPyConnection, wanted: str) -> Offence:
    """An offence by code (8Q), by name (Stalking), or by words that stand in one name only; at any offence level.

    Where a subgroup and a group bear one name the subgroup is meant, unless the level is given: `group:Public order offences`.
    Raises NotFound, which names the nearest.
    """
    level, _, rest = wanted.partition(":")
    has_level = level in list(OffenceLevel)
    if has_level:
        wanted = rest
    offences = [
        Offence(OffenceLevel(row["offence_level"]), row["offence_code"], row["offence_name"])
        for row in fetch_rows(
            con,
            "select offence_level, offence_code, offence_name from offences "
            "order by list_position(?, offence_level), offence_code",
            [list(OffenceLevel)],
        )
        if not has_level or row["offence_level"] == level
    ]
    folded = _fold(wanted)
    exact = [o for o in offences if folded == o.code.casefold()] or [o for o in offences if folded == o.name.casefold()]
    if exact:
        return exact[0]
    matches = [o for o in offences if all(word in o.name.casefold() for word in folded.split())]
    matches = [o for o in matches if o.level is not OffenceLevel.BUNDLE] or matches  # an official name comes before one of ours
    if len({o.name for o in matches}) == 1:
        return matches[0]
    if matches:
        names = join_names([f"{o.code} {o.name}" for o in matches])
        raise NotFound(f'"{wanted}" fits {len(matches)} offences: {names}. Give a code.')
    near = difflib.get_close_matches(folded, [o.name.casefold() for o in offences], n=5, cutoff=0.5)
    nearest = [f"{o.code} {o.name}" for name in near for o in offences if o.name.casefold() == name]
    raise NotFound(f'No offence fits "{wanted}".' + (f" Nearest: {join_names(nearest)}." if nearest else ""))


def find_area(names: Sequence[str], wanted: str, aliases: Mapping[str, str] = MappingProxyType({})) -> str:
    """One of the names, matched without case; a part of it suffices where it is unique.

    `aliases` are other names of the same areas, such as Shepway for Folkestone and Hythe; apostrophes, dashes and the like count
    in no name. Raises NotFound, which names the nearest.
    """
    folded = _fold(wanted)
    exact = [name for name in names if name.casefold() == folded]
    also = {name: name for name in names} | {alias: name for alias, name in aliases.items() if name in names}
    alike = sorted({name for alias, name in also.items() if _fold_marks(alias) == _fold_marks(wanted)})
    matches = exact or alike or [name for name in names if folded in name.casefold()]
    if not matches:
        matches = sorted({name for alias, name in also.items() if _fold_marks(wanted) in _fold_marks(alias)})
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotFound(f'"{wanted}" is part of {len(matches)} names: {join_names(matches)}. Give more of one.')
    by_folded = {name.casefold(): name for name in names}
    near = [name for name in names if name.casefold() in folded]
    close = difflib.get_close_matches(folded, by_folded, n=3, cutoff=0.6)
    near += [by_folded[name] for name in close if by_folded[name] not in near]
    raise NotFound(f'No area in this table is called "{wanted}".' + (f" Nearest: {join_names(near)}." if near else ""))


def is_named(name: str, wanted: str) -> bool:
    """Whether what was typed is the whole name, but for case and spaces."""
    return name.casefold() == _fold(wanted)


def fetch_aliases(con: duckdb.DuckDBPyConnection, level: str) -> dict[str, str]:
    """Every name under which an area of a level was ever published → the name that it goes by here."""
    rows = fetch_rows(
        con,
        "select n.name, a.area_name from crime_rates_core.area_names as n join crime_rates_core.areas as a using (area_key) "
        "where n.level = ? order by all",
        [level],
    )
    return {row["name"]: row["area_name"] for row in rows}


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


def fetch_half_years(con: duckdb.DuckDBPyConnection, level: Level) -> list[HalfYear]:
    """The half-years that releases of a level cover, in order. Raises NotFound where there are none."""
    rows = fetch_rows(con, "select half_year from half_years where level = ? order by 1", [level])
    if not rows:
        raise NotFound(f"The database holds no {level.label} ({level}) table.")
    return [HalfYear.parse(row["half_year"]) for row in rows]


def fetch_offence_spans(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], HalfYearRange]:
    """Offence level and code → the half-years from the first to the last with rows of that offence."""
    rows = fetch_rows(con, "select offence_level, offence_code, first_half_year, last_half_year from offences")
    return {
        (row["offence_level"], row["offence_code"]): HalfYearRange(
            HalfYear.parse(row["first_half_year"]), HalfYear.parse(row["last_half_year"])
        )
        for row in rows
    }


def fetch_offence_span(con: duckdb.DuckDBPyConnection, offence: Offence) -> HalfYearRange:
    """The half-years from the first to the last with rows of an offence."""
    return fetch_offence_spans(con)[offence.level, offence.code]


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _fold_marks(text: str) -> str:
    """A name without case and marks: King's Lynn is Kings Lynn, Devon & Cornwall is Devon and Cornwall."""
    plain = re.sub(r"['\u2018\u2019\u02bc`.]", "", text.casefold().replace("&", " and "))
    return " ".join(re.sub(r"[-\u2010-\u2015_,/]", " ", plain).split())
