"""The sample, built here, step by step and without Prefect."""

from __future__ import annotations

from pathlib import Path

from flows.pipeline import normalise, steps
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from tests.support.world import SAMPLE

SOURCES = {name: str(SAMPLE / name) for name in ("releases", "populations", "lookups")}


def built(data: Path) -> Path:
    """The database of the sample, by its own name."""
    settings = Settings(LocalStore(data))
    for batch in steps.discover_local(steps.Folders(*map(Path, SOURCES.values()))):
        item = normalise.normalise(settings, batch.name, batch.kind, steps.store_raw(settings, batch)[0])
        assert item.state == "new", item
    return steps.build(settings)[0]
