"""What several rooms share: the sample, built once, and a connection to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import hypothesis
import pytest

from tests.support.world import World, build_sample

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of what is tested
hypothesis.settings.load_profile("untimed")

SERVICES = {"server", "s3_address", "endpoint", "prefect"}  # fixtures that start a PostgreSQL, S3 or Prefect server


TOGETHER = ("flows/cli", "flows/pipeline", "flows/report")  # rooms whose tests share what takes long to make


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a service: `make scale` runs it, `make test` says how many it left to that.

    Where several processes run the tests, a module's stay in one of them, and so do those of a room in TOGETHER.
    """
    for item in items:
        module = item.path.relative_to(Path(__file__).parent)
        folder = module.parent.as_posix()
        item.add_marker(pytest.mark.xdist_group(folder if folder in TOGETHER else module.as_posix()))
        room = module.parts[0]
        if room == "services" and (
            SERVICES & set(getattr(item, "fixturenames", ())) or any(name in item.name for name in ("s3", "postgres"))
        ):
            item.add_marker(pytest.mark.services)


@pytest.fixture(autouse=True)
def _environment_as_before() -> Iterator[None]:
    """A command that runs in this process sets Prefect's environment for its own children: no other test hears of it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> World:
    """data/sample, taken in, built and published without Prefect. Tests read it and change nothing."""
    return build_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def published(sample: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the sample's database."""
    with duckdb.connect(str((sample.warehouse / "crime_rates.duckdb").resolve()), read_only=True) as con:
        yield con
