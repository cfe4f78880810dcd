"""What dead processes leave behind: .wal files, half-written .part files and folders, a lock with a dead process's number.

Each is laid into a good data folder where a new release has just appeared. The run must complete, be right, and sweep up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from flows.warehouse.published import LINK
from tools.chaos import auditor
from tools.chaos.bench import Bench
from tools.chaos.kill import audit
from tools.chaos.report import Outcome, counted

WRITER = """
import os, sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1GB'")
con.execute("drop view ranked_rates")
con.execute("create table ranked_rates as select 1 as offences, 1 as rank")
con.execute("create table stray (a int)")
os.kill(os.getpid(), 9)
"""


def dead_pid() -> int:
    """The number of a process that was."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def wal_of(database: Path) -> bytes:
    """The .wal that a writer leaves who is killed in the middle of its work on a copy of a database."""
    copy = database.with_name("copy-for-a-writer.duckdb")
    shutil.copyfile(database, copy)
    subprocess.run([sys.executable, "-c", WRITER, str(copy)], check=False)
    wal = copy.with_name(f"{copy.name}.wal")
    body = wal.read_bytes()
    copy.unlink()
    wal.unlink()
    return body


def _file(path: Path, body: bytes = b"half of what it was to be") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def wal_beside_link(data: Path, _: Path) -> None:
    link = data / "warehouse" / LINK
    _file(link.with_name(f"{LINK}.wal"), wal_of(link.resolve()))


def wal_beside_build(data: Path, _: Path) -> None:
    build = (data / "warehouse" / LINK).resolve()
    _file(build.with_name(f"{build.name}.wal"), wal_of(build))


def wal_beside_next(data: Path, clean: Path) -> None:
    """Beside a build that does not exist yet: what a writer left who had opened it when it was there."""
    build = (clean / "warehouse" / LINK).resolve()
    _file(data / "warehouse" / f"{build.name}.wal", wal_of((data / "warehouse" / LINK).resolve()))


def garbage_wal(data: Path, _: Path) -> None:
    _file(data / "warehouse" / f"{LINK}.wal", b"no write-ahead log at all")


def parts(data: Path, _: Path) -> None:
    pid = dead_pid()
    for path in (
        f"warehouse/.build.{pid}.part/work.duckdb",
        f"warehouse/.build.{pid}.part/ordered/main.areas.parquet",
        f"raw/offences/.0123456789abcdef.{pid}.part/prc-csp.ods",
        f"raw/.addresses.json.{pid}.part",
        f"lake/offences/.prc-csp@01234567.1.{pid}.part/2014-15.parquet",
        f"lake/populations/x@01234567.1/.record.json.{pid}.part",
        "tables/2014-15-H1/.csp.csv.part",
        f"runs/.2026-01-01T000000Z-{pid}.json.{pid}.part",
        f"tables/.build.{pid}.part",
    ):
        _file(data / path)
    (data / "warehouse" / f".{LINK}.{pid}.part").symlink_to("crime_rates-000000000000.duckdb")


def lock(data: Path, _: Path) -> None:
    (data / ".run.lock").write_text(str(dead_pid()), encoding="utf-8")


def lock_of_the_living(data: Path, _: Path) -> None:
    """The number has been given to somebody else since."""
    (data / ".run.lock").write_text(str(os.getpid()), encoding="utf-8")


def incoming(data: Path, _: Path) -> None:
    name = "prc-csp-mar2015-mar2016-tables-220716.ods.part"
    _file(data / "raw/.incoming" / name)
    _file(data / "raw/.incoming" / f"{name}.json", b'{"url": "http://elsew')


def dangling_link(data: Path, _: Path) -> None:
    (data / "warehouse" / LINK).resolve().unlink()


def no_link(data: Path, _: Path) -> None:
    (data / "warehouse" / LINK).unlink()


def half_built(data: Path, clean: Path) -> None:
    """The new build stands there finished, under its name, and was not published."""
    build = (clean / "warehouse" / LINK).resolve()
    shutil.copyfile(build, data / "warehouse" / build.name)


def everything(data: Path, clean: Path) -> None:
    for lay in (parts, lock, incoming, wal_beside_next):
        lay(data, clean)


THINGS: dict[str, Callable[[Path, Path], None]] = {
    ".wal beside the published name": wal_beside_link,
    ".wal beside the published build": wal_beside_build,
    ".wal beside the name of the next build": wal_beside_next,
    ".wal of garbage beside the published name": garbage_wal,
    ".part files and folders": parts,
    "lock of a dead process": lock,
    "lock with a number that another process has now": lock_of_the_living,
    "parts in .incoming": incoming,
    "link to a build that is gone": dangling_link,
    "no link": no_link,
    "the next build finished, not published": half_built,
    "all at once": everything,
}
ABSENT = {"link to a build that is gone", "no link"}  # nothing can be read before the run


def run(bench: Bench, only: Sequence[str] | None = None) -> Outcome:
    outcome = Outcome("leftovers")
    ends = Counter[str]()
    for name, lay in THINGS.items():
        if only is not None and name not in only:
            continue
        data = bench.copy_of(0)
        before = auditor.whole(data)
        lay(data, bench.clean[1].data)
        if name not in ABSENT and (wrong := auditor.published(data, {before.published}, True)):
            outcome.notes.append(f"{name}: until the next run, {wrong}")
        needed, why = bench.recover(data, 1)
        ends["right after one run" if needed == 1 else "not right after one run"] += 1
        outcome.recovery(needed, why, name)
        audit(outcome, data, before, {bench.clean[1].published}, name)
        if left := sorted(path.name for path in (data / "raw/.incoming").glob("*")):
            outcome.notes.append(f"{name}: still in raw/.incoming: {', '.join(left)}")
        shutil.rmtree(data)
    outcome.rounds = ends.total()
    outcome.happened = counted(ends)
    return outcome
