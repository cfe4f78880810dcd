"""Several hosts on one machine: network namespaces, each with an address of its own, on one bridge.

PostgreSQL and an S3 server stand on the first, a writer on the second, another writer and two readers on others; builds of the
sample alternate. Each reading asks five tables in one transaction and must find one build in all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import postgres, s3_server
from tests.support.lakehouse_variants import variant
from tests.support.world import ROOT
from tools.scale import network
from tools.scale.lines import SKIPPED, Line, held
from tools.scale.sample import built

STORE, WRITER, OTHER, *READERS = HOSTS = range(1, 6)
ROUNDS, KILLS = 12, 5
PATIENCE = 120  # seconds
AWAY = 4  # seconds that a link is down before it comes back
SOON = (
    "connect_timeout=5 tcp_user_timeout=4000 options='-c lock_timeout=60s -c tcp_user_timeout=4s "
    "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2'"
)  # by default it is half a minute
S3_PORT = 5000


def run(folder: Path, write: bool = False) -> Iterator[Line]:  # noqa: ARG001, nothing is measured here
    """Set up, trouble and take down."""
    if lacking := network.lacking() if postgres.programs() is not None else postgres.MISSING:
        yield Line("hosts apart, in network namespaces", SKIPPED, lacking)
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(network.of_hosts(HOSTS))
        server = stack.enter_context(postgres.running(network.address(STORE), network.inside(STORE)))
        environment = stack.enter_context(_s3(folder))
        catalog = f"{server.database()} {SOON}"
        place = Place(catalog, "s3://lakehouse/tables", environment, folder)
        builds = _builds(folder)
        place.publish(WRITER, builds[0])
        yield from _alternate(place, builds)
        yield from _one_snapshot(place, builds)
        yield from _killed(place, builds)
        yield from _conflict(place, builds)
        yield from _link_down(place, builds)
        yield from _lost_midway(place, builds)


@dataclass(frozen=True)
class Place:
    """The lakehouse and how to reach it from each host."""

    catalog: str
    data: str
    environment: Mapping[str, str]
    folder: Path

    def start(self, host: int, *words: str) -> subprocess.Popen[str]:
        env = os.environ | self.environment | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [*network.inside(host), sys.executable, *words],
            env=env,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def writer(self, host: int, build: Path, *signal: Path) -> subprocess.Popen[str]:
        return self.start(host, "-m", "tests.support.lakehouse_writer", self.catalog, self.data, str(build), *map(str, signal))

    def publish(self, host: int, build: Path) -> str:
        """Publish, and what the writer said. Raises RuntimeError when it could not."""
        process = self.writer(host, build)
        said = process.communicate(timeout=PATIENCE)[0]
        if process.returncode:
            raise RuntimeError(said)
        return said

    def seen(self, host: int) -> list[str]:
        """The marks that a reader on a host finds now."""
        return list(_answer(self.ask(host, "now"))["builds"])

    def ask(self, host: int, task: str, *words: Path) -> subprocess.Popen[str]:
        """A reader that works on a task of tests/support/lakehouse_reader.py."""
        return self.start(host, "-m", "tests.support.lakehouse_reader", task, self.catalog, *map(str, words))

    def ready(self, host: int, build: Path, name: str) -> tuple[subprocess.Popen[str], Path]:
        """(a writer that has written all and committed nothing, the file that lets it go on)."""
        signal = self.folder / name
        writer = self.writer(host, build, signal)
        return writer, _reach(signal, writer)


def _alternate(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """Readers never stop while builds alternate."""
    stop = place.folder / "stop"
    readers = [place.ask(host, "until", stop) for host in READERS]
    for number in range(ROUNDS):
        place.publish(WRITER, builds[(number + 1) % len(builds)])
    stop.touch()
    found = [_answer(reader) for reader in readers]
    yield held(
        f"{sum(one['reads'] for one in found)} reads by {len(readers)} readers on hosts of their own during {ROUNDS} "
        "publications: of two builds at once",
        0,
        sum(one["torn"] for one in found),
    )
    yield held(
        "each reader saw both builds", [sorted(map(_mark, builds))] * len(readers), [sorted(one["builds"]) for one in found]
    )


def _one_snapshot(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    before = place.seen(READERS[0])
    signal = place.folder / "reading"
    reader = place.ask(READERS[0], "midway", signal)
    go = _reach(signal, reader)
    new = next(build for build in builds if _mark(build) not in before)
    place.publish(WRITER, new)
    go.touch()
    yield held(
        "a reader in the midst of a transaction keeps its build, and sees the new one after it",
        {"before": before, "during": before, "after": [_mark(new)]},
        _answer(reader),
    )


def _killed(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """Killed when all is written and nothing committed, which is the worst moment, and earlier."""
    before, outcomes = place.seen(READERS[0]), []
    new = next(build for build in builds if _mark(build) not in before)
    for number in range(KILLS):
        if number == 0:
            writer, _ = place.ready(WRITER, new, "killed-ready")
        else:
            writer = place.writer(WRITER, new, place.folder / f"killed-{number}")
            time.sleep(0.4 * number)
        _end(writer)
        outcomes.append(place.seen(READERS[1]))
    yield held(f"a writer killed at {KILLS} moments: readers see the old build whole", [before] * KILLS, outcomes)
    place.publish(WRITER, new)
    yield held("the next publication after them", [_mark(new)], place.seen(READERS[1]))


def _conflict(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """Two writers on two hosts, both ready to commit."""
    ways = [(WRITER, "a"), (OTHER, "b")]
    writers, lets = zip(
        *(place.ready(host, variant(builds[0], place.folder, mark), f"ready-{mark}") for host, mark in ways), strict=True
    )
    for go in lets:
        go.touch()
    said = [writer.communicate(timeout=PATIENCE)[0] for writer in writers]
    yield held(
        "of two writers on two hosts one wins, the other is told in one sentence",
        [0, 1],
        sorted(writer.returncode for writer in writers),
    )
    loser = next(number for number, writer in enumerate(writers) if writer.returncode)
    yield held("the loser's sentence", (1, True), (said[loser].count("\n"), said[loser].startswith("Conflict: ")))
    yield held("readers see the winner's build whole", [ways[1 - loser][1]], place.seen(READERS[0]))


def _link_down(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """The writer's link goes when all is written and nothing is committed: once for a while, once for good."""
    before = place.seen(READERS[0])
    writer, go = place.ready(WRITER, builds[0], "cut-for-a-while")
    with network.cut(STORE, WRITER):
        go.touch()
        time.sleep(AWAY)
        yield held("while the writer's link is down readers see the old build whole", before, place.seen(READERS[0]))
    said = writer.communicate(timeout=PATIENCE)[0]
    wanted = [_mark(builds[0])] if writer.returncode == 0 else before
    yield held(
        f"a link that comes back after {AWAY} s and more: the writer says whether it published",
        (True, wanted),
        (said.count("\n") == 1, place.seen(READERS[0])),
    )
    before = place.seen(READERS[0])
    writer, go = place.ready(WRITER, builds[1], "cut-for-good")
    with network.cut(STORE, WRITER):
        go.touch()
        said = writer.communicate(timeout=PATIENCE)[0]
    yield held("a link that stays down: the writer ends in one sentence", (1, 1), (writer.returncode, said.count("\n")))
    yield held("and readers see the old build whole", before, place.seen(READERS[0]))
    place.publish(WRITER, builds[1])
    yield held("the next publication after it", [_mark(builds[1])], place.seen(READERS[0]))


def _lost_midway(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """A host goes in the midst of its commit, while PostgreSQL holds a lock for it that every other writer needs."""
    before, signal = place.seen(READERS[0]), place.folder / "stuck"
    new = next(build for build in builds if _mark(build) not in before)
    stuck = place.start(OTHER, "-m", "tests.support.lakehouse_stopper", place.catalog, str(signal))
    _reach(signal, stuck)
    with network.cut(STORE, OTHER):
        place.publish(WRITER, new)
        _end(stuck)
    yield held("a host lost in the midst of its commit: the next publication of another", [_mark(new)], place.seen(READERS[0]))


def _builds(folder: Path) -> list[Path]:
    """Two builds of the sample that differ in five tables."""
    database = built(folder / "data")
    return [variant(database, folder, mark) for mark in ("old", "new")]


def _mark(build: Path) -> str:
    return build.stem.removeprefix("crime_rates-")


def _answer(reader: subprocess.Popen[str]) -> dict[str, Any]:
    """What a reader found. Raises RuntimeError, with what it said, when it failed."""
    said = reader.communicate(timeout=PATIENCE)[0]
    if reader.returncode:
        raise RuntimeError(said)
    return dict(json.loads(said.splitlines()[-1]))


def _reach(signal: Path, process: subprocess.Popen[str]) -> Path:
    """Wait until another process has made a file; returns the one that lets it go on.

    Raises RuntimeError when it ended before, or takes too long.
    """
    end = time.monotonic() + PATIENCE
    while not signal.exists():
        if process.poll() is not None or time.monotonic() > end:
            _end(process)
            raise RuntimeError(f"{signal.name} was not reached: {process.communicate()[0]}")
        time.sleep(0.02)
    return signal.with_name(f"{signal.name}.go")


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


# ---------------------------------------------------------------- the services


@contextlib.contextmanager
def _s3(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server on the first host, with a bucket; the environment that leads to it."""
    environment = {
        "AWS_ENDPOINT_URL": f"http://{network.address(STORE)}:{S3_PORT}",
        "AWS_REGION": s3_server.REGION,
        "AWS_DEFAULT_REGION": s3_server.REGION,
        **s3_server.KEYS,
    }
    with (folder / "s3.log").open("w") as log:
        command = [sys.executable, "-m", "moto.server", "-H", network.address(STORE), "-p", str(S3_PORT)]
        server = subprocess.Popen([*network.inside(STORE), *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        made = "import boto3; boto3.client('s3').create_bucket(Bucket='lakehouse')"
        for _ in range(PATIENCE):
            done = subprocess.run(
                [*network.inside(WRITER), sys.executable, "-c", made],
                env=os.environ | environment,
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                break
            time.sleep(0.5)
        else:
            raise RuntimeError(f"the S3 server does not answer: {done.stderr}")
        yield environment
    finally:
        server.kill()
        server.wait()
