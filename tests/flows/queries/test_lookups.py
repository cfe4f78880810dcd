"""An area is found by every name that it was ever published under."""

from __future__ import annotations

import pytest

from flows.queries.connection import connect
from flows.queries.levels import Level
from flows.queries.lookups import fetch_aliases, find_area
from flows.queries.series import fetch_series
from flows.storage.data_store import LocalStore
from tests.support.world import World

PIECE = "Northern Devon_ North Devon"
NAMES = ["Northern Devon", PIECE, "Folkestone and Hythe", "Kings Lynn and West Norfolk", "London, City of"]
ALIASES = {"North Devon": "Northern Devon", "Shepway": "Folkestone and Hythe", "City of London": "London, City of", "Gone": "X"}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("North Devon", "Northern Devon"),
        ("northern devon", "Northern Devon"),
        (PIECE, PIECE),
        ("Shepway", "Folkestone and Hythe"),
        ("King's Lynn and West Norfolk", "Kings Lynn and West Norfolk"),
        ("king\u2019s lynn", "Kings Lynn and West Norfolk"),
        ("Folkestone & Hythe", "Folkestone and Hythe"),
        ("City of London", "London, City of"),
    ],
)
def test_other_names_and_marks_find_the_area(typed: str, name: str) -> None:
    assert find_area(NAMES, typed, ALIASES) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("North Devon", "Northern Devon"),
        ("Shepway", "Folkestone and Hythe"),
        ("King's Lynn and West Norfolk", "Kings Lynn and West Norfolk"),
        ("City of London", "London, City of"),
    ],
)
def test_the_names_of_the_reference_tables_stand_in_the_database(sample: World, typed: str, name: str) -> None:
    with connect(LocalStore(sample.data)) as con:
        assert fetch_aliases(con, "csp")[typed] == name
        assert fetch_series(con, typed, "8Q", Level.CSP, None, None).area == name
