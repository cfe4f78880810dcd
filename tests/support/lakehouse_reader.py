"""A reader in a process of its own: `python -m tests.support.lakehouse_reader TASK …`; its last line is its answer, in JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.queries import connection
from flows.settings import lakehouse_access
from flows.storage.data_store import LocalStore
from flows.warehouse import ducklake
from tests.support.lakehouse_variants import marks
from tests.support.lakehouse_writer import hold


def until(catalog: str, stop: str) -> dict[str, Any]:
    """Read again and again until the file STOP is there, by a new connection each second time: which builds, how many torn."""
    seen: Counter[str] = Counter()
    torn = 0
    con = ducklake.connect_read_only(catalog, access=lakehouse_access())
    while not Path(stop).exists():
        if sum(seen.values()) % 2:
            con.close()
            con = ducklake.connect_read_only(catalog, access=lakehouse_access())
        con.execute("begin")
        found = marks(con)
        con.execute("commit")
        torn += len(found) != 1
        seen["+".join(sorted(found))] += 1
    return {"reads": sum(seen.values()), "torn": torn, "builds": dict(sorted(seen.items()))}


def midway(catalog: str, signal: str) -> dict[str, Any]:
    """Read in one transaction, wait at SIGNAL, and read again there and after it."""
    with ducklake.connect_read_only(catalog, access=lakehouse_access()) as con:
        con.execute("begin")
        before = marks(con)
        hold(Path(signal))
        during = marks(con)
        con.execute("commit")
        return {"before": sorted(before), "during": sorted(during), "after": sorted(marks(con))}


def by_command(data_dir: str, signal: str) -> dict[str, Any]:
    """Read as the commands do, wait at SIGNAL, and read again."""
    with connection.connect(LocalStore(Path(data_dir))) as con:
        before = marks(con)
        hold(Path(signal))
        return {"before": sorted(before), "after": sorted(marks(con))}


def now(catalog: str) -> dict[str, Any]:
    """The builds that are found now, one where the lakehouse is whole."""
    with ducklake.connect_read_only(catalog, access=lakehouse_access()) as con:
        return {"builds": sorted(marks(con))}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {task.__name__: task for task in (until, midway, by_command, now)}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
