"""A small world for a test: releases, populations and lookups in folders of their own → raw store → lake → built database.

It goes the way of flows/pipeline/steps.py, without Prefect. Codes of partnerships and forces come from data/reference, so that a
test names places; everything that a test asserts stands in the test.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from flows.common import atomic_files
from flows.common.package_data import packaged_folder
from flows.common.quality_check import Check
from flows.storage import lake, raw_store
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from flows.warehouse import build, versions
from tests.support.releases import CSP_2015, PFA, Cell, Row, Sheet, cover, notes, write_ods
from transforms.areas import known_names, read_reference

ROOT = Path(__file__).parents[2]
REFERENCE = packaged_folder("reference")
SAMPLE = packaged_folder("sample")

SOUTH_WORCESTER = {"E07000235": "Malvern Hills", "E07000237": "Worcester", "E07000238": "Wychavon"}
NORTH_WORCESTERSHIRE = {"E07000234": "Bromsgrove", "E07000236": "Redditch", "E07000239": "Wyre Forest"}
WORCESTERSHIRE = {"South Worcester": SOUTH_WORCESTER, "North Worcestershire": NORTH_WORCESTERSHIRE}
KENT = {
    "Medway": {"E06000035": "Medway"},
    "Ashford": {"E07000105": "Ashford"},
    "Canterbury": {"E07000106": "Canterbury"},
    "Dover": {"E07000108": "Dover"},
    "Thanet": {"E07000114": "Thanet"},
    "Swale": {"E07000113": "Swale"},
}
PERSONS = {  # round figures, for stories that are not about people
    "E07000235": 75_000,
    "E07000237": 100_000,
    "E07000238": 125_000,  # South Worcester: 300,000
    "E07000234": 95_000,
    "E07000236": 85_000,
    "E07000239": 100_000,  # North Worcestershire: 280,000
    "E06000035": 250_000,
    "E07000105": 100_000,
    "E07000106": 100_000,
    "E07000108": 100_000,
    "E07000114": 50_000,
    "E07000113": 125_000,
}


@cache
def reference() -> dict[tuple[str, str], dict[str, str]]:
    """(level, published name) → the row of data/reference/areas.csv."""
    return {(row["level"], row["published_name"]): row for row in read_reference(REFERENCE / "areas.csv")}


def force_of(csp: str) -> str:
    return reference()["csp", csp]["force_name"]


class World:
    """A folder with everything that a build needs; `seen` is when the pipeline first saw what comes next."""

    def __init__(self, folder: Path, *, sources: Path | None = None, reference_dir: Path = REFERENCE) -> None:
        self.sources = sources or folder / "sources"
        self.data = folder / "data"
        self.reference_dir = reference_dir
        self.seen: str | None = None
        self._known = known_names(read_reference(reference_dir / "areas.csv"))
        for name in ("offences", "population", "lookup"):
            (self.sources / name).mkdir(parents=True, exist_ok=True)

    @property
    def lake(self) -> Path:
        return self.data / "lake"

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse"

    def release(
        self,
        published: date,
        rows: Iterable[Sequence[Cell]],
        *,
        force_notes: Sequence[str] = (),
        stem: str = "mar2021-mar2026",
        simulated: str = "",
    ) -> lake.ReleasePartition:
        """Take in a release: rows of tests.support.releases.figures, laid out as published, a sheet a year."""
        rows = [list(row) for row in rows]
        header: Row = CSP_2015 if len(rows[0]) == len(CSP_2015) else PFA
        level = "csp" if header is CSP_2015 else "pfa"
        years = sorted({str(row[0]) for row in rows})
        sheets: list[Sheet] = [(year.replace("/", "_"), [header, *(r for r in rows if r[0] == year)]) for year in years]
        front = [cover(published, simulated=simulated), notes(force_notes, published)]
        path = self.sources / "offences" / f"prc-{level}-{stem}-tables-{published:%d%m%y}.ods"
        return self.take_release(write_ods(path, [*front, *sheets]))

    def take_release(self, *paths: Path, published: date | None = None) -> lake.ReleasePartition:
        files_ = [self.store(path, FileKind.OFFENCES, published=published) for path in paths]
        return lake.write_release(self.lake, files_, lambda level, name: (level, name) in self._known)[0]

    def population(
        self,
        vintage: date,
        persons: Mapping[str, int],
        *,
        year: int = 2014,
        name: str = "",
        boundaries: str = "",
        total: int | None = None,
    ) -> lake.SourcePartition:
        """Take in mid-year estimates of councils; what maps they stand on is in the file's name, or not told."""
        path = self.sources / "population" / f"{name or 'persons'}{boundaries and f'_geog{boundaries}'}_mid{year}_{vintage}.csv"
        rows: list[Row] = [("K04000001", "ENGLAND AND WALES", year, total)] if total is not None else []
        rows += [(code, code, year, count) for code, count in persons.items()]
        self._write_csv(path, [("code", "name", "year", "population"), *rows])
        return self.store_population(path, published=vintage)

    def store_population(self, path: Path, **said: Any) -> lake.SourcePartition:
        """Take in a population file as it is; `said` is what a manifest says of it."""
        return lake.write_population(self.lake, self.store(path, FileKind.POPULATION, **said))[0]

    def lookup(
        self, year: int, csps: Mapping[str, Iterable[str]], *, published: date = date(2017, 12, 31)
    ) -> lake.SourcePartition:
        """Take in an ONS lookup: partnership → codes of its councils. Its force is that of data/reference."""
        digits = year % 100
        header = [f"{kind}{digits}{what}" for kind in ("LAD", "CSP", "PFA") for what in ("CD", "NM")]
        rows: list[Row] = []
        for csp, councils in csps.items():
            area = reference()["csp", csp]
            force = reference()["pfa", area["force_name"]]
            rows += [(code, code, area["area_code"], csp, force["area_code"], area["force_name"]) for code in councils]
        path = self.sources / "lookup" / f"LAD{digits}_CSP{digits}_PFA{digits}_{published}.csv"
        self._write_csv(path, [header, *rows])
        return lake.write_lookup(self.lake, self.store(path, FileKind.LOOKUP, published=published))[0]

    def worcestershire(self, vintage: date = date(2015, 6, 25), *years: int) -> None:
        """The lookup of 2017 and round populations of Worcestershire's two partnerships."""
        self.lookup(2017, WORCESTERSHIRE)
        for year in years or (2014,):
            self.population(vintage, persons_of(WORCESTERSHIRE), year=year)

    def store(self, path: Path, kind: str, **said: Any) -> raw_store.RawFile:
        folder, _ = raw_store.store(self.data / "raw", raw_store.SourceFile(path, kind, **said))
        if self.seen is not None:
            manifest = folder / raw_store.MANIFEST
            atomic_files.write_json(manifest, atomic_files.read_json(manifest) | {"fetched_at": self.seen})
        return raw_store.read(folder)

    def make(self) -> tuple[Path, list[Check]]:
        """Build and check; returns the database, not published, and the checks."""
        return build.build(self.lake, self.reference_dir, self.warehouse, "1GB")

    def build(self) -> duckdb.DuckDBPyConnection:
        """Build, check and publish; a read-only connection to what was published."""
        database, _ = self.make()
        versions.publish(LocalStore(self.data), database, keep=3)
        return duckdb.connect(str(database), read_only=True)

    @staticmethod
    def _write_csv(path: Path, rows: Iterable[Row]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def build_sample(folder: Path) -> World:
    """data/sample, taken in, built and published in a folder, without Prefect."""
    from flows.pipeline import normalise, steps  # here, because most tests need none of the pipeline
    from flows.settings import Settings

    world = World(folder)
    settings = Settings(LocalStore(world.data))
    folders = steps.LocalFolders(SAMPLE / "releases", SAMPLE / "populations", SAMPLE / "lookups")
    for group in steps.discover_local(folders):
        stored, _ = steps.store_raw(settings, group)
        item = normalise.normalise(settings, group.name, group.kind, stored)
        assert item.state == "new", item
    database, _ = steps.build(settings)
    assert steps.publish(settings, database)
    return world


def put_table_in_place_of(con: duckdb.DuckDBPyConnection, view: str) -> None:
    """Make a table of a public view, under its name, for a test that changes rows."""
    con.execute(f"create table rows_of_view as from {view}; drop view {view}; alter table rows_of_view rename to {view}")


def persons_of(csps: Mapping[str, Iterable[str]], persons: Mapping[str, int] = PERSONS) -> dict[str, int]:
    """The councils of some partnerships → persons."""
    return {code: persons[code] for councils in csps.values() for code in councils}


def rows_of(con: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    result = con.execute(query, list(parameters))
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def rate(
    con: duckdb.DuckDBPyConnection,
    area: str,
    *,
    half_year: str = "2015/16 H1",
    offence: str = "8Q",
    level: str = "csp",
    source: str = "ranked_rates",
) -> dict[str, Any]:
    """The one row of ranked_rates for an area."""
    [row] = rows_of(
        con,
        f"from {source} where half_year = ? and area_name = ? and offence_code = ? and level = ?",
        half_year,
        area,
        offence,
        level,
    )
    return row
