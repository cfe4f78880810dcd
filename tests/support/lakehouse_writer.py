"""A writer in a process of its own: `python -m tests.support.lakehouse_writer CATALOG DATA BUILD [SIGNAL [MOMENT]]`.

At a moment (when all is written and nothing is committed) it makes the file SIGNAL, and goes on when SIGNAL.go is there.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from flows.settings import lakehouse_access
from flows.warehouse import ducklake_publish
from flows.warehouse.ducklake import LakehouseError

WAIT = 0.02  # seconds between looks at the signal
MOMENTS = {  # → the function that it is before or after
    "begun": ("_replace", "before"),
    "written": ("_replace", "after"),
    "committed": ("_expire_snapshots", "before"),
}


def hold(signal: Path) -> None:
    """Say that the moment is there, and wait for leave to go on."""
    signal.touch()
    while not signal.with_name(f"{signal.name}.go").exists():
        time.sleep(WAIT)


def hold_at(moment: str, signal: Path) -> None:
    """Let publications wait at a moment."""
    name, when = MOMENTS[moment]
    do = getattr(ducklake_publish, name)

    def holding(*words: object) -> None:
        if when == "before":
            hold(signal)
        do(*words)
        if when == "after":
            hold(signal)

    setattr(ducklake_publish, name, holding)


def main(catalog: str, data: str, build: str, signal: str = "", moment: str = "written") -> None:
    """Publish; the exit status is 0 if it was done, and the sentence of a refusal is printed."""
    if signal:
        hold_at(moment, Path(signal))
    try:
        print(f"published {ducklake_publish.publish(Path(build), catalog, data, 3, lakehouse_access())}")
    except LakehouseError as error:
        print(f"{type(error).__name__}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
