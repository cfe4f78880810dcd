"""The area pages: every offence group now and over the half-years, areas of similar size, what was revised since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from flows.queries import series
from flows.queries.connection import fetch_rows
from flows.queries.lookups import fetch_area_pieces
from flows.queries.series import Break
from flows.report import charts, queries
from flows.report.model import NATION, Entry, Place, Site
from flows.report.queries import Rows
from flows.report.templating import page
from transforms.periods import HalfYear, HalfYearRange

SIMILAR = 6  # areas of similar size that stand beside an area


@dataclass(frozen=True)
class History:
    """One offence in one area: its half-years in order, and what breaks them beyond what breaks all offences."""

    entry: Entry
    rows: list[tuple[HalfYear, dict[str, Any] | None, str]]  # the row, if there is one, and kinds of breaks there
    breaks: list[Break]
    own: list[Break]

    @property
    def known(self) -> int:
        """How many half-years have a rate."""
        return sum(row is not None and row["rank"] is not None for _, row, _ in self.rows)


@dataclass
class Breaks:
    """What breaks the series of areas; what is the same for many areas is asked once."""

    con: duckdb.DuckDBPyConnection
    site: Site
    level: str
    held: set[str] = field(init=False)
    seen: dict[tuple[str, str], dict[str, str]] = field(init=False)
    curated: set[tuple[str, str]] = field(init=False)
    recorded: dict[Any, list[Break]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.held = {
            row["half_year"] for row in fetch_rows(self.con, "select half_year from half_years where level = ?", [self.level])
        }
        self.seen = {
            (row["offence_level"], row["offence_code"]): row
            for row in fetch_rows(self.con, "select offence_level, offence_code, first_half_year, last_half_year from offences")
        }
        self.curated = {
            (row["level"], row["area_name"])
            for row in fetch_rows(self.con, "from crime_rates_core.recording_breaks")
            if row["area_name"]
        }

    def span(self, entry: Entry) -> HalfYearRange:
        """The half-years that a series of the offence runs over: as `crime-rates series` has it."""
        seen = self.seen[entry.key]
        return HalfYearRange(
            HalfYear.parse(max(min(self.held), seen["first_half_year"])),
            HalfYear.parse(min(max(self.held), seen["last_half_year"])),
        )

    def touching(self, area: str) -> frozenset[tuple[str, str]]:
        """The areas with a curated change of recording that an area is, lies in or consists of."""
        return frozenset(self.curated & series.fetch_forces(self.con, area, self.level)) if self.curated else frozenset()

    def of(
        self,
        area: str,
        touching: frozenset[tuple[str, str]],
        entry: Entry,
        rows: dict[HalfYear, dict[str, Any] | None],
        boundaries: list[Break],
    ) -> list[Break]:
        """The breaks of one series, in the order of time; `boundaries` are those of the area whatever the offence."""
        start, end = min(rows), max(rows)
        key = (touching, entry.key, start, end)
        if key not in self.recorded:
            self.recorded[key] = series.find_recording_changes(
                self.con, area, self.level, entry.offence, self.seen[entry.key], rows
            )
        found = [
            *series.find_gaps(rows, self.held, entry.offence, self.seen[entry.key]),
            *(
                replace(b, first=max(b.first, start), last=min(b.last, end))
                for b in boundaries
                if b.last >= start and b.first <= end
            ),
            *self.recorded[key],
        ]
        return sorted(found, key=lambda b: (b.first, ("gap", "boundaries", "recording").index(b.kind), b.what))


def files(con: duckdb.DuckDBPyConnection, site: Site, level: str, places: Sequence[Place]) -> Iterator[tuple[str, str]]:
    """(address, text) of the pages of some areas of a level."""
    areas = [place.name for place in places]
    now, past = queries.area_now(con, site, level, areas), queries.histories(con, level, areas)
    revised = queries.revised_areas(con, site, level, areas)
    nation = queries.histories(con, "country", [NATION])[NATION]
    beside = queries.nation(con, site.half_year)
    pieces, sizes = fetch_area_pieces(con, level), queries.sizes(con, site, level)
    breaks, ties = Breaks(con, site, level), queries.ties(con, site, level)
    national = {(row["half_year"], row["offence_level"], row["offence_code"]): row for row in nation}
    for place in places:
        histories = _histories(breaks, place, past[place.name])
        yield (
            place.page,
            page(
                "area.html",
                site,
                at=place.page,
                title=place.name,
                levels=[level, "country"],
                place=place,
                banner=_banner(site, level, past[place.name]),
                now=_now(site, now[place.name]),
                ties=ties,
                beside=beside,
                whole=pieces.get(place.name),
                pieces=sorted(p for p, whole in pieces.items() if whole == place.name and (level, p) in site.places),
                histories=histories,
                national=national,
                similar=_similar(site, place, sizes),
                revised=[row for row in revised if row["area_name"] == place.name],
            ),
        )


def _banner(site: Site, level: str, rows: Rows) -> str | None:
    """Which of an area's half-years are simulated, where those of the page's own half-year are not."""
    releases = {row["release_id"] for row in rows}
    if site.is_simulated(level) or not releases & site.simulated:
        return None
    return f"SIMULATED in part: {', '.join(sorted(releases & site.simulated))}. Not Home Office figures: do not quote them."


def _now(site: Site, rows: Rows) -> list[tuple[Entry, dict[str, Any]]]:
    """The half-year's rows in the order of the offences."""
    by_key = {(row["offence_level"], row["offence_code"]): row for row in rows}
    return [(entry, by_key[entry.key]) for entry in site.entries if entry.key in by_key]


def _histories(breaks: Breaks, place: Place, rows: Rows) -> list[History]:
    by_key: dict[tuple[str, str], dict[HalfYear, dict[str, Any]]] = {}
    parsed = {str(h): h for h in breaks.site.held}
    for row in rows:
        by_key.setdefault((row["offence_level"], row["offence_code"]), {})[parsed[row["half_year"]]] = row
    found: list[History] = []
    boundaries: list[Break] | None = None
    touching = breaks.touching(place.name)
    for entry in breaks.site.entries:
        if entry.key not in by_key or entry.offence.level not in ("total", "group"):
            continue
        calendar = {h: by_key[entry.key].get(h) for h in breaks.span(entry)}
        if boundaries is None:
            boundaries = series.find_boundary_changes(breaks.con, place.name, breaks.level, calendar)
        all_breaks = breaks.of(place.name, touching, entry, calendar, boundaries)
        common = found[0].breaks if found else []
        found.append(
            History(
                entry,
                [
                    (h, row, ", ".join(dict.fromkeys(b.kind for b in all_breaks if b.first <= h <= b.last)))
                    for h, row in calendar.items()
                ],
                all_breaks,
                [b for b in all_breaks if b not in common],
            )
        )
    return found


def _similar(site: Site, place: Place, sizes: Rows) -> dict[str, Any] | None:
    """The ranked areas nearest in population, the area among them, and their rows by offence; None where it has no rank."""
    totals = [row for row in sizes if row["offence_level"] == "total"]
    mine = next((row for row in totals if row["area_name"] == place.name), None)
    if mine is None or len(totals) <= 3 * SIMILAR:
        return None
    near = sorted(totals, key=lambda row: (abs(row["population"] - mine["population"]), row["area_name"]))[: SIMILAR + 1]
    names = {row["area_name"] for row in near}
    rows = {(row["area_name"], row["offence_level"], row["offence_code"]): row for row in sizes if row["area_name"] in names}
    near.sort(key=lambda row: (-row["population"], row["area_name"]))
    return {
        "totals": near,
        "rows": rows,
        "scale": charts.scale(near),
        "entries": [
            e for e in site.entries if e.offence.level in ("total", "group") and any((name, *e.key) in rows for name in names)
        ],
    }
