"""The whole force table as released on 23 April 2026, over the ONS files that are kept beside the project, built twice."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flows.settings import Settings
from flows.storage.data_store import LocalStore

SHARED = Path(__file__).parents[3] / "shared"
FACTS = Path(__file__).parent / "facts"


def facts(name: str) -> list[dict[str, str]]:
    """The rows of a file of figures that the ONS printed."""
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published files, or a skip that says what is missing."""
    if not (SHARED / "tools" / "make_releases.py").exists():
        pytest.skip("needs the published figures in ../shared")
    return SHARED


@pytest.fixture(scope="session")
def settings(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data folder with the force table and the estimates of before the census of 2021."""
    folder = tmp_path_factory.mktemp("real")
    command = [sys.executable, str(shared / "tools" / "make_releases.py"), str(folder), "--table", "pfa"]
    subprocess.run(command, check=True, capture_output=True)
    settings = Settings(LocalStore(folder / "data"))
    _update(settings, folder, shared / "data" / "ons")
    return settings


@pytest.fixture(scope="session")
def real(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the first update makes."""
    yield from _build(settings)


@pytest.fixture(scope="session")
def real_since_2021(settings: Settings, real: duckdb.DuckDBPyConnection, shared: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """What a second update makes in the same folder, with the estimates and lookups that came later."""
    assert real
    _update(settings, None, shared / "data" / "ons-since-2021")
    yield from _build(settings)


def _update(settings: Settings, releases: Path | None, ons: Path) -> None:
    from flows.pipeline import normalise, steps  # here, because most tests need none of the pipeline

    for group in steps.discover_local(steps.LocalFolders(releases, ons, ons)):
        item = normalise.normalise(settings, group.name, group.kind, steps.store_raw(settings, group)[0])
        assert item.state == "new", item


def _build(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    from flows.pipeline import steps

    with duckdb.connect(str(steps.build(settings)[0]), read_only=True) as con:
        yield con
