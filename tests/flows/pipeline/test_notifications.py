"""How a run ends: what is on its record, and that whoever cannot be told of it never changes that."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.pipeline import notifications, run_summary, update
from flows.settings import Settings
from flows.sources import webhook
from flows.sources.errors import SourceError, StatusError
from flows.storage.data_store import LocalStore
from flows.storage.file_lock import RunInProgress
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState, Run, timed
from tests.support.raw_server import serve
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
    run, record = end(tmp_path, monkeypatch, fail)
    assert (run.succeeded, record["state"], record["error"]) == (False, "failed", "expected this, found that.")


def test_a_fault_of_the_program_is_raised_and_on_record_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        end(tmp_path, monkeypatch, lambda *_: {}["x"])
    [path] = (tmp_path / "runs").glob("*.json")
    record = json.loads(path.read_text())
    assert (record["state"], record["error"]) == ("failed", "This is a fault of crime-rates, not of your input: KeyError: 'x'.")


# ---------------------------------------------------------------- the webhook
@dataclass
class Hook:
    """A webhook that remembers what it was told, and whether the data folder was free then."""

    folder: Path
    url: str
    told: list[dict[str, Any]] = field(default_factory=list)
    was_free: list[bool] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.told.append(request.get_json())
        try:
            with LocalStore(self.folder).lock():
                self.was_free.append(True)
        except RunInProgress:
            self.was_free.append(False)
        return Response("ok")


@pytest.fixture
def hook(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    hook = Hook(tmp_path, httpserver.url_for(f"/{SECRET}"))
    httpserver.expect_request(f"/{SECRET}", method="POST").respond_with_handler(hook)
    monkeypatch.setenv("CRIME_RATES_WEBHOOK_URL", hook.url)
    return hook


def fail(*_: Any) -> None:
    raise UsageError("expected this, found that.")


def publish_with_a_warning(run: Run, *words: Any) -> None:
    publish(run, *words)
    run.warnings.append("totals_agree: Kent")


@pytest.mark.parametrize(
    ("steps", "state", "text"),
    [
        (fail, "failed", "crime-rates update: failed. expected this, found that."),
        (publish_in_part, "partial", "crime-rates update: partial. a.ods: expected a workbook."),
        (publish_with_a_warning, "completed", "crime-rates update: completed. Note: totals_agree: Kent"),
    ],
)
def test_the_webhook_is_told_when_the_folder_is_free_again(
    monkeypatch: pytest.MonkeyPatch, hook: Hook, steps: Any, state: str, text: str
) -> None:
    run, record = end(hook.folder, monkeypatch, steps)
    [told] = hook.told
    assert (told["state"], told["text"], told["warnings"]) == (state, text, run.warnings)
    assert record["state"] == state and hook.was_free == [True]


def test_a_run_without_a_word_to_say_says_nothing(monkeypatch: pytest.MonkeyPatch, hook: Hook) -> None:
    end(hook.folder, monkeypatch, publish)
    assert hook.told == []


def test_a_run_that_finds_another_one_at_work_says_so_and_leaves_no_record(hook: Hook) -> None:
    with LocalStore(hook.folder).lock():
        run = update.update(hook.folder)
    assert (run.succeeded, run.state) == (False, "busy")
    [told] = hook.told
    assert told["state"] == "busy" and "Another run (process" in told["text"]
    assert hook.was_free == [False] and not list(hook.folder.glob("runs/*"))


def test_a_fault_is_told_too(monkeypatch: pytest.MonkeyPatch, hook: Hook) -> None:
    with pytest.raises(KeyError):
        end(hook.folder, monkeypatch, lambda *_: {}["x"])
    assert hook.told[0]["state"] == "failed" and hook.was_free == [True]


def test_a_webhook_that_drips_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The folder is free while it drips, and the run ends in its time. Its address is in no log, however talkative."""
    caplog.set_level(logging.DEBUG)
    free = []

    def drip(_: bytes) -> Iterator[bytes]:
        with LocalStore(tmp_path).lock():
            free.append(True)
        yield b"HTTP/1.1 200 OK\r\nX-Slow: "
        while True:
            time.sleep(0.01)
            yield b"x"

    monkeypatch.setattr(webhook, "SECONDS", 0.3)
    with serve(drip) as server:
        monkeypatch.setenv("CRIME_RATES_WEBHOOK_URL", f"{server.url}/{SECRET}")
        began = time.monotonic()
        run, record = end(tmp_path, monkeypatch, publish_in_part)
    assert time.monotonic() - began < 5 and free == [True]
    assert record["warnings"] == [
        "the webhook did not hear of this run: The webhook, 127.0.0.1: expected an answer within 0.3 seconds; "
        "found none that was whole by then"
    ]
    assert SECRET not in caplog.text + json.dumps(record) + run_summary.summary(run, Settings(LocalStore(tmp_path)))


@pytest.mark.parametrize("wrong", ["ftp://host/{}", "http://[{}", "http://host:x/{}", "https://user:{}@127.0.0.1:1/x", "{}"])
def test_a_wrong_address_of_a_webhook_is_a_warning_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    monkeypatch.setenv("CRIME_RATES_WEBHOOK_URL", wrong.format("s3cret"))
    run, record = end(tmp_path, monkeypatch, publish_in_part)
    [warning] = record["warnings"]
    assert warning.startswith("the webhook did not hear of this run: The webhook, ")
    assert "s3cret" not in warning + repr(Settings(LocalStore(tmp_path), webhook_url=wrong.format("s3cret")))


def test_errors_of_a_webhook_name_its_host_only(httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"/{SECRET}").respond_with_data("", status=404)
    message = webhook.WebhookMessage(text="", command="update", state="failed", started="", failed=[], warnings=[])
    for url in (httpserver.url_for(f"/{SECRET}"), f"http://127.0.0.1:1/{SECRET}", f"no address {SECRET}"):
        with pytest.raises(SourceError) as error:
            webhook.post_message(url, message)
        assert SECRET not in str(error.value)
    with pytest.raises(StatusError, match="found 404"):
        webhook.post_message(httpserver.url_for(f"/{SECRET}"), message)
