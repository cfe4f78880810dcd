"""Where stored files are normalised: on threads of the run, or on the workers of a Dask cluster that a setting names.

A worker receives paths and returns a FileResult; the bytes go into the lake, which it must see under the same paths. It works
as the run itself does, large workbooks in a process of their own, so that a hostile one ends that process and not the worker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flows.settings import Settings
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState
from transforms.errors import CrimeRatesError, UsageError

if TYPE_CHECKING:
    from prefect import Task
    from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

StartTask = Callable[[str, FileKind, Sequence[Path]], Callable[[], FileResult]]
"""Starts to normalise (name, kind, stored folders); returns a function that waits for the result."""
NormaliseTask: TypeAlias = "Task[[Settings, str, FileKind, Sequence[Path]], FileResult]"
CONNECT_SECONDS = 10
WORKERS_SECONDS = 60  # for which a cluster may have no worker: one that grows on demand starts with none
POLL_SECONDS = 5


class ClusterError(CrimeRatesError):
    """The Dask cluster that the settings name does not answer, or has no workers."""


@contextmanager
def executor_for(settings: Settings, task: NormaliseTask) -> Iterator[StartTask]:
    """Where tasks run, by the settings: yields a function that starts `task(settings, name, kind, folders)` there.

    Raises ClusterError, at once or later, when the cluster does not answer, or no longer; UsageError when settings do not fit
    together, or the extra [dask] is not installed.
    """
    if not settings.dask_scheduler:
        yield lambda name, kind, folders: task.submit(settings, name, kind, folders).result  # type: ignore[no-any-return]
        return
    with _cluster(settings.dask_scheduler) as runner:
        for_workers = replace(settings, store=settings.store.absolute())  # each works in a folder of its own

        def start(name: str, kind: FileKind, folders: Sequence[Path]) -> Callable[[], FileResult]:
            arguments = {
                "settings": for_workers,
                "name": name,
                "kind": kind,
                "folders": [folder.absolute() for folder in folders],
            }
            future = runner.submit(task, arguments)
            return lambda: _wait_for_result(runner, future, name, kind)

        yield start


@contextmanager
def _cluster(address: str) -> Iterator[DaskTaskRunner]:
    try:
        from prefect.settings import PREFECT_API_URL
        from prefect_dask.task_runners import DaskTaskRunner
    except ModuleNotFoundError as error:
        raise UsageError(
            'CRIME_RATES_DASK_SCHEDULER needs the extra [dask], here and on the workers: pip install "crime-rates[dask]".'
        ) from error
    if not PREFECT_API_URL.value():
        raise UsageError(
            "CRIME_RATES_DASK_SCHEDULER needs a standing Prefect server, to which workers report: set "
            "PREFECT_API_URL to an address of it that they can reach."
        )
    with DaskTaskRunner(address=address, client_kwargs={"timeout": CONNECT_SECONDS}) as runner:
        try:
            client = runner.client
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"CRIME_RATES_DASK_SCHEDULER: expected a Dask scheduler at {address}, found none that answers "
                f"within {CONNECT_SECONDS} seconds."
            ) from error
        try:
            client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        except TimeoutError as error:
            raise _no_workers(address) from error
        yield runner


def _wait_for_result(runner: DaskTaskRunner, future: PrefectDaskFuture[FileResult], name: str, kind: FileKind) -> FileResult:
    """The result of a task; a failed one when as many workers died at it as the scheduler allows."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        _wait_for_task(runner, future)
        return future.result()
    except KilledWorker as error:
        died = f"{error.allowed_failures + 1} Dask workers died while they were at work on it"
        return FileResult(name, kind, ResultState.FAILED, f"{name} could not be normalised: {died}.")
    except FutureCancelledError as error:
        raise ClusterError(
            f"The Dask scheduler at {runner.address} was lost while it had {name}: run the command again."
        ) from error


def _wait_for_task(runner: DaskTaskRunner, future: PrefectDaskFuture[FileResult]) -> None:
    """Wait for the task to end. Where Dask would wait for ever for a worker, this raises ClusterError after WORKERS_SECONDS."""
    client: Any = runner.client  # Dask's methods have no types
    dask_future: Any = future.wrapped_future
    no_worker_since = None
    while not dask_future.done():
        future.wait(POLL_SECONDS)
        if dask_future.done() or client.nthreads():
            no_worker_since = None
            continue
        no_worker_since = no_worker_since or time.monotonic()
        if time.monotonic() - no_worker_since > WORKERS_SECONDS:
            raise _no_workers(str(runner.address))


def _no_workers(address: str) -> ClusterError:
    return ClusterError(
        f"The Dask scheduler at {address} had no worker for {WORKERS_SECONDS} seconds: start some "
        f"(dask worker {address}), then run the command again."
    )
