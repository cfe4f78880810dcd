"""A server that refuses, a writer that stands still, a host gone silent: the end comes soon, and is told in one sentence."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from flows.settings import lakehouse_access
from flows.warehouse import ducklake
from flows.warehouse.ducklake import Conflict, LakehouseError
from tests.services.lakehouse.conftest import Place
from tests.support import postgres
from tests.support.lakehouse_variants import marks, variant

SHOWN = (
    "select * from postgres_query('__ducklake_metadata_lake', 'select current_setting(''lock_timeout'') as locks, "
    "current_setting(''tcp_keepalives_idle'') as idle, current_setting(''application_name'') as name')"
)


@pytest.fixture
def filled(shared: Place, built: Path, tmp_path: Path) -> Place:
    """A lakehouse that holds the build `old`."""
    assert shared.publish(variant(built, tmp_path, "old"))
    return shared


def role(server: postgres.Server, place: Place, name: str, rights: str) -> Place:
    """The lakehouse for a role of the catalog's database that has certain rights on DuckLake's tables."""
    server.query(
        place.catalog,
        f"drop role if exists {name}; create role {name} login; grant {rights} on all tables in schema public to {name}",
    )
    return Place(place.catalog.replace("user=crime", f"user={name}"), place.data)


def forget_role(server: postgres.Server, place: Place, name: str) -> None:
    server.query(place.catalog, f"drop owned by {name}; drop role {name}")


@contextmanager
def standing_still(place: Place, signal: Path) -> Iterator[None]:
    """A writer that has begun its commit, and neither ends it nor goes away."""
    with subprocess.Popen([sys.executable, "-m", "tests.support.lakehouse_stopper", place.catalog, str(signal)]) as process:
        try:
            while not signal.exists():
                assert process.poll() is None
                time.sleep(0.02)
            yield
        finally:
            process.kill()


def test_readers_need_no_right_but_to_select(filled: Place, server: postgres.Server, built: Path, tmp_path: Path) -> None:
    reader = role(server, filled, "bi", "select")
    with ducklake.connect_read_only(reader.catalog) as con:
        assert marks(con) == {"old"}
    with pytest.raises(LakehouseError, match="permission denied for table ducklake_") as refused:
        reader.publish(variant(built, tmp_path, "new"))
    assert len(str(refused.value)) < 300  # DuckLake quotes all that it wanted to do: kilobytes
    with ducklake.connect_read_only(reader.catalog) as con:
        assert marks(con) == {"old"}
    forget_role(server, filled, "bi")


def test_a_publication_that_cannot_clear_away_says_that_it_is_published(
    filled: Place, server: postgres.Server, built: Path, tmp_path: Path
) -> None:
    writer = role(server, filled, "careful", "select, insert, update")
    with pytest.raises(LakehouseError, match="^crime_rates-new is published to the lakehouse, but .* permission denied"):
        writer.publish(variant(built, tmp_path, "new"), keep=1)
    with ducklake.connect_read_only(filled.catalog) as con:
        assert marks(con) == {"new"}
    forget_role(server, filled, "careful")


def test_a_writer_does_not_wait_for_one_that_stands_still(filled: Place, built: Path, tmp_path: Path) -> None:
    hasty = Place(f"{filled.catalog} options='-c lock_timeout=500'", filled.data)
    new = variant(built, tmp_path, "new")
    with standing_still(filled, tmp_path / "signal"):
        with pytest.raises(Conflict, match="^another writer has been at the end of its publication for a minute"):
            hasty.publish(new)
        with ducklake.connect_read_only(filled.catalog) as con:
            assert marks(con) == {"old"}
    assert hasty.publish(new)
    with ducklake.connect_read_only(filled.catalog) as con:
        assert marks(con) == {"new"}


def test_silence_has_an_end_unless_the_address_says_otherwise(
    filled: Place, server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", r"-c application_name=it\'s\ me")
    name = filled.catalog.split("dbname=")[1].split()[0]
    other_form = f"postgres:postgresql://crime@{server.host}:{server.port}/{name}"
    for catalog in (filled.catalog, other_form):
        assert shown(catalog) == ("1min", "15", "it's me")
    for catalog in (f"{filled.catalog} options='-c lock_timeout=2s'", f"{other_form}?options=-c%20lock_timeout%3D2s"):
        assert shown(catalog)[:1] == ("2s",)


def shown(catalog: str) -> tuple[str, ...]:
    with ducklake.connect_read_only(catalog, access=lakehouse_access()) as con:
        return tuple(con.execute(SHOWN).fetchall()[0])


def test_a_stop_is_no_fault_of_the_lakehouse() -> None:
    with pytest.raises(duckdb.InterruptException), ducklake.translate_errors():
        raise duckdb.InterruptException("Interrupted!")
