"""What several tests of flows share: a terminal, a connection to the sample."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from flows.rendering import text_tables
from tests.support.world import World


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most terminals can print a division sign; pytest's may not."""
    monkeypatch.setattr(text_tables, "can_print", lambda characters: True)  # noqa: ARG005


@pytest.fixture(scope="session")
def published(sample: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the sample's database."""
    with duckdb.connect(str((sample.warehouse / "crime_rates.duckdb").resolve()), read_only=True) as con:
        yield con
