"""A lakehouse on each kind of catalog and storage, and builds to publish there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.settings import lakehouse_access
from flows.warehouse import ducklake_publish
from tests.support import postgres, s3_server
from tests.support.world import World

KEPT = 3


@dataclass(frozen=True)
class Place:
    """Where a lakehouse lies."""

    catalog: str
    data: str

    def publish(self, database: Path, keep: int = KEPT) -> bool:
        return ducklake_publish.publish(database, self.catalog, self.data, keep, lakehouse_access())

    def parquet(self) -> set[Path]:
        """The files of its tables, where they are in a folder."""
        return set(Path(self.data).rglob("*.parquet"))


@pytest.fixture(scope="session")
def built(sample: World) -> Path:
    """The sample, built; by its own name."""
    return (sample.warehouse / "crime_rates.duckdb").resolve()


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    if postgres.programs() is None:
        pytest.skip(postgres.MISSING)
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    with s3_server.standing() as address:
        yield address


@pytest.fixture
def bucket(s3_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty bucket, and the environment that leads to it."""
    for name, value in (s3_server.KEYS | {"AWS_ENDPOINT_URL": s3_address, "AWS_REGION": s3_server.REGION}).items():
        monkeypatch.setenv(name, value)
    name = tmp_path.name.replace("_", "-").lower()[-60:].strip("-")
    s3_server.make_bucket(s3_address, name)
    return f"s3://{name}"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A lakehouse that needs no service: the catalog in a file, Parquet in a folder."""
    return Place(str(tmp_path / "catalog.ducklake"), str(tmp_path / "lakehouse"))


@pytest.fixture
def shared(server: postgres.Server, tmp_path: Path) -> Place:
    """A lakehouse with its catalog in PostgreSQL, Parquet in a folder."""
    return Place(server.database(), str(tmp_path / "lakehouse"))
