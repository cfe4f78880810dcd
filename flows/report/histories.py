"""Each offence of an area over the half-years, and what breaks its series, as `crime-rates series` has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from flows.queries import breaks as series_breaks
from flows.queries.breaks import Break, OffenceKey
from flows.queries.levels import Level
from flows.queries.lookups import fetch_half_years, fetch_offence_spans
from flows.report.model import Site, SiteArea, SiteOffence
from sql.rows import RankedRate
from transforms.periods import HalfYear, HalfYearRange

_SeriesKey = tuple[OffenceKey, HalfYear, HalfYear]  # what code changes depend on: the offence, the first and last half-year


@dataclass(frozen=True)
class HistoryRow:
    """One half-year of a history: its row, if there is one, and the kinds of breaks there, as in "gap, recording"."""

    half_year: HalfYear
    rates: RankedRate | None
    break_kinds: str


@dataclass(frozen=True)
class History:
    """One offence in one area: its half-years in order, what breaks them, and what of it is not common to all offences."""

    offence: SiteOffence
    rows: list[HistoryRow]
    breaks: list[Break]
    own_breaks: list[Break]


class Histories:
    """The histories of areas of a level; what is the same for many areas is asked of the database once."""

    def __init__(self, con: duckdb.DuckDBPyConnection, site: Site, level: str) -> None:
        """Ask what is the same for all areas: half-years, the spans of offences, the breaks in what is counted."""
        self._con = con
        self._site = site
        self._level = Level(level)
        self._half_years = fetch_half_years(con, self._level)
        self._offence_spans = fetch_offence_spans(con)
        self._offence_breaks = series_breaks.fetch_offence_breaks(con)
        self._area_breaks = series_breaks.fetch_area_breaks(con, self._level)
        self._groups = series_breaks.fetch_offence_groups(con)
        self._code_changes: dict[_SeriesKey, list[Break]] = {}

    def of_area(self, area: SiteArea, rows: Sequence[RankedRate]) -> list[History]:
        """The histories of an area, of all offences first and then of each group; `rows` are its rows of all half-years."""
        by_offence: dict[tuple[str, str], dict[HalfYear, RankedRate]] = {}
        half_years = {str(half_year): half_year for half_year in self._site.half_years}
        for row in rows:
            by_offence.setdefault((row["offence_level"], row["offence_code"]), {})[half_years[row["half_year"]]] = row
        histories: list[History] = []
        boundary_changes: list[Break] | None = None
        for offence in self._site.offences:
            if offence.key not in by_offence or offence.level not in ("total", "group"):
                continue
            calendar = {h: by_offence[offence.key].get(h) for h in self._span(offence)}
            if boundary_changes is None:
                boundary_changes = series_breaks.find_boundary_changes(self._con, area.name, self._level, calendar)
            breaks = self._breaks(area.name, offence, calendar, boundary_changes)
            common = histories[0].breaks if histories else []
            histories.append(
                History(
                    offence,
                    [
                        HistoryRow(h, row, ", ".join(dict.fromkeys(b.kind for b in breaks if h in b)))
                        for h, row in calendar.items()
                    ],
                    breaks,
                    [b for b in breaks if b not in common],
                )
            )
        return histories

    def _span(self, offence: SiteOffence) -> HalfYearRange:
        """The half-years that a series of the offence runs over, as in `crime-rates series`."""
        span = self._offence_spans[offence.key]
        return HalfYearRange(max(self._half_years[0], span.first), min(self._half_years[-1], span.last))

    def _breaks(
        self,
        area: str,
        offence: SiteOffence,
        rows: series_breaks.Rows,
        boundary_changes: list[Break],
    ) -> list[Break]:
        """The breaks of one series, in the order of time; `boundary_changes` are those of the area whatever the offence."""
        start, end = min(rows), max(rows)
        span = self._offence_spans[offence.key]
        counting = [
            b
            for b in (
                *self._offence_breaks.get(offence.key, []),
                *self._area_breaks.get((area, self._groups[offence.key]), []),
            )
            if start <= b.first <= end
        ]
        key = (offence.key, start, end)
        if key not in self._code_changes:
            self._code_changes[key] = series_breaks.find_code_changes(self._con, offence.offence, span, rows, counting)
        breaks = [
            *series_breaks.find_gaps(rows, self._half_years, offence.offence, span),
            *(
                replace(b, first=max(b.first, start), last=min(b.last, end))
                for b in boundary_changes
                if b.last >= start and b.first <= end
            ),
            *counting,
            *self._code_changes[key],
        ]
        return series_breaks.sort_breaks(breaks)
