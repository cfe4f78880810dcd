"""`python -m tools.fuzz [--count 5000] [--start 0] [--formats ods,csv]`: damage workbooks by the thousand, and count.

Exit status 1 if a file ended the process, was read wrong, or took more time or memory than allowed; each is listed.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import time
from collections import Counter

from tools.fuzz.base import FORMATS
from tools.fuzz.harness import mutants, outcomes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description="Damage workbooks, and read them.")
    parser.add_argument("--count", type=int, default=5000, help="how many files")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--formats", default=",".join(FORMATS), help=f"of {', '.join(FORMATS)}; separated by commas")
    options = parser.parse_args()
    started, formats = time.perf_counter(), tuple(options.formats.split(","))
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    faults, slowest, largest = [], (0.0, ""), (0, "")
    for made, outcome in outcomes(mutants(range(options.start, options.start + options.count), formats)):
        states[f"{outcome.name.rpartition('.')[2]} {outcome.state}"] += 1
        if outcome.state == "refused":
            reasons[re.sub(r"\d[\d,]*", "n", outcome.said.split(": expected ", 1)[-1])[:60]] += 1
        if outcome.fault:
            faults.append(f"{made}: {outcome.fault}")
            print(faults[-1], flush=True)
        slowest, largest = max(slowest, (outcome.seconds, made)), max(largest, (outcome.megabytes, made))
    print(
        f"{options.count:,} files in {time.perf_counter() - started:.0f} s: "
        + ", ".join(f"{n:,} {state}" for state, n in sorted(states.items()))
    )
    for reason, n in reasons.most_common(25):
        print(f"{n:7,}  expected {reason}")
    print(
        f"slowest: {slowest[0]:.1f} s, {slowest[1]}; most memory: {largest[0]:,} MB, {largest[1]}; "
        f"in readers of their own at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024:,} MB"
    )
    print(f"{len(faults)} faults" + (", listed above" if faults else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
