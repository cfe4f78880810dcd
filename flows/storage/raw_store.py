"""The immutable store of fetched files: data/raw/<kind>/<sha256>/<file>, each with its manifest. Nothing is overwritten."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from flows.common.atomic_files import new_folder, read_json, sha256_of, write_json
from flows.common.file_names import MAX_BYTES, FileNameError, safe_file_name
from flows.storage.data_store import MANIFESTS
from transforms.errors import PublishedFileError
from transforms.periods import parse_file_name_date

LICENCE = "Open Government Licence v3.0"
MANIFEST = MANIFESTS["raw"]


@dataclass(frozen=True)
class SourceFile:
    """A file that a source offers, and what the source says of it (manifest.csv, HTTP headers)."""

    path: Path
    kind: str  # offences, population, lookup
    published: date | None = None  # as a manifest states it
    covers: str = ""
    note: str = ""
    source_url: str = ""
    last_modified: date | None = None
    name: str = ""  # where the file is to be kept under another name than it has now

    @property
    def file_name(self) -> str:
        return self.name or self.path.name


@dataclass(frozen=True)
class RawFile:
    """A stored file and its manifest."""

    path: Path
    kind: str
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
        """Where it came from, as others may know it: a local file by its name, for its folder is this machine's own affair."""
        return f"file:{self.path.name}" if self.source_url.startswith("file:") else self.source_url

    def published_on(self, updated: date | None) -> tuple[date, str]:
        """The publication date and where it was found; `updated` is what the workbook itself says."""
        candidates = [
            (self.published, "manifest"),
            (parse_file_name_date(self.path.name), "file name"),
            (updated, "workbook"),
            (self.last_modified, "Last-Modified"),
        ]
        for day, source in candidates:
            if day is not None:
                return day, source
        return date.fromisoformat(self.fetched_at[:10]), "first fetched"


def store(raw: Path, found: SourceFile) -> tuple[Path, bool]:
    """Put a file into the store, or find it there; the original stays where it is. Returns its folder, and whether it is new.

    What a later manifest adds (a date, what the file covers) is added to the stored manifest; bytes never change. Raises
    PublishedFileError for what is no file, is too large, or has a name that is not safe in a path, a pattern or a message.
    """
    _check(found)
    sha256 = sha256_of(found.path)
    folder = raw / found.kind / sha256[:16]
    new = not (folder / MANIFEST).exists()
    if new:
        file = RawFile(
            folder / found.file_name,
            found.kind,
            sha256,
            found.path.stat().st_size,
            found.published,
            found.last_modified,
            found.covers,
            found.note,
            found.source_url or found.path.resolve().as_uri(),
            LICENCE,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        with new_folder(folder) as aside:
            shutil.copyfile(found.path, aside / found.file_name)
            if sha256_of(aside / found.file_name) != sha256:
                raise PublishedFileError(found.file_name, "a file that nobody writes to", "one that changed while it was copied")
            _write_manifest(aside, file)
    stored = read(folder)
    told = replace(
        stored,
        published=found.published or stored.published,
        last_modified=stored.last_modified or found.last_modified,
        covers=found.covers or stored.covers,
        note=found.note or stored.note,
    )
    if told != stored:
        _write_manifest(folder, told)
    return folder, new


def _check(found: SourceFile) -> None:
    if not found.path.is_file():  # a pipe would be waited for without end
        raise PublishedFileError(found.file_name, "a file", "something else" if found.path.exists() else "nothing")
    if (size := found.path.stat().st_size) > MAX_BYTES:
        raise PublishedFileError(found.file_name, f"at most {MAX_BYTES:,} bytes", f"{size:,} bytes")
    try:
        safe_file_name(found.file_name)
    except FileNameError as error:
        raise PublishedFileError(found.file_name, error.expected, error.found) from error


def read(folder: Path) -> RawFile:
    """The stored file whose manifest lies in `folder`."""
    values = read_json(folder / MANIFEST)
    for name in ("published", "last_modified"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    return RawFile(path=folder / values.pop("file_name"), **values)


def stored(raw: Path, kind: str) -> list[RawFile]:
    """Every stored file of a kind, by name and content."""
    files = [read(path.parent) for path in (raw / kind).glob(f"[!.]*/{MANIFEST}")]
    return sorted(files, key=lambda file: (file.path.name, file.sha256))


def _write_manifest(folder: Path, file: RawFile) -> None:
    values = asdict(file) | {"file_name": file.path.name}
    del values["path"]
    for name in ("published", "last_modified"):
        values[name] = values[name].isoformat() if values[name] else None
    write_json(folder / MANIFEST, values)
