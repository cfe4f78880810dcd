"""A short version of each trouble of the bench (`make chaos` has the long one), on the real flows, without Prefect's server."""

from __future__ import annotations

import pytest

from tools.chaos import answers, disk, kill, leftovers, readers, together
from tools.chaos.bench import Bench
from tools.chaos.report import Outcome


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    bench = Bench(tmp_path_factory.mktemp("chaos"), seed=7)
    bench.make_clean(2)
    return bench


def assert_stands(outcome: Outcome) -> None:
    """Nothing torn, lost or unreadable, and one run mends it."""
    assert (outcome.torn, outcome.lost, outcome.unreadable, outcome.never) == (0, [], [], [])
    assert set(outcome.recovered) <= {1}


def test_a_killed_run_costs_one_more_run_and_nothing_else(bench: Bench) -> None:
    outcome = kill.run(bench, ["publication", "clock"], lanes=1)
    assert outcome.rounds == 2
    assert outcome.errors == []
    assert_stands(outcome)


def test_a_full_disk_leaves_what_was_published(bench: Bench) -> None:
    outcome = disk.run(bench, [("a release has appeared", "pages", 150)])
    assert outcome.rounds == 1
    assert_stands(outcome)


def test_a_rest_of_another_version_is_not_stored_as_good(bench: Bench) -> None:
    outcome = answers.run(bench, ["Range answered from another version, with the old ETag"])
    assert outcome.rounds == 1
    assert outcome.errors == []
    assert_stands(outcome)


def test_two_updates_and_a_backfill_at_once_leave_one_whole_state(bench: Bench) -> None:
    outcome = together.run(bench, rounds=1, real=False)
    assert_stands(outcome)


def test_readers_see_whole_builds_through_publications(bench: Bench) -> None:
    outcome = readers.run(bench, publications=12, readers=3)
    assert outcome.reads > 0
    assert outcome.errors == []
    assert_stands(outcome)


def test_a_stray_log_and_half_written_files_are_swept(bench: Bench) -> None:
    outcome = leftovers.run(bench, ["all at once"])
    assert outcome.rounds == 1
    assert_stands(outcome)
