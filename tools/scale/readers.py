"""Many readers of one published file on one host: how many ranked tables a second, and how long one takes.

CRIME_RATES_SCALE_DATABASE names the file; without it, the sample is built. Each reader is a process with one connection.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from flows.storage.data_store import LocalStore
from tests.support.world import ROOT, SAMPLE
from tools.benchmark.child import QUESTIONS
from tools.benchmark.report import made_by, put
from tools.scale.growth import PAGE
from tools.scale.lines import GREEN, Line

DATABASE = "CRIME_RATES_SCALE_DATABASE"
READERS = (1, 2, 4, 8, 16)
SECONDS = 10
START = 1.5  # seconds after which all begin at once
BEGIN, END = "<!-- readers: begin -->", "<!-- readers: end -->"


def run(folder: Path, write: bool = False) -> Iterator[Line]:
    """Let 1 to 16 readers read for ten seconds each; the table goes into docs/scale.md where that is asked for."""
    started, load = time.perf_counter(), os.getloadavg()[0]
    database = Path(os.environ[DATABASE]) if DATABASE in os.environ else _sample(folder)
    size = database.stat().st_size / 1e6
    rows = ["| readers at once | tables a second, all together | median | 95% within |", "|---:|---:|---:|---:|"]
    for readers in READERS:
        seconds = _read(database, readers)
        median, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        found = (f"{len(seconds) / SECONDS:,.0f}", f"{median * 1e3:.1f} ms", f"{p95 * 1e3:.1f} ms")
        rows.append(f"| {readers} | {' | '.join(found)} |")
        yield Line(
            f"{readers} readers of one file of {size:,.0f} MB",
            GREEN,
            "{} ranked tables a second; median {}, 95% within {}".format(*found),
        )
    if write:
        head = made_by("python -m tools.scale --only readers", (time.perf_counter() - started) / 60, load)
        put(PAGE, f"{head} The file has {size:,.0f} MB.\n\n" + "\n".join(rows), BEGIN, END)


def _sample(folder: Path) -> Path:
    from flows.pipeline import normalise, steps
    from flows.settings import Settings

    settings = Settings(LocalStore(folder))
    for group in steps.discover_local(steps.LocalFolders(SAMPLE / "releases", SAMPLE / "populations", SAMPLE / "lookups")):
        normalise.normalise(settings, group.name, group.kind, steps.store_raw(settings, group)[0])
    return steps.build(settings)[0]


def _read(database: Path, readers: int) -> list[float]:
    """Seconds of each query of each reader."""
    begin = time.time() + START + readers / 4
    command = [sys.executable, "-m", "tools.scale.readers", str(database.resolve()), str(begin)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(readers)]
    seconds: list[float] = []
    for process in processes:
        said, _ = process.communicate(timeout=SECONDS * 10)
        seconds += json.loads(said)
    return seconds


def _reader(database: str, begin: float) -> list[float]:
    import duckdb

    con = duckdb.connect(database, read_only=True)
    con.execute(QUESTIONS["table"]).fetchall()  # what comes first reads the file's index
    time.sleep(max(0.0, begin - time.time()))
    seconds = []
    while time.time() < begin + SECONDS:
        started = time.perf_counter()
        assert con.execute(QUESTIONS["table"]).fetchall()
        seconds.append(time.perf_counter() - started)
    return seconds


if __name__ == "__main__":
    print(json.dumps(_reader(sys.argv[1], float(sys.argv[2]))))
