"""How a build and the questions to it grow with the half-years: the force table's years again, 14, 28 … years later.

The partnership tables are left out, so that ten times the half-years (the years 2012 to 2151) fit into a bench: they go the
same way through the same models. Populations move with the years, or nothing would be ranked.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.common.atomic_files import write_json
from flows.storage import lake
from flows.storage.raw_store import FileKind
from tools.benchmark.measuring import child
from tools.benchmark.report import Row
from tools.benchmark.work import Work, say
from transforms.periods import FinancialYear, Quarter

TIMES = (1, 4, 10)
YEARS = 14  # that the force table covers
LAST_YEAR = 2024  # of the mid-year estimates that they need
REPEATS = "30"  # of each question


@dataclass(frozen=True)
class Point:
    """A lake of so many times the half-years."""

    times: int
    half_years: int
    build: float  # seconds
    mb: float
    table: float  # milliseconds, and so are the others
    as_of: float
    series: float


def measure(work: Work) -> list[Point]:
    """Build from the force table with 1, 4 and 10 times its half-years, and ask each build."""
    _ = work.cold
    points = []
    for times in TIMES:
        data = work.folder / f"half-years-{times}"
        say(f"half_years: the force table, {times} times over")
        child("repeat", work.data / "lake", data / "lake", str(times))
        built = child("build", data / "lake", data / "warehouse", "4GB")
        [database] = (data / "warehouse").glob("*.duckdb")
        asked = [child("warm", database, question, REPEATS) for question in ("force_table", "force_as_of", "force_series")]
        milliseconds = [one.work * 1000 for one in asked]
        points.append(Point(times, asked[2].answer["rows"], built.work, built.answer["mb"], *milliseconds))
        shutil.rmtree(data)
    return points


def row(points: Sequence[Point]) -> Row:
    """The row of the table of goals: linear means that the build takes no more than so many times the seconds."""
    one, *more = points
    linear = all(point.build <= point.times * one.build for point in more)
    flat = all(point.table <= 2 * one.table and point.as_of <= 2 * one.as_of for point in more)
    return Row(
        "half-years × " + " and × ".join(str(point.times) for point in more),
        "the same build and questions of one span",
        "build linear or better; questions flat (within 2 ×)",
        "; ".join(
            f"build {p.build / one.build:.1f} ×, table {p.table / one.table:.1f} ×, as of a date {p.as_of / one.as_of:.1f} ×"
            for p in more
        ),
        linear and flat,
        f"the force table alone, {one.half_years} half-years: build {one.build:.1f} s, table {one.table:.1f} ms, "
        f"as of a date {one.as_of:.0f} ms; one force over all half-years has as many rows more, and took "
        + ", ".join(f"{p.series:.0f} ms" for p in points),
    )


def markdown(points: Sequence[Point]) -> str:
    """The numbers behind the row."""
    lines = [
        "| half-years | build | database | one table | as of a date | one force over all half-years |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {p.half_years} | {p.build:.1f} s | {p.mb:,.0f} MB | {p.table:.1f} ms | {p.as_of:.0f} ms | {p.series:.0f} ms |"
        for p in points
    ]
    return "\n".join(lines)


def repeat(source: Path, out: Path, times: int) -> None:
    """Write to OUT the force releases, populations and lookups of a lake, with each year again `times` - 1 times, later."""
    shutil.copytree(source / lake.FOLDERS[FileKind.LOOKUP], out / lake.FOLDERS[FileKind.LOOKUP])
    for folder in lake.partition_folders(source, FileKind.OFFENCES):
        release = lake.read_release(folder)
        if release.table_kind == "pfa":
            _repeat_release(folder, release, out / lake.FOLDERS[FileKind.OFFENCES] / folder.name, times)
    for folder in lake.partition_folders(source, FileKind.POPULATION):
        target = out / lake.FOLDERS[FileKind.POPULATION] / folder.name
        shutil.copytree(folder, target)
        for file in folder.glob("*.parquet"):
            (target / file.name).unlink()
            pq.write_table(_repeat_years(pq.read_table(file), times), target / file.name)


def _repeat_years(persons: pa.Table, times: int) -> pa.Table:
    """Estimates of councils, and those of the YEARS that the half-years need again, `YEARS` later each time."""
    years = persons.schema.get_field_index("year")
    needed = persons.filter(pc.greater(persons["year"], LAST_YEAR - YEARS))
    later = [
        needed.set_column(years, persons.schema.field(years), pc.add(needed["year"], pa.scalar(YEARS * number, pa.int16())))
        for number in range(1, times)
    ]
    return pa.concat_tables([persons, *later])


def _repeat_release(folder: Path, release: lake.ReleasePartition, target: Path, times: int) -> None:
    target.mkdir(parents=True)
    quarters = []
    for number in range(times):
        for file in sorted(folder.glob("[0-9]*.parquet")):
            table = pq.read_table(file)
            year = FinancialYear.parse(file.stem)
            year = FinancialYear(year.start + YEARS * number)
            column = table.schema.get_field_index("financial_year")
            years = pa.repeat(pa.scalar(str(year)), table.num_rows).dictionary_encode()
            pq.write_table(table.set_column(column, table.schema.field(column), years), target / f"{year.slug}.parquet")
        for quarter in map(Quarter.parse, release.quarters):
            quarters.append(str(Quarter(FinancialYear(quarter.year.start + YEARS * number), quarter.number)))
    repeated = replace(release, quarters=quarters, rows=release.rows * times, offences=release.offences * times)
    write_json(target / lake.RECORD, asdict(repeated))
