"""Partitions between working copies and their store: there or not there, never half, never changed, never fetched twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from flows.common.atomic_files import read_json, sha256_of
from flows.storage import lake, raw_store, remote_store
from flows.storage.object_store import CorruptPartition, ObjectStore, StoreError
from flows.storage.raw_store import FileKind
from flows.storage.remote_store import RemoteStore
from tests.services.object_store.conftest import Hosts

NAME = "mid2014.csv"
TEXT = "code,name,year,population\nE07000235,Malvern Hills,2014,75000\n"


def keep(store: RemoteStore, folder: Path, text: str = TEXT, **said: object) -> Path:
    """A population file in the raw store of a working copy."""
    source = folder / NAME
    source.write_text(text)
    return raw_store.store(store.folder / "raw", raw_store.SourceFile(source, FileKind.POPULATION, **said))[0]  # type: ignore[arg-type]


def normalise(store: RemoteStore, stored: Path) -> Path:
    """The same in the lake."""
    file = raw_store.read(stored)
    lake.write_population(store.folder / "lake", file)
    return lake.partition_folder(store.folder / "lake", FileKind.POPULATION, [file])


def names(there: ObjectStore) -> list[str]:
    return sorted(there.list(""))


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in folder.iterdir()}


def test_another_host_knows_a_partition_at_once_and_has_its_data_when_it_needs_them(hosts: Hosts, tmp_path: Path) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    partition = normalise(first, stored)
    for folder in (stored, partition):
        first.store_partition(folder)
    second = hosts.on("second")
    second.fetch_manifests(reconcile=True)
    theirs = [second.folder / folder.relative_to(first.folder) for folder in (stored, partition)]
    assert [sorted(bytes_of(folder)) for folder in theirs] == [[raw_store.MANIFEST], [lake.RECORD]]
    assert raw_store.store(second.folder / "raw", raw_store.SourceFile(tmp_path / NAME, FileKind.POPULATION)) == (
        theirs[0],
        False,
    )
    second.fetch_partitions(theirs)
    assert [bytes_of(folder) for folder in theirs] == [bytes_of(stored), bytes_of(partition)]


def test_nothing_is_said_twice(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    first.store_partition(stored)
    asked: list[str] = []
    for method in ("read", "read_all", "write", "upload", "download", "info", "list"):
        monkeypatch.setattr(ObjectStore, method, watched(asked, method))
    first.fetch_manifests(reconcile=True)
    first.store_partition(stored)
    first.fetch_partitions([stored])
    assert asked == ["list raw", "read_all []", "list lake", "read_all []"]


def watched(asked: list[str], method: str) -> Callable[..., object]:
    original = getattr(ObjectStore, method)

    def call(self: ObjectStore, *words: object) -> object:
        asked.append(f"{method} {words[0]}")
        return original(self, *words)

    return call


def test_what_was_killed_before_its_manifest_is_not_there_and_the_next_run_completes_it(
    hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            first.store_partition(stored)
    assert [name.rpartition("/")[2] for name in names(hosts.objects)] == [NAME]
    second = hosts.on("second")
    second.fetch_manifests(reconcile=True)
    assert not list(second.folder.glob("raw/*/*"))
    first.fetch_manifests()  # a reader completes nothing
    assert len(names(hosts.objects)) == 1
    first.fetch_manifests(reconcile=True)
    second.fetch_manifests(reconcile=True)
    assert raw_store.read(second.folder / stored.relative_to(first.folder)).sha256 == raw_store.read(stored).sha256


def test_data_are_never_written_again_and_what_is_known_of_them_may_be(
    hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    first.store_partition(stored)
    second = hosts.on("second")
    second.fetch_manifests(reconcile=True)
    keep(first, tmp_path, published=date(2015, 6, 25))
    asked: list[str] = []
    monkeypatch.setattr(ObjectStore, "upload", watched(asked, "upload"))
    first.store_partition(stored)
    assert asked == []
    second.fetch_manifests(reconcile=True)
    assert raw_store.read(second.folder / stored.relative_to(first.folder)).published == date(2015, 6, 25)


def test_a_source_that_is_read_under_another_year_is_written_anew(hosts: Hosts, tmp_path: Path) -> None:
    text = "code,name,population\nE07000235,Malvern Hills,75000\n"
    first, second = hosts.on("first"), hosts.on("second")
    stored = keep(first, tmp_path, text, covers="2014")
    partition = normalise(first, stored)
    first.store_partition(partition)
    second.fetch_manifests(reconcile=True)
    second.fetch_partitions([second.folder / partition.relative_to(first.folder)])
    before = bytes_of(second.folder / partition.relative_to(first.folder))
    keep(first, tmp_path, text, covers="2015")
    normalise(first, stored)
    first.store_partition(partition)
    second.fetch_manifests(reconcile=True)
    second.fetch_partitions([second.folder / partition.relative_to(first.folder)])
    after = bytes_of(second.folder / partition.relative_to(first.folder))
    assert after == bytes_of(partition) and after["table.parquet"] != before["table.parquet"]


def test_a_corrupt_file_is_refused_in_one_sentence_and_not_kept(hosts: Hosts, tmp_path: Path) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    first.store_partition(stored)
    name = f"{stored.relative_to(first.folder).as_posix()}/{NAME}"
    right = stored.joinpath(NAME).read_bytes()
    second = hosts.on("second")
    second.fetch_manifests(reconcile=True)
    theirs = second.folder / stored.relative_to(first.folder)
    there = hosts.objects
    there.write(name, right.replace(b"75000", b"57000"))
    with pytest.raises(CorruptPartition) as error:
        second.fetch_partitions([theirs])
    expected, found = sha256_of(stored / NAME)[:16], str(error.value).partition("found ")[2][:16]
    assert str(error.value) == (
        f"{hosts.address}/{name}: expected the bytes of sha256 {expected}…, as its manifest says, found {found}: it is not used. "
        "Remove that folder from the store, and it is fetched again."
    )
    assert [path.name for path in theirs.parent.rglob("*") if path.is_file()] == [raw_store.MANIFEST]
    there.remove(name)
    with pytest.raises(CorruptPartition, match="expected data beside its manifest, found none"):
        second.fetch_partitions([theirs])


def test_what_was_removed_from_the_store_is_not_known_any_more(hosts: Hosts, tmp_path: Path) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    first.store_partition(stored)
    second = hosts.on("second")
    second.fetch_manifests(reconcile=True)
    there = hosts.objects
    for name in names(there):
        there.remove(name)
    second.fetch_manifests(reconcile=True)
    assert not list(second.folder.glob("raw/*/*"))
    first.fetch_manifests(reconcile=True)  # it has the data
    assert len(names(there)) == 2


def test_two_hosts_that_push_one_partition_at_once_both_succeed(hosts: Hosts, tmp_path: Path) -> None:
    homes = [hosts.on("first"), hosts.on("second")]
    folders = []
    for number, home in enumerate(homes):
        (tmp_path / str(number)).mkdir()
        folders.append(keep(home, tmp_path / str(number)))
    start, failed = threading.Barrier(2), []

    def push(home: RemoteStore, folder: Path) -> None:
        start.wait()
        try:
            home.store_partition(folder)
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=push, args=pair) for pair in zip(homes, folders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    third = hosts.on("third")
    third.fetch_manifests(reconcile=True)
    theirs = third.folder / folders[0].relative_to(homes[0].folder)
    third.fetch_partitions([theirs])
    assert failed == [] and sha256_of(theirs / NAME) == sha256_of(folders[0] / NAME) == sha256_of(folders[1] / NAME)


def test_a_download_that_is_cut_short_leaves_nothing(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hosts.on("first")
    partition = normalise(first, keep(first, tmp_path))
    first.store_partition(partition)
    second = hosts.on("second")
    second.fetch_manifests(reconcile=True)
    original = ObjectStore.list
    with monkeypatch.context() as patch:
        patch.setattr(
            ObjectStore,
            "list",
            lambda self, under: {name: replace(found, size=found.size + 1) for name, found in original(self, under).items()},
        )
        with pytest.raises(StoreError, match="when it was downloaded"):
            second.fetch_partitions([second.folder / partition.relative_to(first.folder)])
    theirs = second.folder / partition.relative_to(first.folder)
    assert [path.name for path in theirs.iterdir()] == [lake.RECORD] and list(theirs.parent.iterdir()) == [theirs]


def test_names_that_lead_elsewhere_are_passed_over(hosts: Hosts) -> None:
    there, store = hosts.objects, hosts.on("first")
    if hosts.address.startswith("s3"):  # elsewhere such a name leads elsewhere before anybody hears of it
        there.write("raw/population/../manifest.json", b"{}")
        there.write("raw/.x/y/manifest.json", b"{}")
        store.fetch_manifests()
        assert not list(store.folder.rglob("manifest.json"))


def test_addresses_of_files_are_known_on_every_host(hosts: Hosts, tmp_path: Path) -> None:
    first, second = hosts.on("first"), hosts.on("second")
    stored = keep(first, tmp_path)
    path = first.folder / remote_store.ADDRESSES
    for etag in ("one", "two"):
        path.write_text(json.dumps({"https://x.test/a.ods": {"etag": etag}}))
        first.store_partition(stored)
        second.fetch_manifests()
        assert read_json(second.folder / remote_store.ADDRESSES) == read_json(path)
