"""What a backfill leaves on record."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flows.pipeline import backfill, notifications
from flows.storage import run_log
from flows.storage.data_store import LocalStore
from flows.storage.run_log import Run


def steps_that_publish(run: Run, *_: Any) -> None:
    run.database, run.published = "crime_rates-0123456789ab.duckdb", True


def test_a_backfill_is_on_record_though_another_run_begins_as_soon_as_it_may(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[str] = []
    with ExitStack() as another_run:
        monkeypatch.setattr(backfill, "run_steps", steps_that_publish)
        monkeypatch.setattr(notifications, "create_artifacts", lambda *_: another_run.enter_context(LocalStore(tmp_path).lock()))
        monkeypatch.setattr(notifications, "notify_webhook", lambda run, _: told.append(run.error))
        run = backfill.backfill("2014-15-H1", "2014-15-H1", "csp", False, tmp_path)
    sentence = "No known release covers 2014/15 H1 (csp)."
    assert (run.succeeded, run.error, told) == (False, sentence, [sentence])
    [path] = (tmp_path / "runs").glob("*.json")
    record = json.loads(path.read_text())
    assert (record["state"], record["error"]) == ("partial", sentence)
    assert [(c["half_year"], c["quarters"]) for c in record["coverage"]] == [("2014/15 H1", [])]
    last = run_log.last_run(LocalStore(tmp_path))
    assert last is not None and last.record() == record
