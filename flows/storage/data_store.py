"""The data folder as one value, made once from the command line or the settings and handed to whatever reads or writes data.

`LocalStore` is a folder of this host. `RemoteStore` (remote_store.py) is an address in an object store, worked on through a copy
on this host. Callers name files by their paths relative to the store (`warehouse/published.json`) and never ask which kind they
have. How a person names a store, and how it is opened, stands in data_dir.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.common.atomic_files import write_bytes
from flows.storage.file_lock import hold

MANIFESTS = {"raw": "manifest.json", "lake": "record.json"}  # what completes a partition of each room
RUN_LOCK = ".run.lock"


@dataclass(frozen=True)
class StoredFile:
    """A file of a store; `version` differs whenever its bytes were written again."""

    size: int  # bytes
    version: str
    modified: float  # seconds since 1970, by the clock of the store


class DataStore(ABC):
    """Where raw files, the lake, the database, tables and the run log lie."""

    folder: Path
    """The folder of this host to work in."""

    is_copied: bool
    """Whether `folder` is but a copy of what other hosts see."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The store as people name it: a path, or an address such as s3://bucket/prefix."""

    def __str__(self) -> str:
        return self.address

    @abstractmethod
    def nested(self, name: str) -> DataStore:
        """A store within this one, such as the demo's."""

    @abstractmethod
    def absolute(self) -> DataStore:
        """The same store, whatever the current folder of a process is."""

    @abstractmethod
    def lock(self) -> AbstractContextManager[None]:
        """Hold the store for a run. Raises RunInProgress, naming the other process, when another run holds it."""

    # ------------------------------------------------------------ files
    @abstractmethod
    def list(self, under: str) -> dict[str, StoredFile]:
        """Name → file, of everything below a folder; empty where there is no such folder."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """The bytes of a small file, or None where there is none."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Put a small file in the place of what was there: others see the old or the new whole."""

    @abstractmethod
    def replace(self, name: str, data: bytes, before: bytes | None) -> bool:
        """Put a small file where `before` stands, or where nothing does (None); False if something else stands there by now.

        Raises RunInProgress when another run has taken this one's place.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""

    @abstractmethod
    def fetch_file(self, name: str) -> Path | None:
        """Have an immutable file in `folder`; its path, or None where the store has no such file."""

    @abstractmethod
    def store_file(self, name: str) -> None:
        """Put a file of `folder` into the store."""

    # ------------------------------------------------------------ partitions of the raw store and the lake
    @abstractmethod
    def fetch_manifests(self, *rooms: str, reconcile: bool = False) -> None:
        """Know every partition that the store has, by its manifest, in these rooms (raw, lake; all by default).

        reconcile: also store what a run that died here left behind. Only for a run that holds the store.
        """

    @abstractmethod
    def fetch_manifest(self, *folders: Path, anew: bool = False) -> None:
        """Know these partitions, if the store has them; `anew` also those that are known here and may have been rewritten."""

    @abstractmethod
    def fetch_partitions(self, folders: Iterable[Path]) -> None:
        """Have the data of partitions here that may be known by their manifests alone. Raises CorruptPartition."""

    @abstractmethod
    def store_partition(self, folder: Path) -> None:
        """Put a partition into the store: its data unless they are there, its manifest last."""


@dataclass(frozen=True)
class LocalStore(DataStore):
    """A folder of this host: what is written there is stored."""

    folder: Path
    is_copied = False

    @property
    def address(self) -> str:
        """The path, as it was given."""
        return str(self.folder)

    def __str__(self) -> str:
        return self.address

    def nested(self, name: str) -> LocalStore:
        """A folder within the folder."""
        return LocalStore(self.folder / name)

    def absolute(self) -> LocalStore:
        """The folder by its absolute path."""
        return LocalStore(self.folder.absolute())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder. The lock is the kernel's: it goes with the process, however that ends."""
        with hold(self.folder / RUN_LOCK, self.address):
            yield

    def list(self, under: str) -> dict[str, StoredFile]:
        """The files below a folder, without those that are being written."""
        found = {}
        for path in sorted((self.folder / under).rglob("*")):
            if path.is_file() and not path.name.endswith(".part"):
                stat = path.stat()
                found[path.relative_to(self.folder).as_posix()] = StoredFile(stat.st_size, str(stat.st_mtime_ns), stat.st_mtime)
        return found

    def read(self, name: str) -> bytes | None:
        """The bytes of a file."""
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, data: bytes) -> None:
        """Write beside the place, then rename."""
        write_bytes(self.folder / name, data)

    def replace(self, name: str, data: bytes, before: bytes | None) -> bool:
        """Compare, then write: whoever writes holds the folder, by a lock that it cannot lose."""
        if self.read(name) != before:
            return False
        self.write(name, data)
        return True

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.folder / name).unlink(missing_ok=True)

    def fetch_file(self, name: str) -> Path | None:
        """The file, where there is one."""
        path = self.folder / name
        return path if path.is_file() else None

    def store_file(self, name: str) -> None:
        """Nothing to do: it is there."""

    def fetch_manifests(self, *rooms: str, reconcile: bool = False) -> None:
        """Nothing to do."""

    def fetch_manifest(self, *folders: Path, anew: bool = False) -> None:
        """Nothing to do."""

    def fetch_partitions(self, folders: Iterable[Path]) -> None:
        """Nothing to do."""

    def store_partition(self, folder: Path) -> None:
        """Nothing to do."""
