"""What is published, how old it is, what the last run did, and how much room it takes: as data."""

from __future__ import annotations

from datetime import date
from typing import Any

from flows.queries import connection
from flows.storage import run_log
from flows.storage.data_store import DataStore
from flows.warehouse import versions
from flows.warehouse.published import published

OVERDUE_DAYS = 110  # releases are quarterly; seen: 24 April, 29 January, 23 April, 23 July


def fetch_status(store: DataStore, today: date) -> dict[str, Any]:
    database = published(store)
    newest: list[dict[str, Any]] = []
    if database is not None:
        with connection.connect(store) as con:
            newest = connection.fetch_rows(
                con,
                "select table_kind, release_id, published, last_quarter from releases "
                "qualify row_number() over (partition by table_kind order by last_quarter desc, published desc) = 1 order by 1",
            )
    for row in newest:
        row["age_days"] = (today - row["published"]).days
        row["overdue"] = row["age_days"] > OVERDUE_DAYS
    sizes = {
        name: sum(p.stat().st_size for p in (store.folder / name).rglob("*") if p.is_file() and not p.is_symlink())
        for name in ("raw", "lake", "cache", "warehouse", "tables")
    }
    return {
        "data_dir": store.address,
        "database": database.name if database else None,
        "kept": [{"build": build.name, "rolled_back": build.is_rolled_back} for build in versions.kept_builds(store)],
        "newest": newest,
        "last_run": run_log.last_run(store),
        "disk_bytes": sizes,
    }
