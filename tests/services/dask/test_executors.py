"""Stored files normalised by the workers of a Dask cluster: the same items and bytes as here, and honest ends."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import prefect as prefect_library
import pytest

from flows.common.atomic_files import read_json, remove_leftovers, sha256_of
from flows.pipeline import executors, normalise, steps
from flows.pipeline.executors import ClusterError
from flows.pipeline.update import update as flow
from flows.settings import Settings
from flows.storage import lake, raw_store
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult
from tests.support import dask_cluster
from tests.support.releases import CSP_2015, cover, figures, write_ods
from tests.support.world import SAMPLE, World
from transforms.errors import UsageError

BAD = "prc-csp-bad-tables-230426.ods"
NAME = "prc-csp-mar2021-mar2026-tables-230426.ods"
SENTENCE = f'{BAD}, sheet 2015_16, row 3, column Offence Count: expected a whole number or N/a, found "lots".'


def write_release(path: Path, last: object = 9) -> Path:
    """A release of two rows; `last` is its last cell."""
    rows = [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)]
    return write_ods(path, [cover(date(2026, 4, 23)), ("2015_16", [CSP_2015, rows[0], [*rows[1][:-1], last]])])


def stored(data: Path) -> Path:
    data.mkdir(exist_ok=True)
    return raw_store.store(data / "raw", raw_store.SourceFile(write_release(data / NAME), FileKind.OFFENCES))[0]


def bytes_of(folder: Path, pattern: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_of(path) for path in sorted(folder.rglob(pattern))}


def on(address: str, data: Path) -> Settings:
    return Settings(LocalStore(data), dask_scheduler=address)


def normalise_one(settings: Settings, task: Any) -> FileResult:
    """The item of one release, stored and normalised."""
    with executors.executor_for(settings, task) as start:
        return start(NAME, FileKind.OFFENCES, [stored(settings.data_dir)])()


@pytest.fixture(params=["alone", "orchestrated"])
def one(request: pytest.FixtureRequest) -> Callable[[Settings, Any], FileResult]:
    """The same, by a run that no server knows, and by one that Prefect orchestrates."""
    if request.param == "alone":
        return normalise_one
    request.getfixturevalue("prefect")

    def orchestrated(settings: Settings, task: Any) -> FileResult:
        return prefect_library.flow(lambda: normalise_one(settings, task), name="one")()

    return orchestrated


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Seconds in the place of a minute."""
    for name, seconds in (("CONNECT_SECONDS", 1), ("WORKERS_SECONDS", 2), ("POLL_SECONDS", 0.5)):
        monkeypatch.setattr(executors, name, seconds)
    yield
    gc.collect()  # a client that never connected takes seconds to close itself: here, and not while the next one starts


# ---------------------------------------------------------------- the same as here
class Update(NamedTuple):
    """A run of the command `update` by two workers, and its data folder."""

    done: subprocess.CompletedProcess[str]
    data: Path


def sources(folder: Path) -> dict[str, Path]:
    """The sample and a bad workbook, as folders of sources."""
    releases = folder / "releases"
    releases.mkdir()
    for path in (SAMPLE / "releases").iterdir():
        (releases / path.name).symlink_to(path)
    write_release(releases / BAD, "lots")
    return {"releases": releases, "populations": SAMPLE / "populations", "lookups": SAMPLE / "lookups"}


@pytest.fixture(scope="module")
def update(two_workers: dask_cluster.Cluster, prefect: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Update:
    folder = tmp_path_factory.mktemp("update")  # `data` is a folder in it, whatever folder the workers are in
    words = [word for name, path in sources(folder).items() for word in (f"--{name}", path)]
    command = [Path(sys.executable).with_name("crime-rates"), "update", "--data-dir", "data", *words]
    environment = os.environ | prefect | {"CRIME_RATES_DASK_SCHEDULER": two_workers.address}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, timeout=300)
    return Update(done, folder / "data")


def test_two_workers_give_the_bytes_of_the_serial_run(update: Update, sample: World, tmp_path: Path) -> None:
    for folder, pattern in (("lake", "*.parquet"), ("warehouse", "*.duckdb")):
        assert bytes_of(update.data / folder, pattern) == bytes_of(sample.data / folder, pattern) != {}
    steps.export(Settings(LocalStore(tmp_path)), (sample.data / "warehouse/crime_rates.duckdb").resolve())
    assert bytes_of(update.data / "tables", "*.*") == bytes_of(tmp_path / "tables", "*.*") != {}


def test_a_bad_workbook_fails_alone_and_in_the_same_words(update: Update, tmp_path: Path) -> None:
    folder, _ = raw_store.store(tmp_path / "raw", raw_store.SourceFile(sources(tmp_path)["releases"] / BAD, FileKind.OFFENCES))
    assert normalise.normalise(Settings(LocalStore(tmp_path)), BAD, "offences", [folder]).message == SENTENCE
    assert update.done.returncode == 1 and "Traceback" not in update.done.stdout + update.done.stderr
    [path] = (update.data / "runs").glob("*.json")
    run = read_json(path)
    assert (run["state"], [item["message"] for item in run["items"] if item["state"] == "failed"]) == ("partial", [SENTENCE])
    assert [item["state"] for item in run["items"]].count("new") == len(run["items"]) - 1 == 9


def test_what_prefect_knows_of_the_tasks_is_what_the_workers_did(update: Update, prefect: dict[str, str]) -> None:
    code = (
        "import json; from prefect.client.orchestration import get_client\n"
        "with get_client(sync_client=True) as client:\n"
        "    print(json.dumps([[r.name, r.state_name] for r in client.read_task_runs()]))"
    )
    said = subprocess.run([sys.executable, "-c", code], env=os.environ | prefect, capture_output=True, text=True, check=True)
    states = dict(json.loads(said.stdout))
    assert update.done.stdout and states[f"normalise {BAD}"] == "Completed"
    assert len([name for name in states if name.startswith("normalise")]) == 10


def test_a_worker_normalises_a_large_release_in_a_process_of_its_own(two_workers: dask_cluster.Cluster, tmp_path: Path) -> None:
    assert normalise_one(on(two_workers.address, tmp_path), dask_cluster.apart).state == "new"
    assert len(lake.partition_folders(tmp_path / "lake", FileKind.OFFENCES)) == 1


# ---------------------------------------------------------------- workers that die
def test_a_worker_that_dies_is_replaced_and_the_bytes_are_the_same(
    one: Any, two_workers: dask_cluster.Cluster, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    normalise.normalise(Settings(LocalStore(here)), NAME, "offences", [stored(here)])
    item = one(on(two_workers.address, there), dask_cluster.dies_once)
    assert (there / "died").exists() and item.state == "new"
    assert remove_leftovers(there) == 1  # what the dead one left half written, under another name
    assert bytes_of(there / "lake", "*.parquet") == bytes_of(here / "lake", "*.parquet") != {}


def test_a_workbook_that_ends_every_worker_fails_alone(one: Any, two_workers: dask_cluster.Cluster, tmp_path: Path) -> None:
    settings = on(two_workers.address, tmp_path)
    item = one(settings, dask_cluster.always_dies)
    assert (item.state, item.message) == (
        "failed",
        f"{NAME} could not be normalised: 4 Dask workers died while they were at work on it.",
    )
    assert one(settings, dask_cluster.normalise).state == "new"


@pytest.mark.usefixtures("hurried")
def test_the_last_worker_gone_for_good_is_told(own_cluster: dask_cluster.Cluster, tmp_path: Path) -> None:
    own_cluster.add_worker()
    settings = on(own_cluster.address, tmp_path)
    executors.CONNECT_SECONDS, executors.WORKERS_SECONDS = 60, 60  # until the worker is there
    with executors.executor_for(settings, dask_cluster.never_ends) as start:
        wait = start(NAME, FileKind.OFFENCES, [stored(tmp_path)])
        dask_cluster.wait_for(tmp_path / "at-work")
        executors.WORKERS_SECONDS = 2
        dask_cluster.kill(own_cluster.workers[0])
        with pytest.raises(ClusterError, match=f"^The Dask scheduler at {own_cluster.address} had no worker for 2 seconds"):
            wait()


# ---------------------------------------------------------------- clusters that are not there
@pytest.mark.usefixtures("hurried")
def test_a_scheduler_lost_in_the_middle_is_told(own_cluster: dask_cluster.Cluster, tmp_path: Path) -> None:
    own_cluster.add_worker()
    executors.CONNECT_SECONDS, executors.WORKERS_SECONDS = 60, 60
    with executors.executor_for(on(own_cluster.address, tmp_path), dask_cluster.never_ends) as start:
        wait = start(NAME, FileKind.OFFENCES, [stored(tmp_path)])
        dask_cluster.wait_for(tmp_path / "at-work")
        dask_cluster.kill(own_cluster.scheduler)
        with pytest.raises(ClusterError, match=f"^The Dask scheduler at {own_cluster.address} was lost while it had {NAME}"):
            wait()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://nowhere.invalid:8786", "no address", "http://127.0.0.1:1"])
def test_no_scheduler_at_an_address_is_one_sentence(one: Any, address: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        one(on(address, tmp_path), dask_cluster.normalise)
    assert str(caught.value) == (
        f"CRIME_RATES_DASK_SCHEDULER: expected a Dask scheduler at {address}, found none that answers within 1 seconds."
    )


@pytest.mark.usefixtures("hurried")
def test_a_scheduler_without_workers_is_one_sentence(own_cluster: dask_cluster.Cluster, tmp_path: Path) -> None:
    executors.CONNECT_SECONDS = 60
    with pytest.raises(ClusterError, match=rf"had no worker for 2 seconds: start some \(dask worker {own_cluster.address}\)"):
        normalise_one(on(own_cluster.address, tmp_path), dask_cluster.normalise)


@pytest.mark.usefixtures("hurried")
def test_a_run_without_its_cluster_ends_with_the_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIME_RATES_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    run = flow(tmp_path / "data", **sources(tmp_path))
    assert run.error.startswith("CRIME_RATES_DASK_SCHEDULER: expected a Dask scheduler at tcp://127.0.0.1:1, found none")
    [path] = (tmp_path / "data/runs").glob("*.json")
    assert (read_json(path)["state"], read_json(path)["error"]) == ("failed", run.error)


# ---------------------------------------------------------------- settings
def test_the_extra_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r'needs the extra \[dask\].*: pip install "crime-rates\[dask\]"\.$'):
        normalise_one(on("tcp://127.0.0.1:1", tmp_path), dask_cluster.normalise)


def test_without_the_setting_dask_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from flows import settings; from flows.pipeline import backfill, executors, update\n"
        "with executors.executor_for(settings.Settings.from_environment(settings.data_store('data')), update.normalise): pass\n"
        "print(sorted({'dask', 'distributed', 'prefect_dask'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said.stdout.strip() == "[]"
