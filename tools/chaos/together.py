"""Two updates and a backfill at once on one data folder: one works at a time, and the others name it and leave."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tools.chaos import auditor, service, sources
from tools.chaos.bench import Bench, Done, Running, last_line
from tools.chaos.kill import audit
from tools.chaos.report import Outcome, counted

BUSY = re.compile(r"Another run \(process (\d+)\) is at work on \S+: wait for it to end, then run the command again\.")
COMMANDS = (["update"], ["update"], ["backfill", "2014-15-H1", "2015-16-H2"])
AT_WORK = ("fetching", "building and checking")  # what a run says only while it holds the folder


@dataclass
class Watch:
    """When a run was seen at work: from the first to the last line that says so, by one clock for all."""

    run: Running
    seen: list[float] = field(default_factory=list)

    def follow(self) -> None:
        said = 0
        while True:
            alive = self.run.alive()
            lines = [line for line in self.run.err().splitlines() if any(word in line for word in AT_WORK)]
            self.seen += [time.monotonic()] * (len(lines) - said)
            said = len(lines)
            if not alive:
                return
            time.sleep(0.01)


def run(bench: Bench, rounds: int = 10, real: bool = True) -> Outcome:
    outcome = Outcome("at once", rounds=rounds)
    chance = bench.random("together")
    ends = Counter[str]()
    releases = {path.name: path.read_bytes() for path in (sources.write_release(bench.folder, number) for number in range(3))}
    reference = service.reference_with_one_ons_file(bench.fresh("reference"))
    with service.served(releases) as at:
        settings = at.environment(reference)
        clean_data = bench.fresh("alone")
        alone = bench.run(clean_data, ["update"], **settings)
        if alone.code != 0:
            raise RuntimeError(f"A run that nothing troubled failed: {alone.said}")
        clean = auditor.whole(clean_data)
        for number in range(rounds):
            data = bench.fresh("shared")
            watches, followers = [], []
            for words in COMMANDS:
                watch = Watch(bench.start(data, words, real, **settings))
                follower = threading.Thread(target=watch.follow)
                follower.start()
                watches.append(watch)
                followers.append(follower)
                time.sleep(chance.choice((0, chance.uniform(0, 1), chance.uniform(0, alone.seconds * 2))))
            ended = [watch.run.wait() for watch in watches]
            for follower in followers:
                follower.join()
            _judge(number, watches, ended, ends, outcome)
            where = f"round {number}"
            empty = auditor.Whole(data, "", {}, {}, {}, ())
            audit(outcome, data, empty, {clean.published}, where)
            _settle(bench, data, clean, settings, where, outcome)
    outcome.happened = "of all runs: " + counted(ends)
    return outcome


def _judge(number: int, watches: list[Watch], ended: list[Done], ends: Counter[str], outcome: Outcome) -> None:
    """Whether each run ended as it may, and whether two were at work at the same time."""
    pids = [watch.run.pid for watch in watches]
    for watch, done, words in zip(watches, ended, COMMANDS, strict=True):
        busy = BUSY.search(done.said)
        if done.code == 0:
            ends["worked"] += 1
        elif busy and int(busy[1]) in pids and int(busy[1]) != watch.run.pid and not watch.seen:
            ends["named the other and left"] += 1
        else:
            ends["other"] += 1
            outcome.errors.append(
                f"{words[0]} ended with {done.code}{' after it had worked' if watch.seen else ''}: "
                f"{re.sub(r'process [0-9]+|/[^ ]+/', '…', last_line(done))}"
            )
        if "Traceback" in done.said:
            outcome.errors.append(f"{words[0]}: a traceback")
    if all(done.code != 0 for done in ended):
        outcome.errors.append(f"round {number}: none of the runs worked")
    spans = sorted((min(watch.seen), max(watch.seen)) for watch in watches if watch.seen)
    pairs = zip(spans, spans[1:], strict=False)
    outcome.errors += [f"round {number}: two runs were at work at once" for (_, end), (begin, _) in pairs if begin < end]


def _settle(bench: Bench, data: Path, clean: auditor.Whole, settings: dict[str, str], where: str, outcome: Outcome) -> None:
    """What is left must be whole; 0 runs are needed if it is already, one more may be if none could finish."""
    for needed in range(4):
        differs = auditor.whole(data).differs(clean)
        if not differs:
            outcome.recovery(max(needed, 1), "", where)
            return
        bench.run(data, ["update"], **settings)
    outcome.recovery(0, differs, where)
