"""What is published, how old it is, what the last run did: for `releases`, `status` and `check`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flows import builds, lakehouse, printing, reading, runs, store
from flows.harmless import plain

OVERDUE_DAYS = 110  # releases are quarterly; seen: 24 April, 29 January, 23 April, 23 July


def releases(data_dir: Path) -> str:
    """A table of the releases behind the published database."""
    with reading.connect(data_dir) as con:
        rows = reading.rows_of(con, "from releases order by table_kind, published, release_id")
    cells = [(r["release_id"], r["table_kind"], str(r["published"]), r["published_source"],
              f"{r['first_quarter']} to {r['last_quarter']}", f"{r['rows']:,}", "simulated" if r["simulated"] else "")
             for r in rows]
    header = ("release", "table", "published", "date from", "quarters", "rows", "")
    return plain("\n".join(printing.aligned(header, cells, (5,))) + "\n")


def snapshots() -> str:
    """A table of the publications that the lakehouse holds. Raises NotFound where the environment names none."""
    con = lakehouse.asked_for()
    if con is None:
        raise reading.NotFound(f"No lakehouse is named: expected its catalog in {lakehouse.SETTING}.")
    with con:
        cells = [(str(p.snapshot), p.when, p.build) for p in lakehouse.published(con)]
    return plain("\n".join(printing.aligned(("snapshot", "published (UTC)", "build"), cells, (0,))) + "\n")


def checks(data_dir: Path) -> tuple[str, bool]:
    """(the checks of the published database as text, whether every required one passed)."""
    with reading.connect(data_dir) as con:
        rows = reading.rows_of(con, "from quality_checks order by required desc, check_name")
    lines = []
    for row in rows:
        mark = "ok" if row["passed"] else ("BROKEN" if row["required"] else "warning")
        lines.append(f"{mark:8} {row['check_name']}: {row['guards']}")
        if not row["passed"]:
            lines.append(f"{'':8} {row['rows_broken']:,} rows, such as {row['examples']}")
    passed = all(row["passed"] for row in rows if row["required"])
    broken = sum(not row["passed"] for row in rows)
    lines.append(f"{len(rows)} checks, {broken} with something to say; required ones {'all passed' if passed else 'are BROKEN'}.")
    return plain("\n".join(lines) + "\n"), passed


def status(data_dir: Path, as_json: bool) -> str:
    """The newest release per table and its age, the last run, the room that the folders take."""
    facts = _facts(data_dir, datetime.now(UTC).date())
    if as_json:
        return printing.json_text(facts)
    lines = []
    if facts["database"] is None:
        lines.append(f"No database is published in {store.shown(data_dir)} yet.")
    else:
        lines.append(f"Published: {facts['database']}")
        for row in facts["newest"]:
            lines.append(f"  {row['table_kind']}: {row['release_id']}, published {row['published']} "
                         f"({row['age_days']} days ago), to {row['last_quarter']}"
                         + ("; a newer one is overdue" if row["overdue"] else ""))
    for build in facts["kept"]:
        if build["rolled_back"]:
            lines.append(f"  {build['build']} was rolled back: `crime-rates rollback --to {build['build']}` publishes it again")
    run = facts["last_run"]
    if run is None:
        lines.append("No run is on record.")
    else:
        lines.append(f"Last run: {run['command']}, {run['finished'] or run['started']}: {run['state']}"
                     + (f", {run['error']}" if run["error"] else ""))
        lines += [f"  failed: {item['message']}" for item in run["items"] if item["state"] == "failed"]
        lines += [f"  warning: {warning}" for warning in run["warnings"]]
    copied = f" (of {data_dir}, a working copy)" if store.of(data_dir) is not None else ""
    lines.append(f"Disk{copied}: " + ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in facts["disk_bytes"].items()))
    return plain("\n".join(lines) + "\n")


def _facts(data_dir: Path, today: date) -> dict[str, Any]:
    database = builds.published(data_dir)
    newest: list[dict[str, Any]] = []
    if database is not None:
        with reading.connect(data_dir) as con:
            newest = reading.rows_of(
                con, "select table_kind, release_id, published, last_quarter from releases "
                "qualify row_number() over (partition by table_kind order by last_quarter desc, published desc) = 1 order by 1")
    for row in newest:
        row["age_days"] = (today - row["published"]).days
        row["overdue"] = row["age_days"] > OVERDUE_DAYS
    sizes = {name: sum(p.stat().st_size for p in (data_dir / name).rglob("*") if p.is_file() and not p.is_symlink())
             for name in ("raw", "lake", "cache", "warehouse", "tables")}
    return {
        "data_dir": store.shown(data_dir),
        "database": database.name if database else None,
        "kept": [{"build": build.stem, "rolled_back": builds.is_rolled_back(build)} for build in builds.kept(data_dir)],
        "newest": newest,
        "last_run": runs.last(data_dir),
        "disk_bytes": sizes,
    }
