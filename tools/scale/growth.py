"""One, ten and a hundred million street-level records: from Parquet and from a DuckDB file, with 4 GB and with 500 MB."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.world import ROOT
from tools.benchmark.measuring import Measured, command
from tools.benchmark.report import made_by, put
from tools.scale.lines import GREEN, SKIPPED, Line, held
from tools.scale.street import A_MONTH

ROWS = "CRIME_RATES_SCALE_ROWS"  # such as 1000000,10000000
DEFAULT = "1000000,10000000,100000000"
BYTES_A_ROW = 120  # of disk: Parquet, the DuckDB file, and what a query spills
PAGE = ROOT / "docs/scale.md"
BEGIN, END = "<!-- growth: begin -->", "<!-- growth: end -->"
LIMITS = ("4GB", "500MB")
PLACES = ("Parquet", "DuckDB file")
SHORT = 10  # seconds: what takes longer is measured once, and not three times


@dataclass
class Size:
    """What was measured at a number of rows; seconds are medians of the work alone, MB the peak of its process."""

    rows: int
    generated: Measured
    written: Measured
    counts: dict[tuple[str, str], tuple[float, float]]  # (place, memory limit) → seconds, MB
    ranked: dict[tuple[str, str], tuple[float, float]]


def run(folder: Path, write: bool = False) -> Iterator[Line]:
    """Measure each number of rows; the table goes into docs/scale.md where that is asked for."""
    started, load = time.perf_counter(), os.getloadavg()[0]
    sizes = []
    for rows in map(int, os.environ.get(ROWS, DEFAULT).split(",")):
        what = f"{rows:,} street-level records"
        if (free := shutil.disk_usage(folder).free) < rows * BYTES_A_ROW:
            yield Line(what, SKIPPED, f"{rows * BYTES_A_ROW / 1e9:.0f} GB of disk are needed, {free / 1e9:.0f} GB are free")
            continue
        size, totals = _measure(folder / str(rows), rows)
        sizes.append(size)
        yield held(f"{what}: each way to count them counts all", {rows // A_MONTH * A_MONTH}, totals)
        yield Line(
            f"{what}: counts per area, half-year and type",
            GREEN,
            "; ".join(
                f"{place}, {limit}: {seconds:.2f} s, {mb:,.0f} MB" for (place, limit), (seconds, mb) in size.counts.items()
            ),
        )
        shutil.rmtree(folder / str(rows))
    if write and sizes:
        head = made_by("python -m tools.scale --only growth", (time.perf_counter() - started) / 60, load)
        put(PAGE, f"{head}\n\n{table(sizes)}", BEGIN, END)


def _measure(folder: Path, rows: int) -> tuple[Size, set[int]]:
    """The measures, and the totals that the counts gave."""
    scratch, parquet, file = folder / "scratch", folder / "parquet", folder / "street.duckdb"
    scratch.mkdir(parents=True)
    size = Size(rows, _street("generate", parquet, rows), _street("write_file", parquet, file, LIMITS[0], scratch), {}, {})
    totals: set[int] = set()
    for limit in LIMITS:
        for place, path in zip(PLACES, (parquet, file), strict=True):
            counted, ranked = (_repeated(task, path, limit, scratch) for task in ("counts", "ranked"))
            totals |= {int(one.answer["sum"]) for one in counted}
            size.counts[place, limit], size.ranked[place, limit] = _median(counted), _median(ranked)
    return size, totals


def _repeated(task: str, place: Path, limit: str, scratch: Path) -> list[Measured]:
    first = _street(task, place, limit, scratch)
    return [first, *(_street(task, place, limit, scratch) for _ in range(2 if first.work < SHORT else 0))]


def _street(task: str, *words: Path | int | str) -> Measured:
    return command(["-m", "tools.scale.street", task, *map(str, words)])


def _median(measured: list[Measured]) -> tuple[float, float]:
    return statistics.median(one.work for one in measured), max(one.peak_mb for one in measured)


def table(sizes: list[Size]) -> str:
    """A Markdown table: one column a number of rows."""

    def row(what: str, values: list[str]) -> str:
        return f"| {what} | {' | '.join(values)} |"

    lines = [
        row("", [f"{size.rows / 1e6:,.0f} million" for size in sizes]),
        "|---|" + "---:|" * len(sizes),
        row("Parquet, zstd, by month and force: files", [f"{size.generated.answer['files']:,}" for size in sizes]),
    ]
    for what, made in (
        ("Parquet: size, time to make and write", [size.generated for size in sizes]),
        ("DuckDB file: size, time to write from Parquet", [size.written for size in sizes]),
    ):
        lines.append(row(what, [f"{one.answer['mb']:,.0f} MB, {one.work:.1f} s, peak {one.peak_mb:,.0f} MB" for one in made]))
    for what, name in (("counts per area, half-year and type", "counts"), ("one ranked query, two months of one type", "ranked")):
        for place in PLACES:
            found = [
                " · ".join("{:.2f} s, {:,.0f} MB".format(*getattr(size, name)[place, limit]) for limit in LIMITS)
                for size in sizes
            ]
            lines.append(row(f"{what}, from {place}, with {' · '.join(LIMITS)}", found))
    return "\n".join(lines)
