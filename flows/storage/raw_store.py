"""The immutable store of fetched files: data/raw/<kind>/<sha256>/<file>, each with its manifest. Nothing is overwritten.

A file on its way has one name a stage: a `RemoteFile` of a service (flows/sources/catalogue.py) has an address and no bytes yet,
a `SourceFile` lies on this host, a `RawFile` lies in the store, a partition of the lake (lake.py) holds its rows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from flows.common.atomic_files import new_folder, read_json, sha256_of, write_json
from flows.common.file_names import MAX_BYTES, FileNameError, safe_file_name
from flows.storage.data_store import MANIFESTS
from transforms.errors import PublishedFileError
from transforms.periods import parse_file_name_date

LICENCE = "Open Government Licence v3.0"
MANIFEST = MANIFESTS["raw"]
EARLIEST = date(2003, 1, 1)  # the first tables, of 2002/03, came out in 2003
FETCHED = "first fetched"  # where a date was found that no source tells


class FileKind(StrEnum):
    """What a file is about, as manifest.csv and the folders of the raw store call it."""

    OFFENCES = "offences"
    POPULATION = "population"
    LOOKUP = "lookup"


@dataclass(frozen=True)
class SourceFile:
    """A file of a source that lies on this host, and what the source says of it (manifest.csv, HTTP headers)."""

    path: Path
    kind: FileKind
    published: date | None = None  # as a manifest states it
    covers: str = ""
    note: str = ""
    source_url: str = ""
    last_modified: date | None = None
    name: str = ""  # where the file is to be kept under another name than it has now

    @property
    def file_name(self) -> str:
        """The name that the file is stored under."""
        return self.name or self.path.name


@dataclass(frozen=True)
class RawFile:
    """A stored file and its manifest."""

    path: Path
    kind: FileKind
    sha256: str
    size: int  # bytes
    published: date | None  # as manifest.csv states it
    last_modified: date | None
    covers: str
    note: str
    source_url: str
    licence: str
    fetched_at: str  # UTC, ISO 8601; of the first time that these bytes were seen

    @property
    def origin(self) -> str:
        """Where it came from, in a form to publish: of a local file only the name, because its folder is private."""
        return f"file:{self.path.name}" if self.source_url.startswith("file:") else self.source_url

    def published_on(self, updated: date | None) -> tuple[date, str]:
        """The publication date and where it was found; `updated` is what the workbook itself says.

        Raises PublishedFileError for a date that cannot be: in the future, or before the first release.
        """
        candidates = [
            (self.published, "manifest"),
            (parse_file_name_date(self.path.name), "file name"),
            (updated, "workbook"),
            (self.last_modified, "Last-Modified"),
        ]
        for day, source in candidates:
            if day is not None:
                if fault := find_date_fault(day):
                    raise PublishedFileError(self.path.name, fault, f"{day} ({source})")
                return day, source
        return date.fromisoformat(self.fetched_at[:10]), FETCHED


def find_date_fault(published: date) -> str | None:
    """What was expected of a publication date that cannot be; None for one that can."""
    today = datetime.now(UTC).date()
    if EARLIEST <= published <= today + timedelta(days=1):  # somewhere it is tomorrow already
        return None
    return f"a date of publication from {EARLIEST.year} to today ({today} by the clock of this machine)"


def store(raw: Path, source: SourceFile) -> tuple[Path, bool]:
    """Put a file into the store, or find it there; the original stays where it is. Returns its folder, and whether it is new.

    What a later manifest adds (a date, what the file covers) is added to the stored manifest; bytes never change. The same bytes
    under another name have a folder and a manifest of their own, and share the bytes where the file system can. Raises
    PublishedFileError for what is no file, is too large, or has a name that is not safe in a path, a pattern or a message.
    """
    _check(source)
    sha256 = sha256_of(source.path)
    folder = _folder(raw / source.kind, sha256, source.file_name)
    new = not (folder / MANIFEST).exists()
    if new:
        file = RawFile(
            folder / source.file_name,
            source.kind,
            sha256,
            source.path.stat().st_size,
            source.published,
            source.last_modified,
            source.covers,
            source.note,
            source.source_url or source.path.resolve().as_uri(),
            LICENCE,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        with new_folder(folder) as partial:
            _copy(source.path, partial / source.file_name, raw / source.kind / sha256[:16])
            if sha256_of(partial / source.file_name) != sha256:
                raise PublishedFileError(source.file_name, "a file that nobody writes to", "one that changed while it was copied")
            _write_manifest(partial, file)
    stored = read(folder)
    updated = replace(
        stored,
        published=source.published or stored.published,
        last_modified=stored.last_modified or source.last_modified,
        covers=source.covers or stored.covers,
        note=source.note or stored.note,
    )
    if updated != stored:
        _write_manifest(folder, updated)
    return folder, new


def _folder(kind: Path, sha256: str, name: str) -> Path:
    """Where the bytes are kept under a name: the first name has the plain folder, any other one beside it."""
    plain = kind / sha256[:16]
    if not (plain / MANIFEST).exists() or read(plain).path.name == name:
        return plain
    return kind / f"{sha256[:16]}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _copy(source: Path, target: Path, known: Path) -> None:
    """Copy a file into the store, or link to the same bytes there under their first name."""
    if (known / MANIFEST).exists() and (first := read(known).path).is_file() and sha256_of(first) == sha256_of(source):
        with suppress(OSError):  # no links on this file system
            os.link(first, target)
            return
    shutil.copyfile(source, target)


def _check(source: SourceFile) -> None:
    if not source.path.is_file():  # a pipe would be waited for without end
        raise PublishedFileError(source.file_name, "a file", "something else" if source.path.exists() else "nothing")
    if (size := source.path.stat().st_size) > MAX_BYTES:
        raise PublishedFileError(source.file_name, f"at most {MAX_BYTES:,} bytes", f"{size:,} bytes")
    try:
        safe_file_name(source.file_name)
    except FileNameError as error:
        raise PublishedFileError(source.file_name, error.expected, error.found) from error


def read(folder: Path) -> RawFile:
    """The stored file whose manifest lies in `folder`."""
    values = read_json(folder / MANIFEST)
    for name in ("published", "last_modified"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    return RawFile(path=folder / values.pop("file_name"), kind=FileKind(values.pop("kind")), **values)


def raw_files(raw: Path, kind: FileKind) -> list[RawFile]:
    """Every stored file of a kind, by name and content."""
    files = [read(path.parent) for path in (raw / kind).glob(f"[!.]*/{MANIFEST}")]
    return sorted(files, key=lambda file: (file.path.name, file.sha256))


def _write_manifest(folder: Path, file: RawFile) -> None:
    values = asdict(file) | {"file_name": file.path.name}
    del values["path"]
    for name in ("published", "last_modified"):
        values[name] = values[name].isoformat() if values[name] else None
    write_json(folder / MANIFEST, values)
