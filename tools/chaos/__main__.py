"""Runs the bench and prints what it counted: `python -m tools.chaos [--seed N] [--only kill,disk,…] [--write]`, `make chaos`.

Exit status 1 if a read was torn, a raw file lost, a published database unreadable, or a folder did not recover.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from tests.support.world import ROOT
from tools.chaos import answers, disk, kill, leftovers, readers, report, together
from tools.chaos.bench import Bench, machine, standing_prefect

TROUBLES: dict[str, Callable[[Bench], report.Outcome]] = {
    "kill": kill.run,
    "disk": disk.run,
    "http": answers.run,
    "together": together.run,
    "readers": readers.run,
    "leftovers": leftovers.run,
}
WITH_PREFECT = {"kill", "disk", "together"}
PAGE = ROOT / "docs/reliability.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description="Trouble the real pipeline, and count.")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default 1)")
    parser.add_argument("--only", default=",".join(TROUBLES), help=f"of {', '.join(TROUBLES)}; separated by commas")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder there")
    options = parser.parse_args()
    chosen = [name.strip() for name in options.only.split(",")]
    if unknown := set(chosen) - set(TROUBLES):
        parser.error(f"expected some of {', '.join(TROUBLES)}; found {', '.join(sorted(unknown))}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    started = time.monotonic()
    outcomes = []
    try:
        bench = Bench(folder / "bench", options.seed)
        say("clean runs to compare with")
        bench.make_clean()
        with standing_prefect(bench) if WITH_PREFECT & set(chosen) else nullcontext():
            for name in chosen:
                say(name)
                outcomes.append(TROUBLES[name](bench))
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(report.text(outcomes))
    facts = machine()
    command = f"python -m tools.chaos --seed {options.seed}" + (f" --only {options.only}" if chosen != list(TROUBLES) else "")
    made = (
        f"Measured on {datetime.now(UTC):%-d %B %Y} by `{command}`, in {(time.monotonic() - started) / 60:.0f} minutes, on "
        f"{facts['cores']} cores with {facts['memory']} of memory, Python {facts['python']}."
    )
    print(f"\n{made}")
    if options.write:
        report.write(PAGE, outcomes, made)
    return 1 if any(outcome.bad for outcome in outcomes) else 0


def say(what: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
