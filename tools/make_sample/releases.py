"""The workbooks of the sample: their sheets, in the published layouts, and what their covers say is real and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests.support import releases
from tools.make_sample.files import SAMPLE, write_manifest
from tools.make_sample.home_office import NEW_YEAR, NOT_AT_CSP_LEVEL, OLD_YEAR, YEARS, Count, force_counts, partnerships
from tools.make_sample.newspaper import FIRST_PUBLISHED_ON, as_first_released, printed_quarters
from tools.make_sample.shares import Shares, split_counts

PUBLISHED_ON = date(2026, 4, 23)
SELECTION = "A selection of offences: groups and totals are not those of all recorded crime."
SIMULATED = (
    "SIMULATED: real force totals, split over real partnership names by their shares of the year ending June 2025 "
    "(ONS, Table C2). Not Home Office figures."
)
PRINTED = (
    "As printed in February 2016 are only, in stalking (8Q) of April to September 2015, Wirral 86, Liverpool 109, "
    "South Worcester 36 and North Worcestershire 30."
)
SIMULATED_FIRST = (
    "SIMULATED: the release of January 2016 could not be had. These are the figures of the later one, less the stalking "
    "offences that stand against the ranks printed in February 2016. Not Home Office figures."
)
TITLE = "Police recorded crime {} open data tables: a sample for crime-rates"
Splits = dict[Count, dict[str, int]]


def write_releases(published: Path) -> None:
    """Write the workbooks and their manifest."""
    counts = {year: [c for c in force_counts(published) if c.year == year] for year in YEARS}
    local = {year: [c for c in counts[year] if c.force not in NOT_AT_CSP_LEVEL] for year in YEARS}
    places = {year: partnerships(published, year) for year in YEARS}
    shares = Shares(published)
    old = split_counts(local[OLD_YEAR], places[OLD_YEAR], shares, {})
    new = split_counts(local[NEW_YEAR], places[NEW_YEAR], shares, printed_quarters())
    first = as_first_released(new, places[NEW_YEAR])
    later_note, first_note = f"{SIMULATED} {PRINTED}", f"{SIMULATED_FIRST} {PRINTED}"
    # (file, published, span, what the manifest notes, sheets)
    files: list[tuple[str, date, str, str, list[releases.Sheet]]] = [
        (
            "prc-pfa-mar2015-mar2016-sample-tables-230426.ods",
            PUBLISHED_ON,
            "2014/15-2015/16",
            "Real figures of the Home Office.",
            [
                _with_line(releases.cover(PUBLISHED_ON, TITLE.format("Police Force Area")), SELECTION),
                _notes(PUBLISHED_ON),
                *[(year.replace("/", "_"), [releases.PFA, *map(_force_row, counts[year])]) for year in YEARS],
            ],
        ),
        (
            "prc-csp-mar2015-sample-tables-230426.ods",
            PUBLISHED_ON,
            OLD_YEAR,
            SIMULATED,
            [
                ("Notes and definitions", _csp_cover(PUBLISHED_ON, SIMULATED)[1]),
                (OLD_YEAR.replace("/", "-"), [releases.CSP_2002, *_csp_rows(local[OLD_YEAR], old)]),
            ],
        ),
        (
            "prc-csp-mar2016-sample-tables-230426.ods",
            PUBLISHED_ON,
            NEW_YEAR,
            later_note,
            _csp_sheets(PUBLISHED_ON, later_note, local[NEW_YEAR], new),
        ),
        (
            "prc-csp-mar2016-sample-tables-210116.ods",
            FIRST_PUBLISHED_ON,
            f"{NEW_YEAR} Q1-Q2",
            first_note,
            _csp_sheets(FIRST_PUBLISHED_ON, first_note, [c for c in local[NEW_YEAR] if c in first], first),
        ),
    ]
    for name, _, _, _, sheets in files:
        releases.write_ods(SAMPLE / "releases" / name, sheets)
    write_manifest(
        "releases", [(name, "offences", day.isoformat(), span, f"{note} {SELECTION}") for name, day, span, note, _ in files]
    )


def _csp_sheets(day: date, note: str, counts: list[Count], splits: Splits) -> list[releases.Sheet]:
    """The sheets of a partnership table of 2015/16, in the layout since that year."""
    year = (NEW_YEAR.replace("/", "_"), [releases.CSP_2015, *_csp_rows(counts, splits)])
    return [_csp_cover(day, note), _notes(day), year]


def _csp_cover(day: date, note: str) -> releases.Sheet:
    return _with_line(releases.cover(day, TITLE.format("Community Safety Partnership"), note), SELECTION)


def _notes(day: date) -> releases.Sheet:
    return releases.notes([], day, ["Negative counts correct earlier quarters.", SELECTION])


def _csp_rows(counts: list[Count], splits: Splits) -> Iterator[releases.Row]:
    """Rows of the partnership table, in the order of the force table's."""
    for count in counts:
        for place, offences in splits[count].items():
            what = (count.description, count.group, count.subgroup, count.code)
            yield [count.year, count.quarter, count.force, place, *what, offences]


def _force_row(count: Count) -> releases.Row:
    force = count.force.replace("Devon and Cornwall", "Devon & Cornwall")  # as the force table has it
    what = (count.description, count.group, count.subgroup, count.code)
    return [count.year, count.quarter, force, *what, count.offences]


def _with_line(sheet: releases.Sheet, line: str) -> releases.Sheet:
    name, rows = sheet
    return name, [*rows, [line]]
