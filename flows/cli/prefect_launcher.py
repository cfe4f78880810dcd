"""Starts a flow from the command line: a quiet Prefect, progress on standard error, a summary at the end.

Here belongs what the command line must know of Prefect. Whether Prefect runs a flow at all is decided in pipeline/runner.py;
what a flow does belongs to `pipeline`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flows.common.package_data import ROOT, packaged_folder
from flows.common.stopping import stoppable
from flows.settings import Settings, bypass_proxies, set_defaults
from flows.storage.data_store import DataStore
from transforms.errors import UsageError

if TYPE_CHECKING:
    from flows.storage.run_log import Run

WEEKDAYS = "35 9 * * 1-5"  # releases appear at 09:30, London time
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # errors are in the run's own summary
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",  # a server is one that somebody has started, or there is none
    "PYTHONSAFEPATH": "1",  # Prefect's own children must import nothing from the working directory
}


def prepare_environment(**variables: str) -> None:
    """Set the environment of Prefect and of all children, before Prefect is imported; variables that are set already stay."""
    set_defaults(QUIET | variables)
    bypass_proxies()
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns of every retry; what fails in the end is reported


def update(store: DataStore, releases: Path | None, populations: Path | None, lookups: Path | None) -> int:
    """Run the flow `update` and print what it did; the exit status is 0 only if all was done."""

    def start() -> Run:
        from flows.pipeline.runner import run_flow
        from flows.pipeline.update import update as flow

        return run_flow(flow, store.address, releases, populations, lookups)

    return _run(start, store)


def backfill(store: DataStore, first: str, last: str, level: Literal["csp", "pfa"] | None, refetch: bool) -> int:
    """Run the flow `backfill` and print what it did, and which releases cover each half-year."""

    def start() -> Run:
        from flows.pipeline.backfill import backfill as flow
        from flows.pipeline.runner import run_flow

        return run_flow(flow, first, last, level, refetch, store.address)

    return _run(start, store)


def plan(store: DataStore, first: str, last: str, level: str | None) -> int:
    """Print what a backfill would do; nothing is fetched or written."""
    prepare_environment()
    from flows.pipeline import backfill as backfill_module
    from transforms.periods import HalfYearRange

    covered, to_fetch, failed = backfill_module.plan(Settings.from_environment(store), HalfYearRange.parse(first, last), level)
    lines = [*map(str, covered), f"To fetch: {', '.join(to_fetch) or 'nothing'}.", *(f"FAILED {message}" for message in failed)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if failed else 0


def serve(store: DataStore) -> int:
    """Serve the deployments `update` (weekdays at 09:35 in London) and `backfill` until stopped."""
    prepare_environment(PREFECT_LOGGING_LEVEL="INFO", PREFECT_LOGGING_EXTRA_LOGGERS="crime_rates")
    from flows.pipeline.runner import find_server

    if not find_server():
        raise UsageError(
            "serve needs a standing Prefect server: start one with `prefect server start`, and set PREFECT_API_URL, "
            "such as http://127.0.0.1:4200/api."
        )
    from prefect import serve as serve_all
    from prefect.deployments.runner import EntrypointType  # type: ignore[attr-defined]
    from prefect.schedules import Cron

    from flows.pipeline import deployments as flows

    folder = {"data_dir": store.absolute().address}
    weekdays = Cron(WEEKDAYS, timezone="Europe/London")
    os.chdir(ROOT)  # where Prefect looks for modules first, whatever PYTHONSAFEPATH says: our own, and nothing of this folder
    by_name = EntrypointType.MODULE_PATH
    deployments: list[Any] = [  # Prefect types them as awaitable or not
        flows.update.to_deployment(name="update", schedule=weekdays, parameters=folder, entrypoint_type=by_name),
        flows.backfill.to_deployment(name="backfill", parameters=folder, entrypoint_type=by_name),
    ]
    serve_all(*deployments)
    return 0


def demo(store: DataStore) -> int:
    """Run `update` on the sample."""
    sample = packaged_folder("sample")
    return update(store, sample / "releases", sample / "populations", sample / "lookups")


def _run(start: Callable[[], Run], store: DataStore) -> int:
    prepare_environment()
    from flows.common import progress

    with stoppable(), progress.display():
        run = start()
    from flows.pipeline.run_summary import summary

    sys.stdout.write(summary(run, Settings.from_environment(store)))
    return 0 if run.succeeded else 1
