"""What `crime-rates rollback` does: readers see an older build, its tables, and its rows in the lakehouse, on all hosts."""

from __future__ import annotations

from flows.settings import Settings, lakehouse_access
from flows.warehouse import ducklake_publish, table_export, versions
from flows.warehouse.published import published


def roll_back(settings: Settings, to: str | None = None) -> tuple[str, str]:
    """Show readers the build before the one that they see, or the one whose name holds `to`; returns file names: (before, after).

    No run publishes the newer ones again. Raises NoSuchBuild, RunInProgress while a run is at work, LakehouseError.
    """
    store = settings.store
    versions.check_published(store)  # before the store is locked, which makes its folder
    with store.lock():
        before, after = versions.roll_back(store, to)
        database = published(store)
        assert database is not None  # readers see it now
        table_export.export(store, database)
        if settings.lakehouse:
            catalog, data = settings.lakehouse, settings.lakehouse_data
            ducklake_publish.publish(database, catalog, data, settings.keep_builds, lakehouse_access())
    return before, after
