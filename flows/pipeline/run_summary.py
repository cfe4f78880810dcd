"""What a run did, in a few lines of text: for the terminal, and for Prefect's UI."""

from __future__ import annotations

from flows.common.sanitize import sanitize_text
from flows.settings import Settings
from flows.storage.raw_store import FileKind
from flows.storage.run_log import ResultState, Run


def summary(run: Run, settings: Settings) -> str:
    """What a run did, in a few lines; failures last, to be seen first."""
    new = [result for result in run.results if result.state is ResultState.NEW]
    lines = [f"{result.name}: {result.message}" for result in new if result.kind == FileKind.OFFENCES]
    if others := [result for result in new if result.kind != FileKind.OFFENCES]:
        lines.append(f"Populations and lookups: {len(others)} new files.")
    if unchanged := [result for result in run.results if result.state is ResultState.UNCHANGED]:
        many = f"{len(unchanged)} files are" if len(unchanged) > 1 else "1 file is"
        lines.append(f"{many} unchanged" + ("." if run.downloaded or new else "; no file was downloaded."))
    lines += [f"Note: {warning}" for warning in run.warnings]
    if run.database and run.published:
        linked = f"crime_rates.duckdb ({run.database})" if not settings.store.is_copied else run.database
        lines.append(f"Published {settings.store}/warehouse/{linked}.")
    elif run.database:
        lines.append(f"Nothing to build, nothing to publish: {run.database} stands.")
    if run.lakehouse:
        lines.append(f"Published {run.database} to the lakehouse.")
    if run.tables:
        lines.append(f"Wrote {run.tables} pairs of tables to {settings.store}/tables.")
    if run.steps:
        lines.append(_durations(run))
    lines += [str(coverage) for coverage in run.coverage]
    lines += [f"FAILED {result.kind}: {result.message}" for result in run.failed]
    if run.error:
        lines.append(f"FAILED {run.error}")
    return sanitize_text("\n".join(lines) + "\n")


def _durations(run: Run) -> str:
    steps = run.steps.values()
    each = ", ".join(f"{name} {step.wall_seconds:,.1f} s" for name, step in run.steps.items())
    return (
        f"Took {sum(s.wall_seconds for s in steps):,.1f} s, {sum(s.cpu_seconds for s in steps):,.1f} s of CPU, "
        f"at most {max(s.peak_megabytes for s in steps):,} MB: {each}."
    )
