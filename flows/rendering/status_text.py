"""What is published, how old it is, what the last run did: for `releases`, `status` and `check`."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.common.sanitize import sanitize_text
from flows.queries import connection
from flows.queries.status import fetch_status
from flows.rendering import formats, text_tables
from flows.storage.data_store import DataStore
from flows.warehouse import ducklake


def releases(store: DataStore) -> str:
    """A table of the releases behind the published database."""
    with connection.connect(store) as con:
        rows = connection.fetch_rows(con, "from releases order by table_kind, published, release_id")
    cells = [
        (
            r["release_id"],
            r["table_kind"],
            str(r["published"]),
            r["published_source"],
            f"{r['first_quarter']} to {r['last_quarter']}",
            f"{r['rows']:,}",
            "simulated" if r["simulated"] else "",
        )
        for r in rows
    ]
    header = ("release", "table", "published", "date from", "quarters", "rows", "")
    return sanitize_text("\n".join(text_tables.align_columns(header, cells, (5,))) + "\n")


def snapshots() -> str:
    """A table of the publications that the lakehouse holds. Raises NotFound where the environment names none."""
    con = ducklake.connect_from_environment()
    if con is None:
        raise connection.NotFound(f"No lakehouse is named: expected its catalog in {ducklake.SETTING}.")
    with con:
        cells = [(str(p.snapshot), p.when, p.build) for p in ducklake.published(con)]
    return sanitize_text("\n".join(text_tables.align_columns(("snapshot", "published (UTC)", "build"), cells, (0,))) + "\n")


def checks(store: DataStore) -> tuple[str, bool]:
    """(the checks of the published database as text, whether every required one passed)."""
    with connection.connect(store) as con:
        rows = connection.fetch_rows(con, "from quality_checks order by required desc, check_name")
    lines = []
    for row in rows:
        mark = "ok" if row["passed"] else ("BROKEN" if row["required"] else "warning")
        lines.append(f"{mark:8} {row['check_name']}: {row['guards']}")
        if not row["passed"]:
            lines.append(f"{'':8} {row['rows_broken']:,} rows, such as {row['examples']}")
    passed = all(row["passed"] for row in rows if row["required"])
    broken = sum(not row["passed"] for row in rows)
    lines.append(f"{len(rows)} checks, {broken} with something to say; required ones {'all passed' if passed else 'are BROKEN'}.")
    return sanitize_text("\n".join(lines) + "\n"), passed


def status(store: DataStore, as_json: bool) -> str:
    """The newest release per table and its age, the last run, the room that the folders take."""
    facts = fetch_status(store, datetime.now(UTC).date())
    if as_json:
        return formats.json_text(facts)
    lines = []
    if facts["database"] is None:
        lines.append(f"No database is published in {store} yet.")
    else:
        lines.append(f"Published: {facts['database']}")
        for row in facts["newest"]:
            lines.append(
                f"  {row['table_kind']}: {row['release_id']}, published {row['published']} "
                f"({row['age_days']} days ago), to {row['last_quarter']}" + ("; a newer one is overdue" if row["overdue"] else "")
            )
    for build in facts["kept"]:
        if build["rolled_back"]:
            lines.append(f"  {build['build']} was rolled back: `crime-rates rollback --to {build['build']}` publishes it again")
    run = facts["last_run"]
    if run is None:
        lines.append("No run is on record.")
    else:
        lines.append(
            f"Last run: {run['command']}, {run['finished'] or run['started']}: {run['state']}"
            + (f", {run['error']}" if run["error"] else "")
        )
        lines += [f"  failed: {item['message']}" for item in run["items"] if item["state"] == "failed"]
        lines += [f"  warning: {warning}" for warning in run["warnings"]]
    copied = f" (of {store.folder}, a working copy)" if store.is_copied else ""
    lines.append(f"Disk{copied}: " + ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in facts["disk_bytes"].items()))
    return sanitize_text("\n".join(lines) + "\n")
