"""Where stored files are normalised: on threads of the run, or on the workers of a Dask cluster that a setting names.

On threads, each file is read in a process with limited memory and time. A worker receives paths and returns a FileResult; the
bytes go into the lake, which it must see under the same paths. It reads large workbooks in such a process, too; another file
that is hostile may end the worker, as which the cluster starts a new one.
Where Prefect orchestrates the run, each is a task run of Prefect's on the same threads and workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flows.common.fork_server import ForkServers
from flows.common.subprocesses import end_children
from flows.pipeline.normalise import open_servers
from flows.pipeline.runner import THREADS, Task, is_orchestrated
from flows.settings import Settings
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState
from transforms.errors import CrimeRatesError, UsageError

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

    Future: TypeAlias = DaskFuture[FileResult]

NormaliseTask: TypeAlias = "Task[[Settings, str, FileKind, Sequence[Path], ForkServers | None], FileResult]"
WaitForResult: TypeAlias = Callable[[], FileResult]
StartTask: TypeAlias = Callable[[str, FileKind, Sequence[Path]], WaitForResult]
"""Starts to normalise (name, kind, stored folders); returns a function that waits for the result."""
CONNECT_SECONDS = 10
WORKERS_SECONDS = 60  # for which a cluster may have no worker: one that grows on demand starts with none
POLL_SECONDS = 5


class ClusterError(CrimeRatesError):
    """The Dask cluster that the settings name does not answer, or has no workers."""


@contextmanager
def executor_for(settings: Settings, task: NormaliseTask) -> Iterator[StartTask]:
    """Where tasks run, by the settings: yields a function that starts `task(settings, name, kind, folders)` there.

    Raises ClusterError, at once or later, when the cluster does not answer, or no longer; UsageError when the extra [dask] is
    not installed.
    """
    if settings.dask_scheduler:
        with _cluster(settings.dask_scheduler) as cluster:
            for_workers = replace(settings, store=settings.store.absolute())  # each works in a folder of its own
            yield lambda name, kind, folders: cluster.start(task, for_workers, name, kind, [f.absolute() for f in folders])
    elif is_orchestrated():
        with open_servers() as servers, _children_ended():
            yield lambda name, kind, folders: task.orchestrated.submit(settings, name, kind, folders, servers).result
    else:
        with open_servers() as servers, ThreadPoolExecutor(THREADS) as pool, _children_ended(pool):
            yield lambda name, kind, folders: pool.submit(task, settings, name, kind, folders, servers).result


@contextmanager
def _children_ended(pool: ThreadPoolExecutor | None = None) -> Iterator[None]:
    """End the processes that threads wait for when an error or an interrupt ends the run, so that it need not wait for them."""
    try:
        yield
    except BaseException:
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        end_children()
        raise


@dataclass(frozen=True)
class _Cluster:
    """A Dask cluster that answers: its client, and how a task is submitted to it."""

    address: str
    client: Client
    submit: Callable[..., tuple[Future, WaitForResult]]  # (the future to watch, a function that waits for what it gives)

    def start(self, task: NormaliseTask, settings: Settings, name: str, kind: FileKind, folders: list[Path]) -> WaitForResult:
        """Start to normalise stored folders on a worker."""
        future, result = self.submit(task, {"settings": settings, "name": name, "kind": kind, "folders": folders})
        return lambda: self._wait_for_result(future, result, name, kind)

    def _wait_for_result(self, future: Future, result: WaitForResult, name: str, kind: FileKind) -> FileResult:
        """The result of a task; a failed one when as many workers died at it as the scheduler allows."""
        from distributed import KilledWorker

        try:
            self._wait_for_task(future)
            return result()
        except KilledWorker as error:
            died = f"{error.allowed_failures + 1} Dask workers died while they were at work on it"
            return FileResult(name, kind, ResultState.FAILED, f"{name} could not be normalised: {died}.")
        except CancelledError as error:
            raise ClusterError(
                f"The Dask scheduler at {self.address} was lost while it had {name}: run the command again."
            ) from error

    def _wait_for_task(self, watched: Future) -> None:
        """Wait for the task to end; raises ClusterError after WORKERS_SECONDS without a worker: Dask would wait for ever."""
        import distributed

        dask: Any = distributed  # whose functions and methods have no types
        client: Any = self.client
        future: Any = watched
        no_worker_since = None
        while not future.done():
            with suppress(TimeoutError):
                dask.wait(future, timeout=POLL_SECONDS)
            if future.done() or client.nthreads():
                no_worker_since = None
                continue
            no_worker_since = no_worker_since or time.monotonic()
            if time.monotonic() - no_worker_since > WORKERS_SECONDS:
                raise _no_workers(self.address)


@contextmanager
def _cluster(address: str) -> Iterator[_Cluster]:
    try:
        connect = _connect_prefect if is_orchestrated() else _connect
        with connect(address) as cluster:
            try:
                cluster.client.wait_for_workers(1, timeout=WORKERS_SECONDS)
            except TimeoutError as error:
                raise _no_workers(address) from error
            yield cluster
    except ModuleNotFoundError as error:
        raise UsageError(
            'CRIME_RATES_DASK_SCHEDULER needs the extra [dask], here and on the workers: pip install "crime-rates[dask]".'
        ) from error


@contextmanager
def _connect(address: str) -> Iterator[_Cluster]:
    """A cluster that is told by this process what to do."""
    import distributed

    dask: Any = distributed  # whose functions have no types
    try:
        client: Any = dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _no_scheduler(address) from error

    def submit(task: NormaliseTask, arguments: dict[str, Any]) -> tuple[Future, WaitForResult]:
        future = client.submit(task.function, *arguments.values(), pure=False)
        return future, future.result

    with client:
        yield _Cluster(address, client, submit)


@contextmanager
def _connect_prefect(address: str) -> Iterator[_Cluster]:
    """A cluster whose workers report to the Prefect server that orchestrates this run."""
    from prefect_dask.task_runners import DaskTaskRunner

    with DaskTaskRunner(address=address, client_kwargs={"timeout": CONNECT_SECONDS}) as runner:
        try:
            client = runner.client
        except (OSError, ValueError) as error:
            raise _no_scheduler(address) from error

        def submit(task: NormaliseTask, arguments: dict[str, Any]) -> tuple[Future, WaitForResult]:
            future = runner.submit(task.orchestrated, arguments)
            return future.wrapped_future, future.result

        yield _Cluster(address, client, submit)


def _no_scheduler(address: str) -> ClusterError:
    return ClusterError(
        f"CRIME_RATES_DASK_SCHEDULER: expected a Dask scheduler at {address}, found none that answers "
        f"within {CONNECT_SECONDS} seconds."
    )


def _no_workers(address: str) -> ClusterError:
    return ClusterError(
        f"The Dask scheduler at {address} had no worker for {WORKERS_SECONDS} seconds: start some "
        f"(dask worker {address}), then run the command again."
    )
