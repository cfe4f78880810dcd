"""What `python -m tools.scale` rests on: its table, its rows, and that a part which breaks off is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.support.world import ROOT
from tools.scale import growth, readers, street
from tools.scale.__main__ import PARTS
from tools.scale.lines import GREEN, RED, Line, held, table


def test_a_line_is_green_where_what_was_wanted_was_found() -> None:
    assert held("two", 2, 2) == Line("two", GREEN, "2")
    assert held("two", 2, 3) == Line("two", RED, "expected 2, found 3")
    assert table([Line("two", RED, "3")]).splitlines() == ["| what |     | found |", "|------|-----|---|", "| two  | RED | 3 |"]


def test_a_part_that_breaks_off_is_red_and_the_next_one_runs(tmp_path: Path) -> None:
    environment = os.environ | {readers.DATABASE: str(tmp_path / "none.duckdb"), growth.ROWS: "99000000000000"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.scale", "--only", "readers,growth"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 1
    assert "the part readers to its end" in done.stdout and RED in done.stdout
    assert "99,000,000,000,000 street-level records" in done.stdout and "GB of disk are needed" in done.stdout


def test_a_part_that_does_not_exist_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.scale", "--only", "pools"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and f"expected parts of {', '.join(PARTS)}, found pools" in done.stderr


def test_records_are_the_same_each_time_and_counted_alike_from_either_place(tmp_path: Path) -> None:
    rows, scratch = street.A_MONTH, str(tmp_path)
    parquet, again, file = (str(tmp_path / name) for name in ("parquet", "again", "street.duckdb"))
    assert street.generate(parquet, str(rows))["files"] == 44
    street.generate(again, str(rows))
    street.write_file(parquet, file, "500MB", scratch)
    found = [street.counts(place, "500MB", scratch) for place in (parquet, file)]
    assert [one["sum"] for one in found] == [rows, rows] and found[0]["rows"] == found[1]["rows"]
    assert street.ranked(parquet, "500MB", scratch)["first"] == street.ranked(file, "500MB", scratch)["first"]
    sums = [duckdb.sql(f"select bit_xor(hash(columns(*))) from '{place}/*/*/*.parquet'").fetchall() for place in (parquet, again)]
    assert sums[0] == sums[1]
    # one draw does not decide another: the areas of each type are nearly all areas
    [[fewest]] = duckdb.sql(
        f"select min(n) from (select count(distinct lsoa_code) as n from '{parquet}/*/*/*.parquet' group by crime_type)"
    ).fetchall()
    assert fewest > 5_000


@pytest.mark.parametrize("marks", [(growth.BEGIN, growth.END), (readers.BEGIN, readers.END)])
def test_the_page_has_places_for_what_is_measured(marks: tuple[str, str]) -> None:
    page = growth.PAGE.read_text(encoding="utf-8")
    assert [page.count(mark) for mark in marks] == [1, 1]
