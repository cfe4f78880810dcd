"""The bench: a temporary folder, things to do, clean runs to compare with, and the pipeline in process groups of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.support import prefect_server
from tests.support.world import ROOT
from tools.chaos import sources
from tools.chaos.auditor import Whole, whole

PATIENCE = 300  # seconds after which a run counts as hung


@dataclass
class Done:
    """A run that has ended."""

    code: int
    out: str
    err: str
    seconds: float
    words: Sequence[str] = ()

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Running:
    """A run that is under way, in a process group of its own; what it says goes to files, so that a kill loses none of it."""

    process: subprocess.Popen[bytes]
    log: Path
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    def err(self) -> str:
        return self.log.with_suffix(".err").read_text(encoding="utf-8", errors="replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self, group: bool = True) -> bool:
        """SIGKILL to the group, or to the first process alone as an out-of-memory killer would; False if it had ended."""
        if not self.alive():
            return False
        (os.killpg if group else os.kill)(self.pid, signal.SIGKILL)
        return self.process.wait() == -signal.SIGKILL

    def wait(self) -> Done:
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        out = self.log.with_suffix(".out").read_text(encoding="utf-8", errors="replace")
        return Done(code, out, self.err(), time.monotonic() - self.started)

    def bury(self) -> None:
        """End what may be left of the group, so that nothing of a round reaches into the next."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


@dataclass
class Bench:
    """Where everything lies, and how the pipeline is started. `prefect`: the address of a standing server, if there is one."""

    folder: Path
    seed: int = 1
    prefect: str = ""
    states: list[Path] = field(default_factory=list)
    clean: list[Whole] = field(default_factory=list)  # of each state, by runs that nothing troubled
    changes: list[list[str]] = field(default_factory=list)  # of each clean run, the changes that Python made on disk
    seconds: float = 0  # of the first clean run
    names: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.states = sources.make(self.folder / "sources")

    def random(self, name: str) -> Random:
        """Chance of its own for each trouble, so that one alone repeats what it did among all."""
        return Random(f"{self.seed} {name}")

    def fresh(self, name: str) -> Path:
        """A new path in the folder."""
        self.names += 1
        return self.folder / f"{name}-{self.names}"

    def environment(self, real: bool, extra: Mapping[str, str]) -> dict[str, str]:
        ours = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT_", "CRIME_RATES_", "COLUMNS", "CHAOS_"))}
        ours |= {
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder),
            "PREFECT_HOME": str(self.folder / "prefect"),
            "CRIME_RATES_MEMORY_LIMIT": "1GB",
            "CRIME_RATES_REQUESTS_PER_SECOND": "10",
        }
        return ours | ({"PREFECT_API_URL": self.prefect} if real else {}) | dict(extra)

    def start(self, data: Path, words: Sequence[str], real: bool = False, **extra: str) -> Running:
        """Start the command: the real one with Prefect, or the one on the stage (tools/chaos/stage.py)."""
        module = "flows.cli.main" if real else "tools.chaos.stage"
        program = [sys.executable, "-c", "from flows.cli.main import main; main()"] if real else [sys.executable, "-m", module]
        log = self.fresh("run")
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                [*program, *words, "--data-dir", str(data)],
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=self.environment(real, extra),
                start_new_session=True,
            )
        return Running(process, log)

    def run(self, data: Path, words: Sequence[str], real: bool = False, **extra: str) -> Done:
        return self.start(data, words, real, **extra).wait()

    def update(self, data: Path, state: int, real: bool = False, **extra: str) -> Done:
        """Take in a state from its folders."""
        return self.run(data, sources.words(self.states[state]), real, **extra)

    def make_clean(self, states: int = sources.STATES) -> None:
        """Fill `clean` by one run a state, each on the folder of the one before."""
        for state in range(states):
            data = self.folder / f"clean-{state}"
            if state:
                shutil.copytree(self.clean[-1].data, data, symlinks=True)
            steps = self.fresh("steps")
            done = self.update(data, state, CHAOS_DATA=str(data), CHAOS_STEPS=str(steps))
            if done.code != 0:
                raise RuntimeError(f"A run that nothing troubled failed: {done.said}")
            self.seconds = self.seconds or done.seconds
            self.changes.append(steps.read_text(encoding="utf-8").splitlines())
            self.clean.append(whole(data))

    def copy_of(self, state: int) -> Path:
        """A data folder as a clean run left it."""
        data = self.fresh("data")
        shutil.copytree(self.clean[state].data, data, symlinks=True)
        return data

    def recover(self, data: Path, state: int, real: bool = False, most: int = 3) -> tuple[int, str]:
        """(runs until all is as after a clean run, 0 if it never was; what the last run said or left)."""
        said = ""
        for number in range(1, most + 1):
            done = self.update(data, state, real)
            differs = whole(data).differs(self.clean[state])
            if done.code == 0 and not differs:
                return number, ""
            said = f"exit status {done.code}; {differs or last_line(done)}"
        return 0, said


def last_line(done: Done) -> str:
    """The line that says how a run failed."""
    lines = [line for line in done.out.splitlines() if line.startswith("FAILED")] or done.said.strip().splitlines()
    return lines[-1] if lines else "nothing was said"


@contextlib.contextmanager
def standing_prefect(bench: Bench) -> Iterator[None]:
    """A standing Prefect server, for as long as the real command is run."""
    with prefect_server.standing(bench.fresh("server")) as environment:
        bench.prefect = environment["PREFECT_API_URL"]
        try:
            yield
        finally:
            bench.prefect = ""


def machine() -> dict[str, Any]:
    """What a reader must know of the machine to weigh the times."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": os.cpu_count(), "memory": f"{memory:.0f} GiB", "python": sys.version.split()[0]}
