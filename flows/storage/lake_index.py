"""Which partitions of the lake count: of the same bytes under several names, one.

How a partition is written belongs to `lake`.
"""

from __future__ import annotations

from pathlib import Path

from flows.common.atomic_files import read_json
from flows.storage import lake
from flows.storage.lake import ReleasePartition, SourcePartition
from flows.storage.raw_store import FETCHED, FileKind

DATE_SOURCES = ("manifest", "file name", "workbook", "Last-Modified", FETCHED)  # the most trusted first


def read_partition(folder: Path, kind: FileKind) -> lake.Partition:
    """The record of a partition of any kind."""
    return lake.read_release(folder) if kind is FileKind.OFFENCES else SourcePartition(**read_json(folder / lake.RECORD))


def current_partitions(lake_dir: Path, kind: FileKind) -> dict[Path, lake.Partition]:
    """Folder → record of the partitions that count, by name: of the same bytes under several names, one.

    That is the one whose date is told best, and of two that are told equally well the one that was seen last: a corrected name.
    """
    best: dict[str, tuple[tuple[int, str, str], Path, lake.Partition]] = {}
    for folder in lake.partition_folders(lake_dir, kind):
        record = read_partition(folder, kind)
        day = record.published if isinstance(record, ReleasePartition) else record.vintage
        trust = -DATE_SOURCES.index(record.date_source) if record.date_source in DATE_SOURCES else -len(DATE_SOURCES)
        found = ((trust, record.first_seen, day), folder, record)
        content = record.content or record.sha256
        best[content] = max(best.get(content, found), found, key=lambda one: one[0])
    return {folder: record for _, folder, record in sorted(best.values(), key=lambda one: one[1])}


def find_current(lake_dir: Path, kind: FileKind, partition: lake.Partition) -> lake.Partition | None:
    """Which partition counts, where the lake has the bytes of one under other names too; None where it has not."""
    key = partition.content or partition.sha256
    same = [r for f in lake.partition_folders(lake_dir, kind) if ((r := read_partition(f, kind)).content or r.sha256) == key]
    if len(same) < 2:
        return None
    return next(r for r in current_partitions(lake_dir, kind).values() if (r.content or r.sha256) == key)
