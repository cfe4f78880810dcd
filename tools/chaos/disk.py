"""A disk that fills: the data folder on a small tmpfs, with a little more room each time, from every point of a run.

Contract: the run ends with an exit status other than 0 and one plain sentence about the disk, the old database stands, and
once there is room the next run completes.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from flows.warehouse.published import LINK
from tools.chaos import auditor
from tools.chaos.bench import Bench, Done
from tools.chaos.kill import audit, builds, phase_of
from tools.chaos.report import Outcome, counted

ROOMY = "size=400m,nr_inodes=20000"
PAGE = 4096
ABOUT_THE_DISK = re.compile(r"no space left|\bdisk\b|not enough (room|space)|free space|\bbytes free\b", re.IGNORECASE)
NOT_PLAIN = re.compile(r"Traceback|Errno|\w+(Error|Exception)\b")


class NoMount(RuntimeError):
    """This user may not mount a tmpfs."""


@contextlib.contextmanager
def volume(bench: Bench) -> Iterator[Path]:
    """A tmpfs of its own. Raises NoMount."""
    folder = bench.fresh("volume")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ROOMY, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoMount(f"a tmpfs could not be mounted ({' '.join(done.stderr.split())}); this needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def limit(folder: Path, options: str) -> None:
    """Change how much a mounted tmpfs may hold."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True, capture_output=True)


def used(folder: Path) -> tuple[int, int]:
    """(bytes, inodes) in use."""
    said = subprocess.run(["stat", "-f", "-c", "%b %f %S %c %d", str(folder)], check=True, capture_output=True, text=True).stdout
    blocks, free, size, inodes, free_inodes = map(int, said.split())
    return (blocks - free) * size, inodes - free_inodes


def new_release(_: Path) -> None:
    """A release has appeared."""


def lake_gone(data: Path) -> None:
    """All is to be normalised again."""
    shutil.rmtree(data / "lake")


def tables_gone(data: Path) -> None:
    """What is published is published; the tables are to be written."""
    shutil.rmtree(data / "tables")


def not_published(data: Path) -> None:
    """The database of all that is held is built; the link points to the one before."""
    warehouse = data / "warehouse"
    new = (warehouse / LINK).readlink()
    (warehouse / LINK).unlink()
    [old] = [path.name for path in warehouse.glob("crime_rates-*.duckdb") if path.name != new.name]
    (warehouse / LINK).symlink_to(old)


POINTS: dict[str, tuple[Callable[[Path], None], int, int]] = {  # point → (preparation, state it begins with, state to reach)
    "a release has appeared": (new_release, 0, 1),
    "the lake is gone": (lake_gone, 1, 1),
    "built, not published": (not_published, 1, 1),
    "the tables are gone": (tables_gone, 1, 1),
}
FREE = {  # point → pages that are free; what a run needs here is a few thousand
    "a release has appeared": (0, 1, 2, 3, 4, 6, 8, 11, 14, 18, 30, 60, 150, 400, 900, 1500, 2200, 3200),
    "the lake is gone": (0, 2, 5, 12, 20, 30, 45),
    "built, not published": (0, 3),
    "the tables are gone": (0, 8, 40, 120),
}
INODES = {
    "a release has appeared": (0, 1, 2, 4, 6, 8, 12, 30),
    "the lake is gone": (0, 5, 20),
    "built, not published": (0,),
    "the tables are gone": (0, 1, 9),
}


def ladder() -> list[tuple[str, str, int]]:
    """(point, what is scarce, how much is free) of each round."""
    return [
        *((point, "pages", free) for point, many in FREE.items() for free in many),
        *((point, "inodes", free) for point, many in INODES.items() for free in many),
    ]


def run(bench: Bench, rungs: Sequence[tuple[str, str, int]] | None = None) -> Outcome:
    """Each rung on the stage; where there is a standing Prefect server, each eighth with the real command."""
    outcome = Outcome("full disk")
    phases: Counter[str] = Counter()
    told = Counter[str]()
    tried = Counter[str]()
    rungs = ladder() if rungs is None else rungs
    try:
        with volume(bench) as folder:
            for number, (point, scarce, free) in enumerate(rungs):
                real = bool(bench.prefect) and number % 8 == 4
                tried["real" if real else "on the stage"] += 1
                _round(bench, folder, (point, scarce, free), real, outcome, phases, told)
    except NoMount as reason:
        folder = bench.fresh("told")
        folder.mkdir()
        for number in range(len(rungs)):
            turn = 1 + number * len(bench.changes[1]) // len(rungs)
            _round(bench, folder, ("a release has appeared", "changes", turn), False, outcome, phases, told)
        outcome.notes.append(f"{reason}: Python alone was told that the disk is full, from its n-th change on")
    outcome.happened = "the disk filled in " + counted(phases)
    outcome.notes += [f"said: {sentence}" + (f" ({times} times)" if times > 1 else "") for sentence, times in told.most_common()]
    outcome.notes += [f"Rounds: {counted(tried)}."] if tried["real"] else []
    return outcome


def _round(
    bench: Bench, folder: Path, rung: tuple[str, str, int], real: bool, outcome: Outcome, phases: Counter[str], told: Counter[str]
) -> None:
    point, scarce, free = rung
    prepare, begin, goal = POINTS[point]
    data = folder / "data"
    shutil.copytree(bench.clean[begin].data, data, symlinks=True)
    prepare(data)
    before, there = auditor.whole(data), builds(data)
    extra = {}
    if scarce == "changes":
        extra = {"CHAOS_DATA": str(data), "CHAOS_STEPS": str(bench.fresh("steps")), "CHAOS_FULL_AT": str(free)}
    else:
        taken, inodes = used(folder)
        limit(folder, f"size={taken + free * PAGE}" if scarce == "pages" else f"nr_inodes={inodes + free}")
    done = bench.update(data, goal, real, **extra)
    if not extra:
        limit(folder, ROOMY)
    where = f"{point}, {free} {scarce} free"
    outcome.rounds += 1
    if done.code == 0:
        phases["no phase (room enough)"] += 1
    else:
        phase = phase_of(done.err, data, there)
        phases[phase] += 1
        where = f"{phase} ({where})"
        sentences = about_the_disk(done)
        told.update(_general(sentence, bench) for sentence in sentences)
        outcome.errors += [f"{phase}: {what}" for what in unlike_the_contract(done, sentences)]
    audit(outcome, data, before, {bench.clean[goal].published}, where)
    needed, why = bench.recover(data, goal, real)
    outcome.recovery(needed, why, where)
    shutil.rmtree(data)


def about_the_disk(done: Done) -> list[str]:
    """The lines that tell a person of the full disk."""
    lines = [line for line in done.said.splitlines() if line.startswith(("FAILED", "crime-rates:"))]
    return [line for line in lines if ABOUT_THE_DISK.search(line)]


def unlike_the_contract(done: Done, sentences: Sequence[str]) -> list[str]:
    """In what a run that ended for want of room said less, more or other than one plain sentence."""
    said = []
    if "Traceback" in done.said:
        said.append("a traceback")
    if not sentences:
        said.append("no sentence about the disk")
    if len(sentences) > 1:
        said.append("more than one sentence about the disk")
    if any(NOT_PLAIN.search(sentence) for sentence in sentences):
        said.append("a sentence that is not plain (an exception's name or number in it)")
    return said


def _general(sentence: str, bench: Bench) -> str:
    """A sentence without what differs from round to round."""
    sentence = re.sub(re.escape(str(bench.folder)) + r"/((?:volume|told)-\d+/data|sources)/(\w+)[^\s'\"]*", r"…/\2/…", sentence)
    return re.sub(r"/\S+/(?=flows/)|[0-9a-f]{12,16}|\d[\d.,]*(?= ?(bytes|[kMG]i?B))", "…", sentence)[:260]
