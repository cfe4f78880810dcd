"""A data store at an fsspec address, worked on through a copy on this host, which can be deleted between two runs.

A partition of the raw store or the lake is there when its manifest is: it is put last, after all data, and data are never written
again while it stands. Here a partition may be known by its manifest alone; its data come when somebody needs them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from flows.common.atomic_files import new_folder, read_json, sha256_of, write_bytes, write_json
from flows.storage.data_store import MANIFESTS, RUN_LOCK, DataStore, StoredFile
from flows.storage.file_lock import hold
from flows.storage.lease import Lease
from flows.storage.object_store import CorruptPartition, ObjectStore
from transforms.errors import UsageError, quoted, without_secrets

ADDRESSES = "raw/addresses.json"  # what is known of the addresses of files; rewritten whole, by whoever runs
SEEN = ".seen"  # in a working copy: of each small object, the version that was last read or written, and its sha256
INCOMING = ".incoming"  # in a working copy: files that are being downloaded


class RemoteStore(DataStore):
    """The objects below an address, and the folder of this host that is their working copy."""

    is_copied = True

    def __init__(self, address: str, folder: Path, region: str | None = None) -> None:
        self._objects, self.folder, self._region = ObjectStore(address, region), folder, region
        self._lease: Lease | None = None

    @classmethod
    def at(cls, address: str, cache_dir: Path, region: str | None = None) -> Self:
        """The store at an address; its working copy is a folder below `cache_dir`. Raises ValueError."""
        place = address.rstrip("/")
        if "://" not in place:
            raise UsageError(f"expected an address such as s3://bucket/prefix, found {address}")
        if without_secrets(place) != place:  # it is shown in messages, and part of the name of the working copy
            raise UsageError(
                f"expected an address without user, password or token, found one in the address of {quoted(place)}: "
                "say it in the variables of the protocol, such as AWS_SECRET_ACCESS_KEY or FSSPEC_FTP_PASSWORD."
            )
        readable = re.sub(r"[^A-Za-z0-9.-]+", "-", place).strip("-.")[-60:]
        return cls(place, cache_dir / f"{readable}-{hashlib.sha256(place.encode()).hexdigest()[:10]}", region)

    def __reduce__(self) -> tuple[type[Self], tuple[str, Path, str | None]]:
        return type(self), (self.address, self.folder, self._region)  # who is sent a store holds no lease on it

    @property
    def address(self) -> str:
        """The address, without a slash at its end."""
        return self._objects.address

    def nested(self, name: str) -> RemoteStore:
        """A store below the address, with a working copy beside this one's."""
        return RemoteStore.at(f"{self.address}/{name}", self.folder.parent, self._region)

    def absolute(self) -> RemoteStore:
        """The same: an address is absolute, and so is the folder of its working copy."""
        return self

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the working copy by a lock of this host, and the address by a lease."""
        with hold(self.folder / RUN_LOCK, self.address):
            lease = Lease(self._objects)
            lease.take()
            self._lease = lease
            try:
                yield
            finally:
                self._lease = None
                lease.give_back()

    # ------------------------------------------------------------ files
    def list(self, under: str) -> dict[str, StoredFile]:
        """The objects below a folder."""
        return self._objects.list(under)

    def read(self, name: str) -> bytes | None:
        """The bytes of an object."""
        return self._objects.read(name)

    def write(self, name: str, data: bytes) -> None:
        """Put an object."""
        self._objects.write(name, data)

    def replace(self, name: str, data: bytes, before: bytes | None) -> bool:
        """Put an object on condition; raises RemoteRunInProgress when the lease of this run was lost."""
        if self._lease is not None:
            self._lease.check()
        return self._objects.replace(name, data, before)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._objects.remove(name)

    def fetch_file(self, name: str) -> Path | None:
        """Download an object unless it is here; others see it here when it is whole."""
        target = self.folder / name
        if target.exists():
            return target
        found = self._objects.info(name)
        if found is None:
            return None
        partial = self.folder / INCOMING / f"{target.name}.{os.getpid()}"
        partial.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._objects.download(name, partial, found.size)
            partial.chmod(0o444)
            partial.rename(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def store_file(self, name: str) -> None:
        """Upload a file of the working copy."""
        self._objects.upload(name, self.folder / name)

    # ------------------------------------------------------------ partitions
    def fetch_manifests(self, *rooms: str, reconcile: bool = False) -> None:
        """Read the manifests that are not here, or that were rewritten since."""
        for room in rooms or MANIFESTS:
            objects = self._objects.list(room)
            manifests = {name: found for name, found in objects.items() if _is_manifest(name)}
            if ADDRESSES in objects:
                manifests[ADDRESSES] = objects[ADDRESSES]
            news = [
                name
                for name, found in manifests.items()
                if self._seen(name).get("version") != found.version or not (self.folder / name).exists()
            ]
            for name, data in self._objects.read_all(news).items():
                self._accept(name, data, manifests[name])
            for path in sorted((self.folder / room).glob(f"*/[!.]*/{MANIFESTS[room]}")) if reconcile else ():
                if self._name(path) in manifests:
                    self._store_partition(path.parent)
                else:
                    self._reconcile(path.parent)

    def fetch_manifest(self, *folders: Path, anew: bool = False) -> None:
        """Read the manifests of these partitions."""
        for folder in folders:
            manifest = self._manifest(folder)
            if not anew and manifest.exists():
                continue
            name = self._name(manifest)
            found, data = self._objects.info(name), self._objects.read(name)
            if found is not None and data is not None:
                self._accept(name, data, found)

    def fetch_partitions(self, folders: Iterable[Path]) -> None:
        """Download what is lacking."""
        for folder in folders:
            if not _data_files(folder):
                self._download(folder)

    def store_partition(self, folder: Path) -> None:
        """Upload what the store lacks; with it what is known of the addresses of files, if that has changed."""
        self._store_partition(folder)
        addresses = self.folder / ADDRESSES
        if addresses.exists() and self._seen(ADDRESSES).get("sha256") != _sha256(data := addresses.read_bytes()):
            self._note(ADDRESSES, data, self._objects.write(ADDRESSES, data))

    def _store_partition(self, folder: Path) -> None:
        manifest = self._manifest(folder)
        name, data = self._name(manifest), manifest.read_bytes()
        if self._seen(name).get("sha256") == _sha256(data):
            return
        stored = self._objects.read(name)
        if stored is not None and _is_of_other_rows(stored, data):  # a population file that is read under another year
            self._objects.remove(name)
            stored = None
        if stored is None:
            for path in _data_files(folder):
                self._objects.upload(self._name(path), path)
        self._note(name, data, self._objects.write(name, data))

    def _reconcile(self, folder: Path) -> None:
        """Of a partition that is here and not in the store: upload it; but a mere manifest goes, as it went there."""
        (self.folder / SEEN / self._name(self._manifest(folder))).unlink(missing_ok=True)
        if _data_files(folder):
            self._store_partition(folder)
        else:
            shutil.rmtree(folder)

    def _download(self, folder: Path) -> None:
        manifest = self._manifest(folder)
        with new_folder(folder) as partial:
            for name, found in self._objects.list(self._name(folder)).items():
                if (last := name.rpartition("/")[2]) != manifest.name and not last.startswith("."):
                    self._objects.download(name, partial / last, found.size)
            shutil.copyfile(manifest, partial / manifest.name)
            self._check_data(folder, partial)
            if not _data_files(folder):  # else somebody else has brought them meanwhile
                shutil.rmtree(folder)

    def _check_data(self, folder: Path, partial: Path) -> None:
        name = self._name(folder)
        if not _data_files(partial):
            raise CorruptPartition(f"{self.address}/{name}: expected data beside its manifest, found none.")
        if not name.startswith("raw/"):
            return
        manifest = read_json(partial / MANIFESTS["raw"])
        file = partial / Path(str(manifest["file_name"])).name
        found = sha256_of(file) if file.exists() else "no such file"
        if found != manifest["sha256"]:
            raise CorruptPartition(
                f"{self.address}/{name}/{file.name}: expected the bytes of sha256 {manifest['sha256'][:16]}…, as its manifest "
                f"says, found {found[:16]}: it is not used. Remove that folder from the store, and it is fetched again."
            )

    def _accept(self, name: str, data: bytes, found: StoredFile) -> None:
        """Put a manifest of the store in the place of what was here."""
        path = self.folder / name
        if path.exists() and _is_of_other_rows(path.read_bytes(), data):
            shutil.rmtree(path.parent)
        write_bytes(path, data)
        self._note(name, data, found)

    def _manifest(self, folder: Path) -> Path:
        return folder / MANIFESTS[folder.relative_to(self.folder).parts[0]]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _seen(self, name: str) -> dict[str, Any]:
        path = self.folder / SEEN / name
        return dict(read_json(path)) if path.exists() else {}

    def _note(self, name: str, data: bytes, found: StoredFile) -> None:
        write_json(self.folder / SEEN / name, {"version": found.version, "sha256": _sha256(data)})


def _is_manifest(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 4 and parts[3] == MANIFESTS[parts[0]] and not any(part.startswith(".") for part in parts)


def _is_of_other_rows(one: bytes, other: bytes) -> bool:
    """Whether two records are of different rows: what a record tells of dates and origins may change over the same rows."""
    records = [json.loads(one), json.loads(other)]
    return any("rows" in record for record in records) and len({(r["rows"], r.get("covers")) for r in records}) > 1


def _data_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[!.]*") if path.name not in MANIFESTS.values())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
