"""What is measured: a folder of full-size workbooks, and one of population files and lookups. Stdlib alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
RELEASES, POPULATIONS = "CRIME_RATES_BENCH_RELEASES", "CRIME_RATES_BENCH_POPULATIONS"
UNDATED = "prc-csp-1112-1415-tables.ods"  # says nowhere when it was published
FULL, FORCE = "prc-csp-mar2021-*.ods", "prc-pfa-*.ods"


class NoInputs(LookupError):
    """There is nothing to measure on; says what is needed."""


@dataclass(frozen=True)
class Inputs:
    releases: Path
    populations: Path  # lookups lie there too

    @property
    def force(self) -> Path:
        """The newest force workbook. Raises NoInputs where there is none."""
        return self._newest(FORCE)

    @property
    def full(self) -> Path:
        """The newest partnership workbook: 1.65 GB of XML, 1.14 million rows. Raises NoInputs where there is none."""
        return self._newest(FULL)

    def _newest(self, pattern: str) -> Path:
        found = sorted(self.releases.glob(pattern))
        if not found:
            raise NoInputs(f"expected a workbook {pattern} in {self.releases}, found none.")
        return found[-1]


def find(releases: Path | None, populations: Path | None, made: Path) -> Inputs:
    """The folders that are named, by option or environment; else those of ../shared, its workbooks made in `made`.

    Raises NoInputs.
    """
    releases = releases or _named(RELEASES)
    populations = populations or _named(POPULATIONS) or _in_shared("data/ons")
    if releases is None:
        tool = _in_shared("tools/make_releases.py")
        subprocess.run([sys.executable, str(tool), str(made)], check=True)
        told = f"file,kind,published,covers,note\n{UNDATED},offences,2026-04-23,,\n"
        (made / "manifest.csv").write_text(told, encoding="utf-8")
        releases = made
    for folder in (releases, populations):
        if not folder.is_dir():
            raise NoInputs(f"{folder}: expected a folder, found none.")
    return Inputs(releases.resolve(), populations.resolve())


def _named(variable: str) -> Path | None:
    return Path(os.environ[variable]) if os.environ.get(variable) else None


def _in_shared(path: str) -> Path:
    found = SHARED / path
    if not found.exists():
        raise NoInputs(
            "The bench needs a folder of full-size workbooks and one of ONS files: without ../shared name them with "
            "--releases and --populations."
        )
    return found
