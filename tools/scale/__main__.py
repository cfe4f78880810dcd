"""`python -m tools.scale [--only PART,PART] [--write]`: run the parts, and print what is green, what is not, and why."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tools.scale.lines import RED, Line, table

PARTS = ("matrix", "hosts", "pool", "readers", "growth")  # modules of this package, the long ones last


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description="Run the pipeline past one machine.")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, with commas: {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help="put what was measured into docs/scale.md")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"expected parts of {', '.join(PARTS)}, found {', '.join(sorted(unknown))}")
    lines: list[Line] = []
    for part in parts:
        module = importlib.import_module(f"tools.scale.{part}")
        with tempfile.TemporaryDirectory(prefix=f"scale-{part}-", ignore_cleanup_errors=True) as folder:
            for line in _lines(part, module, Path(folder), options.write):
                print(f"{part}: {line.what}: {line.state}: {line.found}", file=sys.stderr, flush=True)
                lines.append(line)
    print(table(lines))
    return 1 if any(line.state == RED for line in lines) else 0


def _lines(part: str, module: ModuleType, folder: Path, write: bool) -> Iterator[Line]:
    """Those of a part; one that breaks off is a line too, so that the others run."""
    try:
        yield from module.run(folder, write)
    except Exception as error:  # noqa: BLE001, told in the table and in the exit status
        yield Line(f"the part {part} to its end", RED, f"{type(error).__name__}: {' '.join(str(error).split())}")


if __name__ == "__main__":
    sys.exit(main())
