"""One process at a time on a folder, whether or not Prefect knows of both."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transforms.errors import CrimeRatesError


class RunInProgress(CrimeRatesError):
    """Another process holds the folder."""


@contextmanager
def hold(lock: Path, name: str) -> Iterator[None]:
    """Hold a lock file, for what people know by `name`. The lock is the kernel's: it goes with the process, however that ends.

    Raises RunInProgress, naming the other process, when it is held already.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RunInProgress(
                f"Another run (process {holder}) is at work on {name}: wait for it to end, then run the command again."
            ) from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
