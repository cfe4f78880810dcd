"""The measures: each gives the rows of the table that it stands for."""

from __future__ import annotations

from flows.common.allocator import KEEP_FREED_MEMORY
from tests.support import prefect_server
from tools.benchmark.measuring import Measured, child, command, median
from tools.benchmark.report import Row
from tools.benchmark.work import Work, say

PARQUET = "full CSP workbook → Parquet"
START = "import sys; from flows.cli.main import main; sys.exit(main())"


def csp(work: Work) -> list[Row]:
    """The full partnership workbook against unzipping it, turn by turn."""
    say("csp: the full partnership workbook, 3 times")
    ours, alone = [], []
    for _ in range(3):
        alone.append(child("unzip", work.inputs.full))
        ours.append(child("write_release", work.inputs.full, work.fresh("parquet"), environment=KEEP_FREED_MEMORY))
    base, took = median([m.seconds for m in alone]), median([m.seconds for m in ours])
    peak = max(m.peak_mb for m in ours)
    size, rows = alone[0].answer["bytes"] / 1e9, ours[0].answer["rows"]
    work.parquet = ours
    return [
        Row(
            PARQUET,
            "unzipping its content.xml alone",
            "≤ 1.9 × the time, ≤ 300 MB",
            f"{took / base:.1f} ×, {peak:.0f} MB",
            took <= 1.9 * base and peak <= 300,
            f"{size:.2f} GB of XML, {rows:,} rows; {took:.2f} s against {base:.2f} s, whole processes, medians of 3; "
            f"the work alone {median([m.work for m in ours]):.2f} s against {median([m.work for m in alone]):.2f} s; "
            f"processor {median([m.cpu for m in ours]):.2f} s against {median([m.cpu for m in alone]):.2f} s",
        )
    ]


def pandas(work: Work) -> list[Row]:
    """The same workbook against pandas."""
    ours = work.parquet or [child("write_release", work.inputs.full, work.fresh("parquet"), environment=KEEP_FREED_MEMORY)]
    say("pandas: the same workbook, twice")
    theirs = min((child("pandas_parquet", work.inputs.full, work.fresh("parquet")) for _ in range(2)), key=lambda m: m.seconds)
    took, peak = median([m.seconds for m in ours]), max(m.peak_mb for m in ours)
    return [
        Row(
            PARQUET,
            "pandas.read_excel with calamine, to_parquet",
            "≥ 3 × faster, ≤ 1/5 of the memory",
            f"{theirs.seconds / took:.1f} × faster, 1/{theirs.peak_mb / peak:.0f} of the memory",
            theirs.seconds >= 3 * took and theirs.peak_mb >= 5 * peak,
            f"{took:.2f} s and {peak:.0f} MB against {theirs.seconds:.1f} s and {theirs.peak_mb:,.0f} MB "
            f"(median of {len(ours)}, better of 2)",
        )
    ]


def cold(work: Work) -> list[Row]:
    """All workbooks against a script of plain pandas."""
    ours, theirs = work.cold, work.pandas
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ours.answer["steps"].items())
    return [
        Row(
            "all workbooks → published database and tables, cold",
            "plain pandas and calamine (tools/benchmark/pandas_way.py)",
            "≥ 4 × faster",
            f"{theirs.seconds / ours.seconds:.1f} × faster",
            theirs.seconds >= 4 * ours.seconds,
            f"{ours.seconds:.1f} s and {ours.peak_mb:,.0f} MB (better of 2; {steps}) against {theirs.seconds:.1f} s and "
            f"{theirs.peak_mb:,.0f} MB (once); processor {ours.cpu:.0f} s against {theirs.cpu:.0f} s; Prefect aside",
        )
    ]


def increment(work: Work) -> list[Row]:
    """One release added to a data folder that holds the others: those that come out every quarter; the dearer counts."""
    whole = work.cold
    took: dict[str, Measured] = {}
    for workbook in (work.inputs.full, work.inputs.force):
        say(f"increment: {workbook.name} is new")
        took[workbook.name] = work.again(work.without(workbook))
    dearest = max(took.values(), key=lambda m: m.seconds)
    each = "; ".join(f"{name} {m.seconds:.1f} s" for name, m in took.items())
    return [
        Row(
            "one new release, the rest unchanged",
            "the cold build",
            "≤ 1/3",
            f"{dearest.seconds / whole.seconds:.2f}",
            dearest.seconds * 3 <= whole.seconds,
            f"against {whole.seconds:.1f} s, once each: {each}: the dearer counts",
        )
    ]


def nothing(work: Work) -> list[Row]:
    """`update` when nothing is new."""
    _ = work.cold
    say("nothing: update with nothing new, 5 times")
    runs = [work.again(work.data) for _ in range(5)]
    opened = sum(m.answer["opened"] + m.answer["processes"] for m in runs)
    built = any(m.answer["published"] or m.answer["tables"] for m in runs)
    own, start = median([m.work for m in runs]), median([m.seconds - m.work for m in runs])
    return [
        Row(
            "update with nothing new",
            "its own start (imports, Prefect aside)",
            "no workbook opened, no build, ≤ 1 s of own work",
            f"{own:.2f} s of own work",
            own <= 1 and not opened and not built,
            f"own work {own:.2f} s after a start of {start:.2f} s, medians of 5; workbooks read and processes started: "
            f"{opened}; {'something' if built else 'nothing'} was built or published",
        )
    ]


def ranked(work: Work) -> list[Row]:
    """One ranked table from the published file."""
    _ = work.cold
    say("ranked: one ranked table, warm 300 times, cold 15 times")
    warm = child("warm_table", work.database, "300").work * 1000
    runs = [child("cold_table", work.database) for _ in range(15)]
    first = median([m.work for m in runs]) * 1000
    return [
        Row(
            "one ranked table from the published file",
            "–",
            "≤ 5 ms warm, ≤ 100 ms cold",
            f"{warm:.1f} ms, {first:.0f} ms",
            warm <= 5 and first <= 100,
            f"stalking in the newest half-year by partnership, {runs[0].answer['rows']} rows of 24 columns; warm the "
            "median of 300, cold the median of 15 processes (connect and query, imports aside)",
        )
    ]


def command_line(work: Work) -> list[Row]:
    """`crime-rates table` as a whole process, turn by turn with a bare import of duckdb."""
    _ = work.cold
    say("table: the command as a whole process, 15 times")
    half_year = child("newest_half_year", work.database).answer["half_year"]
    words = ["-c", START, "table", half_year, "--offence", "8Q", "--data-dir", work.data]
    ours, bare = [], []
    for _ in range(15):
        bare.append(command(["-c", "import duckdb"]).seconds)
        ours.append(command(words).seconds)
    took, base = median(ours), median(bare)
    return [
        Row(
            "crime-rates table, the whole process",
            "Python starting and importing duckdb",
            "≤ 2 ×",
            f"{took / base:.1f} ×",
            took <= 2 * base,
            f"{took * 1000:.0f} ms against {base * 1000:.0f} ms, medians of 15, in turn",
        )
    ]


def orchestration(work: Work) -> list[Row]:
    """The flow with Prefect against the same functions without, on a run that has nothing to do but look at each file."""
    _ = work.cold
    say("orchestration: a standing Prefect server, 5 runs in turn with 5 without")
    words = (work.data, work.inputs.releases, work.inputs.populations)
    without, standing = [], []
    with prefect_server.standing(work.fresh("prefect")) as environment:
        child("update_with_prefect", *words, environment=environment)  # the server's own first run
        for _ in range(5):
            without.append(child("update", *words))
            standing.append(child("update_with_prefect", *words, environment=environment))
    say("orchestration: an ephemeral server, once")
    ephemeral = child("update_with_prefect", *words, environment=prefect_server.quiet(work.fresh("prefect")))
    alone, took = median([m.work for m in without]), median([m.work for m in standing])
    imports = median([m.answer["imports"] for m in standing]) - median([m.answer["imports"] for m in without])
    whole = median([m.seconds for m in without])
    process = median([m.seconds for m in standing])
    return [
        Row(
            "orchestration by Prefect",
            "the same functions called without it",
            "≤ 1 s of overhead against a standing server",
            f"{took - alone:.2f} s",
            took - alone <= 1,
            f"an update with nothing new takes {took:.2f} s against {alone:.2f} s, medians of 5, in turn; importing Prefect "
            f"takes {imports:.1f} s more; as whole processes {process:.1f} s against {whole:.1f} s. With an ephemeral "
            f"server, which each command starts for itself where none stands, the whole takes {ephemeral.seconds:.1f} s",
        )
    ]


def memory(work: Work) -> list[Row]:
    """The build with DuckDB held to 500 MB, in turn with a build that has the whole machine; digests anew in each."""
    _ = work.cold
    say("memory: builds with 500 MB and without a limit, twice each")
    held, free = [], []
    for limit, runs in (("1TB", free), ("500MB", held)) * 2:
        data = work.fresh("data")
        runs.append(child("build", work.lake_copy(data), data / "warehouse", limit))
    took, base = (min(runs, key=lambda m: m.work) for runs in (held, free))
    return [
        Row(
            "the build with DuckDB held to 500 MB",
            "the same build without a limit",
            "it works, in ≤ 1.5 × the time",
            f"{took.work / base.work:.2f} ×",
            took.work <= 1.5 * base.work,
            f"{took.work:.1f} s (processor {took.cpu:.0f} s) and at most {max(m.peak_mb for m in held):,.0f} MB in one "
            f"process against {base.work:.1f} s ({base.cpu:.0f} s) and {max(m.peak_mb for m in free):,.0f} MB, better of 2",
        )
    ]
