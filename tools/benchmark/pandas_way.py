"""The same tables in plain pandas and calamine: what the pipeline is measured against.

    python -m tools.benchmark.pandas_way RELEASES POPULATIONS LOOKUPS REFERENCE OUT

Written as a good analyst would: whole columns at a time, repeated texts as categories, workbooks read once, no more copies than
need be. No line of flows/, transforms/ or sql/ is used. tests/tools/test_benchmark.py holds its rates and ranks against theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pandas as pd

from tools.benchmark.pandas_areas import members_of, name_areas, withdrawals
from tools.benchmark.pandas_people import People, read_lookups, read_populations
from tools.benchmark.pandas_rates import ranked_rates
from tools.benchmark.pandas_releases import read_releases


def main(releases: Path, populations: Path, lookups: Path, reference: Path, out: Path) -> None:
    """Read everything, rank it on both sets of areas, and write a database and a pair of files per half-year and level."""
    areas = pd.read_csv(reference / "areas.csv", dtype=str)
    successions = pd.read_csv(reference / "area_successions.csv", dtype=str)
    bundles = pd.read_csv(reference / "offence_bundles.csv", dtype=str)
    figures, notes = read_releases(releases)
    offences = (
        figures.sort_values(["financial_year", "quarter"])
        .drop_duplicates("offence_code", keep="last")[["offence_code", "offence_name", "subgroup", "offence_group"]]
        .astype(str)
    )
    counts = name_areas(figures, areas)
    del figures
    people = People(
        read_populations(populations), read_lookups(lookups), areas, pd.read_csv(reference / "council_successions.csv", dtype=str)
    )
    years = sorted({int(str(year)[:4]) for year in counts["financial_year"].unique()})
    over = people.table(areas[["level", "area_name"]].drop_duplicates(), years)
    withdrawn = withdrawals(notes, pd.read_csv(reference / "withdrawn_figures.csv", dtype=str), counts, areas)
    out.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(out / "crime_rates.duckdb"))
    newest = counts.merge(areas.drop_duplicates(["level", "area_name"])[["level", "area_name", "area_code"]], how="left")
    con.register("newest", newest.drop(columns="is_known").sort_values(["level", "area_name", "financial_year", "quarter"]))
    con.execute("create table offence_counts as from newest")
    for basis, name in (("harmonised", "ranked_rates_harmonised"), ("published", "ranked_rates")):
        table = ranked_rates(counts, offences, areas, members_of(areas, successions, basis), over, withdrawn, bundles)
        con.register("a_table", table)
        con.execute(f"create table {name} as from a_table")
        con.unregister("a_table")
        if basis == "published":
            for (half_year, level), rows in table.groupby(["half_year", "level"], observed=True):
                folder = out / "tables" / str(half_year).replace("/", "-").replace(" ", "-")
                folder.mkdir(parents=True, exist_ok=True)
                rows.to_csv(folder / f"{level}.csv", index=False)
                rows.to_parquet(folder / f"{level}.parquet", index=False)
    con.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:6]))
