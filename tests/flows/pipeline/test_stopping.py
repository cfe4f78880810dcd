"""A run that somebody stops: it ends soon, is on record, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.common.atomic_files import read_json
from flows.storage.data_store import LocalStore
from tests.flows.pipeline.conftest import Place
from tests.support.world import ROOT, SAMPLE

SOON = 5  # seconds
SAID = "crime-rates: Stopped. What is published stands."


@pytest.fixture
def silent(httpserver: HTTPServer) -> Iterator[dict[str, str]]:
    """Settings whose services take a request, and do not answer before the test has ended."""
    ended = False

    def wait(_: Request) -> Response:
        while not ended:
            time.sleep(0.05)
        return Response("too late", status=503)

    httpserver.expect_request(re.compile(".*")).respond_with_handler(wait)
    yield {f"CRIME_RATES_{name}_URL": httpserver.url_for("") for name in ("GOVUK", "NOMIS", "GEOPORTAL", "ONS")}
    ended = True


@pytest.fixture(autouse=True)
def _signals_reach_children() -> Iterator[None]:
    """A child inherits which signals are ignored: of tests in the background, or under `nohup`, some are."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def stop(running: subprocess.Popen[str], number: int) -> tuple[int, str, float]:
    """(exit status, standard error, seconds until the end) of a run that gets a signal."""
    begun = time.monotonic()
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    return running.returncode, err, time.monotonic() - begun


def wait_until(path: Path) -> None:
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} did not come about")


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in (line.split() for line in found.splitlines()) if int(parent) == pid]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return state != "" and not state.startswith("Z")


def assert_on_record(data: Path) -> None:
    [path] = (data / "runs").glob("*.json")
    run = read_json(path)
    assert (run["state"], run["error"]) == ("failed", "it was stopped before its end; what is published stands.")
    assert run["finished"]
    with LocalStore(data).lock():  # which nobody holds
        pass
    assert [*data.rglob("*.part")] == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_waits_for_a_service_ends_at_a_signal(place: Place, silent: dict[str, str], tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    running = place.start("update", data=str(tmp_path / "data"), **silent)
    wait_until(tmp_path / "data/.run.lock")
    time.sleep(0.2)
    code, err, seconds = stop(running, number)
    assert (code, err.splitlines()[-1]) == (128 + number, SAID)
    assert "Traceback" not in err
    assert seconds < SOON
    assert_on_record(tmp_path / "data")


def test_a_build_ends_at_a_signal_and_so_do_its_processes(place: Place, tmp_path: Path) -> None:
    folders = [word for name in ("releases", "populations", "lookups") for word in (f"--{name}", str(SAMPLE / name))]
    running = place.start("update", *folders, data=str(tmp_path))
    while not [*tmp_path.glob("warehouse/.build.*.part/*.parquet")]:  # the first tables are being written
        assert running.poll() is None
        time.sleep(0.01)
    children = children_of(running.pid)
    code, err, seconds = stop(running, signal.SIGTERM)
    assert (code, err.splitlines()[-1]) == (128 + signal.SIGTERM, SAID)
    assert seconds < SOON
    assert children and not [child for child in children if is_running(child)]
    assert_on_record(tmp_path)
    assert not (tmp_path / "warehouse/crime_rates.duckdb").exists()


def run_script(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_what_does_not_end_in_its_grace_is_ended() -> None:
    code = """
import time
from flows.common.errors import Stopped
from flows.common.stopping import stoppable
with stoppable(grace_seconds=0.3):
    try:
        print("ready", flush=True)
        time.sleep(60)
    except Stopped:
        time.sleep(60)
"""
    with run_script(code) as script:
        assert script.stdout is not None and script.stdout.readline() == "ready\n"
        code, _, seconds = stop(script, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM and seconds < SOON


def test_a_signal_that_is_ignored_stays_so() -> None:
    code = """
import os, signal
from flows.common.stopping import stoppable
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with stoppable():
    os.kill(os.getpid(), signal.SIGHUP)
    print("goes on")
"""
    with run_script(code) as script:
        assert script.communicate()[0] == "goes on\n"


@pytest.mark.parametrize("end", ["end_children()", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_child_ends_when_it_is_ended_or_its_parent_is(end: str) -> None:
    code = f"""
import os, signal, time
from flows.common.subprocesses import end_children, start_child
child = start_child("tests.support.child")
child.stdin.write('{{"sleep": 60}}')
child.stdin.close()
print(child.pid, child.stdout.readline(), end="", flush=True)
{end}
time.sleep(60)
"""
    with run_script(code) as parent:
        assert parent.stdout is not None
        pid, word = parent.stdout.readline().split()
        assert word == "asleep"
        for _ in range(100):
            if not is_running(int(pid)):
                break
            time.sleep(0.05)
        else:
            os.kill(int(pid), signal.SIGKILL)
            pytest.fail("the child lived on")
        parent.kill()
