"""Storage × publication × runner: each combination runs the sample by the command, and another host reads what it published.

Every public table must equal that of the default (a folder, the file, threads) row for row, and so must what `crime-rates table`
prints. Without PostgreSQL the lakehouse has its catalog in a DuckDB file.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sql import contract, quoted
from tests.support import dask_cluster, postgres, prefect_server, s3_server
from tools.scale.lines import GREEN, RED, SKIPPED, Line
from tools.scale.sample import SOURCES

STORAGES, PUBLICATIONS, RUNNERS = ("folder", "S3"), ("file", "lakehouse"), ("threads", "Dask")
START = "import sys; from flows.cli.main import main; sys.argv[0] = 'crime-rates'; main()"
QUESTIONS = (
    ("table", "2015-16-H1", "--offence", "8Q", "--top", "10", "--population-vintage", "2015-06-25"),
    ("table", "2015-16-H1", "--level", "pfa", "--offence", "total", "--population-year", "2014", "--format", "csv"),
    ("series", "--area", "South Worcester", "--offence", "8Q"),
    ("releases",),
)
BUCKET = "crime-rates"


@dataclass(frozen=True)
class Found:
    """What another host reads: a folder with each table and view as Parquet, and what the command answers."""

    folder: Path
    answers: list[str]


def run(folder: Path, write: bool = False) -> Iterator[Line]:  # noqa: ARG001, nothing is measured here
    """Run the default first, then all others against it."""
    if postgres.programs() is None:
        yield Line("the lakehouse's catalog in PostgreSQL", SKIPPED, postgres.MISSING)
    default = None
    with contextlib.ExitStack() as stack:
        s3 = stack.enter_context(s3_server.standing())
        s3_server.make_bucket(s3, BUCKET)
        environment = (
            s3_server.KEYS
            | {"AWS_ENDPOINT_URL": s3, "AWS_DEFAULT_REGION": s3_server.REGION}
            | stack.enter_context(prefect_server.standing(folder / "prefect"))
        )
        server = stack.enter_context(postgres.running()) if postgres.programs() is not None else None
        workers = environment | {"CRIME_RATES_CACHE_DIR": str(folder / "cache of workers")}
        dask = stack.enter_context(dask_cluster.standing(folder / "dask", workers))
        for combination in itertools.product(STORAGES, PUBLICATIONS, RUNNERS):
            here = folder / "-".join(combination)
            here.mkdir()
            catalog = server.database() if server is not None else str(here / "catalog.ducklake")
            writer, reader = _environments(combination, here, catalog, dask.address)
            found = _published(here, environment | writer, environment | reader)
            default = default or found
            yield _compared(combination, found, default)


def _environments(combination: Sequence[str], here: Path, catalog: str, scheduler: str) -> tuple[dict[str, str], dict[str, str]]:
    """(settings of the host that writes, settings of one that reads); they share no folder but what the combination says."""
    storage, publication, runner = combination
    root = str(here) if storage == "folder" else f"s3://{BUCKET}/{publication}-{runner}"
    writer = {"CRIME_RATES_DATA_DIR": f"{root}/data", "CRIME_RATES_CACHE_DIR": str(here / "cache")}
    reader = writer | {"CRIME_RATES_CACHE_DIR": str(here / "cache of a reader")}
    if publication == "lakehouse":
        writer |= {"CRIME_RATES_LAKEHOUSE": catalog, "CRIME_RATES_LAKEHOUSE_DATA": f"{root}/lakehouse"}
        reader |= {"CRIME_RATES_LAKEHOUSE": catalog, "CRIME_RATES_DATA_DIR": str(here / "no data here")}
    if runner == "Dask":
        writer["CRIME_RATES_DASK_SCHEDULER"] = scheduler
    return writer, reader


def _published(here: Path, writer: Mapping[str, str], reader: Mapping[str, str]) -> Found:
    sources = [word for name, place in SOURCES.items() for word in (f"--{name}", place)]
    _python(["-c", START, "update", *sources], writer)
    _python(["-m", "tools.scale.reader", reader["CRIME_RATES_DATA_DIR"], str(here / "read")], reader)
    return Found(here / "read", [_python(["-c", START, *question], reader) for question in QUESTIONS])


def _compared(combination: Sequence[str], found: Found, default: Found) -> Line:
    rows, other = 0, []
    tables = [table.name for table in (*contract.TABLES, *contract.VIEWS)]
    with duckdb.connect() as con:
        for table in tables:
            one, two = (quoted(str(place.folder / f"{table}.parquet")) for place in (found, default))
            count, more, fewer = con.execute(
                f"select (select count(*) from {one}), (select count(*) from (from {one} except all from {two})), "
                f"(select count(*) from (from {two} except all from {one}))"
            ).fetchall()[0]
            same_types = con.execute(f"describe from {one}").fetchall() == con.execute(f"describe from {two}").fetchall()
            rows += count
            other += [table] if more or fewer or not same_types else []
    answers = zip(QUESTIONS, found.answers, default.answers, strict=True)
    other += [" ".join(question) for question, one, two in answers if one != two]
    name = " × ".join(combination)
    if other:
        return Line(name, RED, f"not equal to the default: {', '.join(other)}")
    return Line(
        name,
        GREEN,
        f"{len(tables)} tables and views with {rows:,} rows, and {len(QUESTIONS)} answers of the command, equal the default's",
    )


def _python(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a Python process prints. Raises RuntimeError, with what it said, when it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRIME_RATES_", "PREFECT_", "AWS_"))}
    done = subprocess.run(
        [sys.executable, *words], env=kept | dict(environment), text=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[2:])}: {done.stdout} {done.stderr}")
    return done.stdout
