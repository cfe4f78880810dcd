"""Looks at a data folder from outside, as one would who has only the files: what is published, what is lost, what is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from flows.common.atomic_files import sha256_of
from flows.storage import raw_store
from flows.warehouse.published import LINK
from tools.chaos.reader import answers

_SAID: dict[str, list[str]] = {}  # SHA-256 of a database → its answers


@dataclass(frozen=True)
class Whole:
    """What a data folder holds, by content. raw, lake, tables: path → SHA-256; left: what no run should leave behind."""

    data: Path
    published: str  # SHA-256 of the published database; empty if there is none
    raw: dict[str, str]
    lake: dict[str, str]
    tables: dict[str, str]
    left: tuple[str, ...]

    def differs(self, clean: Whole) -> str:
        """In what it is not as a clean run left it; empty if in nothing."""
        names = [name for name in ("published", "raw", "lake", "tables") if getattr(self, name) != getattr(clean, name)]
        return "; ".join([*(f"{name} differs" for name in names), *(f"left behind: {path}" for path in self.left)])


def whole(data: Path) -> Whole:
    link = data / "warehouse" / LINK
    return Whole(
        data,
        sha256_of(link) if link.exists() else "",
        _hashes(data / "raw", lambda path: path.name not in (raw_store.MANIFEST, "addresses.json")),
        _hashes(data / "lake", lambda path: path.suffix == ".parquet"),
        _hashes(data / "tables", lambda path: path.suffix in (".csv", ".parquet")),
        tuple(sorted(left_behind(data))),
    )


def left_behind(data: Path) -> Iterator[str]:
    """Half-written things, and .wal files beside databases. Downloads that can be resumed are none of them."""
    for path in data.rglob("*"):
        name = path.relative_to(data).as_posix()
        if ".incoming" in path.parts:
            continue
        if path.name.endswith((".part", ".wal")) and not any(part.endswith(".part") for part in path.parent.parts):
            yield name


def published(data: Path, allowed: Collection[str], before: bool) -> str:
    """What is wrong with the published database, empty if nothing: it opens, and is one of the whole builds to the byte.

    before: whether there was one when the trouble began, so that there must be one now.
    """
    link = data / "warehouse" / LINK
    if not link.exists():
        return "no database is published any more" if before or link.is_symlink() else ""
    try:
        with duckdb.connect(str(link), read_only=True) as con:
            said = answers(con)
    except duckdb.Error as error:
        return f"the published database cannot be read: {' '.join(str(error).split())}"
    sha256 = sha256_of(link)
    if sha256 not in allowed:
        return "the published database is none of the whole builds"
    return "" if said == _by_itself(link, sha256) else "readers are told something else than what the published file holds"


def _by_itself(database: Path, sha256: str) -> list[str]:
    """What a database says where no other file lies beside it."""
    if sha256 not in _SAID:
        with TemporaryDirectory() as folder:
            copy = shutil.copyfile(database, Path(folder) / "alone.duckdb")
            with duckdb.connect(str(copy), read_only=True) as con:
                _SAID[sha256] = answers(con)
    return _SAID[sha256]


def lost(data: Path, known: dict[str, str]) -> list[str]:
    """Stored files that were there and are not, or are not what their manifests say: path and reason, one each."""
    said = []
    for path, sha256 in known.items():
        file = data / "raw" / path
        if not file.exists():
            said.append(f"{path} is gone")
        elif sha256_of(file) != sha256:
            said.append(f"{path} has changed")
    for manifest in (data / "raw").glob(f"*/[!.]*/{raw_store.MANIFEST}"):
        try:
            file = raw_store.read(manifest.parent)
        except (ValueError, KeyError, TypeError) as error:
            said.append(f"{manifest.relative_to(data)} cannot be read ({error})")
            continue
        if not file.path.exists() or sha256_of(file.path) != file.sha256 or not file.sha256.startswith(manifest.parent.name):
            said.append(f"{file.path.relative_to(data)} is not what its manifest says")
    said += [
        f"{folder.relative_to(data)} has no manifest"
        for folder in (data / "raw").glob("*/[!.]*")
        if folder.parent.name != ".incoming" and folder.is_dir() and not (folder / raw_store.MANIFEST).exists()
    ]
    return said


def broken_records(data: Path) -> list[str]:
    """Run logs and lake records that are not whole JSON."""
    said = []
    for path in [*(data / "runs").glob("[!.]*.json"), *(data / "lake").glob("*/[!.]*/record.json")]:
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            said.append(str(path.relative_to(data)))
    return said


def _hashes(folder: Path, wanted: Callable[[Path], bool]) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts) and wanted(path)
    }
