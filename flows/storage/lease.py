"""One run at a time on a store, whichever hosts the runs are on: a lease that its holder renews.

Leases are objects .lease/<number>.json; that of the highest number holds. To take one is to create the next number, which only
one host can do, so that of two who find a dead run's lease at once only one gets on. It is dead when it was not renewed for
SECONDS, by the store's own clock. A run that has been held up for longer may have lost it, and asks before it publishes.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from flows.storage.file_lock import FolderBusy
from flows.storage.object_store import Object, Store, StoreError

FOLDER = ".lease"
SECONDS = 60.0  # without renewal, after which a run counts as dead
_held: dict[str, Lease] = {}  # of this process, by address


class StoreBusy(FolderBusy):
    """Another run holds the store."""


class Lease:
    """A lease that this process took; renewed by a thread until it ends."""

    def __init__(self, there: Store, number: int, holder: dict[str, Any]) -> None:
        self.there, self.number, self.holder = there, number, holder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    @property
    def name(self) -> str:
        return _name(self.number)

    def start(self) -> None:
        self._thread.start()

    def is_mine(self) -> bool:
        """Whether nobody has taken it over. Raises StoreError."""
        return _highest(self.there)[0] == self.number and self.there.read(self.name) == _bytes(self.holder)

    def end(self) -> None:
        """Free the store for others: the lease stays, as one that has ended, and so its number is never given again."""
        self._stop.set()
        self._thread.join()
        if self.is_mine():
            self.there.write(self.name, _bytes(self.holder | {"ended": True}))

    def _renew(self) -> None:
        while not self._stop.wait(SECONDS / 4):
            try:
                if not self.is_mine():
                    return
                self.there.write(self.name, _bytes(self.holder))
            except StoreError:
                continue  # it may pass; who publishes asks again, and is told


@contextmanager
def hold(there: Store) -> Iterator[None]:
    """Hold the store for this run. Raises StoreBusy, naming the other host and process, when it is held already."""
    lease = _take(there)
    lease.start()
    _held[there.address] = lease
    try:
        yield
    finally:
        del _held[there.address]
        lease.end()


def check_still_held(there: Store) -> None:
    """Raises StoreBusy when the lease of this process has been taken over: before others are shown what it did."""
    lease = _held.get(there.address)
    if lease is not None and not lease.is_mine():
        raise StoreBusy(
            f"{there.address}: this run was held up for over {SECONDS:.0f} seconds, and another run has taken its "
            "place: nothing was published. Run the command again."
        )


def _take(there: Store) -> Lease:
    number, found = _highest(there)
    if found is not None:
        holder = _holder(there.read(_name(number)))
        if not holder.get("ended") and _now(there) - found.modified < SECONDS:
            raise _busy(there, holder)
    ours = {"host": socket.gethostname(), "process": os.getpid(), "token": token_hex(8)}
    lease = Lease(there, number + 1, ours)
    if not there.create(lease.name, _bytes(ours)):
        raise _busy(there, _holder(there.read(lease.name)))
    if number:
        there.remove(_name(number))
    return lease


def _highest(there: Store) -> tuple[int, Object | None]:
    leases = {int(name[-13:-5]): found for name, found in there.objects(FOLDER).items() if name.endswith(".json")}
    number = max(leases, default=0)
    return number, leases.get(number)


def _now(there: Store) -> float:
    """What time it is by the clock of the store, which dates all leases."""
    name = f"{FOLDER}/now-{token_hex(8)}"
    now = there.write(name, b"?").modified
    there.remove(name)
    return now


def _busy(there: Store, holder: dict[str, Any]) -> StoreBusy:
    who = f"process {holder.get('process', 'unknown')} on {holder.get('host', 'a host unknown')}"
    return StoreBusy(
        f"Another run ({who}) is at work on {there.address}: wait for it to end, then run the command again. "
        f"If it has died, its place is free {SECONDS:.0f} seconds later."
    )


def _name(number: int) -> str:
    return f"{FOLDER}/{number:08}.json"


def _bytes(holder: dict[str, Any]) -> bytes:
    return json.dumps(holder, sort_keys=True).encode()


def _holder(data: bytes | None) -> dict[str, Any]:
    """Who holds a lease; nobody known while it is being written, on a file system that shows that."""
    try:
        return dict(json.loads(data or b"{}"))
    except ValueError:
        return {}
