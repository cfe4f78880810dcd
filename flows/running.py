"""Starts a flow from the command line: a quiet Prefect, progress on standard error, a summary at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.settings import Settings, packaged

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # what went wrong is in the run's own summary
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # its own 20 s are short for a busy machine
}


def quiet() -> None:
    """Set Prefect's environment before it is imported; what the person has set stays."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def update(data_dir: Path, releases: Path | None, populations: Path | None, lookups: Path | None) -> int:
    """Run the flow `update` and print what it did; the exit status is 0 only if all was done."""
    quiet()

    def start() -> Any:
        from flows.update import update as flow

        return flow(data_dir, releases, populations, lookups, return_state=True)

    return _run(start, data_dir)


def demo(data_dir: Path) -> int:
    """Run `update` on the sample."""
    sample = packaged("sample")
    return update(data_dir, sample / "releases", sample / "populations", sample / "lookups")


def _run(start: Callable[[], Any], data_dir: Path) -> int:
    from flows import progress

    with progress.shown():
        progress.step("starting Prefect", 0, 1)
        run = start().result(raise_on_failure=False)
    from flows.reporting import summary
    from flows.runs import Run

    if not isinstance(run, Run):  # a fault of ours, or of the machine
        raise run
    sys.stdout.write(summary(run, Settings(data_dir=data_dir)))
    return 0 if run.state in ("completed", "unchanged") else 1
