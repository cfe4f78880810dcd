"""The ranked tables: a page and a CSV file for each offence and level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from flows.queries.lookups import LEVELS
from flows.rendering.formats import csv_text
from flows.report import charts, queries, urls
from flows.report.model import Entry, Site
from flows.report.queries import Rows
from flows.report.templating import page
from sql.contract import RANKED_RATES

WITHIN = {"csp": ("Force", "force_name"), "pfa": ("Region", "region_name")}  # level → the column of what its areas lie in


def files(con: duckdb.DuckDBPyConnection, site: Site, level: str, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """(address, text) of the pages and CSV files of some offences at a level."""
    nation = queries.nation(con, site.half_year)
    for key, rows in queries.tables(con, site, level, entries).items():
        entry = site.entry(*key)
        address = urls.table_page(level, entry.slug)
        yield address, _page(site, level, entry, rows, nation.get(key), address)
        yield address.removesuffix("html") + "csv", table_csv(rows)


def _page(site: Site, level: str, entry: Entry, rows: Rows, nation: dict[str, Any] | None, address: str) -> str:
    ranked = [row for row in rows if row["rank"] is not None]
    on = charts.scale(ranked)
    line = nation if nation is not None and nation["rank"] is not None and nation["rate_per_10k"] <= on.top else None
    first = rows[0]
    return page(
        "table.html",
        site,
        at=address,
        levels=[level],
        ranked=ranked,
        printed=charts.ranks(ranked),
        title=f"{entry.offence.name} by {LEVELS[level]}",
        level=level,
        entry=entry,
        scale=on,
        nation=nation,
        line=on.share(line["rate_per_10k"]) if line else None,
        nothing=all(row["offences"] == 0 for row in rows),
        nought=bool(ranked) and charts.is_nought(ranked[0]),
        unranked=[row for row in rows if row["rank"] is None],
        noted=[row for row in ranked if row["status_note"]],
        within=WITHIN.get(level),
        areas=len(rows),
        year=first["population_year"],
        vintage=max((row["population_vintage"] for row in rows if row["population_vintage"]), default=None),
        slugs={row["area_name"]: site.places[level, row["area_name"]].slug for row in rows},
        family=family(site, entry, level),
        csv=entry.slug + ".csv",
    )


def family(site: Site, entry: Entry, level: str) -> dict[str, list[Entry]]:
    """The offences that an offence is a part of, and those beside or below it, as far as they have a table at the level."""
    here = [e for e in site.entries if level in e.levels]
    kind = entry.offence.level
    above = [
        e
        for e in here
        if e.offence.level == "total"
        and kind != "total"
        or e.offence.level == "group"
        and kind in ("subgroup", "code")
        and e.group == entry.group
        or e.offence.level == "subgroup"
        and kind == "code"
        and (e.group, e.subgroup) == (entry.group, entry.subgroup)
    ]
    if kind == "total":
        near = [e for e in here if e.offence.level == "group"]
    elif kind == "group":
        near = [e for e in here if e.offence.level == "subgroup" and e.group == entry.group]
    else:
        near = [e for e in here if e.offence.level == "code" and (e.group, e.subgroup) == (entry.group, entry.subgroup)]
    return {"above": above, "near": near}


def table_csv(rows: Rows) -> str:
    """All columns of rows of `ranked_rates`, unrounded, for spreadsheets: with a byte-order mark and Windows line ends."""
    return "\ufeff" + csv_text(rows, [column.name for column in RANKED_RATES.columns], line_end="\r\n")
