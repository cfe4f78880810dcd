"""Local folders in place of the live services: their files, and what a manifest.csv beside them says."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePath

from flows.storage.raw_store import FileKind, SourceFile, find_date_fault
from transforms.areas import is_lookup
from transforms.errors import CrimeRatesError, PublishedFileError, quoted
from transforms.readers.workbooks import SUFFIXES

AREAS = "areas"  # a table of areas published beside the releases: it is passed over
KINDS = (*FileKind, AREAS)
_LOOKUP_NAME = re.compile(r"la?d\d\d.*csp\d\d", re.IGNORECASE)
_REFERENCE_NAME = re.compile(r"geo(g-ref|-pfa)|offence-ref", re.IGNORECASE)  # published beside the tables


class FolderError(CrimeRatesError):
    """A folder of sources that cannot be used as asked."""


@dataclass
class FolderListing:
    """The files of a kind in a folder, names of files that were passed over, and a refusal for each row that names no file."""

    files: list[SourceFile] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    refusals: list[PublishedFileError] = field(default_factory=list)


def discover(folder: Path, kind: FileKind) -> FolderListing:
    """What a folder holds of a kind. A file that a mistaken row seems to mean waits until its row names it.

    Raises FolderError when the folder is not there or holds none, PublishedFileError for a bad line of manifest.csv.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: expected a folder of {kind} files, found {'a file' if folder.exists() else 'nothing'}.")
    manifest = _manifest(folder)
    listing = FolderListing()
    waiting = _refuse_rows_without_file(folder, kind, manifest, listing.refusals)
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~")) or path.name == "manifest.csv":
            continue
        row = manifest.get(path.name, {})
        if path.suffix.lower() not in SUFFIXES:
            listing.others += [path.name] if path.is_file() else []
        elif not path.is_file():  # a folder, a pipe, a link that leads nowhere
            listing.others.append(path.name)
        elif path.name not in waiting and (row.get("kind") or _find_kind(path, kind)) == kind:
            published = date.fromisoformat(row["published"]) if row.get("published") else None
            listing.files.append(SourceFile(path, kind, published, row.get("covers") or "", row.get("note") or ""))
    if not listing.files and not listing.refusals:
        raise FolderError(f"{folder}: expected {kind} files ({', '.join(SUFFIXES)}), found none.")
    return listing


def _refuse_rows_without_file(
    folder: Path, kind: FileKind, manifest: dict[str, dict[str, str]], refusals: list[PublishedFileError]
) -> set[str]:
    """Refuse each row of a kind whose file is not there; returns the names of the files that such rows seem to mean."""
    present = {path.name for path in folder.iterdir()}
    unnamed = {name for name in present - manifest.keys() if PurePath(name).suffix.lower() in SUFFIXES}
    waiting: set[str] = set()
    for number, (name, row) in enumerate(manifest.items(), start=2):
        if name in present or row["kind"] != kind:
            continue
        nearest = _nearest(name, unnamed)
        waiting |= {nearest} & unnamed
        expected = "the name of a file in this folder"
        if nearest in unnamed:
            expected += f' (nearest: "{nearest}", which is not taken in until a row names it)'
        elif nearest := _nearest(name, present - {"manifest.csv"}):
            expected += f' (nearest: "{nearest}", which has a row of its own)'
        refusals.append(PublishedFileError(f"{folder.name}/manifest.csv", expected, quoted(name, 200), row=number, column="file"))
    return waiting


def _nearest(name: str, names: Collection[str]) -> str:
    """The name that differs least, by case, blanks and dashes not at all; "" where none is alike."""
    folded = {re.sub(r"[\s_-]+", "", other).casefold(): other for other in sorted(names)}
    matches = difflib.get_close_matches(re.sub(r"[\s_-]+", "", name).casefold(), list(folded), n=1, cutoff=0.75)
    return folded[matches[0]] if matches else ""


def _find_kind(path: Path, wanted: FileKind) -> str:
    """The kind of a file that no manifest names: by its name, and of a lookup by its columns whatever its name is."""
    if _LOOKUP_NAME.search(path.name):
        return FileKind.LOOKUP
    if _REFERENCE_NAME.search(path.name):
        return AREAS
    if path.name.lower().startswith("prc-"):
        return FileKind.OFFENCES
    if is_lookup(path):
        return FileKind.LOOKUP
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
        if any(earlier["file"] == name for earlier in rows[: number - 2]):
            raise PublishedFileError(where, "one row a file", f"{quoted(name)} again", row=number, column="file")
        try:
            published = date.fromisoformat(row["published"]) if row.get("published") else None
        except ValueError as error:
            raise PublishedFileError(
                where, "a date such as 2015-06-25", quoted(row["published"]), row=number, column="published"
            ) from error
        if published and (fault := find_date_fault(published)):
            raise PublishedFileError(where, fault, str(published), row=number, column="published")
    return {row["file"]: row for row in rows}
