"""Where a flow runs, and that a task keeps its word wherever that is: retries, waits, names."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.pipeline import runner, update
from flows.pipeline.runner import Flow, Task
from flows.settings import bypass_proxies
from flows.storage.run_log import Run
from transforms.errors import UsageError


class Flaky:
    """A function that fails so many times, and then says how often it was called."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def __call__(self, name: str) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise UsageError(f"{name} is silent.")
        return f"{name} {self.calls}"


def task(failures: int, *, retry: bool = True) -> tuple[Flaky, Task[[str], str]]:
    function = Flaky(failures)
    return function, Task(function, "ask", run_name="ask {name}", waits=(0.01, 0.02), is_worth_retrying=lambda _: retry)


# ---------------------------------------------------------------- without a server
def test_a_task_is_tried_again_after_each_wait_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    function, ask = task(2)
    with caplog.at_level(logging.INFO, "crime_rates"):
        assert ask("Nomis") == "Nomis 3"
    assert function.calls == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"ask Nomis: Nomis is silent. It is tried again in {wait} seconds." for wait in ("0.01", "0.02")
    ]


def test_the_last_error_of_a_task_is_its_own() -> None:
    function, ask = task(3)
    with pytest.raises(UsageError, match="Nomis is silent"):
        ask("Nomis")
    assert function.calls == 3


def test_what_is_not_worth_retrying_is_tried_once() -> None:
    function, ask = task(1, retry=False)
    with pytest.raises(UsageError):
        ask("Nomis")
    assert function.calls == 1


# ---------------------------------------------------------------- the same declaration for Prefect
def test_prefect_knows_a_task_by_the_same_declaration() -> None:
    fetch = update.fetch.orchestrated
    assert (fetch.name, fetch.task_run_name, fetch.fn) == ("fetch", "fetch {group.name}", update.fetch.function)
    assert (fetch.retries, fetch.retry_delay_seconds) == (len(update.FETCH_WAITS), [*update.FETCH_WAITS])
    assert update.normalise.orchestrated.retries == 0


def test_prefect_refuses_parameters_that_do_not_fit_before_a_run_starts() -> None:
    from flows.pipeline.deployments import backfill

    assert backfill.name == "backfill"
    assert list(backfill.parameters.properties) == ["first", "last", "level", "refetch", "data_dir"]
    assert backfill.validate_parameters({"first": "2012-13-H1", "last": "2013-14-H1"})["level"] is None
    for wrong in ({"first": "2012-H1"}, {"level": "country"}):
        with pytest.raises(Exception, match="half-year|level"):
            backfill.validate_parameters({"first": "2012-13-H1", "last": "2013-14-H1"} | wrong)


# ---------------------------------------------------------------- which of the two
@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The Prefect home of a person without settings."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    return tmp_path


def test_a_flow_runs_here_where_no_server_is_configured(home: Path) -> None:
    run = Run("update")
    flow: Flow[[]] = Flow(lambda: run, "update")
    assert runner.find_server() == ""
    assert runner.run_flow(flow) is run
    assert [*home.iterdir()] == []


def test_a_server_is_configured_by_the_environment_or_by_the_active_profile(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "profiles.toml").write_text('active = "ours"\n[profiles.ours]\nPREFECT_API_URL = "http://10.0.0.5:4200/api"\n')
    code = "from flows.pipeline import runner; print(runner.find_server())"  # Prefect reads profiles when it is imported
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "http://10.0.0.5:4200/api\n"
    monkeypatch.setenv("PREFECT_API_URL", "http://10.0.0.6:4200/api")
    assert runner.find_server() == "http://10.0.0.6:4200/api"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "127.0.0.1,localhost,::1"),
        ("example.org", "example.org,127.0.0.1,localhost,::1"),
        ("localhost", "localhost,127.0.0.1,::1"),
    ],
)
def test_a_proxy_never_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch, before: str | None, after: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if before:
        monkeypatch.setenv("NO_PROXY", before)
    bypass_proxies()
    bypass_proxies()
    assert (os.environ["NO_PROXY"], os.environ["no_proxy"]) == (after, after)
