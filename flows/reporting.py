"""Word of a run to people: its summary in text, artifacts in Prefect's UI, a webhook when something failed."""

from __future__ import annotations

import logging

import requests
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows import reading, store
from flows.harmless import plain
from flows.runs import Run
from flows.settings import Settings

log = logging.getLogger("crime_rates")
TOP = 20


def summary(run: Run, settings: Settings) -> str:
    """What a run did, in a few lines; failures last, to be seen first."""
    new = [item for item in run.items if item.state == "new"]
    lines = [f"{item.name}: {item.message}" for item in new if item.kind == "offences"]
    if others := [item for item in new if item.kind != "offences"]:
        lines.append(f"Populations and lookups: {len(others)} new files.")
    if unchanged := [item for item in run.items if item.state == "unchanged"]:
        many = f"{len(unchanged)} files are" if len(unchanged) > 1 else "1 file is"
        lines.append(f"{many} unchanged" + ("." if run.downloaded or new else "; no file was downloaded."))
    lines += [f"Note: {warning}" for warning in run.warnings]
    if run.database and run.published:
        linked = f"crime_rates.duckdb ({run.database})" if store.of(settings.data_dir) is None else run.database
        lines.append(f"Published {store.shown(settings.data_dir)}/warehouse/{linked}.")
    elif run.database:
        lines.append(f"Nothing to build, nothing to publish: {run.database} stands.")
    if run.lakehouse:
        lines.append(f"Published {run.database} to the lakehouse.")
    if run.tables:
        lines.append(f"Wrote {run.tables} pairs of tables to {store.shown(settings.data_dir)}/tables.")
    if run.steps:
        lines.append(_took(run))
    lines += [str(one) for one in run.coverage]
    lines += [f"FAILED {item.kind}: {item.message}" for item in run.failed]
    if run.error:
        lines.append(f"FAILED {run.error}")
    return plain("\n".join(lines) + "\n")


def _took(run: Run) -> str:
    steps = run.steps.values()
    each = ", ".join(f"{name} {step.wall_seconds:,.1f} s" for name, step in run.steps.items())
    return (f"Took {sum(s.wall_seconds for s in steps):,.1f} s, {sum(s.cpu_seconds for s in steps):,.1f} s of CPU, "
            f"at most {max(s.peak_megabytes for s in steps):,} MB: {each}.")


def notify(settings: Settings, run: Run) -> None:
    """Tell the webhook of the settings, if there is one, that a run failed or was partial. Its own failure is logged."""
    if not settings.webhook_url or run.state in ("completed", "unchanged"):
        return
    text = f"crime-rates {run.command}: {run.state}. " + " ".join([*(item.message for item in run.failed), run.error])
    try:
        answer = requests.post(settings.webhook_url, timeout=10, json={
            "text": text.strip(), "command": run.command, "state": run.state, "started": run.started,
            "failed": [item.name for item in run.failed],
        })
        answer.raise_for_status()
    except requests.RequestException as error:
        log.warning("The webhook could not be told of this run: %s", error)


def artifacts(settings: Settings, run: Run) -> None:
    """Leave the summary, the checks and the top of the newest table in Prefect's UI."""
    create_markdown_artifact(f"# {run.command}: {run.state}\n\n```\n{summary(run, settings)}```\n", key=f"{run.command}-summary")
    if run.checks:
        checks = sorted(run.checks, key=lambda check: (check.passed, not check.required, check.name))
        create_table_artifact(
            [{"check": c.name, "passed": c.passed, "required": c.required, "rows_broken": c.rows_broken, "guards": c.guards,
              "examples": c.examples} for c in checks], key="quality-checks")
    if not run.database:
        return
    with reading.connect(settings.data_dir) as con:
        top = reading.rows_of(
            con, "select rank, area_name, offences, population, round(rate_per_10k, 2) as rate_per_10k, half_year, level "
                 "from ranked_rates where offence_level = 'total' and rank is not null and (half_year, level) = ("
                 "select (half_year, level) from ranked_rates where status = 'ranked' order by half_year desc, level limit 1) "
                 "order by rank limit ?", [TOP])
    if top:
        said = f"Total recorded crime, {top[0]['half_year']}, {top[0]['level']}"
        create_table_artifact(top, key="newest-table", description=said)


def coverage_artifact(run: Run) -> None:
    """Leave, in Prefect's UI, what stands behind each half-year of a backfill."""
    rows = [{"half_year": c.half_year, "level": c.level, "quarters": c.quarters, "releases": c.releases} for c in run.coverage]
    create_table_artifact(rows, key="backfill-coverage")
