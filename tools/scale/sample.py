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
    for group in steps.discover_local(steps.LocalFolders(*map(Path, SOURCES.values()))):
        item = normalise.normalise(settings, group.name, group.kind, steps.store_raw(settings, group)[0])
        assert item.state == "new", item
    return steps.build(settings)[0]
