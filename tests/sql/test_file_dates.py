"""Which file counts when names and dates are corrected, and what a file without a date is worth."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.queries.connection import connect
from flows.queries.levels import Level
from flows.queries.ranked_table import TableBasis, fetch_ranked_table
from flows.queries.status import fetch_quarter_sources, fetch_releases
from flows.rendering.status_text import render_releases
from flows.storage.data_store import LocalStore
from tests.support.releases import CSP_2015, figures, write_ods
from tests.support.world import WORCESTERSHIRE, World, force_of, persons_of, rate, rows_of
from transforms.periods import HalfYear

APRIL_2025, APRIL_2026 = date(2025, 4, 23), date(2026, 4, 23)


def book(path: Path, *counts: int, year: str = "2015/16") -> Path:
    """A partnership table of stalking in South Worcester, quarter after quarter; nothing in it tells a date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [figures(year, q, force_of("South Worcester"), count=n, csp="South Worcester") for q, n in enumerate(counts, start=1)]
    return write_ods(path, [(year.replace("/", "_"), [CSP_2015, *rows])])


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.worcestershire()
    return world


def releases(con: duckdb.DuckDBPyConnection) -> list[tuple[str, date, str]]:
    found = rows_of(con, "select file_name, published, published_source from releases order by all")
    return [(row["file_name"], row["published"], row["published_source"]) for row in found]


def warnings(world: World, name: str) -> str:
    _, checks = world.make()
    return next(check.examples for check in checks if check.name == name)


# ---------------------------------------------------------------- the same bytes under another name
def test_a_corrected_file_name_corrects_the_date(tmp_path: Path, world: World) -> None:
    wrong = book(tmp_path / "a" / "prc-csp-tables-230425.ods", 18, 18)
    right = tmp_path / "b" / "prc-csp-tables-230426.ods"
    right.parent.mkdir()
    shutil.copy(wrong, right)
    for seen, path in (("2026-05-01T09:00:00Z", wrong), ("2026-05-02T09:00:00Z", right)):
        world.seen = seen
        world.take_release(path)
    with world.build() as con:
        assert releases(con) == [("prc-csp-tables-230426.ods", APRIL_2026, "file name")]
        assert rate(con, "South Worcester")["offences"] == 36
    world.take_release(wrong)  # the old folder is still there, and is read again
    with world.build() as con:
        assert releases(con) == [("prc-csp-tables-230426.ods", APRIL_2026, "file name")]


def test_a_copy_whose_name_tells_no_date_takes_none_away(tmp_path: Path, world: World) -> None:
    dated = book(tmp_path / "prc-csp-tables-230426.ods", 18, 18)
    copy = tmp_path / "prc-csp-copy.ods"
    shutil.copy(dated, copy)
    for seen, path in (("2026-05-01T09:00:00Z", dated), ("2026-05-02T09:00:00Z", copy)):
        world.seen = seen
        world.take_release(path)
    with world.build() as con:
        assert releases(con) == [("prc-csp-tables-230426.ods", APRIL_2026, "file name")]


# ---------------------------------------------------------------- files without a date
def test_a_release_without_a_date_never_outranks_a_dated_one(tmp_path: Path, world: World) -> None:
    world.take_release(book(tmp_path / "prc-csp-tables-230425.ods", 18, 18))
    world.seen = "2026-11-26T01:00:00Z"
    world.take_release(book(tmp_path / "prc-csp-1112-1415-tables.ods", 1, 2, 3, 4))
    with world.build() as con:
        assert rate(con, "South Worcester")["offences"] == 36
        assert rate(con, "South Worcester", half_year="2015/16 H2")["offences"] == 7  # nothing dated covers it
    assert warnings(world, "undated_files_stand_back") == (
        "prc-csp-1112-1415-tables.ods tells no date, only that it was fetched on 2026-11-26; "
        "quarters taken from prc-csp-tables-230425.ods instead: 2"
    )


def test_estimates_without_a_date_never_outrank_dated_ones(tmp_path: Path, world: World) -> None:
    world.take_release(book(tmp_path / "prc-csp-tables-230425.ods", 18, 18))
    path = tmp_path / "persons_mid2014.csv"
    councils = {code: persons + 1000 for code, persons in persons_of(WORCESTERSHIRE).items()}
    path.write_text("code,name,population\n" + "".join(f"{code},{code},{n}\n" for code, n in councils.items()))
    world.store_population(path)
    with world.build() as con:
        row = rate(con, "South Worcester")
        assert (row["population"], row["population_vintage"]) == (300_000, date(2015, 6, 25))
    assert "years taken from persons_mid2014_2015-06-25.csv instead: 1" in warnings(world, "undated_files_stand_back")


# ---------------------------------------------------------------- which releases a half-year draws on
def test_every_release_that_a_half_year_draws_on_is_listed(tmp_path: Path, world: World) -> None:
    both = world.take_release(book(tmp_path / "prc-csp-tables-230425.ods", 18, 18))
    first = world.take_release(book(tmp_path / "prc-csp-tables-230426.ods", 20))
    world.build().close()
    store = LocalStore(world.data)
    said = render_releases(fetch_releases(store), fetch_quarter_sources(store))
    assert said.splitlines()[-1] == (
        f"2015/16 H1 (csp) draws on {first.release_id} (quarter 1) and {both.release_id} (quarter 2)"
    )
    with connect(store) as con:
        table = fetch_ranked_table(con, HalfYear.parse("2015-16-H1"), Level.CSP, "8Q", TableBasis())
        assert [release["release_id"] for release in table.releases] == [both.release_id, first.release_id]
        before = fetch_ranked_table(con, HalfYear.parse("2015-16-H1"), Level.CSP, "8Q", TableBasis(as_of=date(2025, 5, 1)))
        assert [release["release_id"] for release in before.releases] == [both.release_id]
