"""What is published and from which releases, what its checks found, how old it is, what the last run did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypedDict

from flows.queries.connection import NotFound, connect, fetch_records
from flows.settings import ReaderSettings, lakehouse_access
from flows.storage import run_log
from flows.storage.data_store import DataStore
from flows.warehouse import ducklake, versions
from flows.warehouse.ducklake import LakehousePublication
from flows.warehouse.published import published
from sql.rows import PublishedRelease, QualityCheck

OVERDUE_DAYS = 110  # releases are quarterly; seen: 24 April, 29 January, 23 April, 23 July


class NewestRelease(TypedDict):
    """The newest release of a kind of table: its age, and whether the next one should be out by now."""

    table_kind: str
    release_id: str
    published: date
    last_quarter: str
    age_days: int
    overdue: bool


class QuarterSource(TypedDict):
    """The release that a quarter of a half-year is taken from."""

    table_kind: str
    release_id: str
    half_year: str
    quarter: int


class KeptBuild(TypedDict):
    """A build that can be published again."""

    build: str
    rolled_back: bool


@dataclass(frozen=True)
class DataStatus:
    """The state of a data folder."""

    data_dir: str  # as the person named it
    database: str | None  # file name of the published database
    kept: list[KeptBuild]
    newest: list[NewestRelease]
    last_run: run_log.Run | None
    disk_bytes: dict[str, int]  # by part of the folder
    working_copy: Path | None  # the local copy that disk_bytes is about, where the data folder lies in an object store


def fetch_status(store: DataStore, today: date) -> DataStatus:
    """The state of a data folder; one that holds nothing yet is no error. Ages are counted to `today`."""
    database = published(store)
    disk_bytes = {
        name: sum(p.stat().st_size for p in (store.folder / name).rglob("*") if p.is_file() and not p.is_symlink())
        for name in ("raw", "lake", "cache", "warehouse", "tables")
    }
    return DataStatus(
        data_dir=store.address,
        database=database.name if database else None,
        kept=[KeptBuild(build=build.name, rolled_back=build.is_rolled_back) for build in versions.kept_builds(store)],
        newest=_newest_releases(fetch_releases(store), today) if database is not None else [],
        last_run=run_log.last_run(store),
        disk_bytes=disk_bytes,
        working_copy=store.folder if store.is_copied else None,
    )


def fetch_releases(store: DataStore) -> list[PublishedRelease]:
    """The releases behind the published database, by kind of table and publication date. Raises NotFound where there is none."""
    with connect(store) as con:
        return fetch_records(con, PublishedRelease, "from releases order by table_kind, published, release_id")


def fetch_quarter_sources(store: DataStore) -> list[QuarterSource]:
    """The release that stands for each quarter and kind of table now. Raises NotFound where there is no database."""
    with connect(store) as con:
        return fetch_records(
            con,
            QuarterSource,
            "select level as table_kind, release_id, printf('%d/%02d H%d', quarter_key // 4, (quarter_key // 4 + 1) % 100, "
            "quarter_key % 4 // 2 + 1) as half_year, (quarter_key % 4 + 1)::integer as quarter "
            "from crime_rates_core.release_quarters where valid_to = date '9999-12-31' order by level, quarter_key",
        )


def fetch_quality_checks(store: DataStore) -> list[QualityCheck]:
    """The checks of the published database, required ones first. Raises NotFound where there is no database."""
    with connect(store) as con:
        return fetch_records(con, QualityCheck, "from quality_checks order by required desc, check_name")


def fetch_snapshots() -> list[LakehousePublication]:
    """The publications that the lakehouse holds, newest first. Raises NotFound where the environment names no lakehouse."""
    settings = ReaderSettings.from_environment()
    if not settings.lakehouse:
        raise NotFound(f"No lakehouse is named: expected its catalog in {ducklake.SETTING}.")
    with ducklake.connect_pinned(settings.lakehouse, settings.snapshot, lakehouse_access()) as con:
        return ducklake.list_publications(con)


def _newest_releases(releases: list[PublishedRelease], today: date) -> list[NewestRelease]:
    newest: dict[str, PublishedRelease] = {}
    for release in sorted(releases, key=lambda r: (r["last_quarter"], r["published"])):
        newest[release["table_kind"]] = release
    return [
        NewestRelease(
            table_kind=release["table_kind"],
            release_id=release["release_id"],
            published=release["published"],
            last_quarter=release["last_quarter"],
            age_days=(age := (today - release["published"]).days),
            overdue=age > OVERDUE_DAYS,
        )
        for _, release in sorted(newest.items())
    ]
