"""How the sample's counts are split over partnerships, and what its first release leaves out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.make_sample.home_office import Count, Partnership
from tools.make_sample.newspaper import PRINTED, SEVENTH, as_first_released
from tools.make_sample.shares import Split

PLACES = [Partnership(name, name, 1.0, 100_000) for name in ("Large", "Middle", "Small", "Never")]
WEIGHTS = [70.0, 25.0, 5.0, 0.0]


@given(st.lists(st.integers(-30, 300), min_size=1, max_size=8))
def test_the_parts_of_each_count_add_up_to_it(counts: list[int]) -> None:
    split = Split(PLACES, WEIGHTS)
    assert [sum(split.deal(count).values()) for count in counts] == counts


def test_shares_hold_over_the_quarters_and_not_in_each() -> None:
    split = Split(PLACES, WEIGHTS)
    quarters = [split.deal(5) for _ in range(20)]
    assert {name: sum(q[name] for q in quarters) for name in quarters[0]} == {"Large": 70, "Middle": 25, "Small": 5, "Never": 0}
    assert {q["Small"] for q in quarters} == {0, 1}


def test_a_correction_takes_back_what_was_dealt_last() -> None:
    split = Split(PLACES, WEIGHTS)
    first, _, back = split.deal(40), split.deal(7), split.deal(-7)
    assert min(back.values()) < 0 and max(back.values()) == 0
    assert split.deal(7) == {name: -n for name, n in back.items()} and sum(first.values()) == 40


def test_the_first_release_has_nobody_else_above_the_seventh() -> None:
    others = [Partnership("Stafford", "E", 1.0, 132_241), Partnership("Unassigned Staffordshire", "U", 1.0, None)]
    places = {"Staffordshire": others, "Merseyside": [Partnership(name, name, 1.0, 200_000) for name in PRINTED["Merseyside"]]}
    places["Merseyside"].append(Partnership("Unassigned Merseyside", "U", 1.0, None))
    later: dict[Count, dict[str, int]] = {}
    for quarter in (1, 2, 3):
        for force in places:
            count = Count("2015/16", quarter, force, "Stalking", "Violence", "Stalking and harassment", "8Q", 0)
            later[count] = {place.name: 10 * quarter for place in places[force]}
    first = {(count.force, count.quarter): parts for count, parts in as_first_released(later, places).items()}
    assert {quarter for _, quarter in first} == {1, 2}
    stafford = [first["Staffordshire", quarter]["Stafford"] for quarter in (1, 2)]
    assert stafford == [10, 4]  # 30 in the later one: the newest quarter loses first
    assert sum(stafford) / 132_241 < SEVENTH[0] / SEVENTH[1] <= (sum(stafford) + 1) / 132_241
    assert first["Staffordshire", 2]["Unassigned Staffordshire"] == 20 and first["Merseyside", 2]["Wirral"] == 20
    assert first["Merseyside", 2]["Unassigned Merseyside"] == 19
