"""The lake: normalised files as Parquet partitions, data/lake/<kind>/<id>/. Each is written once, whole, with the same bytes.

Here belong the folders of partitions and their records. How a file is read and normalised belongs to `transforms`.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.common.atomic_files import new_folder, read_json, write_json
from flows.storage.data_store import MANIFESTS
from flows.storage.raw_store import FileKind, RawFile
from transforms.areas import read_lookup
from transforms.offence_codes import KnownCodes
from transforms.offences import IsKnownArea, ReleaseReader
from transforms.periods import Quarter
from transforms.population_bounds import KnownPersons, check_persons
from transforms.populations import PopulationReader
from transforms.readers.workbooks import release_stem

LAYOUT = 1  # raised when the canonical tables change: what was written under an older one is written anew
RECORD = MANIFESTS["lake"]
FOLDERS = {FileKind.OFFENCES: "offences", FileKind.POPULATION: "populations", FileKind.LOOKUP: "lookups"}


@dataclass(frozen=True)
class ReleasePartition:
    """The record of a normalised release: one published file in one vintage (the CSV sheets of one stem are one file)."""

    release_id: str
    file_name: str
    sha256: str
    table_kind: str  # csp or pfa
    updated: str | None  # ISO date, as the workbook itself says
    published: str  # ISO date
    published_source: str
    first_seen: str  # UTC; decides between two releases of one day
    quarters: list[str]  # 2015/16 Q1, in order
    rows: int
    offences: int  # the sum of its counts
    simulated: bool
    source_url: str
    force_notes: list[str]
    note: str = ""  # what a manifest.csv says of it
    content: str = ""  # of its bytes alone, whatever the files are called; "" where that is the sha256
    doubts: list[str] = field(default_factory=list)  # what was read, and may be wrong

    @property
    def date_source(self) -> str:
        """Where its date was found."""
        return self.published_source


@dataclass(frozen=True)
class SourcePartition:
    """The record of a normalised population or lookup file."""

    source_id: str
    file_name: str
    sha256: str
    covers: str  # the year or years, where the file itself does not say
    updated: str | None  # ISO date, as the file itself says
    vintage: str  # ISO date
    vintage_source: str
    rows: int
    source_url: str
    gaps: list[str] = field(default_factory=list)  # councils and years whose cell holds no figure: E07000237 in mid-2014
    years: list[int] = field(default_factory=list)  # mid-years of a population file
    first_seen: str = ""  # UTC; decides between two names of the same bytes

    @property
    def date_source(self) -> str:
        """Where its date was found."""
        return self.vintage_source

    @property
    def content(self) -> str:
        """Of its bytes alone, and of the years that they were read for."""
        return " ".join([self.sha256, *map(str, self.years)])


Partition = ReleasePartition | SourcePartition


def release_id(files: Sequence[RawFile]) -> tuple[str, str]:
    """(release id, sha256): the stem and the start of the sha256, of the one file or of all sheets together."""
    sha256 = files[0].sha256
    if len(files) > 1:
        lines = "".join(f"{f.path.name} {f.sha256}\n" for f in sorted(files, key=lambda f: f.path.name))
        sha256 = hashlib.sha256(lines.encode()).hexdigest()
    return f"{release_stem(files[0].path.name)}@{sha256[:8]}", sha256


def release_key(file_name: str) -> str:
    """What the files of one release share: a stem and .csv for CSV sheets; the whole name of any other file."""
    return f"{release_stem(file_name)}_*.csv" if file_name.lower().endswith(".csv") else file_name


def write_release(
    lake: Path, files: Sequence[RawFile], is_known: IsKnownArea, codes: KnownCodes | None = None
) -> tuple[ReleasePartition, bool]:
    """Normalise a release into data/lake/offences/<release>/, one Parquet file a year, or find it there.

    Returns the release and whether it is new. Raises PublishedFileError; then nothing is written.
    """
    name, sha256 = release_id(files)
    folder = partition_folder(lake, FileKind.OFFENCES, files)
    if (folder / RECORD).exists():
        return _update_record(folder, read_release(folder), files), False
    reader = ReleaseReader(name, [f.path for f in files], is_known, codes or KnownCodes())
    quarters: set[Quarter] = set()
    rows = offences = 0
    with new_folder(folder) as partial, ThreadPoolExecutor(1) as pool:  # a year is written while the next one is read
        writing: Future[None] | None = None
        for year, table in reader.years():
            if writing:
                writing.result()
            writing = pool.submit(_write_parquet, table, partial / f"{year.slug}.parquet")
            quarters |= {Quarter(year, q) for q in table["quarter"].unique().to_pylist() if q is not None}
            rows += table.num_rows
            offences += pa.compute.sum(table["offences"]).as_py() or 0
            del table  # before the next year is read
            pa.default_memory_pool().release_unused()
        if writing:
            writing.result()
        updated = reader.notes.updated
        published, source = files[0].published_on(updated)
        release = ReleasePartition(
            release_id=name,
            file_name=files[0].path.name if len(files) == 1 else release_key(files[0].path.name),
            sha256=sha256,
            table_kind=str(reader.level),
            updated=updated.isoformat() if updated else None,
            published=published.isoformat(),
            published_source=source,
            first_seen=max(f.fetched_at for f in files),
            quarters=[str(q) for q in sorted(quarters)],
            rows=rows,
            offences=offences,
            simulated=reader.notes.simulated or _is_simulated(files),
            source_url=files[0].origin,
            force_notes=reader.notes.force_notes,
            note=files[0].note,
            content=_content(files),
            doubts=reader.doubts,
        )
        write_json(partial / RECORD, asdict(release))
    return release, True


def _content(files: Sequence[RawFile]) -> str:
    """A hash of the bytes of several files, whatever they are called; "" for one file, whose sha256 is that."""
    return "" if len(files) == 1 else hashlib.sha256("".join(sorted(file.sha256 for file in files)).encode()).hexdigest()


def partition_folder(lake: Path, kind: FileKind, files: Sequence[RawFile]) -> Path:
    """Where the partition of stored files lies, or will lie."""
    name = release_id(files)[0] if kind == FileKind.OFFENCES else f"{files[0].path.stem}@{files[0].sha256[:8]}"
    return lake / FOLDERS[kind] / f"{name}.{LAYOUT}"


def is_current(folder: Path, file: RawFile) -> bool:
    """Whether a partition is complete, and was read under the year that is known of its (first) file now."""
    if not (folder / RECORD).exists():
        return False
    return file.kind == FileKind.OFFENCES or read_json(folder / RECORD)["covers"] == file.covers


def has_release(lake: Path, files: Sequence[RawFile]) -> bool:
    """Whether the lake has the release of these files already."""
    return (partition_folder(lake, FileKind.OFFENCES, files) / RECORD).exists()


def _is_simulated(files: Sequence[RawFile]) -> bool:
    return any("simulated" in file.note.casefold() for file in files)


def _update_record(folder: Path, release: ReleasePartition, files: Sequence[RawFile]) -> ReleasePartition:
    """Record what is known of a release now: a newer manifest.csv may give its date, or say that it is simulated."""
    updated = date.fromisoformat(release.updated) if release.updated else None
    published, source = files[0].published_on(updated)
    updated_record = replace(
        release,
        published=published.isoformat(),
        published_source=source,
        simulated=release.simulated or _is_simulated(files),
        note=files[0].note or release.note,
        source_url=files[0].origin,
    )
    if updated_record != release:
        write_json(folder / RECORD, asdict(updated_record))
    return updated_record


def write_population(lake: Path, file: RawFile, totals: Mapping[int, int] | None = None) -> tuple[SourcePartition, bool]:
    """Normalise a population file into data/lake/populations/<file>/, or find it there.

    It is held against the other files of the lake, and against `totals`, mid-year → persons in England and Wales.
    """

    def table() -> _SourceTable:
        reader = PopulationReader(file.path, file.covers)
        rows = reader.read()
        check_persons(file.path.name, rows, _known_persons(lake, file), totals or {})
        return _SourceTable(rows, reader.published, reader.gaps)

    return _write_source(partition_folder(lake, FileKind.POPULATION, [file]), file, table)


def _known_persons(lake: Path, file: RawFile) -> Iterator[KnownPersons]:
    """The persons of councils in the other population files of the lake."""
    for folder in partition_folders(lake, FileKind.POPULATION):
        record = read_json(folder / RECORD)
        table = folder / "table.parquet"
        if record["sha256"] == file.sha256 or not table.exists():  # in an object store it may be known by its record alone
            continue
        for row in pq.ParquetFile(table).read(["area_code", "area_kind", "year", "persons"]).to_pylist():
            if row["area_kind"] == "council":
                yield KnownPersons(row["area_code"], row["year"], row["persons"], record["file_name"])


def write_lookup(lake: Path, file: RawFile) -> tuple[SourcePartition, bool]:
    """Normalise an ONS lookup into data/lake/lookups/<file>/, or find it there."""
    return _write_source(partition_folder(lake, FileKind.LOOKUP, [file]), file, lambda: _SourceTable(read_lookup(file.path)))


@dataclass(frozen=True)
class _SourceTable:
    """The rows of a population or lookup file, and what else it says."""

    rows: pa.Table
    updated: date | None = None
    gaps: list[str] = field(default_factory=list)

    @property
    def years(self) -> list[int]:
        """The mid-years that it has persons of; none of a lookup."""
        years = self.rows["year"].unique().to_pylist() if "year" in self.rows.column_names else []
        return sorted(year for year in years if year is not None)


def _write_source(folder: Path, file: RawFile, read: Callable[[], _SourceTable]) -> tuple[SourcePartition, bool]:
    record = folder / RECORD
    new = not is_current(folder, file)
    if new:
        table = read()
        file.published_on(table.updated)  # a date that cannot be is refused before anything is written
        shutil.rmtree(folder, ignore_errors=True)  # read under another year than is known now
        with new_folder(folder) as partial:
            _write_parquet(table.rows, partial / "table.parquet")
            stated = table.updated.isoformat() if table.updated else None
            source = SourcePartition(
                folder.name.removesuffix(f".{LAYOUT}"),
                file.path.name,
                file.sha256,
                file.covers,
                stated,
                "",
                "",
                table.rows.num_rows,
                file.origin,
                table.gaps,
                sorted(year for year in table.rows["year"].unique().to_pylist() if year)
                if "year" in table.rows.column_names
                else [],
                file.fetched_at,
            )
            write_json(partial / RECORD, asdict(source))
    source = SourcePartition(**read_json(record))
    vintage, vintage_source = file.published_on(date.fromisoformat(source.updated) if source.updated else None)
    updated_record = replace(source, vintage=vintage.isoformat(), vintage_source=vintage_source, source_url=file.origin)
    if updated_record != source:
        write_json(record, asdict(updated_record))
    return updated_record, new


def read_release(folder: Path) -> ReleasePartition:
    """The record of the release in a folder of the lake."""
    return ReleasePartition(**read_json(folder / RECORD))


def partition_folders(lake: Path, kind: FileKind) -> list[Path]:
    """The folders of all complete partitions of a kind, by name."""
    return sorted(path.parent for path in (lake / FOLDERS[kind]).glob(f"[!.]*.{LAYOUT}/{RECORD}"))


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(
        table, path, compression="zstd", compression_level=3, row_group_size=256 * 1024, version="2.6", data_page_version="1.0"
    )
