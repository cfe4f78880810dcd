"""The sample, built here, step by step and without Prefect."""

from __future__ import annotations

from pathlib import Path

from flows import steps
from flows.settings import Settings
from tests.world import SAMPLE

SOURCES = {name: str(SAMPLE / name) for name in ("releases", "populations", "lookups")}


def built(data: Path) -> Path:
    """The database of the sample, by its own name."""
    settings = Settings(data_dir=data)
    for batch in steps.discover_local(steps.Folders(*map(Path, SOURCES.values()))):
        item = steps.normalise(settings, batch.name, batch.kind, steps.bring_in(settings, batch)[0])
        assert item.state == "new", item
    return steps.build(settings)[0]
