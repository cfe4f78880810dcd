"""Where a cold run spends its time: `python -m tools.benchmark.profile [--releases DIR --populations DIR] [--write]`.

One run on empty folders, one step after the other, without Prefect, in a process of its own. Functions of the product are wrapped
while it is measured; nothing in it knows of that. Processor time is that of the process and of the children that it waited for.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.storage.data_store import LocalStore
from tools.benchmark import inputs, report
from tools.benchmark.measuring import command

PROFILE = "<!-- profile: begin -->", "<!-- profile: end -->"
PAGE = inputs.ROOT / "docs/performance.md"
OF_TABLES = ("key_", "nulls_")  # checks that each public table has, and no file of sql/40_checks
QUICK = 0.05  # seconds; what takes less is not a line of its own


@dataclass
class Line:
    """A step; those of a deeper level are parts of the one above."""

    level: int
    step: str
    seconds: float = 0.0
    cpu: float = 0.0
    peak_mb: float = 0.0


class Hooks:
    """Measures steps, one within another, in the order in which they begin. Steps of one name within one step are summed."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._open: list[Line] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        level = len(self._open)
        start = max((number for number, line in enumerate(self.lines) if line.level < level), default=-1)
        line = next((one for one in self.lines[start + 1 :] if one.level == level and one.step == name), None)
        if line is None:
            line = Line(level, name)
            self.lines.append(line)
        self._open.append(line)
        began, used = time.perf_counter(), _cpu()
        try:
            yield
        finally:
            line.seconds += time.perf_counter() - began
            line.cpu += _cpu() - used
            line.peak_mb = _peak_mb()
            self._open.pop()

    def wrap(self, owner: Any, name: str, label: str | Callable[..., str]) -> None:
        """Measure each call of a function. Raises AttributeError where the product has no such function any more."""
        function = getattr(owner, name)

        def measured(*words: Any, **named: Any) -> Any:
            with self.step(label if isinstance(label, str) else label(*words, **named)):
                return function(*words, **named)

        setattr(owner, name, measured)

    def rest(self) -> list[Line]:
        """The lines in order, the quick ones of a step summed into what it did besides them."""
        return self._within(0, len(self.lines), 0)

    def _within(self, first: int, end: int, level: int) -> list[Line]:
        out: list[Line] = []
        starts = [number for number in range(first, end) if self.lines[number].level == level]
        for number, after in zip(starts, [*starts[1:], end], strict=False):
            line, parts = self.lines[number], self._within(number + 1, after, level + 1)
            shown = [part for part in parts if part.level > level + 1 or part.seconds >= QUICK]
            out += [line, *shown]
            options = [part for part in shown if part.level == level + 1]
            rest = line.seconds - sum(part.seconds for part in options)
            if options and rest >= QUICK:
                out.append(Line(level + 1, "the rest of it", rest, line.cpu - sum(part.cpu for part in options), line.peak_mb))
        return out


def install(hooks: Hooks) -> None:
    """Wrap what a build is made of. Raises AttributeError where the product has no such function any more."""
    from flows.warehouse import build, checks, release_summaries
    from flows.warehouse.table_maker import TableMaker
    from flows.warehouse.writer import Writer

    hooks.wrap(build, "build_id", "hash of what goes in")
    hooks.wrap(build, "load_inputs", "read records, populations, lookups")
    hooks.wrap(release_summaries, "load_changes", "digests")
    hooks.wrap(release_summaries, "_digest", lambda _con, _target, digest, **_: digest.name)
    hooks.wrap(build, "run_checks", "checks")
    hooks.wrap(checks, "_run_check", lambda _con, name, *_: "keys and nulls" if name.startswith(OF_TABLES) else "sql/40_checks")
    hooks.wrap(TableMaker, "run_models", lambda _self, *folders: f"models of {', '.join(folders)}")
    hooks.wrap(TableMaker, "run_model", lambda _self, model: model.path)
    hooks.wrap(TableMaker, "write_rows", lambda _self, name, _rows: name)
    hooks.wrap(Writer, "finish", "wait for the published file, written beside the above")


def run(data: str, releases: str, populations: str) -> dict[str, Any]:
    """The run itself, in this process."""
    from flows.pipeline import normalise, steps
    from flows.settings import Settings

    hooks = Hooks()
    install(hooks)
    settings, people = Settings(LocalStore(Path(data))), Path(populations)
    with hooks.step("all"):
        with hooks.step("discover"):
            groups = steps.discover_local(steps.LocalFolders(Path(releases), people, people))
        for group in groups:
            what = group.name if group.kind == "offences" else "populations and lookups"
            with hooks.step(f"fetch {what}"):
                stored, _ = steps.store_raw(settings, group)
            with hooks.step(f"normalise {what}"):
                item = normalise.normalise(settings, group.name, group.kind, stored)
            if item.state != "new":
                raise SystemExit(item.message)
        with hooks.step("build"):
            database, _ = steps.build(settings)
        with hooks.step("publish"):
            steps.publish(settings, database)
        with hooks.step("export"):
            steps.export(settings, database)
    return {"lines": [vars(line) for line in hooks.rest()]}


def markdown(lines: list[Line]) -> str:
    """The profile as a table; parts are set in under their step."""
    cells = [("step", "wall", "CPU", "peak so far")]
    cells += [
        (f"{'· ' * line.level}{line.step}", f"{line.seconds:.2f} s", f"{line.cpu:.2f} s", f"{line.peak_mb:,.0f} MB")
        for line in lines
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    rule = ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:]))
    padded = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in (cells[0], rule, *cells[1:])
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(peaks) * unit / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.profile", description="Profile one cold run.")
    parser.add_argument("--releases", type=Path, help=f"a folder of full-size workbooks (or {inputs.RELEASES})")
    parser.add_argument("--populations", type=Path, help=f"a folder of population files and lookups (or {inputs.POPULATIONS})")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="profile-"))
    started, load = time.monotonic(), os.getloadavg()[0]
    try:
        found = inputs.find(options.releases, options.populations, folder / "workbooks")
        words = ["--child", folder / "data", found.releases, found.populations]
        answer = command(["-m", "tools.benchmark.profile", *words]).answer
    except inputs.NoInputs as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = markdown([Line(**line) for line in answer["lines"]])
    made = report.made_by("python -m tools.benchmark.profile", (time.monotonic() - started) / 60, load)
    print(f"{table}\n\n{made}")
    if options.write:
        report.put(PAGE, f"{made}\n\n{table}", *PROFILE)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(run(*sys.argv[2:])))
    else:
        sys.exit(main())
