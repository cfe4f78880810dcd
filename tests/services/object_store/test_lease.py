"""One run at a time on a store: others are told to wait, a dead run holds nobody up, who lost its place publishes nothing."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from flows.storage import lease
from flows.storage.file_lock import FolderBusy
from flows.storage.lease import Lease, StoreBusy
from flows.storage.object_store import ObjectStore, StoreError
from tests.services.object_store.conftest import Hosts


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is dead after two seconds: S3 dates objects by the second."""
    monkeypatch.setattr(lease, "SECONDS", 2.0)


def die(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """Take the lease as a run does that is killed, or held up, before it can renew it."""
    taken = Lease(objects)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda _: None)
        taken.take()
    return taken


def test_a_second_run_is_told_to_wait(hosts: Hosts) -> None:
    first, second = hosts.on("first"), hosts.on("second")
    with first.lock():
        with pytest.raises(FolderBusy) as error, second.lock():
            pass
        who = f"process {os.getpid()} on {socket.gethostname()}"
        assert str(error.value).startswith(
            f"Another run ({who}) is at work on {hosts.address}: wait for it to end, then run the command again."
        )
        with pytest.raises(FolderBusy, match="at work on"), hosts.on("first").lock():  # by the lock of this host
            pass
    with second.lock():
        pass
    assert hosts.objects.list(".lease") == {}


def test_of_many_that_start_at_once_one_gets_on(hosts: Hosts) -> None:
    start, done = threading.Barrier(6), threading.Barrier(6)
    ends: list[str] = []

    def run() -> None:
        taken = Lease(ObjectStore(hosts.address))
        start.wait()
        try:
            taken.take()
            ends.append("on")
        except StoreBusy:
            ends.append("busy")
        done.wait()
        taken.give_back()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["busy"] * 5 + ["on"]


@pytest.mark.usefixtures("soon")
def test_the_place_of_a_dead_run_is_taken(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    die(hosts.objects, monkeypatch)
    store = hosts.on("any")
    with pytest.raises(StoreBusy, match=r"its place is free 2 seconds later\.$"), store.lock():
        pass
    time.sleep(3.1)
    with store.lock():
        pass


@pytest.mark.usefixtures("soon")
def test_a_lease_is_renewed_for_as_long_as_it_is_held(hosts: Hosts) -> None:
    with hosts.on("first").lock():
        time.sleep(3.1)
        with pytest.raises(StoreBusy), hosts.on("second").lock():
            pass


@pytest.mark.usefixtures("soon")
def test_who_was_held_up_too_long_has_lost_its_place_and_takes_it_from_nobody(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = die(hosts.objects, monkeypatch)
    lost.check()
    time.sleep(3.1)
    with hosts.on("other").lock():
        with pytest.raises(StoreBusy) as error:
            lost.check()
        assert str(error.value) == (
            f"{hosts.address}: this run was held up for over 2 seconds, and another run has taken its place: "
            "nothing was published. Run the command again."
        )
        lost.give_back()
        with pytest.raises(StoreBusy), hosts.on("third").lock():
            pass


def test_a_store_that_is_lost_for_a_while_does_not_end_the_run(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SECONDS", 0.4)
    lost = threading.Event()
    store = hosts.on("any")

    def no_answer(*_: object) -> None:
        lost.set()
        raise StoreError("no connection")

    with store.lock():
        with monkeypatch.context() as patch:
            patch.setattr(ObjectStore, "read", no_answer)
            assert lost.wait(5)
        assert store.replace("a", b"1", None)


def test_who_lost_its_place_replaces_nothing(hosts: Hosts) -> None:
    store = hosts.on("any")
    store.write("a", b"1")
    with store.lock():
        hosts.objects.write(lease.NAME, b'{"token": "of another run"}')
        with pytest.raises(StoreBusy, match="nothing was published"):
            store.replace("a", b"2", b"1")
    assert store.read("a") == b"1"
