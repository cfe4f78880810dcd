"""What readers of a store see: the old database or the new one, whole, on every host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.storage import lease, run_log
from flows.storage.lease import StoreBusy
from flows.storage.object_store import Store, StoreError
from flows.storage.run_log import Run
from flows.warehouse import remote, versions
from flows.warehouse.published import LINK, published
from tests.services.object_store.conftest import Hosts


def built(data_dir: Path, name: str) -> Path:
    """A database that is built and not published; what is in it is nobody's affair here."""
    path = data_dir / "warehouse" / f"crime_rates-{name}.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode() * 10)
    versions.os.utime(path, ns=(versions.UNPUBLISHED, versions.UNPUBLISHED))
    return path


def publish(hosts: Hosts, host: str, name: str, keep: int = 3) -> bool:
    there = hosts.store(host)
    return remote.publish(there, built(there.here, name), keep)


def seen(hosts: Hosts, host: str) -> str:
    """The name of the database that readers see on a host."""
    database = published(hosts.on(host))
    assert database is not None and database.read_bytes() == database.stem.removeprefix("crime_rates-").encode() * 10
    return database.stem.removeprefix("crime_rates-")


def test_readers_on_other_hosts_see_what_was_published_last(hosts: Hosts) -> None:
    assert published(hosts.on("reader")) is None
    assert publish(hosts, "writer", "one") and not publish(hosts, "writer", "one")
    assert [seen(hosts, host) for host in ("writer", "reader")] == ["one", "one"]
    assert publish(hosts, "other", "two")
    assert [seen(hosts, host) for host in ("writer", "reader", "other")] == ["two"] * 3
    link = hosts.on("reader") / "warehouse" / LINK
    assert link.resolve().stem == "crime_rates-two"


def test_a_database_is_pulled_once(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hosts, "writer", "one")
    seen(hosts, "reader")
    monkeypatch.setattr(Store, "pull", None)
    assert seen(hosts, "reader") == "one"


def test_what_is_not_kept_goes_on_every_host(hosts: Hosts) -> None:
    for name in ("one", "two", "three"):
        publish(hosts, "writer", name, keep=2)
        seen(hosts, "reader")
    there = hosts.store()
    assert [name for name in there.objects("warehouse") if name.endswith(".duckdb")] == [
        "warehouse/crime_rates-three.duckdb",
        "warehouse/crime_rates-two.duckdb",
    ]
    for host in ("writer", "reader"):
        kept = sorted(path.stem for path in hosts.on(host).glob("warehouse/*-*.duckdb"))
        assert kept == ["crime_rates-three", "crime_rates-two"]


def test_until_current_is_written_readers_see_the_old_one(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hosts, "writer", "one")
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", lambda *_: (_ for _ in ()).throw(StoreError("no connection")))
        with pytest.raises(StoreError):
            publish(hosts, "writer", "two")
    assert [seen(hosts, host) for host in ("writer", "reader")] == ["one", "one"]
    assert publish(hosts, "writer", "two") and seen(hosts, "reader") == "two"


def test_a_run_that_lost_its_lease_publishes_nothing(hosts: Hosts) -> None:
    publish(hosts, "writer", "one")
    there = hosts.store("writer")
    with pytest.raises(StoreBusy, match="nothing was published"), lease.hold(there):
        there.create(".lease/00000002.json", b"{}")
        publish(hosts, "writer", "two")
    assert [seen(hosts, host) for host in ("writer", "reader")] == ["one", "one"]


def test_a_reader_that_is_overtaken_looks_again(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hosts, "writer", "one", keep=1)
    old = remote.read_pointer(hosts.store())
    publish(hosts, "writer", "two", keep=1)
    answers = [old]
    now = remote.read_pointer
    monkeypatch.setattr(remote, "read_pointer", lambda there: answers.pop() if answers else now(there))
    assert seen(hosts, "reader") == "two" and not answers


def test_current_that_names_nothing_is_told(hosts: Hosts) -> None:
    publish(hosts, "writer", "one")
    hosts.store().remove("warehouse/crime_rates-one.duckdb")
    with pytest.raises(StoreError) as error:
        published(hosts.on("reader"))
    assert str(error.value) == f"{hosts.address}: expected crime_rates-one.duckdb, as warehouse/CURRENT says, found none."


def test_a_roll_back_on_one_host_is_one_for_all(hosts: Hosts) -> None:
    for name in ("one", "two", "three"):
        publish(hosts, "writer", name)
    left, target = remote.roll_back(hosts.on("operator"), None)
    assert (left.stem, target.stem) == ("crime_rates-three", "crime_rates-two")
    assert [seen(hosts, host) for host in ("writer", "reader", "operator")] == ["two"] * 3
    assert versions.is_rolled_back(hosts.on("writer") / "warehouse/crime_rates-three.duckdb")
    assert not publish(hosts, "writer", "three") and seen(hosts, "reader") == "two"
    remote.roll_back(hosts.on("writer"), None)
    assert seen(hosts, "reader") == "one"
    with pytest.raises(versions.NoSuchBuild, match="no older build than crime_rates-one"):
        remote.roll_back(hosts.on("operator"), None)
    remote.roll_back(hosts.on("operator"), "three")
    assert seen(hosts, "writer") == "three"
    assert not versions.is_rolled_back(hosts.on("writer") / "warehouse/crime_rates-three.duckdb")
    assert json.loads(hosts.store().read(remote.CURRENT) or b"")["kept"][0] == "crime_rates-three.duckdb"


def test_the_last_run_is_known_on_every_host(hosts: Hosts) -> None:
    assert run_log.last_run(hosts.on("reader")) is None
    for error in ("", "the second"):
        run = Run("update", started=f"2026-11-24T09:35:0{len(error)}Z", error=error)
        run.end()
        run.save(hosts.on("writer"))
    last = run_log.last_run(hosts.on("reader"))
    assert last is not None and (last["state"], last["error"]) == ("failed", "the second")
