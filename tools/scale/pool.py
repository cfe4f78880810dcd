"""Flows by a process work pool with two workers, deployed from prefect.yaml as it stands; and their tasks by a Dask cluster."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.storage.data_store import LocalStore
from flows.warehouse.published import published
from tests.support import dask_cluster, prefect_server
from tests.support.world import ROOT
from tools.scale.lines import Line, held
from tools.scale.sample import SOURCES, built

PATIENCE = 300  # seconds
HURRY = {  # where a pool asks twice a minute, and a run that waits tries again after half of one
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
    "PREFECT_DEPLOYMENT_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
}


def run(folder: Path, write: bool = False) -> Iterator[Line]:  # noqa: ARG001, nothing is measured here
    """Deploy from a folder that holds prefect.yaml alone; trigger, wait, and look at what came of it."""
    serial = built(folder / "serial").name
    data = folder / "data"
    with prefect_server.standing(folder / "home") as client, _empty_services(folder / "empty") as services:
        environment = client | HURRY | services | {"CRIME_RATES_DATA_DIR": str(data)}
        ours = {PREFECT_API_URL: client["PREFECT_API_URL"], PREFECT_HOME: folder / "home"}
        with temporary_settings(ours), get_client(sync_client=True) as api:  # type: ignore[arg-type]
            yield from _deploy(folder / "checkout", environment)
            with contextlib.ExitStack() as stack:
                for host in ("one", "two"):
                    stack.enter_context(_worker(folder / host, host, environment))
                yield from _flows(api, data, serial)
            with (
                dask_cluster.standing(folder / "dask", environment) as dask,
                _worker(folder / "three", "three", environment | {"CRIME_RATES_DASK_SCHEDULER": dask.address}),
            ):
                other = folder / "by-dask"
                done = _wait(api, _trigger(api, "update", data_dir=str(other), **SOURCES))
                yield held(
                    "a deployed run whose tasks two Dask workers do publishes the serial run's database",
                    ("COMPLETED", serial),
                    (_state(done), _published(other)),
                )


def _flows(api: SyncPrefectClient, data: Path, serial: str) -> Iterator[Line]:
    both = [_trigger(api, "update", **SOURCES) for _ in range(2)]
    done = sorted((_wait(api, run) for run in both), key=lambda run: run.start_time)
    yield held("two updates triggered at once on a pool of two workers both complete", ["COMPLETED"] * 2, list(map(_state, done)))
    yield held("the second began after the first had ended", True, done[1].start_time >= done[0].end_time)
    yield held("what they published is the serial run's database", serial, _published(data))
    with LocalStore(data).lock():
        busy = _wait(api, _trigger(api, "update", **SOURCES))
    said = f"Another run (process {os.getpid()}) is at work on {data}: wait for it to end, then run the command again."
    yield held(
        "a run on a data folder that somebody else holds ends with a sentence",
        ("FAILED", said),
        (_state(busy), busy.state.message),
    )
    pair = [_trigger(api, "backfill", first="2015-16-H1", last="2015-16-H1"), _trigger(api, "update", **SOURCES)]
    backfill, update = (_wait(api, run) for run in pair)
    yield held(
        "a backfill whose services have nothing fails, and an update beside it completes",
        ("FAILED", "COMPLETED"),
        (_state(backfill), _state(update)),
    )
    yield held(
        "the two took turns, by the limit of the pool",
        True,
        update.start_time >= backfill.end_time or backfill.start_time >= update.end_time,
    )


@contextlib.contextmanager
def _empty_services(folder: Path) -> Iterator[dict[str, str]]:
    """The settings of live services that answer, and have nothing."""
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield {f"CRIME_RATES_{name}_URL": address for name in ("GOVUK", "NOMIS", "GEOPORTAL", "ONS")}
    finally:
        server.shutdown()
        server.server_close()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


def _published(data: Path) -> str:
    database = published(LocalStore(data))
    return database.name if database else "nothing"


def _deploy(checkout: Path, environment: Mapping[str, str]) -> Iterator[Line]:
    """As the head of prefect.yaml says, from a folder that no worker knows."""
    checkout.mkdir()
    (checkout / "prefect.yaml").write_bytes((ROOT / "prefect.yaml").read_bytes())

    def prefect(words: str, environment: Mapping[str, str]) -> int:
        command = [sys.executable, "-m", "prefect", *words.split()]
        return subprocess.run(command, env=os.environ | environment, cwd=checkout, capture_output=True).returncode

    words = ("work-pool create default --type process --set-as-default", "work-pool set-concurrency-limit default 1")
    yield held("a pool is made, with a limit of one run", [0, 0], [prefect(word, environment) for word in words])
    without = {name: value for name, value in environment.items() if name != "CRIME_RATES_DATA_DIR"}
    yield held("a deployment that names no data folder is refused", 1, prefect("--no-prompt deploy --all", without))
    yield held("one that names it is made", 0, prefect("--no-prompt deploy --all", environment))


@contextlib.contextmanager
def _worker(folder: Path, name: str, environment: Mapping[str, str]) -> Iterator[None]:
    """A worker in a folder of its own, as on a host of its own."""
    folder.mkdir()
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "default", "--name", name],
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield
    finally:
        dask_cluster.kill(worker)


def _trigger(api: SyncPrefectClient, name: str, **parameters: Any) -> Any:
    deployment = api.read_deployment_by_name(f"{name}/{name}")
    return api.create_flow_run_from_deployment(deployment.id, parameters=deployment.parameters | parameters)


def _wait(api: SyncPrefectClient, run: Any) -> Any:
    for _ in range(PATIENCE * 2):
        found = api.read_flow_run(run.id)
        if found.state is not None and found.state.is_final():
            return found
        time.sleep(0.5)
    raise RuntimeError(f"the run {run.name} did not end within {PATIENCE} seconds: it is {found.state}")


def _state(run: Any) -> str:
    return str(run.state.type.value)
