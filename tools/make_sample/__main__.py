"""Writes the whole sample: `python -m tools.make_sample PUBLISHED`."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.make_sample.files import SAMPLE
from tools.make_sample.population_files import write_lookups, write_populations
from tools.make_sample.releases import write_releases


def main() -> None:
    published = Path(sys.argv[1])
    for folder, write in (("releases", write_releases), ("populations", write_populations), ("lookups", write_lookups)):
        (SAMPLE / folder).mkdir(exist_ok=True)
        write(published)
        for path in sorted((SAMPLE / folder).iterdir()):
            print(f"{folder}/{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
