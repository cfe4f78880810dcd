"""What the pipeline is given to do: small generated releases that appear one after the other, with populations and lookups.

The folders of a state hold links to one pool of files, so that a file has one address whichever state it is taken in with:
the published database names the address, and is then the same to the byte on every way that leads to a state.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from tests.support.releases import CSP_2015, OFFENCES, PFA, cover, figures, write_ods
from tests.support.world import WORCESTERSHIRE, World

STATES = 5
KINDS = {"releases": "offences", "populations": "population", "lookups": "lookup"}  # option of the command → folder of the pool
CODES = [code for code in OFFENCES if "/" not in code]
YEARS = ("2014/15", "2015/16")
BEGINNING = 2  # the releases of the first state; each later state has one more


def make(folder: Path) -> list[Path]:
    """Write the pool and the folder of each state; returns the folders, each with releases, populations, lookups."""
    world = World(folder / "made", sources=folder / "pool")
    world.worcestershire(date(2015, 6, 25), 2013, 2014, 2015)
    shutil.rmtree(folder / "made")
    names = [write_release(folder / "pool/offences", number).name for number in range(BEGINNING + STATES - 1)]
    persons = sorted(path.name for path in (folder / "pool/population").glob("*.csv"))
    manifest = ["file,kind,published,covers,note", *(f"{name},population,2015-06-25,," for name in persons)]
    (folder / "pool/population/manifest.csv").write_text("\n".join(manifest), encoding="utf-8")
    states = []
    for number in range(STATES):
        state = folder / f"state-{number}"
        for option, kind in KINDS.items():
            (state / option).mkdir(parents=True)
            for path in sorted((folder / "pool" / kind).iterdir()):
                if kind != "offences" or path.name in names[: BEGINNING + number]:
                    (state / option / path.name).symlink_to(path)
        states.append(state)
    return states


def write_release(folder: Path, number: int, extra: int = 0) -> Path:
    """The release of a number: partnerships and forces by turns, each on a day of its own, each with other counts."""
    level = ("csp", "pfa")[number % 2]
    published = date(2016 + number // 4, 1 + 3 * (number % 4), 20 + number)
    sheets = [cover(published)]
    for year in YEARS:
        rows = [
            figures(year, quarter, "West Mercia", code=code, count=20 + number + extra + quarter + index, csp=area)
            for area in (WORCESTERSHIRE if level == "csp" else (None,))
            for quarter in (1, 2, 3, 4)
            for index, code in enumerate(CODES)
        ]
        sheets.append((year.replace("/", "_"), [CSP_2015 if level == "csp" else PFA, *rows]))
    return write_ods(folder / f"prc-{level}-mar2015-mar2016-tables-{published:%d%m%y}.ods", sheets)


def words(state: Path) -> list[str]:
    """The words of the command that takes in a state from its folders."""
    return ["update", *(word for option in KINDS for word in (f"--{option}", str(state / option)))]
