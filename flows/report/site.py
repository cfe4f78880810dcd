"""Writes the site: its pages in several processes, in a folder aside that takes the old one's place when it is whole."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.common.atomic_files import read_json, write_json
from flows.queries import connection
from flows.report import area_pages, index_pages, model, table_pages
from flows.report.model import Site
from flows.storage.data_store import DataStore
from flows.storage.file_lock import hold
from transforms.errors import UsageError
from transforms.periods import HalfYear

MARKER = "crime-rates-report.json"  # stands in every folder that we made, and so may replace
ASSETS = Path(__file__).parent / "assets"
CHUNK = 24  # pages a task, so that two processes end at about the same time


@dataclass(frozen=True)
class Written:
    """What was written: the front page, how many pages, how many bytes in all."""

    front: Path
    half_year: HalfYear
    pages: int
    size: int


def write(store: DataStore, out: Path, half_year: HalfYear | None = None, processes: int = 2) -> Written:
    """Write the site of a half-year, by default the newest that is complete and ranked, from the published database.

    The old site stays whole until the end. Raises NotFound where there is no database or half-year, ValueError where `out`
    holds something that is not a report, FolderBusy while another process writes there.
    """
    with connection.connect(store) as con:
        con.execute("set enable_progress_bar = false")
        database = Path(con.sql("select path from duckdb_databases() where not internal").fetchall()[0][0])
        site = model.find(con, half_year, database)
    with _replaced(out) as aside:
        shutil.copytree(ASSETS, aside / "assets", copy_function=shutil.copyfile)
        write_json(aside / MARKER, {"made_by": "crime-rates report", "database": database.name, "half_year": str(site.half_year)})
        tasks = _tasks(site)
        if processes == 1:
            sizes = [_run(database, site, aside, *task) for task in tasks]
        else:
            # spawned, not forked: whoever calls may have threads, and DuckDB has
            with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
                sizes = list(pool.map(_run, *zip(*((database, site, aside, *task) for task in tasks), strict=True)))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Written(out / "index.html", site.half_year, sum(sizes), size)


def database_of(out: Path) -> str | None:
    """The name of the published database that the report in a folder was written from; None where there is no report."""
    marker = out / MARKER
    return str(read_json(marker)["database"]) if marker.is_file() else None


def _tasks(site: Site) -> list[tuple[str, str, list[Any]]]:
    """(what, level, pages) of each task, the big ones first."""
    tasks: list[tuple[str, str, list[Any]]] = []
    for level in site.levels:
        for kind, pages in (("tables", [e for e in site.entries if level in e.levels]), ("areas", site.at(level))):
            tasks += [(kind, level, pages[i : i + CHUNK]) for i in range(0, len(pages), CHUNK)]
    return [*tasks, ("overviews", "", [])]


def _run(database: Path, site: Site, aside: Path, what: str, level: str, pages: list[Any]) -> int:
    """Write some files; returns how many pages."""
    written = 0
    with duckdb.connect(str(database), read_only=True, config={"threads": 1}) as con:
        con.execute("set enable_progress_bar = false")
        made = {
            "tables": lambda: table_pages.files(con, site, level, pages),
            "areas": lambda: area_pages.files(con, site, level, pages),
            "overviews": lambda: index_pages.files(con, site),
        }[what]()
        for address, text in made:
            path = aside / address
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            written += address.endswith(".html")
    return written


@contextmanager
def _replaced(out: Path) -> Iterator[Path]:
    """A folder to fill; at the end, and only if nothing failed, it stands where `out` stood."""
    aside, old = (out.with_name(f".{out.name}.{what}") for what in ("new", "old"))
    with hold(out.with_name(f".{out.name}.lock"), str(out)):
        if old.exists() and not out.exists():  # a process died between the two renames below
            old.rename(out)
        _check_ours(out)
        for left in (aside, old):
            shutil.rmtree(left, ignore_errors=True)
        aside.mkdir()
        try:
            yield aside
            if out.exists():
                out.rename(old)
            aside.rename(out)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


def _check_ours(out: Path) -> None:
    """Raise UsageError unless the folder is missing, empty or a report that we wrote."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is not a folder: name another with --out.")
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise UsageError(f"{out} holds something that is not a report, so it is left alone: name another folder with --out.")
