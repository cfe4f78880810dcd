"""A writer in a process of its own: `python -m tests.lakehouse.writing CATALOG DATA BUILD [SIGNAL]`.

When all is written and nothing is committed it makes the file SIGNAL, and goes on when SIGNAL.go is there.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from flows import lakehouse_publishing
from flows.lakehouse import LakehouseError

WAIT = 0.02  # seconds between looks at the signal


def hold(signal: Path) -> None:
    """Say that the moment is there, and wait for leave to go on."""
    signal.touch()
    while not signal.with_name(f"{signal.name}.go").exists():
        time.sleep(WAIT)


def main(catalog: str, data: str, build: str, signal: str = "") -> None:
    """Publish; the exit status is 0 if it was done, and the sentence of a refusal is printed."""
    if signal:
        replace = lakehouse_publishing._replace

        def held(*words: object) -> None:
            replace(*words)  # type: ignore[arg-type]
            hold(Path(signal))

        lakehouse_publishing._replace = held
    try:
        print(f"published {lakehouse_publishing.publish(Path(build), catalog, data, keep=3)}")
    except LakehouseError as error:
        print(f"{type(error).__name__}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
