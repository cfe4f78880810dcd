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
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows import lakehouse
from tests.lakehouse import postgres
from tests.lakehouse.variants import marks, variant
from tests.scale import network
from tests.scale.lines import SKIPPED, Line, held
from tests.scale.sample import built
from tests.world import ROOT

STORE, WRITER, OTHER, *READERS = HOSTS = range(1, 6)
ROUNDS, KILLS = 12, 5
PATIENCE = 120  # seconds
AWAY = 4  # seconds that a link is down before it comes back
SOON = ("connect_timeout=5 tcp_user_timeout=4000 options='-c lock_timeout=60s -c tcp_user_timeout=4s "
        "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2'")  # by default it is half a minute
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
        return subprocess.Popen([*network.inside(host), sys.executable, *words], env=env, cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def writer(self, host: int, build: Path, *signal: Path) -> subprocess.Popen[str]:
        return self.start(host, "-m", "tests.lakehouse.writing", self.catalog, self.data, str(build), *map(str, signal))

    def publish(self, host: int, build: Path) -> str:
        """Publish, and what the writer said. Raises RuntimeError when it could not."""
        process = self.writer(host, build)
        said = process.communicate(timeout=PATIENCE)[0]
        if process.returncode:
            raise RuntimeError(said)
        return said

    def seen(self, host: int) -> list[str]:
        """The marks that a reader on a host finds now."""
        process = self.start(host, "-m", "tests.scale.hosts", "look", self.catalog)
        return list(json.loads(process.communicate(timeout=PATIENCE)[0].splitlines()[-1]))


def _alternate(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """Readers never stop while builds alternate."""
    stop = place.folder / "stop"
    readers = [place.start(host, "-m", "tests.scale.hosts", "read", place.catalog, str(stop)) for host in READERS]
    for number in range(ROUNDS):
        place.publish(WRITER, builds[(number + 1) % len(builds)])
    stop.touch()
    said = [reader.communicate(timeout=PATIENCE)[0].splitlines() for reader in readers]
    reads = [json.loads(line) for lines in said for line in lines]
    found = Counter(len(read) for read in reads)
    yield held(f"{len(reads)} reads by {len(readers)} readers on hosts of their own during {ROUNDS} publications: "
               "of two builds at once", 0, len(reads) - found[1])
    yield held("both builds were read", len(builds), len({read[0] for read in reads if len(read) == 1}))


def _one_snapshot(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    signal = place.folder / "reading"
    before = place.seen(READERS[0])
    reader = place.start(READERS[0], "-m", "tests.scale.hosts", "keep", place.catalog, str(signal))
    _reach(signal, reader)
    new = next(build for build in builds if _mark(build) not in before)
    place.publish(WRITER, new)
    signal.with_name(f"{signal.name}.go").touch()
    kept = [json.loads(line) for line in reader.communicate(timeout=PATIENCE)[0].splitlines()]
    yield held("a reader in the midst of a transaction keeps its build, and sees the new one after it",
               [before, [_mark(new)]], kept)


def _killed(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """Killed when all is written and nothing committed, which is the worst moment, and at others."""
    before, outcomes = place.seen(READERS[0]), []
    new = next(build for build in builds if _mark(build) not in before)
    for number in range(KILLS):
        signal = place.folder / f"killed-{number}"
        writer = place.writer(WRITER, new, signal)
        if number == 0:
            _reach(signal, writer)
        else:
            time.sleep(0.4 * number)
        _end(writer)
        outcomes.append(place.seen(READERS[1]))
    yield held(f"a writer killed at {KILLS} moments: readers see the old build whole", [before] * KILLS, outcomes)
    place.publish(WRITER, new)
    yield held("the next publication after them", [_mark(new)], place.seen(READERS[1]))


def _conflict(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """Two writers on two hosts, both ready to commit."""
    before = place.seen(READERS[0])
    ways = [(WRITER, "a"), (OTHER, "b")]
    new = [variant(builds[0], place.folder, mark) for _, mark in ways]
    signals = [place.folder / f"ready-{mark}" for _, mark in ways]
    writers = [place.writer(host, build, signal) for (host, _), build, signal in zip(ways, new, signals, strict=True)]
    for writer, signal in zip(writers, signals, strict=True):
        _reach(signal, writer)
    for signal in signals:
        signal.with_name(f"{signal.name}.go").touch()
    said = [writer.communicate(timeout=PATIENCE)[0] for writer in writers]
    yield held("of two writers on two hosts one wins, the other is told in one sentence",
               [0, 1], sorted(writer.returncode for writer in writers))
    loser = next(number for number, writer in enumerate(writers) if writer.returncode)
    yield held("the loser's sentence", (1, True), (said[loser].count("\n"), said[loser].startswith("Conflict: ")))
    seen = place.seen(READERS[0])
    yield held("readers see the winner's build whole", [ways[1 - loser][1]], seen)
    assert seen != before


def _link_down(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """The writer's link goes when all is written and nothing is committed: once for a while, once for good."""
    before = place.seen(READERS[0])
    signal = place.folder / "cut-for-a-while"
    writer = place.writer(WRITER, builds[0], signal)
    _reach(signal, writer)
    with network.cut(STORE, WRITER):
        signal.with_name(f"{signal.name}.go").touch()
        time.sleep(AWAY)
        yield held("while the writer's link is down readers see the old build whole", before, place.seen(READERS[0]))
    said = writer.communicate(timeout=PATIENCE)[0]
    wanted = [_mark(builds[0])] if writer.returncode == 0 else before
    yield held(f"a link that comes back after {AWAY} s and more: the writer says whether it published", (True, wanted),
               (said.count("\n") == 1, place.seen(READERS[0])))
    before = place.seen(READERS[0])
    signal = place.folder / "cut-for-good"
    writer = place.writer(WRITER, builds[1], signal)
    _reach(signal, writer)
    with network.cut(STORE, WRITER):
        signal.with_name(f"{signal.name}.go").touch()
        said = writer.communicate(timeout=PATIENCE)[0]
    yield held("a link that stays down: the writer ends in one sentence", (1, 1), (writer.returncode, said.count("\n")))
    yield held("and readers see the old build whole", before, place.seen(READERS[0]))
    place.publish(WRITER, builds[1])
    yield held("the next publication after it", [_mark(builds[1])], place.seen(READERS[0]))


def _lost_midway(place: Place, builds: Sequence[Path]) -> Iterator[Line]:
    """A host goes in the midst of its commit, while PostgreSQL holds a lock for it that every other writer needs."""
    before, signal = place.seen(READERS[0]), place.folder / "stuck"
    new = next(build for build in builds if _mark(build) not in before)
    stuck = place.start(OTHER, "-m", "tests.lakehouse.stopping", place.catalog, str(signal))
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


def _reach(signal: Path, process: subprocess.Popen[str]) -> None:
    """Wait until another process has made a file. Raises RuntimeError when it ended before, or takes too long."""
    end = time.monotonic() + PATIENCE
    while not signal.exists():
        if process.poll() is not None or time.monotonic() > end:
            _end(process)
            raise RuntimeError(f"{signal.name} was not reached: {process.communicate()[0]}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


# ---------------------------------------------------------------- the services


@contextlib.contextmanager
def _s3(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server on the first host, with a bucket; the environment that leads to it."""
    environment = {"AWS_ENDPOINT_URL": f"http://{network.address(STORE)}:{S3_PORT}", "AWS_ACCESS_KEY_ID": "key",
                   "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    with (folder / "s3.log").open("w") as log:
        command = [sys.executable, "-m", "moto.server", "-H", network.address(STORE), "-p", str(S3_PORT)]
        server = subprocess.Popen([*network.inside(STORE), *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        made = "import boto3; boto3.client('s3').create_bucket(Bucket='lakehouse')"
        for _ in range(PATIENCE):
            done = subprocess.run([*network.inside(WRITER), sys.executable, "-c", made], env=os.environ | environment,
                                  capture_output=True, text=True)
            if done.returncode == 0:
                break
            time.sleep(0.5)
        else:
            raise RuntimeError(f"the S3 server does not answer: {done.stderr}")
        yield environment
    finally:
        server.kill()
        server.wait()


# ---------------------------------------------------------------- what runs on the hosts of readers


def look(catalog: str) -> None:
    """Print the marks that are found now."""
    with lakehouse.reader(catalog) as con:
        print(json.dumps(sorted(marks(con))))


def read(catalog: str, stop: str) -> None:
    """Read again and again, each time in a transaction, now and then on a new connection."""
    while not Path(stop).exists():
        with lakehouse.reader(catalog) as con:
            for _ in range(10):
                con.execute("begin")
                print(json.dumps(sorted(marks(con))), flush=True)
                con.execute("commit")


def keep(catalog: str, signal: str) -> None:
    """Begin, wait for somebody's publication, read; then read outside of the transaction."""
    with lakehouse.reader(catalog) as con:
        con.execute("begin")
        marks(con, ["half_years"])
        Path(signal).touch()
        while not Path(f"{signal}.go").exists():
            time.sleep(0.02)
        print(json.dumps(sorted(marks(con))))
        con.execute("commit")
        print(json.dumps(sorted(marks(con))))


if __name__ == "__main__":
    {"look": look, "read": read, "keep": keep}[sys.argv[1]](*sys.argv[2:])
