"""What readers see: which build is published, which are kept to go back to, which were rolled back.

It stands in one small file, warehouse/published.json, the same in a folder and in an object store, so that a copy of the data
still knows it. Beside it crime_rates.duckdb, a relative symlink, leads readers of the folder to the build; on a file system
without symlinks it is the build once more. The file is written before the link, each in one step, and what it
no longer names is removed last: a run that dies in between leaves readers with the old build or the new one, and the next run
mends the link.
"""

from __future__ import annotations

import errno
import filecmp
import json
import os
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.common.atomic_files import encode_json, fsync
from flows.storage.data_store import DataStore, LocalStore
from flows.warehouse.legacy_layout import read_legacy_layout
from transforms.errors import CrimeRatesError

FOLDER = "warehouse"
FILE = f"{FOLDER}/published.json"
LINK = "crime_rates.duckdb"
NO_SYMLINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EACCES, errno.EINVAL}  # systems differ
TRIES = 5  # a reader may be overtaken by a publication, a writer by another writer


class PublicationError(CrimeRatesError):
    """What is published could not be read or changed; readers see what they saw before."""


@dataclass(frozen=True)
class Publication:
    """What published.json says: file names of builds; `kept` holds those that were published, the last one first."""

    current: str
    kept: tuple[str, ...]
    rolled_back: tuple[str, ...] = ()


def read_publication(store: DataStore) -> Publication | None:
    """What is published, or None as long as nothing is. A data folder of before published.json is read as it was meant."""
    return _parse(store.read(FILE)) or _parse_old(store)


def update_publication(store: DataStore, change: Callable[[Publication | None], Publication]) -> Publication:
    """Change what is published, on condition that nobody else does meanwhile; returns what stands now.

    change: from what is published to what is to be; it is asked again when another writer was faster. Raises RunInProgress when
    another run has taken this one's place.
    """
    for _ in range(TRIES):
        data = store.read(FILE)
        before = _parse(data) or _parse_old(store)
        after = change(before)
        if data is not None and after == before:
            return after
        if store.replace(FILE, _encode(after), data):
            return after
    raise PublicationError(f"{store}: {FILE} is changed by others again and again: run the command again.")


def published(store: DataStore) -> Path | None:
    """The database that readers see now, by its own name, or None; fetched first where it is not on this host."""
    for _ in range(TRIES):
        publication = read_publication(store)
        if publication is None:
            return None
        found = store.fetch_file(f"{FOLDER}/{publication.current}")
        if found is not None:
            show_in_copy(store, publication)
            return found.resolve()
        if not store.is_copied:
            copied = store.fetch_file(f"{FOLDER}/{LINK}")  # what a copy that follows links has made of the link
            return copied.resolve() if copied is not None else None
    raise PublicationError(
        f"{store}: expected {publication.current if publication else 'a database'}, as {FILE} says, found none."
    )


def show_in_copy(store: DataStore, publication: Publication) -> None:
    """Let the working copy of a store say what the store says; builds that it keeps no more go, unless somebody reads them."""
    if not store.is_copied:
        return
    copy = LocalStore(store.folder)
    seen = _parse(copy.read(FILE))
    build = store.folder / FOLDER / publication.current
    link(build)
    if seen == publication:
        return
    for name in set(seen.kept if seen is not None else ()) - {publication.current, *publication.kept}:
        if not is_open_elsewhere(build.with_name(name)):
            copy.remove(f"{FOLDER}/{name}")
    copy.write(FILE, _encode(publication))


def link(build: Path) -> None:
    """Let the link beside a build lead to it, in one step; nothing happens where it does.

    On a file system without symlinks, a hard link or else a copy of the build takes its place: who reads by that name sees the
    same as everybody. Raises OSError when there is no room for a copy; then they see what they saw before.
    """
    place, wal = build.with_name(LINK), build.with_name(f"{build.name}.wal")
    wal.unlink(missing_ok=True)  # DuckDB would replay it into what readers see
    if place.is_symlink() and place.readlink() == Path(build.name):
        return
    partial = build.with_name(f".{LINK}.{os.getpid()}.part")
    partial.unlink(missing_ok=True)
    try:
        partial.symlink_to(build.name)
    except OSError as error:
        if error.errno not in NO_SYMLINKS:
            raise
        if place.is_file() and not place.is_symlink() and filecmp.cmp(place, build, shallow=False):
            return
        _copy(build, partial)
    partial.replace(place)
    fsync(build.parent)


def _copy(build: Path, target: Path) -> None:
    """The same bytes under another name: as a hard link, or as a copy where there are none. Nothing is left of half a copy."""
    try:
        target.hardlink_to(build)
    except OSError:
        try:
            shutil.copyfile(build, target)
            fsync(target)
            target.chmod(0o444)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def is_open_elsewhere(build: Path) -> bool:
    """Whether another process of this host has the database open.

    Every DuckDB client holds a shared record lock on the file; to ask who would stand in the way of an exclusive one takes
    no lock and needs no right to write. False where the system cannot tell: a reader keeps what it opened even so.
    """
    if not sys.platform.startswith("linux") or not build.exists():
        return False
    import fcntl

    layout = "hhqqi4x"  # struct flock: type, whence, start, length, process
    with build.open("rb") as file:
        asked = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    return bool(struct.unpack(layout, answer)[0] != fcntl.F_UNLCK)


def _encode(publication: Publication) -> bytes:
    return encode_json(asdict(publication))


def _parse(data: bytes | None) -> Publication | None:
    if data is None:
        return None
    values = json.loads(data)
    return Publication(values["current"], tuple(values["kept"]), tuple(values["rolled_back"]))


def _parse_old(store: DataStore) -> Publication | None:
    old = read_legacy_layout(store)
    return None if old is None else Publication(*old)
