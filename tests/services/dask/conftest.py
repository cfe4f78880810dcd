"""A Prefect server and a Dask cluster of two workers on this machine, once for all tests of workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from tests.support import dask_cluster, prefect_server


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of clients of a standing Prefect server; this process is one too."""
    home = tmp_path_factory.mktemp("prefect")
    with prefect_server.standing(home) as environment:
        ours = {PREFECT_API_URL: environment["PREFECT_API_URL"], PREFECT_HOME: home, PREFECT_LOGGING_TO_API_ENABLED: False}
        with temporary_settings(ours):  # type: ignore[arg-type]
            yield environment


@pytest.fixture(scope="session")
def two_workers(prefect: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dask_cluster.Cluster]:
    with dask_cluster.standing(tmp_path_factory.mktemp("dask"), prefect) as standing:
        yield standing


@pytest.fixture
def own_cluster(prefect: dict[str, str], tmp_path: Path) -> Iterator[dask_cluster.Cluster]:
    """A scheduler that a test may kill; it has no workers yet."""
    with dask_cluster.standing(tmp_path / "dask", prefect, workers=0) as standing:
        yield standing
