"""Local folders in place of the live services: their files, and what a manifest.csv beside them says."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path, PurePath

from flows.storage.raw_store import FileKind, SourceFile
from transforms.errors import CrimeRatesError, PublishedFileError, quoted
from transforms.readers.workbooks import SUFFIXES

AREAS = "areas"  # a table of areas published beside the releases: it is passed over
KINDS = (*FileKind, AREAS)
_LOOKUP_NAME = re.compile(r"la?d\d\d.*csp\d\d", re.IGNORECASE)
_REFERENCE_NAME = re.compile(r"geo(g-ref|-pfa)|offence-ref", re.IGNORECASE)  # published beside the tables


class FolderError(CrimeRatesError):
    """A folder of sources that cannot be used as asked."""


def discover(folder: Path, kind: FileKind) -> tuple[list[SourceFile], list[str]]:
    """(files of a kind, names of files that were passed over).

    Raises FolderError when the folder is not there or holds none, PublishedFileError for a bad line of manifest.csv.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: expected a folder of {kind} files, found {'a file' if folder.exists() else 'nothing'}.")
    manifest = _manifest(folder)
    files, others = [], []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~")) or path.name == "manifest.csv":
            continue
        row = manifest.get(path.name, {})
        if path.suffix.lower() not in SUFFIXES:
            others += [path.name] if path.is_file() else []
        elif not path.is_file():  # a folder, a pipe, a link that leads nowhere
            others.append(path.name)
        elif (row.get("kind") or _kind_by_name(path.name, kind)) == kind:
            published = date.fromisoformat(row["published"]) if row.get("published") else None
            files.append(SourceFile(path, kind, published, row.get("covers", ""), row.get("note", "")))
    if not files:
        raise FolderError(f"{folder}: expected {kind} files ({', '.join(SUFFIXES)}), found none.")
    return files, others


def _kind_by_name(name: str, wanted: FileKind) -> str:
    if _LOOKUP_NAME.search(name):
        return FileKind.LOOKUP
    if _REFERENCE_NAME.search(name):
        return AREAS
    if name.lower().startswith("prc-"):
        return FileKind.OFFENCES
    return FileKind.POPULATION if wanted is FileKind.LOOKUP else wanted


def _manifest(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / "manifest.csv"
    where = f"{folder.name}/manifest.csv"
    if not path.is_file():
        if path.exists():
            raise PublishedFileError(where, "a file", "something else")
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise PublishedFileError(where, "comma-separated values in UTF-8", str(error)) from error
    for number, row in enumerate(rows, start=2):
        name = row.get("file")
        if not name or PurePath(name).name != name:
            raise PublishedFileError(where, "the name of a file in this folder", quoted(name), row=number, column="file")
        if row.get("kind") not in KINDS:
            raise PublishedFileError(where, f"one of {', '.join(KINDS)}", quoted(row.get("kind")), row=number, column="kind")
        try:
            date.fromisoformat(row.get("published") or "2000-01-01")
        except ValueError as error:
            raise PublishedFileError(
                where, "a date such as 2015-06-25", quoted(row["published"]), row=number, column="published"
            ) from error
    return {row["file"]: row for row in rows}
