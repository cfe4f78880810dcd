"""Writes data/tables/<half-year>/<level>.csv and .parquet from the published database: ordered by offence and rank."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.files import sync, write_text
from sql.contract import RANKED_RATES
from transforms.periods import HalfYear

STAMP = ".build"


def export(database: Path, tables: Path) -> int:
    """Write a pair of files for each half-year and level; returns how many pairs, 0 when they are of this build already."""
    stamp = tables / STAMP
    if stamp.exists() and stamp.read_text(encoding="utf-8") == database.name:
        return 0
    stamp.unlink(missing_ok=True)
    columns = ", ".join(c.name for c in RANKED_RATES.columns)
    with duckdb.connect(str(database), read_only=True) as con:
        pairs = con.execute("select half_year, level from half_years order by all").fetchall()
        for half_year, level in pairs:
            folder = tables / HalfYear.parse(half_year).slug
            folder.mkdir(parents=True, exist_ok=True)
            for suffix, options in (("csv", "format csv, header"), ("parquet", "format parquet, compression zstd")):
                aside = folder / f".{level}.{suffix}.part"
                con.execute(
                    f"copy (select {columns} from ranked_rates where half_year = $half_year and level = $level "
                    f"order by offence_level, offence_code, rank nulls last, area_name) to '{_escaped(aside)}' ({options})",
                    {"half_year": half_year, "level": level},
                )
                sync(aside)
                aside.replace(folder / f"{level}.{suffix}")
    write_text(stamp, database.name)
    return len(pairs)


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
