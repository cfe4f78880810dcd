"""Where Parquet partitions lie: data/lake/<kind>/<id>/. Written once, whole; the same release gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.files import folder_aside, read_json, write_json
from flows.raw import RawFile
from transforms.areas import read_lookup
from transforms.offences import IsKnown, ReleaseReader
from transforms.periods import Quarter
from transforms.populations import PopulationFile
from transforms.workbooks import release_stem

LAYOUT = 1  # raised when the canonical tables change: what was written under an older one is written anew
RECORD = "record.json"


@dataclass(frozen=True)
class Release:
    """One published file in one vintage (the CSV sheets of one stem are one file), normalised."""

    release_id: str
    file_name: str
    sha256: str
    table_kind: str  # csp or pfa
    published: str  # ISO date
    published_source: str
    quarters: list[str]  # 2015/16 Q1, in order
    rows: int
    offences: int  # the sum of its counts
    simulated: bool
    source_url: str
    force_notes: list[str]


@dataclass(frozen=True)
class Source:
    """A population or lookup file, normalised."""

    source_id: str
    file_name: str
    sha256: str
    vintage: str  # ISO date
    vintage_source: str
    rows: int
    source_url: str


def release_id(files: Sequence[RawFile]) -> tuple[str, str]:
    """(release id, sha256): the stem and the start of the sha256, of the one file or of all sheets together."""
    sha256 = files[0].sha256
    if len(files) > 1:
        lines = "".join(f"{f.path.name} {f.sha256}\n" for f in sorted(files, key=lambda f: f.path.name))
        sha256 = hashlib.sha256(lines.encode()).hexdigest()
    return f"{release_stem(files[0].path.name)}@{sha256[:8]}", sha256


def group_releases(files: Sequence[RawFile]) -> list[list[RawFile]]:
    """Files that form one release together: the CSV sheets of one stem; any other file stands alone."""
    groups: dict[str, list[RawFile]] = {}
    for file in sorted(files, key=lambda f: f.path.name):
        alone = not file.path.name.lower().endswith(".csv")
        groups.setdefault(file.sha256 if alone else release_stem(file.path.name), []).append(file)
    return list(groups.values())


def write_release(lake: Path, files: Sequence[RawFile], is_known: IsKnown) -> Release:
    """Normalise a release into data/lake/offences/<release>/, one Parquet file a year, or find it there."""
    name, sha256 = release_id(files)
    folder = lake / "offences" / f"{name}.{LAYOUT}"
    published_by = max(files, key=lambda f: f.fetched_at)
    if (folder / RECORD).exists():
        return read_release(folder)
    reader = ReleaseReader(name, [f.path for f in files], is_known)
    quarters: set[Quarter] = set()
    rows = offences = 0
    with folder_aside(folder) as aside:
        for year, table in reader.years():
            _write_parquet(table, aside / f"{year.slug}.parquet")
            quarters |= {Quarter(year, q) for q in table["quarter"].unique().to_pylist()}
            rows += table.num_rows
            offences += pa.compute.sum(table["offences"]).as_py() or 0
        published, source = published_by.published_on(reader.notes.updated)
        release = Release(
            release_id=name, file_name=files[0].path.name if len(files) == 1 else f"{release_stem(files[0].path.name)}_*.csv",
            sha256=sha256, table_kind=str(reader.level), published=published.isoformat(), published_source=source,
            quarters=[str(q) for q in sorted(quarters)], rows=rows, offences=offences,
            simulated=reader.notes.simulated or "simulated" in files[0].note.casefold(),
            source_url=files[0].source_url, force_notes=reader.notes.force_notes,
        )
        write_json(aside / RECORD, asdict(release))
    return release


def write_population(lake: Path, file: RawFile) -> Source:
    """Normalise a population file into data/lake/populations/<file>/, or find it there."""
    def table() -> tuple[pa.Table, date | None]:
        reader = PopulationFile(file.path, file.covers)
        return reader.read(), reader.published

    return _write_source(lake / "populations", file, table)


def write_lookup(lake: Path, file: RawFile) -> Source:
    """Normalise an ONS lookup into data/lake/lookups/<file>/, or find it there."""
    return _write_source(lake / "lookups", file, lambda: (read_lookup(file.path), None))


def _write_source(parent: Path, file: RawFile, read: Any) -> Source:
    name = f"{file.path.stem}@{file.sha256[:8]}"
    folder = parent / f"{name}.{LAYOUT}"
    if not (folder / RECORD).exists():
        table, updated = read()
        vintage, vintage_source = file.published_on(updated)
        with folder_aside(folder) as aside:
            _write_parquet(table, aside / "table.parquet")
            record = Source(name, file.path.name, file.sha256, vintage.isoformat(), vintage_source, table.num_rows,
                            file.source_url)
            write_json(aside / RECORD, asdict(record))
    return Source(**read_json(folder / RECORD))


def read_release(folder: Path) -> Release:
    return Release(**read_json(folder / RECORD))


def folders(lake: Path, kind: str) -> list[Path]:
    """The complete folders of a kind (offences, populations, lookups), by name."""
    return sorted(path.parent for path in (lake / kind).glob(f"[!.]*.{LAYOUT}/{RECORD}"))


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=3, row_group_size=256 * 1024, version="2.6",
                   data_page_version="1.0")
