"""The same `update` orchestrated by a Prefect server and without one; and what `serve` starts. One server in all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.common.atomic_files import read_json, sha256_of
from flows.pipeline.notifications import make_artifacts
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from flows.storage.run_log import Run
from tests.flows.pipeline.conftest import BAD, GOOD, UPDATE, Place
from tests.support import prefect_server

DEAD_PROXY = "http://127.0.0.1:9"  # nobody listens there
OUTPUTS = ("lake/**/*.parquet", "warehouse/*.duckdb", "tables/**/*.*")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of clients of a standing server, who have a proxy that does not work."""
    with prefect_server.standing(tmp_path_factory.mktemp("prefect")) as environment:
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), DEAD_PROXY)
        yield environment | proxies | {"NO_PROXY": "", "no_proxy": ""}


@pytest.fixture(scope="module")
def orchestrated(place: Place, server: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return place.update("orchestrated", **server)


def ask(server: dict[str, str], code: str) -> Any:
    """The JSON that a few lines print, which ask the server through Prefect's client `c`."""
    lines = (
        "import json, time\nfrom prefect.client.orchestration import get_client\nc = get_client(sync_client=True).__enter__()\n"
    )
    environment = {name: value for name, value in server.items() if "proxy" not in name.lower()}
    done = subprocess.run([sys.executable, "-c", lines + code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def record(data: Path) -> dict[str, Any]:
    """The first run on record, without what is of its moment."""
    run = read_json(min((data / "runs").glob("*.json")))
    return run | {"started": "", "finished": "", "steps": [*run["steps"]]}


def test_record_lake_database_and_tables_are_the_same_both_ways(
    first: subprocess.CompletedProcess[str], orchestrated: subprocess.CompletedProcess[str], place: Place
) -> None:
    here, there = place.data, place.folder / "orchestrated"
    assert (first.returncode, orchestrated.returncode) == (1, 1), orchestrated.stderr
    assert record(there) == record(here)
    for pattern in OUTPUTS:
        hashes = [
            {str(path.relative_to(data)): sha256_of(path) for path in data.glob(pattern) if path.is_file()}
            for data in (here, there)
        ]
        assert hashes[0] == hashes[1] != {}, pattern


def test_both_ways_say_the_same(first: subprocess.CompletedProcess[str], orchestrated: subprocess.CompletedProcess[str]) -> None:
    def said(done: subprocess.CompletedProcess[str]) -> list[str]:
        return [line.replace("orchestrated/", "data/") for line in done.stdout.splitlines() if not line.startswith("Took ")]

    assert said(orchestrated) == said(first)
    alone, together = ([line[10:] for line in done.stderr.splitlines()] for done in (first, orchestrated))
    assert alone[1:] == together


def test_prefect_knows_the_run_its_tasks_and_its_artifacts(
    orchestrated: subprocess.CompletedProcess[str], server: dict[str, str], place: Place
) -> None:
    assert orchestrated.stdout
    run = Run.parse(read_json(min((place.folder / "orchestrated/runs").glob("*.json"))))
    runs, tasks, left = ask(
        server,
        "print(json.dumps([[[r.name, r.state_name] for r in c.read_flow_runs()],"
        " {r.name: r.state_name for r in c.read_task_runs()}, {a.key: [a.data, a.description] for a in c.read_artifacts()}]))",
    )
    assert runs == [[f"update {run.started[:10]}", "Failed"]]  # a bad release was among the good ones
    assert {f"fetch {GOOD}", f"fetch {BAD}", f"normalise {GOOD}", f"normalise {BAD}"} <= {*tasks}
    assert {*tasks.values()} == {"Completed"}
    expected = make_artifacts(run, Settings(LocalStore(place.folder / "orchestrated")))
    assert {*left} == {one.key for one in expected} == {"update-summary", "quality-checks", "newest-table"}
    for one in expected:
        content, description = left[one.key]
        assert description == one.description
        if isinstance(one.content, str):
            assert content.splitlines()[0] == one.content.splitlines()[0] and BAD in content
        else:
            assert json.loads(content) == one.content


TRIGGER = """
for _ in range(100):
    time.sleep(0.3)
    if found := [d for d in c.read_deployments() if d.name == "update"]:
        break
run = c.create_flow_run_from_deployment(found[0].id, parameters=PARAMETERS)
for _ in range(300):
    time.sleep(0.3)
    if (state := c.read_flow_run(run.id).state).is_final():
        break
print(json.dumps([found[0].parameters["data_dir"], found[0].entrypoint, state.name]))
"""


@pytest.mark.usefixtures("first")  # its record is what that of the served run is compared with
def test_serve_runs_what_it_is_asked_to_and_imports_nothing_from_its_folder(place: Place, server: dict[str, str]) -> None:
    names = ("releases", "populations", "lookups")
    parameters = {name: str(place.folder / word) for name, word in zip(names, UPDATE[1::2], strict=True)}
    with place.start("serve", data="served", **server, PREFECT_RUNNER_POLL_FREQUENCY="1") as serving:
        try:
            found = ask(server, TRIGGER.replace("PARAMETERS", repr(parameters)))
        finally:
            serving.send_signal(signal.SIGTERM)
            said = serving.communicate(timeout=60)
    # Failed, as in a terminal: a bad release was among the good ones
    assert found == [str(place.folder / "served"), "flows.pipeline.deployments.update", "Failed"], said
    assert record(place.folder / "served") == record(place.data)
    assert place.imported() == []
