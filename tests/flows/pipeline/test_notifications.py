"""How a run ends: what is on its record, and that whoever cannot be told of it never changes that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from flows.pipeline import notifications, update
from flows.settings import Settings
from flows.sources import webhook
from flows.sources.errors import SourceError, StatusError
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState, Run, timed
from transforms.errors import UsageError

SECRET = "T0/B0/secret"


def broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("no server\nanswers")


def end(folder: Path, monkeypatch: pytest.MonkeyPatch, steps: Any) -> tuple[Run, dict[str, Any]]:
    """(run, its record) of the flow `update` with other steps."""
    monkeypatch.setattr(update, "run_steps", steps)
    run = update.update(folder)
    [path] = (folder / "runs").glob("*.json")
    return run, json.loads(path.read_text())


def publish(run: Run, _settings: Settings, _folders: Any) -> None:
    with timed(run, "publish"):
        run.published = True


def publish_in_part(run: Run, *words: Any) -> None:
    publish(run, *words)
    run.results.append(FileResult("a.ods", FileKind.OFFENCES, ResultState.FAILED, "a.ods: expected a workbook."))


def test_a_failing_artifact_leaves_a_published_run_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(notifications, "is_orchestrated", lambda: True)
    monkeypatch.setattr("prefect.artifacts.create_markdown_artifact", broken)
    run, record = end(tmp_path, monkeypatch, publish)
    assert (run.succeeded, record["state"], record["error"]) == (True, "completed", "")
    assert record["warnings"] == ["the artifacts of this run could not be left in Prefect: RuntimeError: no server answers"]


@pytest.mark.parametrize("status", [0, 403, 500])
def test_a_failing_webhook_leaves_the_run_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request(f"/{SECRET}").respond_with_data("", status=status or 200)
    url = httpserver.url_for(f"/{SECRET}") if status else f"http://127.0.0.1:1/{SECRET}"
    monkeypatch.setenv("CRIME_RATES_WEBHOOK_URL", url)
    run, record = end(tmp_path, monkeypatch, publish_in_part)
    assert (run.succeeded, record["state"], record["published"]) == (False, "partial", True)
    [warning] = record["warnings"]
    assert warning.startswith("the webhook did not hear of this run: The webhook, ") and SECRET not in warning


def test_a_fault_in_a_webhook_is_a_warning_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRIME_RATES_WEBHOOK_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(webhook, "post_message", broken)
    _, record = end(tmp_path, monkeypatch, publish_in_part)
    assert (record["state"], len(record["warnings"])) == ("partial", 1)


def test_an_error_for_people_ends_the_run_with_its_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: Any) -> None:
        raise UsageError("expected this, found that.")

    run, record = end(tmp_path, monkeypatch, fail)
    assert (run.succeeded, record["state"], record["error"]) == (False, "failed", "expected this, found that.")


def test_a_fault_of_the_program_is_raised_and_on_record_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        end(tmp_path, monkeypatch, lambda *_: {}["x"])
    [path] = (tmp_path / "runs").glob("*.json")
    record = json.loads(path.read_text())
    assert (record["state"], record["error"]) == ("failed", "This is a fault of crime-rates, not of your input: KeyError: 'x'.")


def test_errors_of_a_webhook_name_its_host_only(httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"/{SECRET}").respond_with_data("", status=404)
    message = webhook.WebhookMessage(text="", command="update", state="failed", started="", failed=[])
    for url in (httpserver.url_for(f"/{SECRET}"), f"http://127.0.0.1:1/{SECRET}", f"no address {SECRET}"):
        with pytest.raises(SourceError) as error:
            webhook.post_message(url, message)
        assert SECRET not in str(error.value)
    with pytest.raises(StatusError, match="found 404"):
        webhook.post_message(httpserver.url_for(f"/{SECRET}"), message)
