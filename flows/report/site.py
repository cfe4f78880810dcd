"""Writes the site: pages are made in several processes, in a new folder that replaces the old one when it is complete."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from flows.common.atomic_files import read_json, write_json
from flows.queries import connection
from flows.report import area_pages, index_pages, model, table_pages
from flows.report.model import Site, SiteArea, SiteOffence
from flows.storage.data_store import DataStore
from flows.storage.file_lock import hold
from transforms.errors import UsageError
from transforms.periods import HalfYear

MARKER = "crime-rates-report.json"  # stands in every folder that this module wrote, and so may replace
ASSETS = Path(__file__).parent / "assets"
TASK_SIZE = 24  # pages a task, so that two processes end at about the same time


@dataclass(frozen=True)
class WrittenSite:
    """What was written: the front page, the half-year, how many pages, how many bytes in all."""

    front: Path
    half_year: HalfYear
    pages: int
    size: int


@dataclass(frozen=True)
class _Task:
    """A part of the site that one process writes: some tables or some areas of a level, or the index pages."""

    level: str = ""
    offences: Sequence[SiteOffence] = ()
    areas: Sequence[SiteArea] = ()

    def render(self, con: duckdb.DuckDBPyConnection, site: Site) -> Iterator[tuple[str, str]]:
        """(URL, text) of each file."""
        if self.offences:
            return table_pages.render_table_files(con, site, self.level, self.offences)
        if self.areas:
            return area_pages.render_area_pages(con, site, self.level, self.areas)
        return index_pages.render_index_pages(con, site)


def write_site(store: DataStore, out: Path, half_year: HalfYear | None = None, processes: int = 2) -> WrittenSite:
    """Write the site of a half-year, by default the newest that is complete and ranked, from the published database.

    The old site stays whole until the end. Raises NotFound where there is no database or half-year, UsageError where `out`
    holds something else, RunInProgress while another process writes there.
    """
    with connection.connect(store) as con:
        con.execute("set enable_progress_bar = false")
        database = Path(con.sql("select path from duckdb_databases() where not internal").fetchall()[0][0])
        site = model.load_site(con, half_year, database)
    with replace_folder(out) as folder:
        shutil.copytree(ASSETS, folder / "assets", copy_function=shutil.copyfile)
        write_json(
            folder / MARKER, {"made_by": "crime-rates report", "database": database.name, "half_year": str(site.half_year)}
        )
        tasks = _plan_tasks(site)
        write = partial(_write_files, database, site, folder)
        if processes == 1:
            pages = sum(map(write, tasks))
        else:
            # spawned, not forked: whoever calls may have threads, and DuckDB has
            with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
                pages = sum(pool.map(write, tasks))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return WrittenSite(out / "index.html", site.half_year, pages, size)


def read_database_name(out: Path) -> str | None:
    """The file name of the published database that the report in a folder was written from; None where there is no report."""
    marker = out / MARKER
    return str(read_json(marker)["database"]) if marker.is_file() else None


def _plan_tasks(site: Site) -> list[_Task]:
    """The parts of the site, the big ones first."""
    tasks: list[_Task] = []
    for level in site.levels:
        offences = [offence for offence in site.offences if level in offence.levels]
        areas = site.areas_at(level)
        tasks += [_Task(level, offences=offences[i : i + TASK_SIZE]) for i in range(0, len(offences), TASK_SIZE)]
        tasks += [_Task(level, areas=areas[i : i + TASK_SIZE]) for i in range(0, len(areas), TASK_SIZE)]
    return [*tasks, _Task()]


def _write_files(database: Path, site: Site, folder: Path, task: _Task) -> int:
    """Write the files of a task; returns how many of them are pages."""
    pages = 0
    with duckdb.connect(str(database), read_only=True, config={"threads": 1}) as con:
        con.execute("set enable_progress_bar = false")
        for url, text in task.render(con, site):
            path = folder / url
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            pages += path.suffix == ".html"
    return pages


@contextmanager
def replace_folder(out: Path) -> Iterator[Path]:
    """A folder to fill; at the end, and only if nothing failed, it takes the place of `out`.

    Raises UsageError where `out` holds something else than a report, RunInProgress while another process replaces it.
    """
    new, old = (out.with_name(f".{out.name}.{what}") for what in ("new", "old"))
    with hold(out.with_name(f".{out.name}.lock"), str(out)):
        if old.exists() and not out.exists():  # a process died between the two renames below
            old.rename(out)
        _check_replaceable(out)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir()
        try:
            yield new
            if out.exists():
                out.rename(old)
            new.rename(out)
        finally:
            shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(out: Path) -> None:
    """Raise UsageError unless the folder is missing, empty or a report that this module wrote."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is not a folder: name another with --out.")
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise UsageError(f"{out} holds something that is not a report, so it is left alone: name another folder with --out.")
