"""Where the counts of a figure stand in the published workbooks, as the lake keeps their rows, and what they are called there."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from flows.common.package_data import packaged_folder
from flows.queries.connection import fetch_records, fetch_rows
from flows.queries.figure import CURRENT, Figure
from flows.storage.data_store import MANIFESTS, DataStore

Key = TypeVar("Key")


@dataclass(frozen=True)
class RowPlace:
    """Rows of one sheet of a published file that count in one quarter."""

    quarter: int
    file_name: str
    sheet: str
    rows: list[int]


@dataclass(frozen=True)
class ChangedName:
    """An area or an offence that the release calls otherwise than the newest one."""

    code: str | None  # of an offence; None of an area
    then: str
    now: str


@dataclass(frozen=True)
class ReclassifiedCodes:
    """Offence codes that the release files under another heading than the newest one."""

    heading: str  # the other heading: the release's where they are counted here, else today's
    codes: list[str]
    is_counted: bool


@dataclass(frozen=True)
class FigureSources:
    """The rows of the workbooks that a figure adds up, and what the release calls otherwise than the newest one."""

    missing_releases: list[str]  # releases that the lake lacks
    places: list[RowPlace]
    rows_by_member: dict[str, list[int]]  # area of the release → its rows
    rows_by_code: dict[str, list[int]]  # offence code → its rows
    sums: dict[int, int | None]  # quarter → what its rows add up to: the database's count, if that was built from this lake
    changed_areas: list[ChangedName]
    changed_offences: list[ChangedName]
    moved_codes: list[ReclassifiedCodes]


@dataclass(frozen=True)
class _SourceRow:
    """A row of a workbook about the area in the half-year, of any offence."""

    member: str
    quarter: int
    area_name: str
    offence_code: str
    offence_name: str
    offence_subgroup: str | None
    offence_group: str | None
    current_name: str
    current_subgroup: str | None
    current_group: str | None
    offences: int | None
    file_name: str
    sheet: str
    row: int
    is_counted: bool  # whether the figure counts it


def fetch_sources(con: duckdb.DuckDBPyConnection, figure: Figure, store: DataStore, releases: Sequence[str]) -> FigureSources:
    """The rows of these releases that the figure counts, and the names that they bear there.

    Of a remote data store, the rows are downloaded first.
    """
    _download_rows(store, releases)
    year = figure.table.half_year.year
    files = {name: sorted((store.folder / "lake" / "offences").glob(f"{name}.*/{year.slug}.parquet")) for name in releases}
    rows = _fetch_rows(con, figure, [str(paths[-1]) for paths in files.values() if paths])
    counted = [row for row in rows if row.is_counted]
    changed = {(row.area_name, row.member) for row in rows if row.area_name != row.member}
    described = {(r.offence_code, r.offence_name, r.current_name) for r in counted if r.offence_name != r.current_name}
    return FigureSources(
        [name for name, paths in files.items() if not paths],
        [
            RowPlace(*place, numbers)
            for place, numbers in sorted(_grouped(counted, lambda row: (row.quarter, row.file_name, row.sheet)).items())
        ],
        _grouped(counted, lambda row: row.member),
        _grouped(counted, lambda row: row.offence_code),
        _sums(counted),
        [ChangedName(None, then, now) for then, now in sorted(changed)],
        [ChangedName(*names) for names in sorted(described)],
        _moved_codes(rows, figure.table.offence.level, figure.table.offence.code),
    )


def _download_rows(store: DataStore, releases: Sequence[str]) -> None:
    """Have the rows of these releases and of the populations on this host; of a local store they are."""
    store.fetch_manifests("lake")
    partitions = [manifest.parent for manifest in sorted((store.folder / "lake").glob(f"*/[!.]*/{MANIFESTS['lake']}"))]
    store.fetch_partitions(one for one in partitions if one.parent.name == "populations" or one.stem in releases)


def _fetch_rows(con: duckdb.DuckDBPyConnection, figure: Figure, files: list[str]) -> list[_SourceRow]:
    """The rows of these files that stand for the area's quarters, of every offence code."""
    names = _published_names(con, figure)
    if not files or not names:
        return []
    return fetch_records(
        con,
        _SourceRow,
        "select n.member, p.quarter, p.area_name, p.offence_code, p.offence_name, p.offence_subgroup, p.offence_group, "
        "o.offence_name as current_name, o.subgroup as current_subgroup, o.offence_group as current_group, "
        'p.offences, p.file_name, p.sheet, p."row", exists (from crime_rates_core.count_history as c '
        "join crime_rates_core.offence_rollup as r on r.offence_key = c.offence_key and r.offence_level = ? and r.code = ? "
        "join crime_rates_core.area_members as m on m.member_key = c.area_key and m.basis = 'published' and m.area_key = ? "
        f"where c.offence_key = o.offence_key and c.quarter_key in (?, ?) and c.valid_to = {CURRENT}) as is_counted "
        "from read_parquet(?, union_by_name = true, hive_partitioning = false) as p "
        "join (select unnest(?) as published_name, unnest(?) as member) as n on n.published_name = p.area_name "
        "join crime_rates_core.offences as o on o.offence_code = p.offence_code "
        "where p.financial_year = ? and p.quarter in (?, ?) and p.release_id = (select q.release_id "
        "from crime_rates_core.release_quarters as q where q.level = ? and q.quarter_key = ? + p.quarter - 1 "
        f"and q.valid_to = {CURRENT})",
        [
            figure.table.offence.level,
            figure.table.offence.code,
            figure.area_key,
            *figure.quarter_keys,
            files,
            list(names),
            list(names.values()),
            str(figure.table.half_year.year),
            *figure.quarters,
            figure.release_level,
            figure.start_year * 4,
        ],
    )


def _published_names(con: duckdb.DuckDBPyConnection, figure: Figure) -> dict[str, str]:
    """Each name under which the area, or a force of it, stands in a release of that year → its name today."""
    members = {
        row["area_name"]
        for row in fetch_rows(
            con,
            "select a.area_name from crime_rates_core.area_members as m join crime_rates_core.areas as a "
            "on a.area_key = m.member_key where m.basis = 'published' and m.area_key = ?",
            [figure.area_key],
        )
    }
    year = str(figure.table.half_year.year)
    with (packaged_folder("reference") / "areas.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["published_name"]: row["area_name"]
            for row in csv.DictReader(file)
            if row["level"] == figure.release_level
            and row["area_name"] in members
            and (row["valid_from"] or "0000/00") <= year <= (row["valid_to"] or "9999/99")
        }


def _grouped(rows: Iterable[_SourceRow], key: Callable[[_SourceRow], Key]) -> dict[Key, list[int]]:
    """Key of a row → the numbers of such rows in their sheets, in order."""
    groups: dict[Key, list[int]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row.row)
    return {name: sorted(numbers) for name, numbers in groups.items()}


def _sums(rows: Iterable[_SourceRow]) -> dict[int, int | None]:
    """Quarter → the sum of its rows; None where every one says N/a."""
    sums: dict[int, int | None] = {}
    for row in rows:
        sums.setdefault(row.quarter, None)
        if row.offences is not None:
            sums[row.quarter] = (sums[row.quarter] or 0) + row.offences
    return sums


def _moved_codes(rows: Iterable[_SourceRow], level: str, heading: str) -> list[ReclassifiedCodes]:
    """The codes that the release files elsewhere though they count here, and those filed here that do not count."""
    if level not in ("subgroup", "group"):
        return []
    moved: dict[tuple[str, bool], set[str]] = {}
    for row in rows:
        then = row.offence_subgroup if level == "subgroup" else row.offence_group
        now = row.current_subgroup if level == "subgroup" else row.current_group
        if then is not None and row.is_counted != (then == heading):
            moved.setdefault((then if row.is_counted else now or "no heading", row.is_counted), set()).add(row.offence_code)
    return [ReclassifiedCodes(label, sorted(codes), is_counted) for (label, is_counted), codes in sorted(moved.items())]
