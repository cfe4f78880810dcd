"""One run at a time on a store: others are told to wait, a dead run holds nobody up, who lost its place publishes nothing."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest
from flows.storage.run_lock import sole_run

from flows.storage import lease
from flows.storage.file_lock import FolderBusy
from flows.storage.lease import StoreBusy
from flows.storage.object_store import Store, StoreError
from tests.services.object_store.conftest import Hosts


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is dead after two seconds: S3 dates objects by the second."""
    monkeypatch.setattr(lease, "SECONDS", 2.0)


def leases(there: Store) -> list[str]:
    return sorted(there.objects(lease.FOLDER))


def die(there: Store) -> None:
    """Take the lease as a run that is killed before its end."""
    lease._take(there)


def test_a_second_run_is_told_to_wait(hosts: Hosts) -> None:
    first, second = hosts.on("first"), hosts.on("second")
    with sole_run(first):
        with pytest.raises(FolderBusy) as error, sole_run(second):
            pass
        who = f"process {os.getpid()} on {socket.gethostname()}"
        assert str(error.value).startswith(
            f"Another run ({who}) is at work on {hosts.address}: wait for it to end, then run the command again."
        )
        with pytest.raises(FolderBusy, match="at work on"), sole_run(first):  # by the lock of this host
            pass
    with sole_run(second):
        pass
    assert leases(hosts.store()) == [".lease/00000002.json"]


def test_of_many_that_start_at_once_one_gets_on(hosts: Hosts) -> None:
    there, start = hosts.store(), threading.Barrier(6)
    told: list[str] = []
    done = threading.Barrier(6)

    def run() -> None:
        start.wait()
        try:
            lease._take(there)
            told.append("on")
        except StoreBusy:
            told.append("busy")
        done.wait()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["busy"] * 5 + ["on"]


@pytest.mark.usefixtures("soon")
def test_the_place_of_a_dead_run_is_taken(hosts: Hosts) -> None:
    there = hosts.store()
    die(there)
    with pytest.raises(StoreBusy, match=r"its place is free 2 seconds later\.$"), lease.hold(there):
        pass
    time.sleep(3.1)
    with lease.hold(there):
        assert leases(there) == [".lease/00000002.json"]


@pytest.mark.usefixtures("soon")
def test_a_lease_is_renewed_for_as_long_as_it_is_held(hosts: Hosts) -> None:
    there = hosts.store()
    with lease.hold(there):
        time.sleep(3.1)
        with pytest.raises(StoreBusy), lease.hold(there):
            pass


@pytest.mark.usefixtures("soon")
def test_who_was_held_up_too_long_has_lost_its_place_and_takes_it_from_nobody(hosts: Hosts) -> None:
    there = hosts.store()
    lost = lease._take(there)
    lease._held[there.address] = lost
    lease.check_still_held(there)
    time.sleep(3.1)
    other = lease._take(there)
    with pytest.raises(StoreBusy) as error:
        lease.check_still_held(there)
    del lease._held[there.address]
    assert str(error.value) == (
        f"{hosts.address}: this run was held up for over 2 seconds, and another run has taken its place: "
        "nothing was published. Run the command again."
    )
    lost.start()  # its thread wakes up, and it comes to its end
    lost.end()
    assert other.is_mine()
    there.write(lost.name, lease._bytes(lost.holder))  # a renewal that was on its way
    assert other.is_mine()
    with pytest.raises(StoreBusy):
        lease._take(there)


def test_a_store_that_is_lost_for_a_while_does_not_end_the_run(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SECONDS", 0.4)
    there, lost = hosts.store(), threading.Event()

    def no_answer(_: object) -> tuple[int, None]:
        lost.set()
        raise StoreError("no connection")

    with lease.hold(there):
        with monkeypatch.context() as patch:
            patch.setattr(lease, "_highest", no_answer)
            assert lost.wait(5)
        lease.check_still_held(there)


def test_who_was_overtaken_on_a_server_without_conditions_does_not_get_on(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Store(bucket, Path())
    fs, _ = there._there
    put = fs.pipe_file
    monkeypatch.setattr(fs, "pipe_file", lambda path, data, mode: put(path, b"of the last") if mode else put(path, data))
    assert not there.create("a", b"of the first")


def test_a_plain_folder_has_no_lease(tmp_path: Path) -> None:
    with sole_run(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]
