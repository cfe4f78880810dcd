"""How people hear of a run: artifacts in the UI of the Prefect server that orchestrates it, a message to a webhook on failure.

An error here never changes what became of the run: it is logged, and put on the run's record as a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flows.common.errors import describe_error, is_expected, is_interrupt
from flows.pipeline.run_summary import summary
from flows.pipeline.runner import is_orchestrated
from flows.queries import connection
from flows.settings import Settings
from flows.sources import webhook
from flows.storage.run_log import Run

log = logging.getLogger("crime_rates")
TOP = 20  # rows of the newest table in Prefect's UI


def notify_webhook(run: Run, settings: Settings) -> None:
    """Post to the webhook of the settings, if there is one, that a run failed, was partial, found another at work, or warns.

    The caller holds no lock: this may take webhook.SECONDS.
    """
    if not settings.webhook_url or (run.succeeded and not run.warnings):
        return
    said = [*(result.message for result in run.failed), run.error, *(f"Note: {warning}" for warning in run.warnings)]
    text = f"crime-rates {run.command}: {run.state}. " + " ".join(filter(None, said))
    message = webhook.WebhookMessage(
        text=text.strip(),
        command=run.command,
        state=run.state,
        started=run.started,
        failed=[result.name for result in run.failed],
        warnings=run.warnings.copy(),
    )
    with _only_warn(run, "the webhook did not hear of this run"):
        webhook.post_message(settings.webhook_url, message)


@dataclass(frozen=True)
class Artifact:
    """What a run leaves in Prefect's UI: text in Markdown, or the rows of a table."""

    key: str
    content: str | list[dict[str, Any]]  # Any: what a row holds is Prefect's to show
    description: str | None = None


def make_artifacts(run: Run, settings: Settings) -> list[Artifact]:
    """The summary, the checks, a backfill's coverage and the top of the newest table."""
    artifacts = [Artifact(f"{run.command}-summary", f"# {run.command}: {run.state}\n\n```\n{summary(run, settings)}```\n")]
    if run.checks:
        artifacts.append(Artifact("quality-checks", _checks(run)))
    if run.coverage:
        artifacts.append(Artifact("backfill-coverage", _coverage(run)))
    if run.database and (top := _newest_table(settings)):
        title = f"Total recorded crime, {top[0]['half_year']}, {top[0]['level']}"
        artifacts.append(Artifact("newest-table", top, title))
    return artifacts


def create_artifacts(run: Run, settings: Settings) -> None:
    """Leave the artifacts in the UI of the Prefect server that orchestrates the run; nothing happens where none does."""
    if not is_orchestrated():
        return
    with _only_warn(run, "the artifacts of this run could not be left in Prefect"):
        from prefect.artifacts import create_markdown_artifact, create_table_artifact

        for one in make_artifacts(run, settings):
            if isinstance(one.content, str):
                create_markdown_artifact(one.content, key=one.key, description=one.description)
            else:
                create_table_artifact(one.content, key=one.key, description=one.description)


@contextmanager
def _only_warn(run: Run, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001, whatever it is: the run has done its work
        if is_interrupt(error):
            raise
        reason = describe_error(error) if is_expected(error) else f"{type(error).__name__}: {' '.join(str(error).split())}"
        log.warning("%s: %s", what, reason)
        run.warnings.append(f"{what}: {reason}")


def _checks(run: Run) -> list[dict[str, Any]]:
    """Failed checks first, required ones before others."""
    return [
        {
            "check": check.name,
            "passed": check.passed,
            "required": check.required,
            "rows_broken": check.rows_broken,
            "guards": check.guards,
            "examples": check.examples,
        }
        for check in sorted(run.checks, key=lambda check: (check.passed, not check.required, check.name))
    ]


def _newest_table(settings: Settings) -> list[dict[str, Any]]:
    with connection.connect(settings.store) as con:
        return connection.fetch_rows(
            con,
            "select rank, area_name, offences, population, round(rate_per_10k, 2) as rate_per_10k, half_year, level "
            "from ranked_rates where offence_level = 'total' and rank is not null and (half_year, level) = ("
            "select (half_year, level) from ranked_rates where status = 'ranked' order by half_year desc, level limit 1) "
            "order by rank limit ?",
            [TOP],
        )


def _coverage(run: Run) -> list[dict[str, Any]]:
    return [{"half_year": c.half_year, "level": c.level, "quarters": c.quarters, "releases": c.releases} for c in run.coverage]
