"""How the state of a data folder is printed: its releases, checks, snapshots, and what the last run did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flows.common.sanitize import sanitize_text
from flows.queries.status import DataStatus, QuarterSource
from flows.rendering.formats import json_text
from flows.rendering.text_tables import Lines, align_columns, format_count
from flows.storage.run_log import Run
from flows.warehouse.ducklake import LakehousePublication
from sql.rows import PublishedRelease, QualityCheck


def render_releases(releases: Sequence[PublishedRelease], sources: Sequence[QuarterSource]) -> str:
    """A line a release: its name, table, date and where that was found, quarters and rows, and of which quarters it stands now.

    Below, a line for each half-year whose quarters come from two releases.
    """
    in_use = Counter((source["table_kind"], source["release_id"]) for source in sources)
    halves: dict[tuple[str, str], list[QuarterSource]] = {}
    for source in sources:
        halves.setdefault((source["table_kind"], source["half_year"]), []).append(source)
    drawn = [
        f"{half_year} ({kind}) draws on " + " and ".join(f"{q['release_id']} (quarter {q['quarter']})" for q in quarters)
        for (kind, half_year), quarters in halves.items()
        if len({quarter["release_id"] for quarter in quarters}) > 1
    ]
    cells = [
        (
            r["release_id"],
            r["table_kind"],
            str(r["published"]),
            r["published_source"],
            f"{r['first_quarter']} to {r['last_quarter']}",
            format_count(r["rows"]),
            str(in_use[r["table_kind"], r["release_id"]]),
            "simulated" if r["simulated"] else "",
        )
        for r in releases
    ]
    header = ("release", "table", "published", "date from", "quarters", "rows", "in use", "")
    return _join([*align_columns(header, cells, (5, 6)), *([""] if drawn else []), *drawn])


def render_snapshots(snapshots: Sequence[LakehousePublication]) -> str:
    """A line a publication in the lakehouse."""
    cells = [(str(s.snapshot), s.when, s.build) for s in snapshots]
    return _join(align_columns(("snapshot", "published (UTC)", "build"), cells, (0,)))


def render_checks(checks: Sequence[QualityCheck]) -> str:
    """A line a check, with examples of the rows that break it, and whether all required ones passed."""
    lines = []
    for check in checks:
        mark = "ok" if check["passed"] else ("BROKEN" if check["required"] else "warning")
        lines.append(f"{mark:8} {check['check_name']}: {check['guards']}")
        if not check["passed"]:
            lines.append(f"{'':8} {format_count(check['rows_broken'])} rows, such as {check['examples']}")
    broken = sum(not check["passed"] for check in checks)
    required = "all passed" if all(check["passed"] for check in checks if check["required"]) else "are BROKEN"
    return _join([*lines, f"{len(checks)} checks, {broken} with something to say; required ones {required}."])


def render_status(status: DataStatus) -> str:
    """The newest release of each table and its age, the last run, the room that the folders take."""
    sizes = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in status.disk_bytes.items())
    copy = f" (of {status.working_copy}, a working copy)" if status.working_copy is not None else ""
    return _join([*_published(status), *_last_run(status.last_run), f"Disk{copy}: {sizes}"])


def status_json(status: DataStatus) -> str:
    """The state of a data folder as JSON."""
    return json_text(
        {
            "data_dir": status.data_dir,
            "database": status.database,
            "kept": status.kept,
            "newest": status.newest,
            "last_run": status.last_run.record() if status.last_run is not None else None,
            "disk_bytes": status.disk_bytes,
        }
    )


def _published(status: DataStatus) -> Lines:
    if status.database is None:
        lines = [f"No database is published in {status.data_dir} yet."]
    else:
        lines = [f"Published: {status.database}"]
    for release in status.newest:
        lines.append(
            f"  {release['table_kind']}: {release['release_id']}, published {release['published']} "
            f"({release['age_days']} days ago), to {release['last_quarter']}"
            + ("; a newer one is overdue" if release["overdue"] else "")
        )
    for kept in status.kept:
        if kept["rolled_back"]:
            name = kept["build"]
            lines.append(f"  {name} was rolled back: `crime-rates rollback --to {name}` publishes it again")
    return lines


def _last_run(run: Run | None) -> Lines:
    if run is None:
        return ["No run is on record."]
    error = f", {run.error}" if run.error else ""
    return [
        f"Last run: {run.command}, {run.finished or run.started}: {run.state}{error}",
        *(f"  failed: {result.message}" for result in run.failed),
        *(f"  warning: {warning}" for warning in run.warnings),
    ]


def _join(lines: Lines) -> str:
    return sanitize_text("\n".join(lines) + "\n")
