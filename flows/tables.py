"""Writes data/tables/<half-year>/<level>.csv and .parquet from the published database: ordered by offence and rank.

Parquet has the rows as they are, CSV with its text made harmless to a spreadsheet.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.files import sync, write_text
from flows.harmless import csv_column
from sql.contract import RANKED_RATES
from transforms.periods import HalfYear

STAMP = ".build"


def export(database: Path, tables: Path) -> int:
    """Write a pair of files for each half-year and level; returns how many pairs, 0 when they are of this build already."""
    stamp = tables / STAMP
    if stamp.exists() and stamp.read_text(encoding="utf-8") == database.name:
        return 0
    stamp.unlink(missing_ok=True)
    plain = ", ".join(c.name for c in RANKED_RATES.columns)
    text = ", ".join(f"{csv_column(f'r.{c.name}')} as {c.name}" if c.type == "VARCHAR" else c.name for c in RANKED_RATES.columns)
    with duckdb.connect(str(database), read_only=True) as con:
        pairs = con.execute("select half_year, level from half_years order by all").fetchall()
        for half_year, level in pairs:
            folder = tables / HalfYear.parse(half_year).slug
            folder.mkdir(parents=True, exist_ok=True)
            for suffix, columns, options in (("csv", text, "format csv, header"),
                                             ("parquet", plain, "format parquet, compression zstd")):
                aside = folder / f".{level}.{suffix}.part"
                con.execute(
                    f"copy (select {columns} from ranked_rates as r where r.half_year = $half_year and r.level = $level "
                    f"order by r.offence_level, r.offence_code, r.rank nulls last, r.area_name) "
                    f"to '{_escaped(aside)}' ({options})",
                    {"half_year": half_year, "level": level},
                )
                sync(aside)
                aside.replace(folder / f"{level}.{suffix}")
    write_text(stamp, database.name)
    return len(pairs)


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
