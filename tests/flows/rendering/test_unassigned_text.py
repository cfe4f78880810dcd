"""What forces leave unassigned, in one sentence under a table of their partnerships."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

import pytest

from flows.rendering.unassigned_text import describe_unassigned
from sql.rows import RankedRate
from tests.support.releases import figures
from tests.support.world import World, force_of, rate

SAID = "Recorded under none of a force's partnerships, which are understated by about that much: "


def rows(**shares: float | None) -> list[RankedRate]:
    return [cast("RankedRate", {"force_name": force, "unassigned_share": share}) for force, share in shares.items()]


def test_forces_above_two_per_cent_are_named_the_largest_first() -> None:
    assert describe_unassigned(rows(Kent=0.0213, Humberside=0.1123, Surrey=0.02)) == f"{SAID}Humberside 11.2%, Kent 2.1%."


def test_a_force_is_named_once() -> None:
    assert describe_unassigned([*rows(Kent=0.05), *rows(Kent=0.05)]) == f"{SAID}Kent 5.0%."


def test_nothing_is_said_where_every_force_assigns_its_offences() -> None:
    assert describe_unassigned(rows(Kent=0.02, Surrey=0.0)) is None


def test_the_share_is_that_of_the_force_s_offences_in_the_table(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    counts = {"South Worcester": 60, "North Worcestershire": 30, "Unassigned West Mercia": 10}
    world.release(
        date(2026, 4, 23), [figures("2015/16", q, force_of(csp), count=n, csp=csp) for csp, n in counts.items() for q in (1, 2)]
    )
    with world.build() as con:
        for area in counts:
            assert rate(con, area)["unassigned_share"] == pytest.approx(0.1, abs=0.00005)
