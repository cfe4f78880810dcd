"""The task `normalise`: stored files become one partition of the lake, a large release in a process of its own.

So two releases go on at once on two cores, where threads of one Python would take turns. That process runs this module: a request
as JSON on standard input, the result as JSON on standard output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict, cast

from flows.common.allocator import KEEP_FREED_MEMORY
from flows.common.errors import is_disk_full
from flows.common.subprocesses import SubprocessFailed, answer_parent, ask_child
from flows.settings import Settings
from flows.storage import lake, raw_store
from flows.storage.object_store import CorruptPartition
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState
from transforms.areas import known_names, read_reference
from transforms.errors import PublishedFileError

LARGE_BYTES = 2_000_000  # of a workbook: reading one takes far longer than starting a process, which takes half a second


class NormaliseRequest(TypedDict):
    """What a process is asked to normalise: `folders` are those of the release's files in the raw store."""

    data_dir: str
    reference_dir: str
    name: str
    folders: list[str]


def normalise_release(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> FileResult:
    """Normalise the stored files of a release into the lake, in this process.

    A file that is not what it should be gives a failed result with one sentence; it stays in the raw store.
    """
    known = known_names(read_reference(reference_dir / "areas.csv"))
    try:
        partition, is_new = lake.write_release(
            data_dir / "lake", [raw_store.read(folder) for folder in folders], lambda *area: area in known
        )
    except PublishedFileError as error:
        return FileResult(name, FileKind.OFFENCES, ResultState.FAILED, str(error))
    message = (
        f"{partition.rows:,} rows, {partition.quarters[0]} to {partition.quarters[-1]}, "
        f"published {partition.published} ({partition.published_source})"
    )
    return FileResult(name, FileKind.OFFENCES, ResultState.NEW if is_new else ResultState.UNCHANGED, message)


def normalise_release_in_subprocess(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> FileResult:
    """The same in a process of its own. Raises SubprocessFailed, with the sentence of that process, when it fails."""
    request = NormaliseRequest(
        data_dir=str(data_dir), reference_dir=str(reference_dir), name=name, folders=[str(folder) for folder in folders]
    )
    try:
        answer = ask_child("flows.pipeline.normalise", request, add=KEEP_FREED_MEMORY)
    except SubprocessFailed as error:
        raise SubprocessFailed(f"{name} could not be normalised: {error}") from error
    return FileResult.parse(cast(dict[str, str], answer))


def _answer_request(request: NormaliseRequest) -> dict[str, str]:
    folders = [Path(folder) for folder in request["folders"]]
    return asdict(normalise_release(Path(request["data_dir"]), Path(request["reference_dir"]), request["name"], folders))


def normalise(settings: Settings, name: str, kind: FileKind, folders: Sequence[Path]) -> FileResult:
    """Normalise stored files into the lake: one release, or one population or lookup file.

    A file that is not what it should be gives a failed result with one sentence; it stays in the raw store.
    """
    settings, folders, moved = settings.on_this_host(folders)
    store = settings.store
    store.fetch_manifest(*folders, anew=moved)
    partition = lake.partition_folder(store.folder / "lake", kind, [raw_store.read(folder) for folder in folders])
    store.fetch_manifest(partition, anew=moved)
    try:
        if not lake.is_current(partition, raw_store.read(folders[0])):
            store.fetch_partitions(folders)
    except CorruptPartition as error:
        return FileResult(name, kind, ResultState.FAILED, str(error))
    result = _normalise_files(settings, name, kind, folders)
    if result.state is not ResultState.FAILED:
        store.store_partition(partition)
    return result


def _normalise_files(settings: Settings, name: str, kind: FileKind, folders: Sequence[Path]) -> FileResult:
    if kind == FileKind.OFFENCES:
        return _normalise_release(settings, name, folders)
    write = lake.write_population if kind == FileKind.POPULATION else lake.write_lookup
    try:
        partition, is_new = write(settings.data_dir / "lake", raw_store.read(folders[0]))
    except PublishedFileError as error:
        return FileResult(name, kind, ResultState.FAILED, str(error))
    message = f"{partition.rows:,} rows, published {partition.vintage} ({partition.vintage_source})"
    if partition.gaps:
        more = " …" if len(partition.gaps) > 3 else ""
        message += f", {len(partition.gaps):,} cells without a figure ({', '.join(partition.gaps[:3])}{more})"
    return FileResult(name, kind, ResultState.NEW if is_new else ResultState.UNCHANGED, message)


def _normalise_release(settings: Settings, name: str, folders: Sequence[Path]) -> FileResult:
    files = [raw_store.read(folder) for folder in folders]
    is_large = sum(file.size for file in files) > LARGE_BYTES
    if not is_large or lake.has_release(settings.data_dir / "lake", files):
        return normalise_release(settings.data_dir, settings.reference_dir, name, folders)
    try:
        return normalise_release_in_subprocess(settings.data_dir, settings.reference_dir, name, folders)
    except SubprocessFailed as error:
        if is_disk_full(error):
            raise
        return FileResult(name, FileKind.OFFENCES, ResultState.FAILED, str(error))  # whatever ended it, the other files go on


if __name__ == "__main__":
    answer_parent(_answer_request)
