"""Street-level records, made from a seed, and the work that is measured on them: `python -m tools.scale.street TASK WORDS`.

One row per recorded crime, with the columns of data.police.uk: half a million a month, 44 forces, 35,672 small areas (LSOAs) of
unequal size, 14 types of crime. It holds a hundred million after 200 months, as that site does after 16 years.
Each task is a process of its own; its last line is its answer, in JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

A_MONTH = 500_000  # rows
SEED = 2026
THREADS = 2
TYPES = (
    "anti-social-behaviour",
    "violent-crime",
    "shoplifting",
    "criminal-damage-arson",
    "other-theft",
    "public-order",
    "vehicle-crime",
    "burglary",
    "drugs",
    "theft-from-the-person",
    "bicycle-theft",
    "robbery",
    "other-crime",
    "possession-of-weapons",
)  # the first is the most frequent
OUTCOMES = (
    "Investigation complete; no suspect identified",
    "Unable to prosecute suspect",
    "Status update unavailable",
    "Under investigation",
    "Court result unavailable",
    "Awaiting court outcome",
    "Offender given a caution",
    "Local resolution",
    "Further action is not in the public interest",
    "Suspect charged as part of another case",
)
# month `number` of the data: half of the records lie in a third of the areas, and a third of them is of the first type
MONTH = f"""
    with drawn as (
        select
            i,
            hash({SEED} + 4 * i) / 18446744073709551616.0 as for_area,
            hash({SEED} + 4 * i + 1) / 18446744073709551616.0 as for_type,
            hash({SEED} + 4 * i + 2) / 18446744073709551616.0 as for_outcome,
            hash({SEED} + 4 * i + 3) / 18446744073709551616.0 as for_place
        from range({{number}} * {A_MONTH}, ({{number}} + 1) * {A_MONTH}) as r(i)
    ),
    placed as (select *, floor(35672 * pow(for_area, 1.5))::integer as area from drawn)
    select
        md5(i::varchar)::uuid as crime_id,
        date '2010-01-01' + to_months({{number}}) as month,
        'force-' || lpad(floor(44 * pow(hash(area // 100) / 18446744073709551616.0, 1.7))::integer::varchar, 2, '0') as force,
        'E0' || (1000000 + area) as lsoa_code,
        round(50 + 5 * (hash(area) / 18446744073709551616.0) + 0.01 * (floor(for_place * 60) / 60), 6) as latitude,
        round(-5 + 6 * (hash(-area) / 18446744073709551616.0) + 0.01 * (floor(for_place * 3600) % 60 / 60), 6) as longitude,
        {list(TYPES)}[1 + floor({len(TYPES)} * pow(for_type, 2.5))::integer] as crime_type,
        case when for_type > 0.35 then {list(OUTCOMES)}[1 + floor({len(OUTCOMES)} * pow(for_outcome, 2))::integer] end
            as last_outcome
    from placed
"""
HALF_YEAR = "10 * year(month - interval 3 months) + if(month(month) between 4 and 9, 1, 2)"  # 20101 is April to September 2010
COUNTS = f"select lsoa_code, {HALF_YEAR} as half_year, crime_type, count(*)::integer as records from street group by all"
RANKED = """
    select lsoa_code, count(*) as records, rank() over (order by count(*) desc) as place
    from street
    where month between date '2010-01-01' and date '2010-02-01' and crime_type = 'burglary'
    group by lsoa_code order by place, lsoa_code limit 20
"""


def connect(place: str, memory: str, scratch: str) -> duckdb.DuckDBPyConnection:
    """A connection whose view or table `street` is the Parquet folder or the DuckDB file at `place`."""
    file = place if place.endswith(".duckdb") else ":memory:"
    con = duckdb.connect(
        file, read_only=file != ":memory:", config={"threads": THREADS, "memory_limit": memory, "temp_directory": scratch}
    )
    if file == ":memory:":
        con.execute(
            f"create view street as from read_parquet('{place}/*/*/*.parquet', hive_partitioning = true, "
            "hive_types = {'month': date, 'force': varchar})"
        )
    return con


def generate(place: str, rows: str) -> dict[str, Any]:
    """Write so many rows as PLACE/month=…/force=…/*.parquet. The same number gives the same rows."""
    started = time.perf_counter()
    con = duckdb.connect(config={"threads": THREADS, "memory_limit": "4GB"})
    for number in range(int(rows) // A_MONTH):
        con.execute(
            f"copy ({MONTH.format(number=number)}) to '{place}' "
            "(format parquet, compression zstd, partition_by (month, force), append)"
        )
    return {"seconds": time.perf_counter() - started, **_size(Path(place).rglob("*.parquet"))}


def write_file(place: str, file: str, memory: str, scratch: str) -> dict[str, Any]:
    """The Parquet folder as one table of a DuckDB file, month after month."""
    con = connect(place, memory, scratch)
    started = time.perf_counter()
    con.execute(f"attach '{file}' as made")
    con.execute("create table made.street as from street")
    con.execute("detach made")
    return {"seconds": time.perf_counter() - started, **_size([Path(file)])}


def counts(place: str, memory: str, scratch: str) -> dict[str, Any]:
    """Records → counts per area, half-year and type, as Parquet: what a build would take from such a lake."""
    con = connect(place, memory, scratch)
    con.execute("set preserve_insertion_order = false")
    started = time.perf_counter()
    out = Path(scratch) / "counts.parquet"
    [[rows]] = con.execute(f"copy ({COUNTS}) to '{out}' (format parquet, compression zstd)").fetchall()
    return {"seconds": time.perf_counter() - started, "rows": rows, "sum": _sum(out)}


def ranked(place: str, memory: str, scratch: str) -> dict[str, Any]:
    """The areas with the most records of a type in two months, straight from the records; connecting is part of it."""
    started = time.perf_counter()
    rows = connect(place, memory, scratch).execute(RANKED).fetchall()
    return {"seconds": time.perf_counter() - started, "rows": len(rows), "first": rows[0][0]}


def _sum(counts: Path) -> int:
    [[total]] = duckdb.sql(f"select sum(records)::bigint from '{counts}'").fetchall()
    return int(total)


def _size(files: Any) -> dict[str, Any]:
    sizes = [file.stat().st_size for file in files]
    return {"mb": sum(sizes) / 1e6, "files": len(sizes)}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {task.__name__: task for task in (generate, write_file, counts, ranked)}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
