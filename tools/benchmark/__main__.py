"""Measures, and prints each goal with what was measured: `make bench`, `python -m tools.benchmark [--only csp,…] [--write]`.

Exit status 0 when all is measured, whether or not a goal is met; 2 where there is nothing to measure on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools.benchmark import growth, half_years, inputs, report, rows
from tools.benchmark.work import Work, say

MEASURES: dict[str, Callable[[Work], list[report.Row]]] = {
    "csp": rows.csp,
    "pandas": rows.pandas,
    "cold": rows.cold,
    "increment": rows.increment,
    "nothing": rows.nothing,
    "growth": lambda work: _growth(work),
    "half_years": lambda work: _half_years(work),
    "ranked": rows.ranked,
    "table": rows.command_line,
    "orchestration": rows.orchestration,
    "memory": rows.memory,
}
PAGE = inputs.ROOT / "docs/performance.md"
DRAWING = inputs.ROOT / "docs/images/growth.svg"
GROWTH = "<!-- growth: begin -->", "<!-- growth: end -->"
HALF_YEARS = "<!-- half-years: begin -->", "<!-- half-years: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark", description="Measure the pipeline against baselines.")
    parser.add_argument("--only", default=",".join(MEASURES), help=f"of {', '.join(MEASURES)}; separated by commas")
    parser.add_argument("--releases", type=Path, help=f"a folder of full-size workbooks (or {inputs.RELEASES})")
    parser.add_argument("--populations", type=Path, help=f"a folder of population files and lookups (or {inputs.POPULATIONS})")
    parser.add_argument("--write", action="store_true", help="put what was measured into docs/performance.md")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder there")
    options = parser.parse_args()
    chosen = [name.strip() for name in options.only.split(",")]
    if unknown := set(chosen) - set(MEASURES):
        parser.error(f"expected some of {', '.join(MEASURES)}; found {', '.join(sorted(unknown))}")
    if options.write and chosen != list(MEASURES):
        parser.error("--write needs all measures: leave out --only.")
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    started, load = time.monotonic(), os.getloadavg()[0]
    try:
        say(f"measuring in {folder}")
        work = Work(folder, inputs.find(options.releases, options.populations, folder / "workbooks"))
        measured = []
        for name in chosen:
            measured += (rows_of := MEASURES[name](work))
            for row in rows_of:
                say(f"{row.measured} ({row.goal}): {row.behind}")
    except inputs.NoInputs as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    command = "python -m tools.benchmark" + (f" --only {options.only}" if chosen != list(MEASURES) else "")
    made = report.made_by(command, (time.monotonic() - started) / 60, load)
    table, behind = report.table(measured), report.behind(measured)
    grown = [growth.markdown(work.points)] if work.points else []
    grown += [half_years.markdown(work.half_years)] if work.half_years else []
    print("\n\n".join([table, behind, *grown, made]))
    if options.write:
        report.put(PAGE, f"{made}\n\n{table}\n\n{behind}")
        report.put(PAGE, growth.markdown(work.points), *GROWTH)
        report.put(PAGE, half_years.markdown(work.half_years), *HALF_YEARS)
        DRAWING.write_text(growth.svg(work.points), encoding="utf-8")
    return 0


def _growth(work: Work) -> list[report.Row]:
    work.points = growth.measure(work)
    return [growth.row(work.points)]


def _half_years(work: Work) -> list[report.Row]:
    work.half_years = half_years.measure(work)
    return [half_years.row(work.half_years)]


if __name__ == "__main__":
    sys.exit(main())
