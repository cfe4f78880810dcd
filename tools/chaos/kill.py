"""Runs that are killed: SIGKILL by the clock, as soon as a phase shows itself, and before each kind of change on disk.

By the clock a kill falls where time is spent, mostly in the build. A publication takes a few milliseconds, so that others
are aimed: at a phase, by what the run says and by the files that it makes, and at the n-th change that Python makes.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from flows.warehouse.published import LINK
from tools.chaos import auditor, sources
from tools.chaos.bench import Bench, Done, Running
from tools.chaos.report import Outcome, counted

AIMS = ("fetch", "normalise", "build", "publish", "export")


@dataclass
class Lane:
    """A data folder that lives through many kills: each round a new release appears, or the lake is gone."""

    bench: Bench
    chance: Random
    data: Path | None = None
    state: int = -1  # what it holds

    def next(self, manner: str) -> tuple[Path, int]:
        """Prepare work for a round: (the data folder, the state that the run is to reach)."""
        if self.data is None or self.state == len(self.bench.clean) - 1:
            if self.data is not None:
                shutil.rmtree(self.data)
            self.data, self.state = self.bench.fresh("killed"), -1
        elif manner != "publication" and self.chance.random() < 0.2:
            shutil.rmtree(self.data / "lake")
        return self.data, self.state + 1


def rounds(changes: int = 40, publications: int = 12, staged: int = 22, real: int = 18, aimed: int = 14) -> list[str]:
    """The manner of each kill."""
    many = {"change": changes, "publication": publications, "clock": staged, "real clock": real, "real aimed": aimed}
    return [manner for manner, times in many.items() for _ in range(times)]


def run(bench: Bench, manners: Sequence[str] | None = None, lanes: int = 2) -> Outcome:
    outcome = Outcome("SIGKILL")
    phases: Counter[str] = Counter()
    chance = bench.random("kill")
    todo = list(rounds() if manners is None else manners)
    chance.shuffle(todo)
    seconds = {False: bench.seconds}
    if any(manner.startswith("real") for manner in todo):
        seconds[True] = bench.update(bench.fresh("timed"), 0, real=True).seconds
    made: Counter[str] = Counter()

    def lane(number: int) -> None:
        mine = Lane(bench, bench.random(f"kill lane {number}"))
        for manner in todo[number::lanes]:
            for _ in range(20):  # a run may end before its kill: then it was none, and another is drawn
                phase = _round(mine, manner, seconds, outcome)
                if phase:
                    phases[phase] += 1
                    made[manner] += 1
                    break

    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(lane, range(lanes)))
    outcome.rounds = sum(phases.values())
    outcome.happened = "killed in " + counted(phases)
    outcome.notes.append(
        "How: " + counted(made) + " (change: just before the n-th change that Python makes on disk, without "
        "Prefect; publication: the same, among the changes that show readers a new build; clock: at a moment "
        "drawn evenly over a run; real: the command with a standing Prefect server; "
        "aimed: as soon as a phase shows itself). A third of the clock's kills hit the first process alone, so "
        "that its child lives on; the others hit the whole group."
    )
    return outcome


def _one_of(changes: list[str], chance: Random, room: str = "") -> int:
    """The number of a change: in a room of the data folder, which is drawn first, so that each room is met."""
    rooms: dict[str, list[int]] = {}
    for number, line in enumerate(changes, start=1):
        path = line.partition(" ")[2]
        of = path.split("/")[1] if path.count("/") > 1 else "/"
        if of == "warehouse" and ".build." not in path and "crime_rates" in path:
            of = "publish"
        rooms.setdefault("warehouse" if of == "…" else of, []).append(number)
    return chance.choice(rooms[room or chance.choice(sorted(rooms))])


def _round(lane: Lane, manner: str, seconds: dict[bool, float], outcome: Outcome) -> str:
    """One kill, what is found after it, and the recovery; the phase that it hit, empty if the run was over before."""
    bench, chance = lane.bench, lane.chance
    data, goal = lane.next(manner)
    real = manner.startswith("real")
    before, there = auditor.whole(data), builds(data)
    steps = bench.fresh("steps")
    extra = {}
    counted_out = manner in ("change", "publication")
    if counted_out:
        turn = _one_of(bench.changes[goal], chance, "publish" if manner == "publication" else "")
        extra = {"CHAOS_DATA": str(data), "CHAOS_STEPS": str(steps), "CHAOS_KILL_AT": str(turn)}
    run = bench.start(data, sources.words(bench.states[goal]), real, **extra)
    group = True
    if counted_out:
        killed = run.wait().code == -9
    elif manner == "real aimed":
        killed = _aim(run, data, chance.choice(AIMS), chance)
    else:
        group = chance.random() > 1 / 3
        time.sleep(chance.uniform(0, seconds[real]))
        killed = run.kill(group)
    if not killed:
        done = run.wait()
        lane.state = goal
        if done.code != 0:
            outcome.errors.append(f"a run that was not killed failed: {_said(done)}")
        return ""
    phase = phase_of(run.err(), data, there)
    where = f"killed in {phase} ({manner}{'' if group else ', the first process alone'}, state {goal})"
    audit(outcome, data, before, {bench.clean[goal].published}, where)
    needed, why = bench.recover(data, goal, real)
    run.bury()
    outcome.recovery(needed, why, where)
    audit(outcome, data, before, {bench.clean[goal].published}, f"{where}, recovered")
    lane.state = goal
    if not needed:
        lane.data = None
    return phase


def audit(outcome: Outcome, data: Path, before: auditor.Whole, allowed: set[str], where: str) -> None:
    """What must hold at any moment: the published database is whole, and no stored file is lost."""
    wrong = auditor.published(data, allowed | {before.published}, bool(before.published))
    if wrong:
        outcome.unreadable.append(f"{where}: {wrong}")
    outcome.lost += [f"{where}: {what}" for what in auditor.lost(data, before.raw)]
    outcome.errors += [f"{where}: {record} is not whole" for record in auditor.broken_records(data)]


def phase_of(err: str, data: Path, there: Collection[str]) -> str:
    """Where a run stood, by the last that it said and by the files that it left; `there`: the builds before it."""
    if "pairs of tables" in err:
        return "end"
    if "published: " in err:
        return "export"
    warehouse = data / "warehouse"
    if "building and checking" in err:
        link, made = warehouse / LINK, sorted(warehouse.glob("crime_rates-*.duckdb"), key=lambda path: path.stat().st_mtime_ns)
        if any(warehouse.glob(".build.*.part")) or not made:
            return "build"
        shown = link.is_symlink() and link.readlink().name == made[-1].name
        return "publish" if not shown or made[-1].name not in there else "build"
    if any(word in err for word in ("new: ", "unchanged: ")) or any((data / "lake").glob("*/.*.part")):
        return "normalise"
    return "fetch" if "fetching" in err else "start"


def builds(data: Path) -> set[str]:
    """The names of the finished builds."""
    return {path.name for path in (data / "warehouse").glob("crime_rates-*.duckdb")}


def _aim(run: Running, data: Path, phase: str, chance: Random) -> bool:
    """Kill as soon as a run is in a phase, or a little later; False if it ended before."""
    there = builds(data)
    signs = {
        "fetch": lambda: "fetching" in run.err(),
        "normalise": lambda: "fetching" in run.err() and any((data / "lake").glob("*/.*.part")),
        "build": lambda: "building" in run.err(),
        "publish": lambda: not builds(data) <= there,
        "export": lambda: "published: " in run.err(),
    }
    while run.alive() and not signs[phase]():
        time.sleep(0 if phase == "publish" else 0.002)
    spread = {"fetch": 0.1, "normalise": 0.1, "build": 1.0, "publish": 0.04, "export": 0.3}[phase]
    time.sleep(chance.uniform(0, spread))
    return run.kill()


def _said(done: Done) -> str:
    return " ".join(done.said.split())[-300:]
