"""What one figure of `ranked_rates` is made of: its cells, their rows in the workbooks, and what stands beside it.

Its residents are in flows/queries/population_breakdown.py, its wording in flows/rendering/explanation_text.py. Looks up and adds:
a rate, an interval or a rank is read from `ranked_rates`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.common.package_data import packaged_folder
from flows.queries.connection import fetch_rows
from flows.queries.lookups import PUBLISHED_LEVELS
from flows.queries.ranked_table import RankedTable

Rows = list[dict[str, Any]]
MOST_CODES = 12
_NOW = "date '9999-12-31'"  # the valid_to of what stands now


@dataclass(frozen=True)
class Figure:
    """One row of a ranked table, and the key of its area."""

    answer: RankedTable
    row: dict[str, Any]
    area_key: int

    @property
    def name(self) -> str:
        return str(self.row["area_name"])

    @property
    def is_sum_of_forces(self) -> bool:
        return self.answer.level in ("region", "country")

    @property
    def quarters(self) -> list[int]:
        return [quarter.number for quarter in self.answer.half_year.quarters]

    @property
    def start_year(self) -> int:
        return self.answer.half_year.year.start


def figure(con: duckdb.DuckDBPyConnection, answer: RankedTable, area: str) -> Figure:
    """The figure of an area of a table. Lays its cells out in a temporary table `cells`: member × quarter × code."""
    row = next(row for row in answer.rows if row["area_name"] == area)
    key = fetch_rows(con, "select area_key from crime_rates_core.areas where level = ? and area_name = ?", [answer.level, area])
    found = Figure(answer, row, key[0]["area_key"])
    fetch_rows(
        con,
        "create or replace temp table cells as "
        "select a.area_name as member, c.quarter_key % 4 + 1 as quarter, o.offence_code, o.offence_name, c.offences, c.is_known "
        "from crime_rates_core.area_members as m "
        "join crime_rates_core.areas as a on a.area_key = m.member_key "
        "join crime_rates_core.count_history as c on c.area_key = m.member_key "
        "join crime_rates_core.offence_rollup as r on r.offence_key = c.offence_key and r.offence_level = ? and r.code = ? "
        "join crime_rates_core.offences as o on o.offence_key = c.offence_key "
        f"where m.basis = 'published' and m.area_key = ? and c.quarter_key in (?, ?) and c.valid_to = {_NOW}",
        [answer.offence.level, answer.offence.code, found.area_key, *(found.start_year * 4 + q - 1 for q in found.quarters)],
    )
    return found


# ---------------------------------------------------------------- offences
_COUNTS = (
    "sum(offences) filter (where quarter = ?)::bigint as first, "
    "coalesce(bool_and(is_known) filter (where quarter = ?), true) as first_known, "
    "sum(offences) filter (where quarter = ?)::bigint as second, "
    "coalesce(bool_and(is_known) filter (where quarter = ?), true) as second_known, "
    "sum(offences)::bigint as total, bool_and(is_known) as total_known"
)


def _four(figure: Figure) -> list[int]:
    first, second = figure.quarters
    return [first, first, second, second]


def quarters(con: duckdb.DuckDBPyConnection, figure: Figure) -> Rows:
    """One row a quarter of the half-year: the release that stands for it, if any, and the count, if any."""
    first, second = figure.quarters
    return fetch_rows(
        con,
        "select w.quarter, q.release_id, r.published, count(c.quarter)::integer as cells, sum(c.offences)::bigint as offences, "
        "coalesce(bool_and(c.is_known), true) as is_known from (select unnest([?, ?]) as quarter) as w "
        "left join crime_rates_core.release_quarters as q "
        f"on q.level = ? and q.quarter_key = ? + w.quarter - 1 and q.valid_to = {_NOW} "
        "left join releases as r on r.release_id = q.release_id left join cells as c on c.quarter = w.quarter "
        "group by all order by 1",
        [first, second, PUBLISHED_LEVELS[figure.answer.level], figure.start_year * 4],
    )


def forces(con: duckdb.DuckDBPyConnection, figure: Figure) -> Rows:
    """The forces that make up a region or country, biggest count first."""
    return fetch_rows(
        con, f"select member, {_COUNTS} from cells group by all order by total desc nulls last, member", _four(figure)
    )


def codes(con: duckdb.DuckDBPyConnection, figure: Figure) -> Rows:
    """The codes that an offence above code level is made of, biggest first; the rest in one row with code null.

    A code with a correction below nought or an N/a in it is always shown.
    """
    return fetch_rows(
        con,
        f"with codes as (select offence_code, offence_name, {_COUNTS} from cells group by all), "
        "placed as (select *, row_number() over (order by total desc nulls last, offence_code) as place from codes), "
        f"split as (select *, place <= {MOST_CODES} or coalesce(first < 0, false) or coalesce(second < 0, false) "
        "or not total_known as is_shown from placed) "
        "select offence_code, offence_name, first, first_known, second, second_known, total, total_known "
        "from (select * from split where is_shown order by place) union all "
        "select null, printf('%d more codes', count(*)), sum(first)::bigint, true, sum(second)::bigint, true, "
        "sum(total)::bigint, true from split where not is_shown having count(*) > 0",
        _four(figure),
    )


def source_rows(con: duckdb.DuckDBPyConnection, figure: Figure, lake: Path, releases: list[str]) -> list[str]:
    """Lay out the rows of the workbooks, as the lake keeps them, in a temporary table `source_rows`.

    Holds every code of the area's quarters; is_counted tells those of the figure. Returns the releases that the lake lacks.
    """
    year = figure.answer.half_year.year
    files = {release: sorted((lake / "offences").glob(f"{release}.*/{year.slug}.parquet")) for release in releases}
    members = {row["member"] for row in fetch_rows(con, "select distinct member from cells")}
    level = PUBLISHED_LEVELS[figure.answer.level]
    names = [
        row
        for row in _area_names()
        if row["level"] == level
        and row["area_name"] in members
        and (row["valid_from"] or "0000/00") <= str(year) <= (row["valid_to"] or "9999/99")
    ]
    held = [str(paths[-1]) for paths in files.values() if paths]
    if held and names:
        fetch_rows(
            con,
            "create or replace temp table source_rows as "
            "select n.member, p.* exclude (level, release_id), o.offence_name as newest_name, o.subgroup, "
            "o.offence_group as in_group, exists (from cells as c where c.offence_code = p.offence_code) as is_counted "
            "from read_parquet(?, union_by_name = true) as p "
            "join (select unnest(?) as published_name, unnest(?) as member) as n on n.published_name = p.area_name "
            "join crime_rates_core.offences as o on o.offence_code = p.offence_code "
            "where p.financial_year = ? and p.quarter in (?, ?) and p.release_id = (select q.release_id "
            "from crime_rates_core.release_quarters as q where q.level = ? and q.quarter_key = ? + p.quarter - 1 "
            f"and q.valid_to = {_NOW})",
            [
                held,
                [row["published_name"] for row in names],
                [row["area_name"] for row in names],
                str(year),
                *figure.quarters,
                level,
                figure.start_year * 4,
            ],
        )
    else:
        fetch_rows(
            con,
            "create or replace temp table source_rows (member varchar, quarter tinyint, area_name varchar, "
            "offence_code varchar, offence_name varchar, newest_name varchar, offence_group varchar, "
            "offence_subgroup varchar, subgroup varchar, in_group varchar, offences bigint, file_name varchar, "
            "sheet varchar, row integer, is_counted boolean)",
        )
    return [release for release, paths in files.items() if not paths]


def where(con: duckdb.DuckDBPyConnection, by: str) -> Rows:
    """Files, sheets and rows of the figure, by quarter, member or offence_code."""
    return fetch_rows(
        con,
        f'select {by} as key, file_name, sheet, list("row" order by "row") as rows '
        "from source_rows where is_counted group by all order by all",
    )


def sums_in_lake(con: duckdb.DuckDBPyConnection) -> dict[int, int | None]:
    """Quarter → what the rows of the figure add up to in the lake: the same as in the database, if that was built from it."""
    rows = fetch_rows(con, "select quarter, sum(offences)::bigint as offences from source_rows where is_counted group by all")
    return {row["quarter"]: row["offences"] for row in rows}


def names_then(con: duckdb.DuckDBPyConnection, figure: Figure) -> tuple[Rows, Rows, Rows]:
    """What the release calls otherwise: areas (then, now), offences (code, then, now), and codes that it groups otherwise.

    The last has label, codes and is_counted: counted here though filed under that label, or filed here but not counted.
    """
    areas = fetch_rows(
        con, "select distinct area_name as then, member as now from source_rows where area_name <> member order by 1"
    )
    offences = fetch_rows(
        con,
        "select distinct offence_code as code, offence_name as then, newest_name as now from source_rows "
        "where is_counted and offence_name <> newest_name order by all",
    )
    columns = {"subgroup": ("offence_subgroup", "subgroup"), "group": ("offence_group", "in_group")}
    if figure.answer.offence.level not in columns:
        return areas, offences, []
    then, now = columns[figure.answer.offence.level]
    moved = fetch_rows(
        con,
        f"select if(is_counted, {then}, {now}) as label, list(distinct offence_code order by offence_code) as codes, is_counted "
        f"from source_rows where is_counted and {then} <> ? or not is_counted and {then} = ? group by all order by all",
        [figure.answer.offence.code, figure.answer.offence.code],
    )
    return areas, offences, moved


def _area_names() -> list[dict[str, str]]:
    """The rows of areas.csv, of the checkout or of the wheel: which published name means which area."""
    with (packaged_folder("reference") / "areas.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------- what is set aside
_TABLE = "from ranked_rates where half_year = ? and offence_level = ? and offence_code = ?"


def _table(figure: Figure) -> list[Any]:
    return [str(figure.answer.half_year), figure.answer.offence.level, figure.answer.offence.code]


def set_aside(con: duckdb.DuckDBPyConnection, figure: Figure) -> Rows:
    """The areas of this table by status: how many, and their offences. Ranked ones first, last a row of all."""
    return fetch_rows(
        con,
        f"select status, count(*) as areas, sum(offences)::bigint as offences {_TABLE} and level = ? "
        "group by rollup (status) order by status is null, status <> 'ranked', status",
        [*_table(figure), figure.answer.level],
    )


def notes(con: duckdb.DuckDBPyConnection, figure: Figure) -> Rows:
    """Each note that withdraws figures of this table, with the areas that it touches."""
    return fetch_rows(
        con,
        f"select status_note as note, list(area_name order by area_name) as areas {_TABLE} and level = ? "
        "and status = 'withdrawn' group by all order by 1",
        [*_table(figure), figure.answer.level],
    )


def force_total(con: duckdb.DuckDBPyConnection, figure: Figure) -> dict[str, Any]:
    """A force's own count and what its partnerships add up to; nulls where a table is not held."""
    force = figure.row["force_name"]
    rows = fetch_rows(
        con,
        "select sum(offences) filter (where level = 'pfa')::bigint as force, "
        "sum(offences) filter (where level = 'csp')::bigint as partnerships, "
        "count(*) filter (where level = 'csp' and status <> 'unassigned') as places, "
        "list(area_name order by area_name) filter (where level = 'csp' and status = 'unassigned') as groups, "
        "sum(offences) filter (where level = 'csp' and status = 'unassigned')::bigint as in_groups, "
        f"bool_or(level = 'csp' and status = 'incomplete') as is_incomplete {_TABLE} "
        "and force_name = ? and level in ('csp', 'pfa')",
        [*_table(figure), force],
    )
    return rows[0]


def revisions(con: duckdb.DuckDBPyConnection, figure: Figure) -> Rows:
    """What later releases changed in the counts of this figure, newest first, the biggest first within a release."""
    return fetch_rows(
        con,
        "select v.to_release, v.from_release, r.published, v.area_name, v.quarter, v.offence_code, v.before, v.after "
        "from revisions as v join releases as r on r.release_id = v.to_release "
        "join crime_rates_core.areas as a on a.level = v.level and a.area_name = v.area_name "
        "join crime_rates_core.area_members as m on m.member_key = a.area_key and m.basis = 'published' and m.area_key = ? "
        "join crime_rates_core.offences as o on o.offence_code = v.offence_code "
        "join crime_rates_core.offence_rollup as l on l.offence_key = o.offence_key and l.offence_level = ? and l.code = ? "
        "where v.financial_year = ? and v.quarter in (?, ?) "
        "order by r.published desc, v.to_release, abs(coalesce(v.after, 0) - coalesce(v.before, 0)) desc, 4, 5, 6",
        [
            figure.area_key,
            figure.answer.offence.level,
            figure.answer.offence.code,
            str(figure.answer.half_year.year),
            *figure.quarters,
        ],
    )


def releases_held(con: duckdb.DuckDBPyConnection, figure: Figure) -> int:
    """How many releases that stood at some time for a quarter of the half-year are held, at most of one quarter."""
    rows = fetch_rows(
        con,
        "select count(*) as n from crime_rates_core.release_quarters where level = ? and quarter_key in (?, ?) "
        "group by quarter_key order by 1 desc limit 1",
        [PUBLISHED_LEVELS[figure.answer.level], *(figure.start_year * 4 + q - 1 for q in figure.quarters)],
    )
    return int(rows[0]["n"]) if rows else 0


def exact_limits(con: duckdb.DuckDBPyConnection, events: int) -> tuple[float, float] | None:
    """The exact 95% limits of a small count, as the models hold them; None where they hold none."""
    rows = fetch_rows(con, "select lower_limit, upper_limit from crime_rates_core.poisson_limits where events = ?", [events])
    return (rows[0]["lower_limit"], rows[0]["upper_limit"]) if rows else None
