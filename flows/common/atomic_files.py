"""Files that are complete or absent: written beside their place, synced, then renamed."""

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
    """Wait until the bytes of a file, or the entries of a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file so that a reader sees the old or the new whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial_path(path)
    partial.write_bytes(data)
    fsync(partial)
    partial.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a small text, in UTF-8, so that a reader sees the old or the new whole."""
    write_bytes(path, text.encode("utf-8"))


def encode_json(value: object) -> bytes:
    """A value as it is written in our small JSON files."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write_json(path: Path, value: object) -> None:
    """Write a small JSON file so that a reader sees the old or the new whole."""
    write_bytes(path, encode_json(value))


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of ours. Raises DamagedFileError, which names it, when it holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, or not UTF-8
        raise DamagedFileError(f"{path}: expected JSON as crime-rates writes it, found something else ({error}).") from error
    if not isinstance(value, dict):
        raise DamagedFileError(f"{path}: expected a JSON object as crime-rates writes it, found another value.")
    return value


def remove_leftovers(data_dir: Path) -> int:
    """Remove what runs that died left half written; returns how many. The caller holds the lock of the data folder.

    A .wal beside a database goes too: no run leaves one, and DuckDB would replay it into what readers see, or into the next
    build of that name. Downloads that can be resumed (in raw/.incoming, with names that do not start with a dot) stay until
    they have not been resumed for a month.
    """
    leftovers = [path for path in data_dir.rglob(".*.part") if ".incoming" not in path.parts]
    leftovers += (data_dir / "warehouse").glob("*.duckdb.wal")
    oldest_resumable = time.time() - RESUMABLE_SECONDS
    leftovers += [
        path
        for folder in ("raw/.incoming", ".incoming")
        for path in (data_dir / folder).glob("*")
        if path.stat().st_mtime < oldest_resumable
    ]
    for path in leftovers:
        if path.is_dir() and not path.is_symlink():
            moved = _partial_path(path)
            path.rename(moved)  # first, at once: a worker that outlived its run must not finish what has lost a file already
            shutil.rmtree(moved)
        else:
            path.unlink(missing_ok=True)  # its folder may have gone already
    return len(leftovers)


def _partial_path(final: Path) -> Path:
    """Where to write what becomes `final`; the name is unique, because two hosts may have processes of the same number."""
    return final.with_name(f".{final.name}.{os.getpid()}-{token_hex(4)}.part")


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A folder to fill; at the end of the block, and only if nothing failed, it becomes `final` in one step.

    `final` never changes once it exists: if another process made it meanwhile, the new one is removed.
    """
    partial = _partial_path(final)
    partial.mkdir(parents=True)
    try:
        yield partial
        for path in partial.iterdir():
            fsync(path)
        if not final.exists():
            partial.rename(final)
            fsync(final.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
