"""How an explanation is asked for, read, and worked out again."""

from __future__ import annotations

import re
from math import isclose, sqrt
from pathlib import Path

from flows.queries import connection, derivation
from flows.queries.levels import Level
from flows.rendering import explanation_text
from flows.storage.data_store import DataStore, LocalStore
from tests.support.world import World
from transforms.periods import HalfYear

STATED = re.compile(r"([\d.,]+ .*[×÷].*) = ([\d.,]+)$")


def say(data: Path, area: str, offence: str = "8Q", level: str = "csp", half_year: str = "2015-16-H1") -> str:
    """What `crime-rates explain` prints of a figure."""
    return say_of(LocalStore(data), area, offence, level, half_year)


def say_of(store: DataStore, area: str, offence: str = "8Q", level: str = "csp", half_year: str = "2015-16-H1") -> str:
    """The same, of any data store."""
    with connection.connect(store) as con:
        explanation = derivation.explain_figure(con, store, HalfYear.parse(half_year), Level(level), offence, area)
    return explanation_text.render(explanation)


def flat(text: str) -> str:
    """The text in one line, so that what was wrapped can be found."""
    return " ".join(text.split())


def under(text: str, heading: str) -> list[str]:
    """The lines from the one that begins with a heading to the next blank one."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(heading))
    return lines[first : next((i for i in range(first, len(lines)) if not lines[i]), len(lines))]


def statements(text: str) -> list[tuple[float, str]]:
    """Each line `… = result` worked out, beside the result that it prints."""
    found = []
    for line in text.splitlines():
        if stated := STATED.search(line):
            sum_ = stated[1].replace(",", "").replace("÷", "/").replace("×", "*").replace("−", "-").replace("³", "**3")
            sum_ = re.sub(r"√(\d+)", r"sqrt(\1)", sum_)
            assert re.fullmatch(r"(sqrt|[\d.\s()+*/-])+", sum_), line
            found.append((float(eval(sum_, {"sqrt": sqrt})), stated[2].replace(",", "")))
    return found


def check_arithmetic(text: str) -> int:
    """Every printed sum comes out as printed, to a unit of its last place; how many there are."""
    found = statements(text)
    for value, printed in found:
        places = len(printed.partition(".")[2])
        assert isclose(value, float(printed), rel_tol=2e-5, abs_tol=0.51 * 10**-places), text
    return len(found)


def built(world: World, area: str, offence: str = "8Q", half_year: str = "2015-16-H1", level: str = "csp") -> str:
    world.build().close()
    return say(world.data, area, offence, level, half_year)
