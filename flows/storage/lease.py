"""One run at a time on an object store, whichever hosts the runs are on: a lease that its holder renews.

The lease is one object that is only ever written where what was read still stands, so that of two hosts at once one gets it. It
is dead when it was not renewed for SECONDS, by the store's own clock; whoever finds it so may take it. It is a courtesy: what
keeps readers safe is that a publication is a conditional write, too (docs/decisions/0005-one-run-at-a-time.md).
"""

from __future__ import annotations

import json
import os
import socket
import threading
from secrets import token_hex

from flows.storage.file_lock import RunInProgress
from flows.storage.object_store import ObjectStore, StoreError

NAME = ".lease/holder.json"
SECONDS = 60.0  # without renewal, after which a run counts as dead


class RemoteRunInProgress(RunInProgress):
    """Another run holds the store, or has taken this one's place."""


class Lease:
    """The lease of a run; a thread renews it until it is given back."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects, self._holder, self._renewals = objects, _new_holder(), 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def take(self) -> None:
        """Take the store for this run. Raises RemoteRunInProgress, which names the other host and process, when one holds it."""
        found = self._objects.info(NAME)
        before = self._objects.read(NAME) if found is not None else None
        if found is not None and before is not None and _now(self._objects) - found.modified < SECONDS:
            raise _busy(self._objects, before)
        if not self._objects.replace(NAME, self._bytes(), before):
            raise _busy(self._objects, self._objects.read(NAME))
        self._thread.start()

    def check(self) -> None:
        """Raises RemoteRunInProgress when another run has taken this one's place."""
        if not self._is_mine(self._objects.read(NAME)):
            raise RemoteRunInProgress(
                f"{self._objects.address}: this run was held up for over {SECONDS:.0f} seconds, and another run has taken its "
                "place: nothing was published. Run the command again."
            )

    def give_back(self) -> None:
        """Free the store for others."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._is_mine(self._objects.read(NAME)):
            self._objects.remove(NAME)

    def _is_mine(self, data: bytes | None) -> bool:
        return _read_holder(data).get("token") == self._holder["token"]

    def _bytes(self) -> bytes:
        return json.dumps(self._holder | {"renewals": str(self._renewals)}, sort_keys=True).encode()

    def _renew(self) -> None:
        while not self._stop.wait(SECONDS / 4):
            try:
                before = self._objects.read(NAME)
                if not self._is_mine(before):
                    return
                self._renewals += 1
                self._objects.replace(NAME, self._bytes(), before)
            except StoreError:
                continue  # it may pass; who publishes asks again, and is told


def _new_holder() -> dict[str, str]:
    return {"host": socket.gethostname(), "process": str(os.getpid()), "token": token_hex(8)}


def _now(objects: ObjectStore) -> float:
    """What time it is by the clock of the store, which dates the lease."""
    name = f".lease/now-{token_hex(8)}"
    now = objects.write(name, b"?").modified
    objects.remove(name)
    return now


def _busy(objects: ObjectStore, data: bytes | None) -> RemoteRunInProgress:
    holder = _read_holder(data)
    who = f"process {holder.get('process', 'unknown')} on {holder.get('host', 'a host unknown')}"
    return RemoteRunInProgress(
        f"Another run ({who}) is at work on {objects.address}: wait for it to end, then run the command again. "
        f"If it has died, its place is free {SECONDS:.0f} seconds later."
    )


def _read_holder(data: bytes | None) -> dict[str, str]:
    """Who holds the lease; nobody known while it is being written, on a file system that shows that."""
    try:
        return dict(json.loads(data or b"{}"))
    except ValueError:
        return {}
