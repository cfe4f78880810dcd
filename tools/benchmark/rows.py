"""The measures: each gives the rows of the table that it stands for."""

from __future__ import annotations

from flows.common.allocator import KEEP_FREED_MEMORY
from tests.support import prefect_server
from tools.benchmark.measuring import Measured, child, command, median
from tools.benchmark.report import Row
from tools.benchmark.work import Work, say

PARQUET = "full CSP workbook → Parquet"
IMPORTS = "import sys; from flows.cli.main import main"
START = f"{IMPORTS}; sys.exit(main())"
QUESTIONS = {"table": "300", "as_of": "30", "series": "100"}  # of tools/benchmark/child.py → how often each is asked


def csp(work: Work) -> list[Row]:
    """The full partnership workbook against unzipping it, turn by turn."""
    say("csp: the full partnership workbook, 3 times")
    ours, alone = [], []
    for _ in range(3):
        alone.append(child("unzip", work.inputs.full))
        ours.append(_parquet(work))
    base, took = median([m.seconds for m in alone]), median([m.seconds for m in ours])
    peak = max(m.peak_mb for m in ours)
    size, rows = alone[0].answer["bytes"] / 1e9, ours[0].answer["rows"]
    work.parquet = ours
    return [
        Row(
            PARQUET,
            "unzipping its content.xml alone",
            "≤ 1.9 × the time, ≤ 300 MB",
            f"{took / base:.2f} ×, {peak:.0f} MB",
            took <= 1.9 * base and peak <= 300,
            f"{size:.2f} GB of XML, {rows:,} rows; {took:.2f} s against {base:.2f} s, whole processes, medians of 3; "
            f"the work alone {median([m.work for m in ours]):.2f} s against {median([m.work for m in alone]):.2f} s; "
            f"processor {median([m.cpu for m in ours]):.2f} s against {median([m.cpu for m in alone]):.2f} s",
        )
    ]


def pandas(work: Work) -> list[Row]:
    """The same workbook against pandas."""
    ours = work.parquet or [_parquet(work)]
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


def _parquet(work: Work) -> Measured:
    """The workbook lies in the raw store before the clock starts, as in a run."""
    data = work.fresh("parquet")
    stored = child("store_release", work.inputs.full, data).answer["folder"]
    return child("write_release", work.inputs.full, stored, data, environment=KEEP_FREED_MEMORY)


def cold(work: Work) -> list[Row]:
    """All workbooks against a script of plain pandas; the memory of that run, and the file that it publishes."""
    ours, theirs, watched = work.cold, work.pandas, work.cold_watched
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ours.answer["steps"].items())
    largest, size = max(ours.peak_mb, watched.peak_mb), work.database.stat().st_size / 1e6
    return [
        Row(
            "all workbooks → published database and tables, cold",
            "plain pandas and calamine (tools/benchmark/pandas_way.py)",
            "≥ 5 × faster; stretch 6 ×",
            f"{theirs.seconds / ours.seconds:.1f} × faster",
            theirs.seconds >= 5 * ours.seconds,
            f"{ours.seconds:.1f} s (better of 2; {steps}) against {theirs.seconds:.1f} s (once); processor {ours.cpu:.0f} s "
            f"against {theirs.cpu:.0f} s; largest process {largest:,.0f} MB against {theirs.peak_mb:,.0f} MB",
        ),
        Row(
            "memory of that cold run: largest process; all together (PSS)",
            "–",
            "≤ 700 MB; ≤ 900 MB",
            f"{largest:,.0f} MB; {watched.together_mb:,.0f} MB",
            largest <= 700 and 0 < watched.together_mb <= 900,
            f"looked at four times a second in one of 2 runs, which had {watched.processes} processes at once at most",
        ),
        Row(
            "published file",
            "–",
            "≤ 100 MB",
            f"{size:.0f} MB",
            size <= 100,
            f"{work.database.name} of that run",
        ),
    ]


def increment(work: Work) -> list[Row]:
    """What comes in every quarter, into a data folder that holds the rest: one workbook (the dearer counts), and both."""
    whole, full, force = work.cold, work.inputs.full, work.inputs.force
    took: dict[str, Measured] = {}
    for workbook in (full, force):
        say(f"increment: {workbook.name} is new")
        took[workbook.name] = work.again(work.without(workbook))
    say("increment: the newest workbooks of both tables are new")
    both = work.again(work.without(full, force))
    dearest = max(took.values(), key=lambda m: m.seconds)
    each = "; ".join(f"{name} {m.seconds:.1f} s, processor {m.cpu:.0f} s" for name, m in took.items())
    return [
        Row(
            "one workbook added to what is held",
            "the cold run",
            "≤ 0.65",
            f"{dearest.seconds / whole.seconds:.2f}",
            dearest.seconds <= 0.65 * whole.seconds,
            f"against {whole.seconds:.1f} s, once each: {each}: the dearer counts",
        ),
        Row(
            "the newest vintage of both tables added to what is held",
            "the cold run",
            "≤ 0.85",
            f"{both.seconds / whole.seconds:.2f}",
            both.seconds <= 0.85 * whole.seconds,
            f"{both.seconds:.1f} s, processor {both.cpu:.0f} s, once",
        ),
    ]


def nothing(work: Work) -> list[Row]:
    """The command `crime-rates update` when nothing is new, without a Prefect server, in turn with its own imports."""
    _ = work.cold
    say("nothing: update with nothing new, as a whole process, 5 times")
    people = work.inputs.populations
    words = ["--releases", work.inputs.releases, "--populations", people, "--lookups", people, "--data-dir", work.data]
    before = work.database
    whole, imports = [], []
    for _ in range(5):
        imports.append(command(["-c", f"{IMPORTS}; import flows.pipeline.update"]).seconds)
        whole.append(command(["-c", START, "update", *words], watched=True))
    took, start = median([m.seconds for m in whole]), median(imports)
    processes, built = max(m.processes for m in whole), work.database != before
    return [
        Row(
            "crime-rates update with nothing new, the whole process",
            "its own imports",
            "≤ 1 s of own work, no server started",
            f"{took - start:.2f} s of own work",
            took - start <= 1 and processes == 1 and not built,
            f"{took:.2f} s against {start:.2f} s, medians of 5, in turn; processes at once at most: {processes}; "
            f"{'something' if built else 'nothing'} was published",
        )
    ]


def ranked(work: Work) -> list[Row]:
    """Three questions to the published file, again and again on one connection."""
    _ = work.cold
    say("ranked: three questions, warm")
    table, as_of, series = (child("warm", work.database, which, times) for which, times in QUESTIONS.items())
    found = [m.work * 1000 for m in (table, as_of, series)]
    return [
        Row(
            "one ranked table, warm; as of a date; by area over all half-years",
            "–",
            "≤ 4 ms; ≤ 50 ms; ≤ 30 ms",
            f"{found[0]:.1f} ms; {found[1]:.0f} ms; {found[2]:.0f} ms",
            found[0] <= 4 and found[1] <= 50 and found[2] <= 30,
            f"stalking in the newest half-year by partnership, {table.answer['rows']} rows of 24 columns; the same as of the day "
            f"on which the newest release came out, {as_of.answer['rows']} rows; one partnership over all half-years, on "
            f"harmonised areas, {series.answer['rows']} rows; medians of {', '.join(QUESTIONS.values())}, imports aside",
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
            "≤ 1.5 ×",
            f"{took / base:.2f} ×",
            took <= 1.5 * base,
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
            f"takes {imports:.1f} s more; as whole processes {process:.1f} s against {whole:.1f} s",
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
