"""Writes data/tables/<half-year>/<level>.csv and .parquet from the published database: ordered by offence and rank.

Parquet has the rows as they are, CSV with its text made harmless to a spreadsheet.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.common.atomic_files import encode_json, fsync
from flows.common.sanitize import escape_csv_cell, escape_csv_column
from flows.storage.data_store import DataStore
from sql import quoted
from sql.contract import RANKED_RATES
from transforms.periods import HalfYear

FOLDER = "tables"
STAMP = ".written.json"
ORDER = ("offence_level", "offence_code", "rank", "area_name")
NO_RANK = 2**31 - 1
WRITERS = 2
UPLOADS = 8  # small files: the answers of an object store are what takes time


def export(store: DataStore, database: Path) -> int:
    """Write a pair of files for each half-year and level whose rows changed; returns how many pairs."""
    data = store.read(f"{FOLDER}/{STAMP}")
    before: dict[str, Any] = {"database": "", "rows": {}} if data is None else json.loads(data)
    if before["database"] == database.name:
        return 0
    files = store.list(FOLDER)
    store.remove(f"{FOLDER}/{STAMP}")  # until all are written
    with duckdb.connect(str(database), read_only=True) as con, ThreadPoolExecutor(WRITERS) as writers:
        rows = _hashes(con)
        changed = [
            pair for pair, value in rows.items() if before["rows"].get(pair) != value or not set(_names(pair)) <= set(files)
        ]
        con.execute("set threads = 1")  # a table is small: several at a time go faster than one on all cores
        safe = _safe_columns(con)
        tables = store.folder / FOLDER
        for written in [writers.submit(_write_pair, con.cursor(), tables / pair, safe) for pair in changed]:
            written.result()
    with ThreadPoolExecutor(UPLOADS) as uploads:
        for stored in [uploads.submit(store.store_file, name) for pair in changed for name in _names(pair)]:
            stored.result()
    store.write(f"{FOLDER}/{STAMP}", encode_json({"database": database.name, "rows": rows}))
    return len(changed)


def _names(pair: str) -> list[str]:
    return [f"{FOLDER}/{pair}{suffix}" for suffix in (".csv", ".parquet")]


def _hashes(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """<half-year>/<level> → a hash of its rows, good for as long as DuckDB hashes in the same way."""
    columns = ", ".join(f"r.{column.name}" for column in RANKED_RATES.columns)
    query = (
        f"select half_year, level, coalesce(sum(hash({columns})), 0)::varchar from half_years "
        "left join ranked_rates as r using (half_year, level) group by all"
    )
    return {
        f"{HalfYear.parse(half_year).slug}/{level}": f"{duckdb.__version__} {value}"
        for half_year, level, value in sorted(con.execute(query).fetchall())
    }


def _safe_columns(con: duckdb.DuckDBPyConnection) -> str:
    """The columns for CSV; a text column is made safe where it holds anything that a spreadsheet would run."""

    def is_harmful(name: str) -> bool:
        texts = con.execute(f"select distinct {name} from ranked_rates where {name} is not null").fetchall()
        return any(escape_csv_cell(text) != text for (text,) in texts)

    harmful = {c.name for c in RANKED_RATES.columns if c.type == "VARCHAR" and is_harmful(c.name)}
    return ", ".join(
        f"{escape_csv_column(f'r.{c.name}')} as {c.name}" if c.name in harmful else c.name for c in RANKED_RATES.columns
    )


def _write_pair(con: duckdb.DuckDBPyConnection, pair: Path, safe: str) -> None:
    """Write the rows of one half-year and level, joined once for both files."""
    pair.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(column.name for column in RANKED_RATES.columns)
    rows = con.execute(
        f"select {columns} from ranked_rates where half_year = $half_year and level = $level",
        {"half_year": str(HalfYear.parse(pair.parent.name)), "level": pair.name},
    ).to_arrow_table()
    order = "" if is_sorted(rows) else "order by " + ", ".join(f"r.{name} nulls last" for name in ORDER)
    con.register("r", rows)
    for suffix, selected, options in (("csv", safe, "format csv, header"), ("parquet", "*", "format parquet, compression zstd")):
        partial = pair.with_name(f".{pair.name}.{suffix}.part")
        con.execute(f"copy (select {selected} from r {order}) to {quoted(str(partial))} ({options})")
        fsync(partial)
        partial.replace(pair.with_suffix(f".{suffix}"))
    con.unregister("r")


def is_sorted(rows: pa.Table) -> bool:
    """Whether rows of one table are in ORDER already, nulls last. Facts are stored so, and joins mostly keep them so."""
    before, after = rows.slice(0, max(len(rows) - 1, 0)), rows.slice(1)
    equal: Any = pa.scalar(True)
    follows: Any = pa.scalar(False)
    for name in ORDER:
        earlier: Any = before[name]
        later: Any = after[name]
        if name == "rank":
            earlier, later = earlier.fill_null(NO_RANK), later.fill_null(NO_RANK)
        follows = pc.or_(follows, pc.and_(equal, pc.less(earlier, later)))
        equal = pc.and_(equal, pc.equal(earlier, later))
    return bool(pc.all(pc.or_(follows, equal), min_count=0).as_py())
