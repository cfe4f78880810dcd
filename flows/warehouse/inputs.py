"""What the models read, as tables of the schema `input`: the records of the lake, its populations and lookups, data/reference.

Each table is made from a declared Arrow schema, and columns are found by their names. The counts of offences are not here: they
stay in Parquet (see release_summaries.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import get_type_hints

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flows.storage import lake_index
from flows.storage.lake import ReleasePartition
from flows.storage.raw_store import FileKind
from transforms.areas import LOOKUP, read_reference
from transforms.errors import CrimeRatesError
from transforms.populations import POPULATIONS

_AREA_COLUMNS = "level published_name area_code area_name force_name region_name kind councils valid_from valid_to source licence"
_BREAK_COLUMNS = (
    "level area_name force_name offence_level offence_code offences_within wholes_too first_quarter kind basis note "
    "source_title publisher published address"
)
REFERENCE = {  # data/reference/<name>.csv → its columns
    "areas": tuple(_AREA_COLUMNS.split()),
    "area_successions": ("level", "part_name", "whole_name", "whole_from", "source", "licence"),
    "council_part_populations": ("part_code", "part_name", "year", "persons", "published", "how", "source", "licence"),
    "council_successions": ("changed", "part_code", "part_name", "whole_code", "whole_name", "kind", "source", "licence"),
    "offence_bundles": ("bundle", "offence_code", "note", "source"),
    "recording_breaks": tuple(_BREAK_COLUMNS.split()),
    "withdrawn_figures": (
        ("note_text", "level", "force_name", "area_name", "first_quarter", "last_quarter", "comment", "source")
    ),
}
POPULATION_SOURCES = pa.schema([(name, pa.string()) for name in ("source_id", "file_name", "vintage", "vintage_source")])
RELEASE_NOTES = pa.schema([(name, pa.string()) for name in ("release_id", "note")])
RELEASE_DOUBTS = pa.schema([(name, pa.string()) for name in ("release_id", "doubt")])
_ARROW_TYPES: dict[object, pa.DataType] = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
}


class InputError(CrimeRatesError):
    """A file of data/reference has not the columns that it is declared to have."""


def release_folders(lake_dir: Path) -> dict[Path, ReleasePartition]:
    """Folder of Parquet files → record of each release that counts."""
    partitions = lake_index.current_partitions(lake_dir, FileKind.OFFENCES)
    return {folder: record for folder, record in partitions.items() if isinstance(record, ReleasePartition)}


def read_releases(lake_dir: Path) -> list[ReleasePartition]:
    """The records of all releases in the order in which they came out."""
    return sorted(
        release_folders(lake_dir).values(),
        key=lambda release: (release.published, release.first_seen, release.file_name, release.sha256),
    )


def load_inputs(con: duckdb.DuckDBPyConnection, lake_dir: Path, reference_dir: Path) -> None:
    """Make all tables of the schema `input`. Raises InputError."""
    for name, columns in REFERENCE.items():
        _create_table(con, name, _read_reference(reference_dir / f"{name}.csv", columns))
    releases = read_releases(lake_dir)
    keys = pa.array(range(1, len(releases) + 1), pa.int32())
    _create_table(con, "releases", _release_records(releases).append_column("release_key", keys))
    notes = [{"release_id": release.release_id, "note": note} for release in releases for note in release.force_notes]
    _create_table(con, "release_notes", pa.Table.from_pylist(notes, schema=RELEASE_NOTES))
    doubts = [{"release_id": release.release_id, "doubt": doubt} for release in releases for doubt in release.doubts]
    _create_table(con, "release_doubts", pa.Table.from_pylist(doubts, schema=RELEASE_DOUBTS))
    folders = lake_index.current_partitions(lake_dir, FileKind.POPULATION)
    sources = [{name: getattr(record, name) for name in POPULATION_SOURCES.names} for record in folders.values()]
    _create_table(con, "population_sources", pa.Table.from_pylist(sources, schema=POPULATION_SOURCES))
    populations = [
        rows.append_column("source_id", pa.array([source["source_id"]] * len(rows), pa.string()))
        for folder, source in zip(folders, sources, strict=True)
        for rows in [_read_parquet(folder, POPULATIONS)]
    ]
    no_rows = POPULATIONS.append(pa.field("source_id", pa.string())).empty_table()
    _create_table(con, "populations", pa.concat_tables([no_rows, *populations]))
    lookups = [_read_parquet(folder, LOOKUP) for folder in lake_index.current_partitions(lake_dir, FileKind.LOOKUP)]
    _create_table(con, "lookups", pa.concat_tables([LOOKUP.empty_table(), *lookups]))


def _create_table(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.from_arrow(rows).create(f"input.{name}")


def _read_reference(path: Path, columns: Sequence[str]) -> pa.Table:
    """A table of data/reference; all its columns are text."""
    rows = read_reference(path)
    for row in rows[:1]:
        if list(row) != list(columns):
            raise InputError(f"{path.name}: expected the columns {', '.join(columns)}, found {', '.join(row)}.")
    return pa.Table.from_pylist(rows, schema=pa.schema([(column, pa.string()) for column in columns]))


def _release_records(releases: Sequence[ReleasePartition]) -> pa.Table:
    """One row per release, with the fields of its record; its notes and doubts have tables of their own."""
    types = get_type_hints(ReleasePartition)
    schema = pa.schema(
        [
            (field.name, _ARROW_TYPES[types[field.name]])
            for field in fields(ReleasePartition)
            if field.name not in ("force_notes", "doubts")
        ]
    )
    return pa.Table.from_pylist([asdict(release) for release in releases], schema=schema)


def _read_parquet(folder: Path, schema: pa.Schema) -> pa.Table:
    """The rows of all Parquet files of a folder of the lake, in a normalised schema."""
    tables = [pq.ParquetFile(file).read().select(schema.names).cast(schema) for file in sorted(folder.glob("*.parquet"))]
    return pa.concat_tables([schema.empty_table(), *tables])
