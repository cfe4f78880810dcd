"""A data folder with two releases, and a way to give commands on it as a person does."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.cli.main import main
from tests.support.releases import Cell, figures
from tests.support.world import KENT, WORCESTERSHIRE, World, force_of, persons_of

STALKING = {  # per 10,000: 2, 1.2, 1.07, 1, 0.5, 0.5, 0.4 and 0.08
    "Dover": 20,
    "South Worcester": 36,
    "North Worcestershire": 30,
    "Medway": 25,
    "Ashford": 5,
    "Canterbury": 5,
    "Thanet": 2,
    "Swale": 1,
}
FIRST, SECOND = date(2015, 6, 25), date(2016, 6, 23)
JANUARY, APRIL = date(2016, 1, 21), date(2016, 4, 21)


class Said(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World(tmp_path_factory.mktemp("cli"))
    csps = {**WORCESTERSHIRE, **KENT}
    world.lookup(2017, csps)
    world.population(FIRST, persons_of(csps))
    world.population(SECOND, persons_of(csps) | {"E07000237": 101_000})

    def rows(dover: int) -> list[list[Cell]]:
        counts = STALKING | {"Dover": dover, "Unassigned Kent": 3}
        return [
            figures("2015/16", q, force_of(csp), code, n, csp=csp)
            for csp, stalking in counts.items()
            for code, figure in (("8Q", stalking), ("46", 0), ("4.1", 0), ("5E", 1))
            for q, n in ((1, figure), (2, 0))
        ]

    world.release(JANUARY, rows(19))
    world.release(APRIL, rows(20))
    world.build().close()
    return world.data


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on that data folder as the console script does."""

    def run(*words: str, folder: Path = data) -> Said:
        monkeypatch.setattr(sys, "argv", ["crime-rates", *words, "--data-dir", str(folder)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return Said(code, *capsys.readouterr())

    return run


def ranks(text: str) -> list[tuple[str, str]]:
    """(rank, area) of the printed lines."""
    return re.findall(r"^ *(\d+=?)  (.+?)  ", text, re.MULTILINE)
