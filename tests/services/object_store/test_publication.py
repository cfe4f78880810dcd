"""What readers of a store see: the old database or the new one, whole, on every host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.storage import lease, run_log
from flows.storage.data_store import DataStore, LocalStore
from flows.storage.lease import RemoteRunInProgress
from flows.storage.object_store import ObjectStore, StoreError
from flows.storage.remote_store import RemoteStore
from flows.storage.run_log import Run
from flows.warehouse import published as publications
from flows.warehouse import versions
from flows.warehouse.published import FILE, LINK, PublicationError, published, read_publication
from tests.services.object_store.conftest import Hosts


def built(store: DataStore, name: str) -> Path:
    """A database that is built and not published; what is in it is nobody's affair here."""
    path = store.folder / "warehouse" / f"crime_rates-{name}.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode() * 10)
    return path


def publish(hosts: Hosts, host: str, name: str, keep: int = 3) -> bool:
    store = hosts.on(host)
    return versions.publish(store, built(store, name), keep)


def roll_back(hosts: Hosts, host: str, to: str | None = None) -> tuple[str, str]:
    return versions.roll_back(hosts.on(host), to)


def rolled_back(hosts: Hosts, host: str) -> list[str]:
    """The names of the builds that were rolled back, as a host knows them."""
    return [build.name for build in versions.kept_builds(hosts.on(host)) if build.is_rolled_back]


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
    link = hosts.on("reader").folder / "warehouse" / LINK
    assert link.resolve().stem == "crime_rates-two"


def test_a_database_is_pulled_once(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hosts, "writer", "one")
    seen(hosts, "reader")
    monkeypatch.setattr(ObjectStore, "download", None)
    assert seen(hosts, "reader") == "one"


def test_what_is_not_kept_goes_on_every_host(hosts: Hosts) -> None:
    for name in ("one", "two", "three"):
        publish(hosts, "writer", name, keep=2)
        seen(hosts, "reader")
    assert [name for name in hosts.objects.list("warehouse") if name.endswith(".duckdb")] == [
        "warehouse/crime_rates-three.duckdb",
        "warehouse/crime_rates-two.duckdb",
    ]
    for host in ("writer", "reader"):
        kept = sorted(path.stem for path in hosts.on(host).folder.glob("warehouse/*-*.duckdb"))
        assert kept == ["crime_rates-three", "crime_rates-two"]


def test_until_published_json_is_written_readers_see_the_old_one(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hosts, "writer", "one")
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "replace", lambda *_: (_ for _ in ()).throw(StoreError("no connection")))
        with pytest.raises(StoreError):
            publish(hosts, "writer", "two")
    assert [seen(hosts, host) for host in ("writer", "reader")] == ["one", "one"]
    assert publish(hosts, "writer", "two") and seen(hosts, "reader") == "two"


def test_a_run_that_lost_its_lease_publishes_nothing(hosts: Hosts) -> None:
    publish(hosts, "writer", "one")
    store = hosts.on("writer")
    with store.lock():
        hosts.objects.write(lease.NAME, b'{"token": "of another run"}')
        with pytest.raises(RemoteRunInProgress, match="nothing was published"):
            versions.publish(store, built(store, "two"), 3)
    assert [seen(hosts, host) for host in ("writer", "reader")] == ["one", "one"]


def test_of_two_that_publish_at_once_the_second_reads_again_and_loses_nothing(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hosts, "writer", "one")
    first, other = hosts.on("writer"), hosts.on("other")
    replace = RemoteStore.replace
    overtaken: list[str] = []

    def after_another(self: RemoteStore, name: str, data: bytes, before: bytes | None) -> bool:
        if not overtaken:
            overtaken.append(name)
            assert versions.publish(other, built(other, "three"), 3)
        return replace(self, name, data, before)

    monkeypatch.setattr(RemoteStore, "replace", after_another)
    assert versions.publish(first, built(first, "two"), 3)
    assert [build.name for build in versions.kept_builds(first)] == ["crime_rates-two", "crime_rates-three", "crime_rates-one"]
    assert [seen(hosts, host) for host in ("writer", "other", "reader")] == ["two"] * 3


def test_a_build_that_another_run_has_uploaded_and_not_yet_named_stays(hosts: Hosts) -> None:
    hosts.objects.write("warehouse/crime_rates-soon.duckdb", b"soon" * 10)
    publish(hosts, "writer", "one", keep=1)
    publish(hosts, "writer", "two", keep=1)
    assert {name for name in hosts.objects.list("warehouse") if name.endswith(".duckdb")} == {
        "warehouse/crime_rates-soon.duckdb",
        "warehouse/crime_rates-two.duckdb",
    }


def test_a_reader_that_is_overtaken_looks_again(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hosts, "writer", "one", keep=1)
    answers = [read_publication(hosts.on("reader"))]
    publish(hosts, "writer", "two", keep=1)
    now = publications.read_publication
    monkeypatch.setattr(publications, "read_publication", lambda store: answers.pop() if answers else now(store))
    assert seen(hosts, "reader") == "two" and not answers


def test_a_build_that_is_named_and_gone_is_told_and_comes_back_with_the_next_run(hosts: Hosts) -> None:
    publish(hosts, "writer", "one")
    hosts.objects.remove("warehouse/crime_rates-one.duckdb")
    with pytest.raises(PublicationError) as error:
        published(hosts.on("reader"))
    assert str(error.value) == f"{hosts.address}: expected crime_rates-one.duckdb, as {FILE} says, found none."
    assert not publish(hosts, "writer", "one") and seen(hosts, "reader") == "one"


def test_a_roll_back_on_one_host_is_one_for_all(hosts: Hosts) -> None:
    for name in ("one", "two", "three"):
        publish(hosts, "writer", name)
    assert roll_back(hosts, "operator") == ("crime_rates-three.duckdb", "crime_rates-two.duckdb")
    assert [seen(hosts, host) for host in ("writer", "reader", "operator")] == ["two"] * 3
    assert rolled_back(hosts, "writer") == ["crime_rates-three"]
    assert not publish(hosts, "writer", "three") and seen(hosts, "reader") == "two"
    roll_back(hosts, "writer")
    assert seen(hosts, "reader") == "one"
    with pytest.raises(versions.NoSuchBuild, match="no older build than crime_rates-one"):
        roll_back(hosts, "operator")
    roll_back(hosts, "operator", "three")
    assert seen(hosts, "writer") == "three" and rolled_back(hosts, "writer") == ["crime_rates-two"]
    assert json.loads(hosts.objects.read(FILE) or b"")["kept"][0] == "crime_rates-three.duckdb"


def test_a_folder_that_was_copied_into_a_store_is_a_store(hosts: Hosts, tmp_path: Path) -> None:
    folder = LocalStore(tmp_path / "data")
    for name in ("one", "two"):
        versions.publish(folder, built(folder, name), 3)
    for name in folder.list(""):
        hosts.objects.upload(name, folder.folder / name)
    assert seen(hosts, "reader") == "two"
    assert roll_back(hosts, "operator") == ("crime_rates-two.duckdb", "crime_rates-one.duckdb") and seen(hosts, "reader") == "one"


def test_an_old_store_is_read_as_it_was_meant_and_taken_over_by_the_first_run(hosts: Hosts) -> None:
    kept = [f"crime_rates-{name}.duckdb" for name in ("three", "two", "one")]
    for name in ("one", "two", "three"):
        hosts.objects.write(f"warehouse/crime_rates-{name}.duckdb", name.encode() * 10)
    old = {"current": kept[1], "kept": kept, "rolled_back": [kept[0]]}
    hosts.objects.write("warehouse/CURRENT", json.dumps(old).encode())
    assert seen(hosts, "reader") == "two" and rolled_back(hosts, "reader") == ["crime_rates-three"]
    assert hosts.objects.read(FILE) is None
    assert not publish(hosts, "writer", "three") and not publish(hosts, "writer", "two")
    assert json.loads(hosts.objects.read(FILE) or b"") == old and hosts.objects.read("warehouse/CURRENT") is None
    assert seen(hosts, "reader") == "two"


def test_the_last_run_is_known_on_every_host(hosts: Hosts) -> None:
    assert run_log.last_run(hosts.on("reader")) is None
    for error in ("", "the second"):
        run = Run("update", started=f"2026-11-24T09:35:0{len(error)}Z", error=error)
        run.end()
        run.save(hosts.on("writer"))
    last = run_log.last_run(hosts.on("reader"))
    assert last is not None and (last.state, last.error) == ("failed", "the second")
