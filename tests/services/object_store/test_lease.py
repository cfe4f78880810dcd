"""One run at a time on a store: others are told to wait, a dead run holds nobody up, who lost its place publishes nothing."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flows.storage import lease
from flows.storage.file_lock import RunInProgress
from flows.storage.lease import Lease, RemoteRunInProgress
from flows.storage.object_store import ObjectStore, StoreError
from tests.services.object_store.conftest import Hosts

PATIENCE = 120  # seconds until a test gives up on what must come


@contextmanager
def age_by_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the block a lease that was not renewed since is dead, as it is a minute later; however slow the machine, none is sooner.

    A lease dies after one second there, and S3 dates objects by the second, so two have passed.
    """
    time.sleep(2.1)
    with monkeypatch.context() as patch:
        patch.setattr(lease, "SECONDS", 1.0)
        yield


def modified(objects: ObjectStore) -> float:
    """When the lease was last renewed, by the clock of the store."""
    found = objects.info(lease.NAME)
    assert found is not None
    return found.modified


def die(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """Take the lease as a run does that is killed, or held up, before it can renew it."""
    taken = Lease(objects)
    start = threading.Thread.start
    with monkeypatch.context() as patch:  # the server is in this process too, and starts a thread a connection
        patch.setattr(threading.Thread, "start", lambda thread: None if thread.name == "lease" else start(thread))
        taken.take()
    return taken


def test_a_second_run_is_told_to_wait(hosts: Hosts) -> None:
    first, second = hosts.on("first"), hosts.on("second")
    with first.lock():
        with pytest.raises(RunInProgress) as error, second.lock():
            pass
        who = f"process {os.getpid()} on {socket.gethostname()}"
        assert str(error.value).startswith(
            f"Another run ({who}) is at work on {hosts.address}: wait for it to end, then run the command again."
        )
        with pytest.raises(RunInProgress, match="at work on"), hosts.on("first").lock():  # by the lock of this host
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
        except RemoteRunInProgress:
            ends.append("busy")
        done.wait()
        taken.give_back()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["busy"] * 5 + ["on"]


def test_the_place_of_a_dead_run_is_taken(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    die(hosts.objects, monkeypatch)
    store = hosts.on("any")
    with pytest.raises(RemoteRunInProgress, match=r"its place is free 60 seconds later\.$"), store.lock():
        pass
    with age_by_a_minute(monkeypatch), store.lock():
        pass


def test_a_lease_is_renewed_for_as_long_as_it_is_held(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(lease, "SECONDS", 2.0)
        with hosts.on("first").lock():
            taken = renewed = modified(hosts.objects)
            deadline = time.monotonic() + PATIENCE
            while renewed <= taken + lease.SECONDS and time.monotonic() < deadline:
                time.sleep(0.1)
                renewed = modified(hosts.objects)
            assert renewed > taken + lease.SECONDS  # by then it would be dead


def test_who_was_held_up_too_long_has_lost_its_place_and_takes_it_from_nobody(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = die(hosts.objects, monkeypatch)
    lost.check()
    with age_by_a_minute(monkeypatch):
        other = Lease(hosts.objects)
        other.take()
    with pytest.raises(RemoteRunInProgress) as error:
        lost.check()
    assert str(error.value) == (
        f"{hosts.address}: this run was held up for over 60 seconds, and another run has taken its place: "
        "nothing was published. Run the command again."
    )
    lost.give_back()
    with pytest.raises(RemoteRunInProgress), hosts.on("third").lock():
        pass
    other.give_back()


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
            assert lost.wait(PATIENCE)
        assert store.replace("a", b"1", None)


def test_who_lost_its_place_replaces_nothing(hosts: Hosts) -> None:
    store = hosts.on("any")
    store.write("a", b"1")
    with store.lock():
        hosts.objects.write(lease.NAME, b'{"token": "of another run"}')
        with pytest.raises(RemoteRunInProgress, match="nothing was published"):
            store.replace("a", b"2", b"1")
    assert store.read("a") == b"1"
