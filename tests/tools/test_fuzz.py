"""A hostile file is read right or refused in one sentence; it ends no process, hangs nothing, and takes bounded memory."""

from __future__ import annotations

import warnings

import pytest

from tools.fuzz.base import FORMATS, KINDS, write
from tools.fuzz.corpus import EITHER, READ, Case, cases
from tools.fuzz.harness import Outcome, mutants, outcomes, take_in, wrong_with

CASES = list(cases())
MOST_MEMORY = 1200  # MB, of a corpus that asks for terabytes


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Outcome]:
    """What the files are read as that nobody has touched."""
    found = {}
    for kind in KINDS:
        for format in FORMATS:
            folder = tmp_path_factory.mktemp("right")
            found[kind, format] = take_in(write(folder, kind, format), kind, folder / "data")
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    """What came of each case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zipfile, about a name that comes twice
        return dict(outcomes((case.title, case.make) for case in CASES))


def test_the_right_files_are_read_alike_in_every_format(right: dict[tuple[str, str], Outcome]) -> None:
    for kind in KINDS:
        rows = [right[kind, format].rows for format in FORMATS]
        assert rows[0] and all(other == rows[0] for other in rows), kind


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_what_was_thought_of(case: Case, found: dict[str, Outcome], right: dict[tuple[str, str], Outcome]) -> None:
    outcome = found[case.title]
    assert outcome.fault is None
    assert case.outcome in (EITHER, outcome.state), outcome
    if case.outcome == READ:
        assert outcome.rows == right[case.kind, case.format].rows
    assert outcome.megabytes < MOST_MEMORY


@pytest.mark.parametrize(("formats", "count"), [(("ods",), 90), (("csv",), 150), (("xlsx", "xls"), 36)])
def test_what_chance_thought_of(formats: tuple[str, ...], count: int) -> None:
    came_of = list(outcomes(mutants(range(count), formats)))  # make fuzz tries many more
    assert [f"{made}: {outcome.fault}" for made, outcome in came_of if outcome.fault] == []
    assert {outcome.state for _, outcome in came_of} == {"read", "refused"}  # neither alone would show much


@pytest.mark.parametrize(
    "bad",
    [
        "a.ods: expected a, found b.\n",
        "expected nothing",
        "a: expected b, found <a object at 0x7f>.",
        "a: expected b, found KeyError.",
        f"a: expected b, found {'d' * 600}.",
        "a: expected \x1b.",
    ],
)
def test_what_is_no_sentence_would_be_seen(bad: str) -> None:
    assert wrong_with(bad) is not None and wrong_with("a.ods: expected b, found c.") is None
