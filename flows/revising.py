"""What each release changed in the figures of earlier ones, and the ranks that this moved: for `revisions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from flows import printing, reading
from flows.harmless import plain
from flows.printing import number
from flows.reading import NotFound, Offence, rows_of, some

SMALLEST = 10  # below it a relative change is hearsay
FIELDS = (
    "list", "from_release", "to_release", "published", "level", "area_code", "area_name", "financial_year", "quarter",
    "half_year", "offence_code", "offence_name", "before", "after", "change", "rank_before", "rank_after", "areas_ranked_before",
    "areas_ranked_after", "status_before", "status_after",
)
CHANGES = """
from (
    select
        r.*, t.published, t.simulated, f.published as from_published, f.simulated as from_simulated,
        a.is_place, o.offence_name,
        r.financial_year || if(r.quarter <= 2, ' H1', ' H2') as half_year,
        coalesce(r.after, 0) - coalesce(r.before, 0) as change,
    from revisions as r
    join releases as t on t.release_id = r.to_release
    join releases as f on f.release_id = r.from_release
    join areas as a on a.level = r.level and a.area_name = r.area_name
    join offences as o on o.offence_level = 'code' and o.offence_code = r.offence_code
)
"""


@dataclass(frozen=True)
class Asked:
    """What revisions are wanted: each part is None where it is not narrowed down; names are as the database has them."""

    releases: list[str] | None = None
    area: str | None = None
    offence: Offence | None = None
    level: str | None = None

    @property
    def where(self) -> tuple[str, list[Any]]:
        """The condition, and its parameters."""
        parts: list[tuple[str, Any]] = []
        if self.releases is not None:
            parts.append(("to_release in (select unnest(?))", self.releases))
        if self.area is not None:
            parts.append(("area_name = ?", self.area))
        if self.level is not None:
            parts.append(("level = ?", self.level))
        if self.offence is not None and self.offence.level != "total":
            column = {"code": "offence_code", "subgroup": "subgroup", "group": "offence_group"}[self.offence.level]
            parts.append((f"offence_code in (select offence_code from offences where offence_level = 'code' and {column} = ?)",
                          self.offence.code))
        return " and ".join(["true", *(text for text, _ in parts)]), [value for _, value in parts]

    @property
    def words(self) -> str:
        offence = printing.offence_title(self.offence) if self.offence is not None else None
        level = reading.LEVELS[self.level] if self.level is not None else None
        return ", ".join(filter(None, [offence, self.area, level, *(self.releases or [])]))


@dataclass(frozen=True)
class Revisions:
    """Sums per release pair, and the biggest changes with their ranks; `aside` counts those of what is not a place."""

    asked: Asked
    top: int
    summary: list[dict[str, Any]]
    aside: list[dict[str, Any]]
    absolute: list[dict[str, Any]]
    relative: list[dict[str, Any]]


def printed(
    data_dir: Path, release: str | None, area: str | None, offence: str | None, level: str | None, top: int, format: str
) -> str:
    """The revisions as text, CSV or JSON. Raises NotFound for a release, area or offence that is not held."""
    if top < 1:
        raise ValueError(f"expected a number of changes of 1 or more, found {top}")
    with reading.connect(data_dir) as con:
        answer = revisions(con, _asked(con, release, area, offence, level), top)
        if format == "text" and not answer.summary:
            return plain(_nothing(con, answer.asked))
    if format == "csv":
        lists = (("absolute", answer.absolute), ("relative", answer.relative))
        both = [{"list": name, **row} for name, rows in lists for row in rows]
        return printing.csv_text([{field: row.get(field) for field in FIELDS} for row in both], FIELDS)
    if format == "json":
        biggest, relative = ([{field: row.get(field) for field in FIELDS[1:]} for row in rows]
                             for rows in (answer.absolute, answer.relative))
        return printing.json_text({
            "summary": answer.summary, "not_places": answer.aside, "biggest": biggest, "biggest_relative": relative})
    return plain(text(answer))


def _asked(
    con: duckdb.DuckDBPyConnection, release: str | None, area: str | None, offence: str | None, level: str | None
) -> Asked:
    releases = None
    if release is not None:
        held = [row["release_id"] for row in rows_of(con, "select release_id from releases order by published, release_id")]
        releases = [name for name in held if release.casefold() in name.casefold()]
        if not releases:
            raise NotFound(f'No release that is held has "{release}" in its name; held: {some(held)}.')
    name = None
    if area is not None:
        names = [row["area_name"] for row in rows_of(
            con, "select distinct area_name from areas where level in ('csp', 'pfa') and level = coalesce(?, level) order by 1",
            [level])]
        name = reading.find_area(names, area)
    return Asked(releases, name, reading.find_offence(con, offence) if offence is not None else None, level)


def revisions(con: duckdb.DuckDBPyConnection, asked: Asked, top: int) -> Revisions:
    """Sums and the biggest changes; unless an area is named, those of what is not a place are only counted."""
    where, parameters = asked.where
    sums = ("count(*) filter (before is not null and after is not null) as changed, "
            "count(*) filter (before is null) as added, count(*) filter (after is null) as dropped, "
            "sum(change)::bigint as net_change, sum(abs(change))::bigint as gross_change")
    summary = rows_of(
        con, f"select from_release, to_release, from_published, published, level, {sums}, "
        f"from_simulated or simulated as simulated, {CHANGES} where {where} "
        "group by all order by published, level, to_release, from_published, from_release", parameters)
    aside = [] if asked.area is not None else rows_of(
        con, f"select level, area_name, count(*) as counts, sum(change)::bigint as net_change, "
        f"sum(abs(change))::bigint as gross_change {CHANGES} where {where} and not is_place "
        "group by all order by gross_change desc, area_name", parameters)
    places = "true" if asked.area is not None else "is_place"
    ties = "published desc, level, area_name, financial_year, quarter, offence_code"
    absolute = rows_of(con, f"{CHANGES} where {where} and {places} order by abs(change) desc, {ties} limit {top:d}", parameters)
    relative = rows_of(
        con, f"{CHANGES} where {where} and {places} and before >= {SMALLEST} and after is not null "
        f"order by abs(change) / before desc, abs(change) desc, {ties} limit {top:d}", parameters)
    _add_ranks(con, [*absolute, *relative])
    return Revisions(asked, top, summary, aside, absolute, relative)


def _add_ranks(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Add to each row its rank on the eve of the release and on its day; one query a day."""
    days: dict[date, list[tuple[dict[str, Any], str]]] = {}
    for row in rows:
        days.setdefault(row["published"] - timedelta(days=1), []).append((row, "before"))
        days.setdefault(row["published"], []).append((row, "after"))
    for day, wanted in days.items():
        columns = ("half_year", "level", "offence_code", "area_name")
        values = {column: sorted({row[column] for row, _ in wanted}) for column in columns}
        # values, not a join: these conditions reach below the macro's window
        conditions = " and ".join(f"{column} in ({', '.join('?' * len(values[column]))})" for column in columns)
        found = {tuple(row[column] for column in columns): row for row in rows_of(
            con, f"select {', '.join(columns)}, rank, areas_ranked, status from ranked_rates_as_of(?) "
            f"where offence_level = 'code' and {conditions}", [day, *(value for column in columns for value in values[column])])}
        for row, side in wanted:
            then = found.get(tuple(row[column] for column in columns), {})
            row[f"rank_{side}"], row[f"status_{side}"] = then.get("rank"), then.get("status")
            row[f"areas_ranked_{side}"] = then.get("areas_ranked")


# ---------------------------------------------------------------- how it looks
def _nothing(con: duckdb.DuckDBPyConnection, asked: Asked) -> str:
    if not rows_of(con, "from revisions limit 1"):
        return "No release that is held changes another.\n"
    return f"No release that is held changes another in what was asked for: {asked.words}.\n"


def _signed(value: int) -> str:
    return f"{value:+,}" if value else "0"


def _rank(row: dict[str, Any]) -> str:
    """12 to 9 of 43; or why there is none."""
    before, after = row["rank_before"], row["rank_after"]
    names = [str(rank) if rank is not None else (status or "not in the table").replace("_", " ")
             for rank, status in ((before, row["status_before"]), (after, row["status_after"]))]
    if before is None and after is None:
        return f"not ranked: {names[1]}"
    of = row["areas_ranked_after"] or row["areas_ranked_before"]
    return f"{before} as before, of {of}" if before == after else f"{' to '.join(names)} of {of}"


def _table(rows: Sequence[dict[str, Any]], many_levels: bool) -> list[str]:
    cells = []
    for row in rows:
        name = f"{row['offence_code']} {row['offence_name']}"
        relative = f"{100 * row['change'] / row['before']:+,.0f}%" if (row["before"] or 0) >= SMALLEST else ""
        cells.append((
            row["area_name"] + (f" ({row['level']})" if many_levels else ""), f"{row['financial_year']} Q{row['quarter']}",
            name if len(name) <= 40 else name[:37].rstrip() + "...",
            "no row" if row["before"] is None else number(row["before"]),
            "no row" if row["after"] is None else number(row["after"]),
            _signed(row["change"]), relative, _rank(row),
        ))
    header = ("area", "quarter", "offence", "before", "after", "change", "", "rank in the half-year")
    return printing.aligned(header, cells, (3, 4, 5, 6))


def text(answer: Revisions) -> str:
    """The sums, then the biggest changes, as a journalist reads them."""
    words = answer.asked.words
    lines = ["What releases changed in the figures of earlier ones" + (f": {words}" if words else "")]
    if any(row["simulated"] for row in answer.summary):
        kinds = sorted({row["level"] for row in answer.summary if row["simulated"]})
        lines += [printing.SIMULATED, f"Simulated: level {', '.join(kinds)}."]
    cells = [(str(row["from_published"]), str(row["published"]), row["level"], number(row["changed"]), number(row["added"]),
              number(row["dropped"]), _signed(row["net_change"]), _signed(row["gross_change"]).lstrip("+"), row["to_release"])
             for row in answer.summary]
    header = ("from", "to", "level", "changed", "added", "dropped", "net change", "gross change", "release that changed them")
    lines += ["", *printing.aligned(header, cells, (3, 4, 5, 6, 7)),
              "Counts of a quarter, area and offence code that changed; net and gross change in offences."]
    if answer.aside:
        named = [f"{row['area_name']} ({number(row['counts'])} counts, {_signed(row['net_change'])} offences)"
                 for row in answer.aside]
        lines += [f"Not places, so in the sums only (--area shows them): {some(named, 5)}."]
    many = len({row["level"] for row in answer.summary}) > 1
    lists = (("The biggest changes", answer.absolute),
             (f"The biggest changes in proportion, of counts of {SMALLEST} or more", answer.relative))
    for title, rows in lists:
        if rows:
            lines += ["", title, *_table(rows, many)]
    pairs = {row["from_release"]: row["from_published"] for row in answer.summary}
    pairs |= {row["to_release"]: row["published"] for row in answer.summary}
    lines += ["", "Rank: of the area and offence code in the half-year, on the eve of the release and on its day; "
              "1 is the highest rate.",
              printing.sources([{"release_id": name, "published": day} for name, day in sorted(pairs.items())]), printing.SOURCE]
    return "\n".join(lines) + "\n"
