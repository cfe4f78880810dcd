"""What several rooms share: the sample, built once."""

from __future__ import annotations

import pytest

from tests.world import SAMPLE, World


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> World:
    """data/sample, taken in, built and published without Prefect. Tests read it and change nothing."""
    from flows import steps
    from flows.settings import Settings

    world = World(tmp_path_factory.mktemp("sample"))
    settings = Settings(data_dir=world.data)
    folders = steps.Folders(SAMPLE / "releases", SAMPLE / "populations", SAMPLE / "lookups")
    for batch in steps.discover_local(folders):
        stored, _ = steps.bring_in(settings, batch)
        item = steps.normalise(settings, batch.name, batch.kind, stored)
        assert item.state == "new", item
    database, _ = steps.build(settings)
    assert steps.publish(settings, database)
    return world
