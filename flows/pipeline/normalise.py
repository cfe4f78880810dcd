"""The task `normalise`: stored files become one partition of the lake, in a process with limited memory and time.

So a hostile file ends that process and nothing else, and two releases go on at once on two cores, where threads of one Python
would take turns. Such a process is a fork of a server (flows/common/fork_server.py) that runs this module's `answer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict, cast

import pyarrow as pa

from flows.common.allocator import KEEP_FREED_MEMORY
from flows.common.errors import is_disk_full
from flows.common.fork_server import ForkServers, WorkLimits
from flows.common.subprocesses import SubprocessFailed
from flows.settings import Settings
from flows.storage import lake, lake_index, raw_store
from flows.storage.object_store import CorruptPartition
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState
from transforms.areas import known_names, read_reference
from transforms.errors import PublishedFileError
from transforms.offence_codes import KnownCodes

LARGE_BYTES = 2_000_000  # of a workbook: reading one takes far longer than starting a server, which takes half a second
WORK_LIMITS = WorkLimits()


class NormaliseRequest(TypedDict):
    """What a process is asked to normalise: `folders` are those of the files in the raw store."""

    data_dir: str
    reference_dir: str
    name: str
    kind: str
    folders: list[str]


def normalise_release(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> FileResult:
    """Normalise the stored files of a release into the lake, in this process.

    A file that is not what it should be gives a failed result with one sentence; it stays in the raw store.
    """
    known = known_names(read_reference(reference_dir / "areas.csv"))
    codes = KnownCodes.from_rows(read_reference(reference_dir / "offence_codes.csv"))
    try:
        partition, is_new = lake.write_release(
            data_dir / "lake", [raw_store.read(folder) for folder in folders], lambda *area: area in known, codes
        )
    except PublishedFileError as error:
        return FileResult(name, FileKind.OFFENCES, ResultState.FAILED, str(error))
    message = (
        f"{partition.rows:,} rows, {partition.quarters[0]} to {partition.quarters[-1]}, "
        f"published {partition.published} ({partition.published_source}){_other_names(data_dir, FileKind.OFFENCES, partition)}"
    )
    return FileResult(name, FileKind.OFFENCES, ResultState.NEW if is_new else ResultState.UNCHANGED, message)


def normalise_source(data_dir: Path, reference_dir: Path, name: str, kind: FileKind, folder: Path) -> FileResult:
    """The same of a population or lookup file."""
    file = raw_store.read(folder)
    try:
        if kind == FileKind.POPULATION:
            rows = read_reference(reference_dir / "england_and_wales.csv")
            totals = {int(row["year"]): int(row["persons"]) for row in rows}
            partition, is_new = lake.write_population(data_dir / "lake", file, totals)
        else:
            partition, is_new = lake.write_lookup(data_dir / "lake", file)
    except PublishedFileError as error:
        return FileResult(name, kind, ResultState.FAILED, str(error))
    message = f"{partition.rows:,} rows, published {partition.vintage} ({partition.vintage_source})"
    if partition.gaps:
        more = " …" if len(partition.gaps) > 3 else ""
        message += f", cells without a figure: {len(partition.gaps):,} ({', '.join(partition.gaps[:3])}{more})"
    message += _other_names(data_dir, kind, partition)
    return FileResult(name, kind, ResultState.NEW if is_new else ResultState.UNCHANGED, message)


def _other_names(data_dir: Path, kind: FileKind, partition: lake.Partition) -> str:
    """What to say where the lake has the same bytes under another name: which of the two counts."""
    current = lake_index.find_current(data_dir / "lake", kind, partition)
    if current is None:
        return ""
    if current == partition:
        return ", in place of the same bytes under another name"
    return f", but the same bytes count as {current.file_name}, whose date is told better or later"


def open_servers(limits: WorkLimits = WORK_LIMITS) -> ForkServers:
    """Servers whose forks normalise files; none is started before it is needed. A context manager."""
    return ForkServers("flows.pipeline.normalise", limits, KEEP_FREED_MEMORY)


def prepare() -> None:
    """In a server: load what each fork would load otherwise."""
    pa.array([0]).to_numpy()  # pyarrow imports pandas, where it is installed, when it first hands something to NumPy


def answer(request: NormaliseRequest) -> dict[str, str]:
    """In a fork: the result of a request, as JSON has it."""
    kind, folders = FileKind(request["kind"]), [Path(folder) for folder in request["folders"]]
    return asdict(_normalise_here(Path(request["data_dir"]), Path(request["reference_dir"]), request["name"], kind, folders))


def normalise(
    settings: Settings, name: str, kind: FileKind, folders: Sequence[Path], servers: ForkServers | None = None
) -> FileResult:
    """Normalise stored files into the lake: one release, or one population or lookup file.

    servers: of `open_servers`, whose forks read the files. Without them a large release has a server of its own, and other files
    are read in this process, which may end with them: that of a worker, or of a test. A file that is not what it should be gives
    a failed result with one sentence; it stays in the raw store.
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
    result = _normalise_files(settings, name, kind, folders, servers)
    if result.state is not ResultState.FAILED:
        store.store_partition(partition)
    return result


def _normalise_files(
    settings: Settings, name: str, kind: FileKind, folders: Sequence[Path], servers: ForkServers | None
) -> FileResult:
    files = [raw_store.read(folder) for folder in folders]
    is_large = kind == FileKind.OFFENCES and sum(file.size for file in files) > LARGE_BYTES
    is_read = not lake.is_current(lake.partition_folder(settings.data_dir / "lake", kind, files), files[0])
    if not is_read or (servers is None and not is_large):
        return _normalise_here(settings.data_dir, settings.reference_dir, name, kind, folders)
    request = NormaliseRequest(
        data_dir=str(settings.data_dir),
        reference_dir=str(settings.reference_dir),
        name=name,
        kind=kind,
        folders=[str(folder) for folder in folders],
    )
    try:
        with nullcontext(servers) if servers is not None else open_servers() as lent:
            return FileResult.parse(cast(dict[str, str], lent.ask(request)))
    except SubprocessFailed as error:
        if is_disk_full(error):
            raise SubprocessFailed(f"{name} could not be normalised: {error}") from error
        # whatever ended it, the other files go on
        return FileResult(name, kind, ResultState.FAILED, f"{name} could not be normalised: {error}")


def _normalise_here(data_dir: Path, reference_dir: Path, name: str, kind: FileKind, folders: Sequence[Path]) -> FileResult:
    if kind == FileKind.OFFENCES:
        return normalise_release(data_dir, reference_dir, name, folders)
    return normalise_source(data_dir, reference_dir, name, kind, folders[0])
