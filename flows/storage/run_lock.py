"""One run at a time on a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.storage.data_dir import open_store
from flows.storage.file_lock import hold


@contextmanager
def sole_run(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this run, and the store whose working copy it is. Raises FolderBusy, naming the other process."""
    there = open_store(data_dir)
    with ExitStack() as stack:
        stack.enter_context(hold(data_dir / ".run.lock", data_dir))
        if there is not None:
            from flows.storage import lease

            stack.enter_context(lease.hold(there))
        yield
