"""Work that is measured in a process of its own: `python -m tools.benchmark.child TASK WORDS`; the answer is one line of JSON.

Each task imports what it needs and no more: the start of the process is part of what is measured.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.storage.raw_store import FileKind

REFERENCE = Path(__file__).parents[2] / "data/reference"
Task = Callable[..., dict[str, Any]]
STALKING = "where half_year = $half_year and level = '{}' and offence_level = 'code' and offence_code = '8Q'"
TABLE = "select * from {} " + STALKING + " order by rank nulls last, area_name"
SERIES = (
    "select * from ranked_rates_harmonised where level = '{}' and area_name = '{}' "
    "and offence_level = 'code' and offence_code = '8Q' order by half_year"
)
QUESTIONS = {
    "table": TABLE.format("ranked_rates", "csp"),
    "as_of": TABLE.format("ranked_rates_as_of($day)", "csp"),
    "series": SERIES.format("csp", "South Worcester"),
    "force_table": TABLE.format("ranked_rates", "pfa"),
    "force_as_of": TABLE.format("ranked_rates_as_of($day)", "pfa"),
    "force_series": SERIES.format("pfa", "West Mercia"),
}


def unzip(workbook: str) -> dict[str, Any]:
    """Inflate content.xml, block by block, and keep nothing."""
    import zipfile

    started, size = time.perf_counter(), 0
    with zipfile.ZipFile(workbook) as book, book.open("content.xml") as content:
        while block := content.read(1 << 20):
            size += len(block)
    return {"seconds": time.perf_counter() - started, "bytes": size}


def store_release(workbook: str, data: str) -> dict[str, Any]:
    """Put a workbook into the raw store."""
    from flows.storage import raw_store

    folder, _ = raw_store.store(Path(data) / "raw", raw_store.SourceFile(Path(workbook), FileKind.OFFENCES))
    return {"seconds": 0, "folder": str(folder)}


def write_release(workbook: str, stored: str, data: str) -> dict[str, Any]:
    """A workbook that lies in the raw store, in the folder `stored` → Parquet, as the process that a run starts for it does."""
    from flows.pipeline import normalise
    from flows.storage import lake

    started = time.perf_counter()
    item = normalise.normalise_release(Path(data), REFERENCE, Path(workbook).name, [Path(stored)])
    seconds = time.perf_counter() - started
    assert item.state == "new", item.message
    return {"seconds": seconds, "rows": lake.read_release(lake.partition_folders(Path(data) / "lake", FileKind.OFFENCES)[0]).rows}


def pandas_parquet(workbook: str, out: str) -> dict[str, Any]:
    """The same workbook by pandas and calamine, as text, a Parquet file a sheet."""
    import pandas as pd

    started = time.perf_counter()
    rows = 0
    for name, sheet in pd.read_excel(workbook, engine="calamine", sheet_name=None, dtype=str).items():
        if "Offence Code" in sheet.columns:
            sheet.to_parquet(Path(out) / f"{name}.parquet", index=False)
            rows += len(sheet)
    return {"seconds": time.perf_counter() - started, "rows": rows}


def update(data: str, releases: str, populations: str) -> dict[str, Any]:
    """The flow `update` in this process, as where no Prefect server is configured."""
    return _flow(data, releases, populations, lambda flow, *words: flow(*words))


def update_with_prefect(data: str, releases: str, populations: str) -> dict[str, Any]:
    """The flow `update`, orchestrated by the server that PREFECT_API_URL names."""
    started = time.perf_counter()
    from flows.cli.prefect_launcher import prepare_environment

    prepare_environment()
    from flows.pipeline import deployments  # noqa: F401, it imports Prefect, which is timed apart
    from flows.pipeline.runner import run_flow

    imports = time.perf_counter() - started
    answer = _flow(data, releases, populations, run_flow)
    return answer | {"imports": answer["imports"] + imports}


def _flow(data: str, releases: str, populations: str, run_flow: Callable[..., Any]) -> dict[str, Any]:
    started = time.perf_counter()
    from flows.pipeline.update import update as flow
    from flows.storage import lake

    imported = time.perf_counter()
    opened = 0
    read = lake.ReleaseReader.years

    def years(reader: lake.ReleaseReader) -> Any:
        nonlocal opened
        opened += 1
        return read(reader)

    lake.ReleaseReader.years = years  # type: ignore[method-assign]
    processes: list[str] = []
    sys.addaudithook(lambda event, words: processes.append(str(words[0])) if event == "subprocess.Popen" else None)
    begun = time.perf_counter()
    run = run_flow(flow, Path(data), Path(releases), Path(populations), Path(populations))
    seconds = time.perf_counter() - begun
    if run.state not in ("completed", "unchanged"):
        raise SystemExit(f"the run is {run.state}: {run.error} {[item.message for item in run.failed]}")
    steps = {name: step.wall_seconds for name, step in run.steps.items()}
    return {
        "seconds": seconds,
        "imports": imported - started,
        "state": run.state,
        "steps": steps,
        "opened": opened,
        "processes": len(processes),
        "published": run.published,
        "tables": run.tables,
        "database": run.database,
    }


def build(lake_dir: str, warehouse: str, memory_limit: str) -> dict[str, Any]:
    """Build and check the database of a lake."""
    import duckdb

    from flows.common.package_data import packaged_folder
    from flows.warehouse import build as house

    started = time.perf_counter()
    database, checks = house.build(Path(lake_dir), packaged_folder("reference"), Path(warehouse), memory_limit)
    seconds = time.perf_counter() - started
    with duckdb.connect(str(database), read_only=True) as con:
        history, revisions = con.execute(
            "select (select count(*) from crime_rates_core.count_history), (select count(*) from revisions)"
        ).fetchall()[0]
    return {
        "seconds": seconds,
        "mb": database.stat().st_size / 1e6,
        "history": history,
        "revisions": revisions,
        "warned": [check.name for check in checks if not check.passed],
    }


def vintages(lake_dir: str, out: str, counts: str) -> dict[str, Any]:
    """Lakes of so many vintages ("1,5,10"), in OUT/1, OUT/5 and so on."""
    from tools.benchmark.vintages import simulate

    started = time.perf_counter()
    simulate(Path(lake_dir), Path(out), [int(count) for count in counts.split(",")])
    return {"seconds": time.perf_counter() - started}


def repeat(lake_dir: str, out: str, times: str) -> dict[str, Any]:
    """The force table of a lake so many times over, each time 14 years later, as a lake in OUT."""
    from tools.benchmark.half_years import repeat as write_again

    write_again(Path(lake_dir), Path(out), int(times))
    return {"seconds": 0}


def warm(database: str, question: str, times: str) -> dict[str, Any]:
    """One of QUESTIONS again and again on one connection, half-year or day named: the median, without the first three."""
    import statistics

    import duckdb

    con = duckdb.connect(database, read_only=True)
    query = QUESTIONS[question]
    level = "pfa" if question.startswith("force") else "csp"
    [(half_year,)] = con.execute(f"select max(half_year) from half_years where level = '{level}' and complete").fetchall()
    [(day,)] = con.execute("select max(published) from releases").fetchall()
    query = query.replace("$half_year", f"'{half_year}'").replace("$day", f"date '{day}'")
    seconds = []
    for _ in range(int(times) + 3):
        started = time.perf_counter()
        rows = con.execute(query).fetchall()
        seconds.append(time.perf_counter() - started)
    return {"seconds": statistics.median(seconds[3:]), "rows": len(rows)}


def newest_half_year(database: str) -> dict[str, Any]:
    """The half-year of that table, as the command line writes it."""
    import duckdb

    from transforms.periods import HalfYear

    with duckdb.connect(database, read_only=True) as con:
        found = con.execute("select max(half_year) from half_years where level = 'csp' and complete").fetchall()[0][0]
    return {"seconds": 0, "half_year": HalfYear.parse(found).slug}


TASKS: dict[str, Task] = {
    task.__name__: task
    for task in (
        unzip,
        store_release,
        write_release,
        pandas_parquet,
        update,
        update_with_prefect,
        build,
        vintages,
        repeat,
        warm,
        newest_half_year,
    )
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
