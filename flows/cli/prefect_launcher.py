"""Starts a flow from the command line: a quiet Prefect, progress on standard error, a summary at the end.

Here belongs all that the command line must know of Prefect. What a flow does belongs to `pipeline`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, cast

from flows.common.package_data import packaged_folder
from flows.settings import PrefectEnvironment, Settings, set_defaults
from flows.storage.data_store import DataStore
from transforms.errors import CrimeRatesError, UsageError

if TYPE_CHECKING:
    from prefect import Flow, State

    from flows.storage.run_log import Run

P = ParamSpec("P")
WEEKDAYS = "35 9 * * 1-5"  # releases appear at 09:30, London time
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # errors are in the run's own summary
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # its default of 20 s is too short on a busy machine
}
NO_SERVER = ("Failed to reach API", "Timed out while attempting to connect")  # how Prefect's RuntimeError begins


class PrefectServerError(CrimeRatesError):
    """The Prefect server, of the environment or started for the run, does not answer as one."""


def quiet_prefect() -> None:
    """Set the environment of Prefect and its children before it is imported; variables that are set already stay."""
    set_defaults(QUIET | {"PYTHONSAFEPATH": "1"})  # Prefect's server is a child, which must import nothing from this folder
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns of every retry; what fails in the end is reported


def run_in_process(flow: Flow[P, State[Run]], *arguments: P.args, **options: P.kwargs) -> State[Run]:
    """Run a flow in this process and return its state.

    Prefect's heartbeats are off unless the environment turns them on, because each flow waits for their thread at its end, for
    up to a second. They tell a server whether a run that it started is alive; whoever starts a run in a terminal sees that.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    wanted = PrefectEnvironment.from_environment().heartbeats
    with temporary_settings({} if wanted else {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return cast("State[Run]", flow(*arguments, **options, return_state=True))


def update(store: DataStore, releases: Path | None, populations: Path | None, lookups: Path | None) -> int:
    """Run the flow `update` and print what it did; the exit status is 0 only if all was done."""
    quiet_prefect()

    def start() -> State[Run]:
        from flows.pipeline.update import update as flow

        return run_in_process(flow, store.address, releases, populations, lookups)

    return _run(start, store)


def backfill(store: DataStore, first: str, last: str, level: Literal["csp", "pfa"] | None, refetch: bool) -> int:
    """Run the flow `backfill` and print what it did, and which releases cover each half-year."""
    quiet_prefect()

    def start() -> State[Run]:
        from flows.pipeline.backfill import backfill as flow

        return run_in_process(flow, first, last, level, refetch, store.address)

    return _run(start, store)


def plan(store: DataStore, first: str, last: str, level: str | None) -> int:
    """Print what a backfill would do; nothing is fetched or written."""
    quiet_prefect()
    from flows.pipeline import backfill as backfill_module
    from transforms.periods import HalfYearRange

    covered, to_fetch, failed = backfill_module.plan(Settings.from_environment(store), HalfYearRange.parse(first, last), level)
    lines = [*map(str, covered), f"To fetch: {', '.join(to_fetch) or 'nothing'}.", *(f"FAILED {message}" for message in failed)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if failed else 0


def serve(store: DataStore) -> int:
    """Serve the deployments `update` (weekdays at 09:35 in London) and `backfill` until stopped."""
    if not PrefectEnvironment.from_environment().api_url:
        raise UsageError(
            "serve needs a standing Prefect server: start one with `prefect server start`, and set PREFECT_API_URL, "
            "such as http://127.0.0.1:4200/api."
        )
    set_defaults(QUIET | {"PREFECT_LOGGING_LEVEL": "INFO", "PREFECT_LOGGING_EXTRA_LOGGERS": "crime_rates"})
    from prefect import serve as serve_all
    from prefect.schedules import Cron

    from flows.pipeline.backfill import backfill as backfill_flow
    from flows.pipeline.update import update as update_flow

    folder = {"data_dir": store.absolute().address}
    weekdays = Cron(WEEKDAYS, timezone="Europe/London")
    deployments: list[Any] = [  # Prefect types them as awaitable or not
        update_flow.to_deployment(name="update", schedule=weekdays, parameters=folder),
        backfill_flow.to_deployment(name="backfill", parameters=folder),
    ]
    serve_all(*deployments)
    return 0


def demo(store: DataStore) -> int:
    """Run `update` on the sample."""
    sample = packaged_folder("sample")
    return update(store, sample / "releases", sample / "populations", sample / "lookups")


def _run(start: Callable[[], State[Run]], store: DataStore) -> int:
    import httpx  # comes with Prefect, and is as slow to import

    from flows.common import progress

    with progress.display():
        progress.report_step("starting Prefect", 0, 1)
        try:
            run: Run | BaseException = start().result(raise_on_failure=False)
        except (httpx.HTTPError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not str(error).startswith(NO_SERVER):
                raise
            address = PrefectEnvironment.from_environment().api_url or "started for this run"
            raise PrefectServerError(
                f"expected a Prefect server that answers ({address}), found none: {' '.join(str(error).split())}"
            ) from error
    from flows.pipeline.run_summary import summary

    if isinstance(run, BaseException):  # a fault of the program or of the machine
        raise run
    sys.stdout.write(summary(run, Settings.from_environment(store)))
    return 0 if run.succeeded else 1
