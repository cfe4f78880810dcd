"""What `demo` prints about the newspapers' table, on the sample."""

from __future__ import annotations

import re
from datetime import date

import duckdb
import pytest

from flows.cli import sample_demo
from flows.queries.levels import Level
from flows.queries.table_revisions import fetch_table_revisions
from flows.rendering import table_revisions_text
from flows.storage.data_store import LocalStore
from tests.support.world import World
from transforms.errors import UsageError
from transforms.periods import HalfYear

HALF_YEAR = HalfYear.parse("2015-16-H1")


def test_the_table_of_then_the_ranks_of_now_and_what_is_real(sample: World, capsys: pytest.CaptureFixture[str]) -> None:
    sample_demo.write_newspaper_table(LocalStore(sample.data))
    then, now = capsys.readouterr().out.split("What was published since 2016-02-01")
    assert re.search(r"^ +5  South Worcester +West Mercia +36 +296,505 +1\.21 ", then, re.MULTILINE)
    assert re.search(r"^ +7  North Worcestershire +West Mercia +30 +278,916 +1\.08 ", then, re.MULTILINE)
    assert "As it stood on 2016-02-01." in then and "SIMULATED" in then
    assert re.search(r"^South Worcester +5 +\d+ +36 +0 +36 +1\.21 +1\.21$", now, re.MULTILINE)
    assert "Printed by newspapers" in now and "Follows" in now and "Simulated" in now


def test_revisions_explain_the_difference_between_then_and_now(published: duckdb.DuckDBPyConnection) -> None:
    revisions = fetch_table_revisions(published, HALF_YEAR, Level.CSP, "8Q", date(2016, 2, 1), 7)
    assert all(row["offences_then"] + row["net_change"] == row["offences_now"] for row in revisions.rows)
    assert any(row["net_change"] for row in revisions.rows)
    assert {row["rank_then"] for row in revisions.rows} >= set(range(1, 8)) <= {row["rank_now"] for row in revisions.rows}
    [release] = revisions.releases
    assert release["published"] == date(2026, 4, 23)
    assert revisions.vintages == [date(2015, 6, 25), date(2021, 6, 25)]


def test_a_day_after_the_last_release_has_nothing_to_tell(published: duckdb.DuckDBPyConnection) -> None:
    revisions = fetch_table_revisions(published, HALF_YEAR, Level.CSP, "8Q", date(2026, 5, 1), 3)
    assert [row["rank_then"] for row in revisions.rows] == [row["rank_now"] for row in revisions.rows]
    assert "No count of the table was changed." in table_revisions_text.render(revisions)


def test_a_roll_up_has_no_revisions_of_its_own(published: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="expected an offence code, such as 8Q, found"):
        fetch_table_revisions(published, HALF_YEAR, Level.CSP, "total", date(2016, 2, 1), 3)
