"""The sample through the whole pipeline: the same bytes from a plain folder and from a store, once, for all hosts."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from s3fs import S3FileSystem

from flows.common.atomic_files import read_json, remove_leftovers, sha256_of
from flows.pipeline import normalise, steps
from flows.settings import Settings
from flows.sources import catalogue
from flows.storage import lease, raw_store
from flows.storage.data_store import DataStore, LocalStore
from flows.storage.file_lock import RunInProgress
from flows.storage.raw_store import FileKind
from flows.warehouse import build
from flows.warehouse.published import published as published_build
from flows.warehouse.published import read_publication
from tests.services.object_store.conftest import Hosts
from tests.support.explanations import say_of
from tests.support.world import SAMPLE, World

SOURCES = steps.LocalFolders(SAMPLE / "releases", SAMPLE / "populations", SAMPLE / "lookups")


class Done(NamedTuple):
    """What a run did."""

    states: set[str]
    database: Path
    published: bool
    tables: int


def update(store: DataStore, sources: steps.LocalFolders = SOURCES) -> Done:
    """The steps of `update`, without Prefect."""
    settings = Settings(store)
    with store.lock():
        remove_leftovers(store.folder)
        steps.fetch_manifests(settings)
        states = set()
        for group in steps.discover_local(sources):
            stored, _ = steps.store_raw(settings, group)
            states.add(normalise.normalise(settings, group.name, group.kind, stored).state)
        database, _ = steps.build(settings)
        database, _ = steps.choose_database(settings, database)
        return Done(states, database, steps.publish(settings, database), steps.export(settings, database))


def contents(folder: Path) -> dict[str, Any]:
    """Name → sha256 of all that is published, of the lake, and of what is in the raw store but when and whence it came."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or not name.startswith(("raw", "lake", "warehouse/crime", "tables")):
            continue
        told = name.endswith((raw_store.MANIFEST, "record.json"))
        words = read_json(path) if told else {"sha256": sha256_of(path)}
        found[name] = {word: value for word, value in words.items() if word not in ("fetched_at", "first_seen")}
    return found


def downloaded(hosts: Hosts, folder: Path) -> Path:
    """All objects of a store as files."""
    there = hosts.objects
    for name, found in there.list("").items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        there.download(name, path, found.size)
    return folder


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each request to S3 by the name that botocore has for it, but those that hold the store: they follow the clock."""
    requests: list[str] = []
    call = S3FileSystem._call_s3

    async def counting(self: S3FileSystem, method: str, *words: Any, **named: Any) -> Any:
        requests.extend([] if "/.lease/" in str(named) else [method])
        return await call(self, method, *words, **named)

    monkeypatch.setattr(S3FileSystem, "_call_s3", counting)
    return requests


def test_a_store_holds_what_a_plain_folder_holds_and_serves_other_hosts(
    hosts: Hosts, sample: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    first = update(hosts.on("first"))
    assert (first.states, first.published, first.tables) == ({"new"}, True, 16)
    plain = Settings(LocalStore(tmp_path / "plain"))
    (tmp_path / "plain").mkdir()
    for room in ("raw", "lake", "warehouse"):
        (tmp_path / "plain" / room).symlink_to(sample.data / room)
    steps.export(plain, first.database)
    expected = contents(sample.data) | contents(tmp_path / "plain")
    assert contents(downloaded(hosts, tmp_path / "downloaded")) == expected != {}
    assert len([name for name in expected if name.startswith("tables")]) == 33

    # again, on the same host
    counted.clear()
    assert update(hosts.on("first")) == Done({"unchanged"}, first.database, False, 0)
    if hosts.address.startswith("s3"):
        assert len(counted) == 6, counted

    # another host builds nothing, and has nothing of the raw store and the lake but what is known of them
    with monkeypatch.context() as patch:
        patch.setattr(build, "_work_database", None)
        second = update(hosts.on("second"))
    assert (second.states, second.published, second.tables) == ({"unchanged"}, False, 0)
    assert second.database.name == first.database.name and sha256_of(second.database) == sha256_of(first.database)
    assert {
        path.name for room in ("raw", "lake") for path in (hosts.on("second").folder / room).rglob("*") if path.is_file()
    } == {
        raw_store.MANIFEST,
        "record.json",
    }

    # a reader explains a figure by the cells of its release
    with monkeypatch.context() as patch:
        patch.setattr(Settings, "from_environment", None)
        said = [say_of(store, "South Worcester") for store in (LocalStore(sample.data), hosts.on("reader"))]
    assert said[0] == said[1] and "row 235" in said[0]
    assert not list(hosts.on("reader").folder.glob("lake/offences/*mar2015*/*.parquet"))


def test_another_host_builds_what_is_new_of_all_that_is_in_the_store(
    bucket: str, sample: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = Hosts(tmp_path / "hosts", bucket, monkeypatch)
    releases = tmp_path / "releases"
    releases.mkdir()
    for path in (SAMPLE / "releases").iterdir():
        if "prc-pfa" not in path.name:
            (releases / path.name).symlink_to(path)
    part = update(hosts.on("first"), steps.LocalFolders(releases, SAMPLE / "populations", SAMPLE / "lookups"))
    done = update(hosts.on("second"))
    assert done.states == {"new", "unchanged"} and done.published and done.database.name != part.database.name
    published = published_build(LocalStore(sample.data))
    assert published is not None and sha256_of(done.database) == sha256_of(published)
    now = read_publication(hosts.on("auditor"))
    assert now is not None and now.kept == (done.database.name, part.database.name)
    assert 0 < done.tables <= 16
    stored = contents(downloaded(hosts, tmp_path / "downloaded"))
    steps.export(Settings(LocalStore(tmp_path / "plain")), published)
    assert {name: value for name, value in stored.items() if name.startswith("tables")} == contents(tmp_path / "plain")


def test_a_worker_on_another_host_has_a_working_copy_of_its_own(hosts: Hosts, sample: World) -> None:
    first = hosts.on("first")
    settings = Settings(first)
    [group] = [b for b in steps.discover_local(SOURCES) if "prc-pfa" in b.name]
    stored, _ = steps.store_raw(settings, group)
    sent = pickle.dumps((replace(settings, store=first.absolute()), stored))
    second = hosts.on("second")
    theirs, folders = pickle.loads(sent)
    item = normalise.normalise(theirs, group.name, group.kind, folders)
    assert item.state == "new" and list(second.folder.glob("lake/offences/*/*.parquet")) and not list(first.folder.glob("lake/*"))
    assert normalise.normalise(theirs, group.name, group.kind, folders).state == "unchanged"
    hosts.on("first")
    steps.fetch_manifests(settings)
    assert normalise.normalise(settings, group.name, group.kind, stored).message == item.message
    pattern = "lake/offences/*pfa*/*.parquet"
    plain, ours = ([sha256_of(path) for path in sorted(data.glob(pattern))] for data in (sample.data, second.folder))
    assert plain == ours != []


def test_what_another_host_has_fetched_is_not_fetched_again(hosts: Hosts, tmp_path: Path) -> None:
    source = tmp_path / "a.ods"
    source.write_bytes(b"bytes")
    offer = catalogue.RemoteFile(FileKind.OFFENCES, "a.ods", "GOV.UK", "https://x.test/a.ods")
    first = Settings(hosts.on("first"))
    catalogue.write_json(first.data_dir / "raw" / catalogue.ADDRESSES, {})
    kept = catalogue._store(first.data_dir / "raw", offer, source, offer.url, None)
    catalogue.write_json(
        first.data_dir / "raw" / catalogue.ADDRESSES,
        {offer.url: {"etag": "x", "last_modified": None, "folder": str(kept.folder.relative_to(first.data_dir / "raw"))}},
    )
    second = Settings(hosts.on("second"))
    steps.fetch_manifests(second)
    assert not catalogue.is_stored(second.data_dir / "raw", offer)
    hosts.on("first")
    steps.fetch_manifests(first)  # a run that follows one that died before it pushed
    first.store.store_partition(kept.folder)
    steps.fetch_manifests(second)
    assert catalogue.is_stored(second.data_dir / "raw", offer)


def test_a_run_that_is_killed_in_the_middle_of_a_partition_is_completed_by_the_next(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = Hosts(tmp_path / "hosts", bucket, monkeypatch)
    code = (
        "import os, signal, sys\nfrom flows.storage.object_store import ObjectStore\nfrom tools.chaos.stage import main\n"
        "ObjectStore.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nmain()\n"
    )  # all data are there, no manifest is
    words = [sys.executable, "-c", code, "update", "--lookups", str(SAMPLE / "lookups"), "--data-dir", bucket]
    hosts.on("first")
    assert subprocess.run(words, capture_output=True).returncode == -9
    there = hosts.objects
    assert [name.rpartition("/")[2] for name in there.list("raw")] == ["lad17_csp17_pfa17.csv"]
    second = hosts.on("second")
    with pytest.raises(RunInProgress, match="its place is free"), second.lock():
        pass
    monkeypatch.setattr(lease, "SECONDS", 1.0)
    time.sleep(2.1)
    with second.lock():
        steps.fetch_manifests(Settings(second))
        assert not list(second.folder.glob("raw/*/*"))
    first = hosts.on("first")
    with first.lock():
        remove_leftovers(first.folder)
        steps.fetch_manifests(Settings(first))
    steps.fetch_manifests(Settings(second))
    assert [path.name for path in second.folder.glob("raw/*/*/*")] == [raw_store.MANIFEST]
    [folder] = second.folder.glob("raw/*/*")
    second.fetch_partitions([folder])
    assert sha256_of(folder / "lad17_csp17_pfa17.csv") == sha256_of(SAMPLE / "lookups/lad17_csp17_pfa17.csv")


# ---------------------------------------------------------------- the commands
@pytest.fixture
def command(bucket: str, tmp_path: Path) -> Any:
    """`crime-rates` on a store, by its address in the environment, on a named host; Prefect is a stage set."""

    def run(host: str, *words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"CRIME_RATES_DATA_DIR": bucket, "CRIME_RATES_CACHE_DIR": str(tmp_path / host)}
        program = [sys.executable, "-m", "tools.chaos.stage"]
        return subprocess.run([*program, *words], env=environment, capture_output=True, text=True)

    return run


def test_commands_take_an_address_from_the_environment(command: Any, bucket: str) -> None:
    words = [word for name in ("releases", "populations", "lookups") for word in (f"--{name}", str(SAMPLE / name))]
    done = command("writer", "update", *words)
    assert done.returncode == 0 and f"Published {bucket}/warehouse/crime_rates-" in done.stdout, done.stderr
    assert f"Wrote 16 pairs of tables to {bucket}/tables." in done.stdout
    table = command("reader", "table", "2015-16-H1", "--offence", "8Q", "--top", "1")
    assert table.returncode == 0 and "Liverpool" in table.stdout
    assert "Last run: update" in command("reader", "status").stdout
    assert "required ones all passed" in command("reader", "check").stdout
    done = command("reader", "rollback")
    assert (done.returncode, done.stdout) == (1, "") and "no older build" in done.stderr
    assert command("reader", "releases").stdout.count("sample-tables") == 4
