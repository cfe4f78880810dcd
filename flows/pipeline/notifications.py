"""Word of a run to people: its summary in text, artifacts in Prefect's UI, a webhook when something failed."""

from __future__ import annotations

import logging

import requests
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.pipeline.run_summary import summary
from flows.queries import connection
from flows.settings import Settings
from flows.storage.run_log import Run

log = logging.getLogger("crime_rates")
TOP = 20


def notify(settings: Settings, run: Run) -> None:
    """Tell the webhook of the settings, if there is one, that a run failed or was partial. Its own failure is logged."""
    if not settings.webhook_url or run.state in ("completed", "unchanged"):
        return
    text = f"crime-rates {run.command}: {run.state}. " + " ".join([*(item.message for item in run.failed), run.error])
    try:
        answer = requests.post(
            settings.webhook_url,
            timeout=10,
            json={
                "text": text.strip(),
                "command": run.command,
                "state": run.state,
                "started": run.started,
                "failed": [item.name for item in run.failed],
            },
        )
        answer.raise_for_status()
    except requests.RequestException as error:
        log.warning("The webhook could not be told of this run: %s", error)


def artifacts(settings: Settings, run: Run) -> None:
    """Leave the summary, the checks and the top of the newest table in Prefect's UI."""
    create_markdown_artifact(f"# {run.command}: {run.state}\n\n```\n{summary(run, settings)}```\n", key=f"{run.command}-summary")
    if run.checks:
        checks = sorted(run.checks, key=lambda check: (check.passed, not check.required, check.name))
        create_table_artifact(
            [
                {
                    "check": c.name,
                    "passed": c.passed,
                    "required": c.required,
                    "rows_broken": c.rows_broken,
                    "guards": c.guards,
                    "examples": c.examples,
                }
                for c in checks
            ],
            key="quality-checks",
        )
    if not run.database:
        return
    with connection.connect(settings.store) as con:
        top = connection.fetch_rows(
            con,
            "select rank, area_name, offences, population, round(rate_per_10k, 2) as rate_per_10k, half_year, level "
            "from ranked_rates where offence_level = 'total' and rank is not null and (half_year, level) = ("
            "select (half_year, level) from ranked_rates where status = 'ranked' order by half_year desc, level limit 1) "
            "order by rank limit ?",
            [TOP],
        )
    if top:
        said = f"Total recorded crime, {top[0]['half_year']}, {top[0]['level']}"
        create_table_artifact(top, key="newest-table", description=said)


def coverage_artifact(run: Run) -> None:
    """Leave, in Prefect's UI, what stands behind each half-year of a backfill."""
    rows = [{"half_year": c.half_year, "level": c.level, "quarters": c.quarters, "releases": c.releases} for c in run.coverage]
    create_table_artifact(rows, key="backfill-coverage")
