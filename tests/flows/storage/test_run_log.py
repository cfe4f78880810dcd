"""Runs on record: what was written is read again, whichever version of the program wrote it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from flows.common.quality_check import Check
from flows.queries.status import fetch_status
from flows.rendering import status_text
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from flows.storage.run_log import Coverage, FileResult, ResultState, Run, RunState, Step, last_run

BAD = "a.ods: expected a workbook, found an HTML page."
OLD_RECORD = {  # of the first version: no checks, no coverage, no steps
    "command": "update",
    "started": "2026-04-23T08:35:01Z",
    "finished": "2026-04-23T08:36:40Z",
    "state": "partial",
    "items": [
        {"name": "b.ods", "kind": "offences", "state": "new", "message": "2 rows"},
        {"name": "a.ods", "kind": "offences", "state": "failed", "message": BAD},
        {"name": "GOV.UK", "kind": "service", "state": "failed", "message": "GOV.UK: no answer"},
    ],
    "database": "crime_rates-0123456789ab.duckdb",
    "published": True,
    "tables": 3,
    "error": "",
    "warnings": ["a warning"],
    "a field that no version knows": 1,
}


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = Run("backfill", results=[FileResult("a.ods", FileKind.OFFENCES, ResultState.UNCHANGED, "2 rows")], database="d")
    run.coverage.append(Coverage("2015/16 H1", "csp", [1, 2], ["r"]))
    run.checks.append(Check("few", "guards", required=False, rows_broken=2, examples="a row"))
    run.steps["build"] = Step(1.5, 1.25, 100)
    run.end()
    run.save(LocalStore(tmp_path))
    assert last_run(LocalStore(tmp_path)) == run


def test_status_reads_a_record_of_an_older_version(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/2026-04-23T083501Z-7.json").write_text(json.dumps(OLD_RECORD))
    run = last_run(LocalStore(tmp_path))
    assert run is not None and (run.state, run.succeeded) == (RunState.PARTIAL, False)
    assert [result.message for result in run.failed] == [BAD, "GOV.UK: no answer"]
    status = fetch_status(LocalStore(tmp_path), date(2026, 4, 24))
    assert (
        f"Last run: update, 2026-04-23T08:36:40Z: partial\n  failed: {BAD}\n  failed: GOV.UK: no answer\n  warning: a warning\n"
    ) in status_text.render_status(status)
    printed = json.loads(status_text.status_json(status))["last_run"]
    assert {name: printed[name] for name in ("state", "items")} == {name: OLD_RECORD[name] for name in ("state", "items")}
