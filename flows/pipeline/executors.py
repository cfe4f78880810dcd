"""Where stored files are normalised: on threads of the run, or on the workers of a Dask cluster that a setting names.

A worker is told paths and gives back an Item; the bytes go into the lake, which it must see under the same paths. It normalises
just as the run would, large workbooks in a process of their own: one that is hostile ends that process and not the worker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.settings import Settings
from flows.storage.run_log import FileResult
from transforms.errors import CrimeRatesError, UsageError

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

Start = Callable[[str, str, Sequence[Path]], Callable[[], FileResult]]  # name, kind, stored folders → what waits for the item
CONNECT_SECONDS = 10
WORKERS_SECONDS = 60  # that a cluster may have no worker at all: one that grows when it is asked starts with none
LOOK_SECONDS = 5


class ClusterError(CrimeRatesError):
    """The Dask cluster that the settings name does not answer, or has no workers."""


@contextmanager
def executor_for(settings: Settings, task: Any) -> Iterator[Start]:
    """What starts `task(settings, name, kind, folders)` where the settings say, and waits for its item when it is asked for.

    Raises ClusterError, at once or later, when there is no such cluster, or none any more; UsageError when the settings do not
    go together, or without the extra [dask].
    """
    if not settings.dask_scheduler:
        yield lambda name, kind, folders: task.submit(settings, name, kind, folders).result  # type: ignore[no-any-return]
        return
    with _cluster(settings.dask_scheduler) as runner:
        here = replace(settings, store=settings.store.absolute())  # a worker starts in a folder of its own

        def start(name: str, kind: str, folders: Sequence[Path]) -> Callable[[], FileResult]:
            words = {"settings": here, "name": name, "kind": kind, "folders": [folder.absolute() for folder in folders]}
            future = runner.submit(task, words)
            return lambda: _item(runner, future, name, kind)

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
            raise _alone(address) from error
        yield runner


def _item(runner: DaskTaskRunner, future: PrefectDaskFuture[FileResult], name: str, kind: str) -> FileResult:
    """The item, when it is there; a failed one when workers died of it, as often as the scheduler lets them try."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        _wait(runner, future)
        return future.result()
    except KilledWorker as error:
        died = f"{error.allowed_failures + 1} Dask workers died while they were at work on it"
        return FileResult(name, kind, "failed", f"{name} could not be normalised: {died}.")
    except FutureCancelledError as error:
        raise ClusterError(
            f"The Dask scheduler at {runner.address} was lost while it had {name}: run the command again."
        ) from error


def _wait(runner: DaskTaskRunner, future: PrefectDaskFuture[FileResult]) -> None:
    """Wait for the task to end, but not without end, as Dask would, for a worker when there is none any more."""
    client: Any = runner.client  # Dask's methods have no types
    dask_future: Any = future.wrapped_future
    alone_since = None
    while not dask_future.done():
        future.wait(LOOK_SECONDS)
        if dask_future.done() or client.nthreads():
            alone_since = None
            continue
        alone_since = alone_since or time.monotonic()
        if time.monotonic() - alone_since > WORKERS_SECONDS:
            raise _alone(str(runner.address))


def _alone(address: str) -> ClusterError:
    return ClusterError(
        f"The Dask scheduler at {address} had no worker for {WORKERS_SECONDS} seconds: start some "
        f"(dask worker {address}), then run the command again."
    )
