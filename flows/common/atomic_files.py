"""Files that are whole or not there: written aside, synced, renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

from transforms.errors import CrimeRatesError

RESUMABLE_SECONDS = 30 * 86_400


class DamagedFileError(CrimeRatesError):
    """A file of the data folder no longer holds what was written there."""


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Put a file's or folder's bytes on the disk before somebody is told that they are there."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file so that a reader sees the old or the new whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _partial_path(path)
    aside.write_bytes(data)
    fsync(aside)
    aside.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a small text, in UTF-8, so that a reader sees the old or the new whole."""
    write_bytes(path, text.encode("utf-8"))


def encode_json(value: Any) -> bytes:
    """A value as our small JSON files hold it."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write_json(path: Path, value: Any) -> None:
    """Write a small JSON file so that a reader sees the old or the new whole."""
    write_bytes(path, encode_json(value))


def read_json(path: Path) -> Any:
    """The value in a JSON file of ours. Raises DamagedFileError, which names it, when it holds something else."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, or not UTF-8
        raise DamagedFileError(f"{path}: expected JSON as crime-rates writes it, found something else ({error}).") from error


def remove_leftovers(data_dir: Path) -> int:
    """Remove what runs that died left half written; returns how many. Only for whoever holds the data folder.

    So goes a .wal beside a database: no run leaves one, and DuckDB would replay it into what readers see, or into the next
    build of that name.
    Downloads that can be resumed stay (they lie in raw/.incoming, and their names do not start with a point) until nobody
    has gone on with them for a month.
    """
    dead = [path for path in data_dir.rglob(".*.part") if ".incoming" not in path.parts]
    dead += (data_dir / "warehouse").glob("*.duckdb.wal")
    given_up = time.time() - RESUMABLE_SECONDS
    dead += [
        path
        for place in ("raw/.incoming", ".incoming")
        for path in (data_dir / place).glob("*")
        if path.stat().st_mtime < given_up
    ]
    for path in dead:
        if path.is_dir() and not path.is_symlink():
            gone = _partial_path(path)
            path.rename(gone)  # first, at once: a worker that outlived its run must not finish what has lost a file already
            shutil.rmtree(gone)
        else:
            path.unlink(missing_ok=True)  # its folder may have gone already
    return len(dead)


def _partial_path(final: Path) -> Path:
    """Where to write what becomes `final`; nobody else does: two hosts may well have processes of one number at work on it."""
    return final.with_name(f".{final.name}.{os.getpid()}-{token_hex(4)}.part")


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A folder to fill; at the end, and only if nothing failed, it becomes `final` in one step.

    `final` is immutable once there: if somebody else put it there meanwhile, the new one is dropped.
    """
    aside = _partial_path(final)
    aside.mkdir(parents=True)
    try:
        yield aside
        for path in aside.iterdir():
            fsync(path)
        if not final.exists():
            aside.rename(final)
            fsync(final.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
