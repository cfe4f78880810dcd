"""`python -m tools.bi_compat [words of clients …]`: all clients, or those whose name has one of the words.

Exits 1 if a client that was run did not read what DuckDB reads, or never saw the new build. Only a run of all clients is
written into docs/clients.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flows.common.package_data import ROOT
from tools.bi_compat import page
from tools.bi_compat.bench import TOO_OLD, run_all
from tools.bi_compat.builds import two_builds


def main(words: list[str]) -> int:
    folder = Path(os.environ.get("CRIME_RATES_BI_DIR", ROOT / ".bi")).absolute()
    print("building two databases from data/sample …", file=sys.stderr, flush=True)
    builds = two_builds(folder / "builds")
    results = []
    for result in run_all(folder, builds, lambda client: not words or any(w.lower() in client.lower() for w in words)):
        print(page.text(result), flush=True)
        results.append(result)
    tried = [r for r in results if not r.not_tried]
    failed = [r.client for r in tried if r.works == (r.client in TOO_OLD)]
    print(
        f"\n{len(tried)} clients run, {len(results) - len(tried)} not tried, {len(failed)} not as expected"
        + (f": {', '.join(failed)}" if failed else "")
        + "."
    )
    if not words:
        page.write(results, "make bi")
        print(f"Written into {page.PAGE.relative_to(ROOT)}.")
    return 1 if failed or not tried else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
