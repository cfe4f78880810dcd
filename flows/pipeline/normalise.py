"""Normalises one release in a process of its own, so that two go on at once on two cores: Python alone would take turns.

Run as `python -m flows.pipeline.normalise`, with the release as JSON on standard input and the item as JSON on standard output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.common.errors import is_disk_full
from flows.common.subprocesses import SubprocessFailed, answer_parent, ask_child
from flows.settings import Settings
from flows.storage import lake, raw_store
from flows.storage.object_store import CorruptPartition
from flows.storage.run_log import FileResult
from transforms.areas import known_names, read_reference
from transforms.errors import PublishedFileError

LARGE_BYTES = 2_000_000  # of a workbook: what a process of its own costs, half a second, is little beside reading it
DASK_TRIM = ("MALLOC_TRIM_THRESHOLD_",)  # Dask's workers give memory back in small pieces: a large workbook takes twice as long


def normalise_release(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> FileResult:
    """Normalise the stored files of a release into the lake, here.

    What is not as it should be gives an item of state `failed` with one sentence; the files stay in the raw store.
    """
    known = known_names(read_reference(reference_dir / "areas.csv"))
    try:
        found, new = lake.write_release(
            data_dir / "lake", [raw_store.read(folder) for folder in folders], lambda *area: area in known
        )
    except PublishedFileError as error:
        return FileResult(name, "offences", "failed", str(error))
    said = (
        f"{found.rows:,} rows, {found.quarters[0]} to {found.quarters[-1]}, "
        f"published {found.published} ({found.published_source})"
    )
    return FileResult(name, "offences", "new" if new else "unchanged", said)


def normalise_release_in_subprocess(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> FileResult:
    """The same in a process of its own. Raises SubprocessFailed, with what that process said, when it fails."""
    request = [str(data_dir), str(reference_dir), name, [str(folder) for folder in folders]]
    try:
        return FileResult(**ask_child("flows.pipeline.normalise", request, drop=DASK_TRIM))
    except SubprocessFailed as error:
        raise SubprocessFailed(f"{name} could not be normalised: {error}") from error


def _answer(request: list[Any]) -> dict[str, str]:
    data_dir, reference_dir, name, folders = request
    return asdict(normalise_release(Path(data_dir), Path(reference_dir), name, [Path(folder) for folder in folders]))


def normalise(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> FileResult:
    """Normalise stored files into the lake: one release, or one population or lookup file.

    A file that is not what it should be gives an item of state `failed` with one sentence; it stays in the raw store.
    """
    settings, folders, moved = settings.on_this_host(folders)
    store = settings.store
    store.fetch_manifest(*folders, anew=moved)
    partition = lake.folder_of(store.folder / "lake", kind, [raw_store.read(folder) for folder in folders])
    store.fetch_manifest(partition, anew=moved)
    try:
        if not lake.is_known(partition, raw_store.read(folders[0])):
            store.fetch_partitions(folders)
    except CorruptPartition as error:
        return FileResult(name, kind, "failed", str(error))
    item = _normalised(settings, name, kind, folders)
    if item.state != "failed":
        store.store_partition(partition)
    return item


def _normalised(settings: Settings, name: str, kind: str, folders: Sequence[Path]) -> FileResult:
    if kind == "offences":
        return _normalise_release(settings, name, folders)
    write = lake.write_population if kind == "population" else lake.write_lookup
    try:
        source, new = write(settings.data_dir / "lake", raw_store.read(folders[0]))
    except PublishedFileError as error:
        return FileResult(name, kind, "failed", str(error))
    said = f"{source.rows:,} rows, published {source.vintage} ({source.vintage_source})"
    return FileResult(name, kind, "new" if new else "unchanged", said)


def _normalise_release(settings: Settings, name: str, folders: Sequence[Path]) -> FileResult:
    files = [raw_store.read(folder) for folder in folders]
    large = sum(file.size for file in files) > LARGE_BYTES
    if not large or lake.holds(settings.data_dir / "lake", files):
        return normalise_release(settings.data_dir, settings.reference_dir, name, folders)
    try:
        return normalise_release_in_subprocess(settings.data_dir, settings.reference_dir, name, folders)
    except SubprocessFailed as error:
        if is_disk_full(error):
            raise
        return FileResult(name, "offences", "failed", str(error))  # whatever ended that process, the other files go on


if __name__ == "__main__":
    answer_parent(_answer)
