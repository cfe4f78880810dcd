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
from flows.storage import lake, raw_store, sync
from flows.storage.object_store import Store, StoreError
from tests.services.object_store.conftest import Hosts

NAME = "mid2014.csv"
TEXT = "code,name,year,population\nE07000235,Malvern Hills,2014,75000\n"


def keep(data_dir: Path, folder: Path, text: str = TEXT, **said: object) -> Path:
    """A population file in the raw store of a working copy."""
    source = folder / NAME
    source.write_text(text)
    return raw_store.store(data_dir / "raw", raw_store.SourceFile(source, "population", **said))[0]  # type: ignore[arg-type]


def normalise(data_dir: Path, stored: Path) -> Path:
    """The same in the lake."""
    file = raw_store.read(stored)
    lake.write_population(data_dir / "lake", file)
    return lake.folder_of(data_dir / "lake", "population", [file])


def names(there: Store) -> list[str]:
    return sorted(there.objects(""))


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in folder.iterdir()}


def test_another_host_knows_a_partition_at_once_and_has_its_data_when_it_needs_them(hosts: Hosts, tmp_path: Path) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    partition = normalise(first, stored)
    for folder in (stored, partition):
        sync.push(first, folder)
    second = hosts.on("second")
    sync.fetch_manifests(second)
    theirs = [second / folder.relative_to(first) for folder in (stored, partition)]
    assert [sorted(bytes_of(folder)) for folder in theirs] == [[raw_store.MANIFEST], [lake.RECORD]]
    assert raw_store.store(second / "raw", raw_store.SourceFile(tmp_path / NAME, "population")) == (theirs[0], False)
    sync.download(second, theirs[0])
    sync.download_lake(second)
    assert [bytes_of(folder) for folder in theirs] == [bytes_of(stored), bytes_of(partition)]


def test_nothing_is_said_twice(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    sync.push(first, stored)
    asked: list[str] = []
    for method in ("read", "read_all", "write", "push", "pull", "info", "objects"):
        monkeypatch.setattr(Store, method, watched(asked, method))
    sync.fetch_manifests(first)
    sync.push(first, stored)
    sync.download(first, stored)
    assert asked == ["objects raw", "read_all []", "objects lake", "read_all []"]


def watched(asked: list[str], method: str) -> Callable[..., object]:
    original = getattr(Store, method)

    def call(self: Store, *words: object) -> object:
        asked.append(f"{method} {words[0]}")
        return original(self, *words)

    return call


def test_what_was_killed_before_its_manifest_is_not_there_and_the_next_run_completes_it(
    hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            sync.push(first, stored)
    assert [name.rpartition("/")[2] for name in names(hosts.store("first"))] == [NAME]
    second = hosts.on("second")
    sync.fetch_manifests(second)
    assert not list(second.glob("raw/*/*"))
    sync.fetch_manifests(first, is_run=False)  # a reader completes nothing
    assert len(names(hosts.store("first"))) == 1
    sync.fetch_manifests(first)
    sync.fetch_manifests(second)
    assert raw_store.read(second / stored.relative_to(first)).sha256 == raw_store.read(stored).sha256


def test_data_are_never_written_again_and_what_is_known_of_them_may_be(
    hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    sync.push(first, stored)
    second = hosts.on("second")
    sync.fetch_manifests(second)
    keep(first, tmp_path, published=date(2015, 6, 25))
    asked: list[str] = []
    monkeypatch.setattr(Store, "push", watched(asked, "push"))
    sync.push(first, stored)
    assert asked == []
    sync.fetch_manifests(second)
    assert raw_store.read(second / stored.relative_to(first)).published == date(2015, 6, 25)


def test_a_source_that_is_read_under_another_year_is_written_anew(hosts: Hosts, tmp_path: Path) -> None:
    text = "code,name,population\nE07000235,Malvern Hills,75000\n"
    first, second = hosts.on("first"), hosts.on("second")
    stored = keep(first, tmp_path, text, covers="2014")
    partition = normalise(first, stored)
    sync.push(first, partition)
    sync.fetch_manifests(second)
    sync.download_lake(second)
    before = bytes_of(second / partition.relative_to(first))
    keep(first, tmp_path, text, covers="2015")
    normalise(first, stored)
    sync.push(first, partition)
    sync.fetch_manifests(second)
    sync.download_lake(second)
    after = bytes_of(second / partition.relative_to(first))
    assert after == bytes_of(partition) and after["table.parquet"] != before["table.parquet"]


def test_a_corrupt_file_is_refused_in_one_sentence_and_not_kept(hosts: Hosts, tmp_path: Path) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    sync.push(first, stored)
    name = f"{stored.relative_to(first).as_posix()}/{NAME}"
    right = stored.joinpath(NAME).read_bytes()
    second = hosts.on("second")
    sync.fetch_manifests(second)
    theirs = second / stored.relative_to(first)
    there = hosts.store("second")
    there.write(name, right.replace(b"75000", b"57000"))
    with pytest.raises(sync.Corrupt) as error:
        sync.download(second, theirs)
    expected, found = sha256_of(stored / NAME)[:16], str(error.value).partition("found ")[2][:16]
    assert str(error.value) == (
        f"{hosts.address}/{name}: expected the bytes of sha256 {expected}…, as its manifest says, found {found}: it is not used. "
        "Remove that folder from the store, and it is fetched again."
    )
    assert [path.name for path in theirs.parent.rglob("*") if path.is_file()] == [raw_store.MANIFEST]
    there.remove(name)
    with pytest.raises(sync.Corrupt, match="expected data beside its manifest, found none"):
        sync.download(second, theirs)


def test_what_was_removed_from_the_store_is_not_known_any_more(hosts: Hosts, tmp_path: Path) -> None:
    first = hosts.on("first")
    stored = keep(first, tmp_path)
    sync.push(first, stored)
    second = hosts.on("second")
    sync.fetch_manifests(second)
    there = hosts.store("second")
    for name in names(there):
        there.remove(name)
    sync.fetch_manifests(second)
    assert not list(second.glob("raw/*/*"))
    sync.fetch_manifests(first)  # it has the data
    assert len(names(there)) == 2


def test_two_hosts_that_push_one_partition_at_once_both_succeed(hosts: Hosts, tmp_path: Path) -> None:
    homes = [hosts.on("first"), hosts.on("second")]
    folders = []
    for number, home in enumerate(homes):
        (tmp_path / str(number)).mkdir()
        folders.append(keep(home, tmp_path / str(number)))
    start, failed = threading.Barrier(2), []

    def push(home: Path, folder: Path) -> None:
        start.wait()
        try:
            sync.push(home, folder)
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=push, args=pair) for pair in zip(homes, folders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    third = hosts.on("third")
    sync.fetch_manifests(third)
    theirs = third / folders[0].relative_to(homes[0])
    sync.download(third, theirs)
    assert failed == [] and sha256_of(theirs / NAME) == sha256_of(folders[0] / NAME) == sha256_of(folders[1] / NAME)


def test_a_download_that_is_cut_short_leaves_nothing(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hosts.on("first")
    partition = normalise(first, keep(first, tmp_path))
    sync.push(first, partition)
    second = hosts.on("second")
    sync.fetch_manifests(second)
    original = Store.objects
    with monkeypatch.context() as patch:
        patch.setattr(
            Store,
            "objects",
            lambda self, under: {name: replace(found, size=found.size + 1) for name, found in original(self, under).items()},
        )
        with pytest.raises(StoreError, match="when it was downloaded"):
            sync.download_lake(second)
    theirs = second / partition.relative_to(first)
    assert [path.name for path in theirs.iterdir()] == [lake.RECORD] and list(theirs.parent.iterdir()) == [theirs]


def test_names_that_lead_elsewhere_are_passed_over(hosts: Hosts) -> None:
    there = hosts.store("first")
    if there.address.startswith("s3"):  # elsewhere such a name leads elsewhere before anybody hears of it
        there.write("raw/population/../manifest.json", b"{}")
        there.write("raw/.x/y/manifest.json", b"{}")
        sync.fetch_manifests(there.here)
        assert not list(there.here.rglob("manifest.json"))


def test_addresses_of_files_are_known_on_every_host(hosts: Hosts) -> None:
    first, second = hosts.on("first"), hosts.on("second")
    path = first / sync.ADDRESSES
    path.parent.mkdir()
    for etag in ("one", "two"):
        path.write_text(json.dumps({"https://x.test/a.ods": {"etag": etag}}))
        sync.push_addresses(first)
        sync.fetch_manifests(second)
        assert read_json(second / sync.ADDRESSES) == read_json(path)
