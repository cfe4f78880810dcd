"""A Dask scheduler and workers, each a process that a test may kill, and tasks for them to die of."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flows.pipeline import normalise as normalising
from flows.pipeline.normalise import normalise as normalise_file
from flows.pipeline.runner import Task
from flows.settings import Settings
from flows.storage.run_log import FileResult, ResultState
from tests.support.prefect_server import free_port

PATIENCE = 60  # seconds
Process = subprocess.Popen[bytes]


class Cluster:
    """`address` of a scheduler; `scheduler` and `workers`, each the leader of its group of processes."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, environment
        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.workers: list[Process] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(urlsplit(self.address).port))

    def add_worker(self, *options: str) -> Process:
        local = self.folder / f"worker-{len(self.workers)}"
        self.workers.append(self._start("worker", self.address, "--nthreads", "1", "--local-directory", str(local), *options))
        return self.workers[-1]

    def _start(self, *words: str) -> Process:
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env=os.environ | self.environment, start_new_session=True
            )

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            kill(process)


def kill(process: Process) -> None:
    """End a process and its children at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def standing(folder: Path, environment: Mapping[str, str], workers: int = 2) -> Iterator[Cluster]:
    """A scheduler and so many workers, until the end of the block."""
    cluster = Cluster(folder, environment)
    try:
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.end()


def wait_for(path: Path) -> str:
    """What somebody else writes into a file, as soon as it is there."""
    for _ in range(PATIENCE * 20):
        if path.exists() and (text := path.read_text(encoding="utf-8")):
            return text
        time.sleep(0.05)
    raise RuntimeError(f"{path} was not written within {PATIENCE} seconds")


# ---------------------------------------------------------------- what workers are asked to do
def _dies_once(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> FileResult:
    """End the worker with a release half written; who tries again normalises it."""
    mark = settings.data_dir / "died"
    if mark.exists():
        return normalise_file(settings, name, kind, folders)
    mark.touch()
    from flows.storage import lake

    write = lake._write_parquet  # the first year is written, and then the worker is gone

    def last(*words: object) -> None:
        write(*words)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)

    lake._write_parquet = last  # type: ignore[assignment]
    return normalise_file(settings, name, kind, folders)


def _always_dies(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> FileResult:  # noqa: ARG001
    """A workbook that ends every worker that opens it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return FileResult(name, kind, ResultState.NEW)


def _never_ends(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> FileResult:  # noqa: ARG001
    """Say which process is at work, and work for longer than anybody waits."""
    (settings.data_dir / "at-work").write_text(str(os.getpid()))
    time.sleep(PATIENCE)
    return FileResult(name, kind, ResultState.NEW)


def _apart(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> FileResult:
    """Normalise as a large release is: in a process that the worker starts."""
    normalising.LARGE_BYTES = 0
    return normalise_file(settings, name, kind, folders)


dies_once, always_dies, never_ends, apart = (Task(one, one.__name__) for one in (_dies_once, _always_dies, _never_ends, _apart))
normalise = Task(normalise_file, "normalise")
