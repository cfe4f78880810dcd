"""Starts a flow from the command line: a quiet Prefect, progress on standard error, a summary at the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flows.runs import Item, Run
from flows.settings import packaged

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # what went wrong is in the run's own summary
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # its own 20 s are short for a busy machine
}


def update(data_dir: Path, releases: Path | None, populations: Path | None, lookups: Path | None) -> int:
    """Run the flow `update`, print what it did; the exit status is 0 only if all was done."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from flows import progress

    with progress.shown():
        progress.step("starting Prefect", 0, 1)
        from flows.update import update as flow

        run = flow(data_dir, releases, populations, lookups, return_state=True).result(raise_on_failure=False)
    if not isinstance(run, Run):  # a fault of ours, or of the machine
        raise run
    sys.stdout.write(summary(run, data_dir))
    return 0 if run.state in ("completed", "unchanged") else 1


def demo(data_dir: Path) -> int:
    """Run `update` on the sample."""
    sample = packaged("sample")
    return update(data_dir, sample / "releases", sample / "populations", sample / "lookups")


def summary(run: Run, data_dir: Path) -> str:
    """What a run did, in a few lines; failures first to be seen last."""
    new = [item for item in run.items if item.state == "new"]
    lines = [f"{item.name}: {item.message}" for item in new if item.kind == "offences"]
    others = [item for item in new if item.kind != "offences"]
    if others:
        lines.append(f"Populations and lookups: {len(others)} new files.")
    if unchanged := [item for item in run.items if item.state == "unchanged"]:
        lines.append(f"{len(unchanged)} files are unchanged.")
    lines += [f"Note: {warning}" for warning in run.warnings]
    if run.database and run.published:
        lines.append(f"Published {data_dir / 'warehouse' / 'crime_rates.duckdb'} ({run.database}).")
    elif run.database:
        lines.append(f"Nothing to publish: {run.database} stands.")
    if run.tables:
        lines.append(f"Wrote {run.tables} pairs of tables to {data_dir / 'tables'}.")
    lines += [f"FAILED {_kind(item)} {item.message}" for item in run.failed]
    if run.error:
        lines.append(f"FAILED {run.error}")
    return "\n".join(lines) + "\n"


def _kind(item: Item) -> str:
    return {"offences": "release:", "population": "population file:", "lookup": "lookup:"}[item.kind]
