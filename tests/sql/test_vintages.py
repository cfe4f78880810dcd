"""What stood on a day: releases revise each other, estimates are revised, and the old table can be had again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.releases import Cell, figures
from tests.support.world import WORCESTERSHIRE, World, force_of, persons_of, rate, rows_of

JANUARY, APRIL, JULY, OCTOBER = date(2016, 1, 21), date(2016, 4, 21), date(2016, 7, 21), date(2016, 10, 20)
COLUMNS = "level, area_name, financial_year, quarter, offence_code, before, after"


def counts(csp: str, first: int, second: int, code: str = "8Q", quarters: tuple[int, int] = (1, 2)) -> list[list[Cell]]:
    return [figures("2015/16", q, force_of(csp), code, n, csp=csp) for q, n in zip(quarters, (first, second), strict=True)]


IN_JANUARY = [
    *counts("South Worcester", 20, 15),
    *counts("North Worcestershire", 16, 14),
    *counts("South Worcester", 7, 3, "46"),
    *counts("North Worcestershire", 5, 5, "46"),
]
IN_APRIL = [  # 15 became 16; South Worcester's 46 is gone from quarter 1; 5E is new; half-year 2 has come
    *counts("South Worcester", 20, 16),
    *counts("North Worcestershire", 16, 14),
    figures("2015/16", 2, "West Mercia", "46", 3, csp="South Worcester"),
    *counts("North Worcestershire", 5, 5, "46"),
    *counts("South Worcester", 1, 2, "5E"),
    *counts("South Worcester", 11, 12, quarters=(3, 4)),
]


def january(folder: Path) -> World:
    """The world as it could be seen in January 2016: one release, one vintage."""
    world = World(folder)
    world.worcestershire(date(2015, 6, 25))
    world.release(JANUARY, IN_JANUARY)
    return world


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = january(tmp_path_factory.mktemp("vintages"))
    world.population(APRIL, persons_of(WORCESTERSHIRE) | {"E07000237": 100_500})
    world.population(JULY, persons_of(WORCESTERSHIRE) | {"E07000237": 99_000}, year=2013)
    world.release(APRIL, IN_APRIL)
    # the release of July covers half-year 2 alone, and says what April said
    world.release(JULY, counts("South Worcester", 11, 12, quarters=(3, 4)))
    with world.build() as con:
        yield con


def table(con: duckdb.DuckDBPyConnection, source: str) -> list[dict[str, Any]]:
    return rows_of(con, f"from {source} order by half_year, level, offence_level, offence_code, area_name")


# ---------------------------------------------------------------- releases
def test_the_newest_release_stands(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "South Worcester")
    assert (found["offences"], found["release_id"][:33]) == (20 + 16, "prc-csp-mar2021-mar2026-tables-21")
    assert rows_of(con, "select published from releases where release_id = ?", found["release_id"]) == [{"published": APRIL}]


def test_an_earlier_day_gives_the_table_of_that_day_row_for_row(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with january(tmp_path).build() as alone:
        then = table(alone, "ranked_rates")
        assert {r["offence_code"] for r in then if r["offence_level"] == "code"} == {"8Q", "46"}
        for day in (JANUARY, date(2016, 4, 20)):  # on the day of publication and on the last before the next
            assert table(con, f"ranked_rates_for(date '{day}', null, null)") == then
            assert table(con, f"ranked_rates_as_of(date '{day}')") == then
    assert table(con, f"ranked_rates_as_of(date '{APRIL}')") != then


def test_today_is_the_default(con: duckdb.DuckDBPyConnection) -> None:
    now = table(con, "ranked_rates")
    assert table(con, "ranked_rates_for(null, null, null)") == now
    assert table(con, "ranked_rates_as_of(date '2099-01-01')") == now


def test_a_half_year_that_no_release_covered_yet_has_no_rows(con: duckdb.DuckDBPyConnection) -> None:
    assert table(con, "ranked_rates_as_of(date '2016-01-20')") == []
    rows = rows_of(con, "select distinct half_year from ranked_rates_as_of(date '2016-04-20')")
    assert rows == [{"half_year": "2015/16 H1"}]
    assert rate(con, "South Worcester", half_year="2015/16 H2", source="ranked_rates_as_of(date '2016-04-21')")["offences"] == 23


def test_a_row_that_a_later_release_drops_is_closed(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(
        con, "select quarter, offences from offence_counts where area_name = 'South Worcester' and offence_code = '46'"
    )
    assert rows == [{"quarter": 2, "offences": 3}]
    assert rate(con, "South Worcester", offence="46")["offences"] == 3
    assert rate(con, "South Worcester", offence="46", source="ranked_rates_as_of(date '2016-04-20')")["offences"] == 10


def test_revisions_lists_what_changed_came_and_went(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, f"select {COLUMNS} from revisions where from_release is not null order by all")
    place = ("csp", "South Worcester", "2015/16")
    assert [tuple(r.values()) for r in rows] == [
        (*place, 1, "46", 7, None),
        (*place, 1, "5E", None, 1),
        (*place, 2, "5E", None, 2),
        (*place, 2, "8Q", 15, 16),
    ]  # nothing of July, which says what April said
    [pair] = rows_of(
        con,
        "select distinct f.published as of, t.published as until from revisions as r "
        "join releases as f on f.release_id = r.from_release join releases as t on t.release_id = r.to_release",
    )
    assert pair == {"of": JANUARY, "until": APRIL}


# ---------------------------------------------------------------- populations
def test_the_population_is_the_newest_that_was_out_on_the_day(con: duckdb.DuckDBPyConnection) -> None:
    asked = {"2016-04-20": (300_000, date(2015, 6, 25)), "2016-04-21": (300_500, APRIL), "2016-12-31": (300_500, APRIL)}
    for day, expected in asked.items():
        found = rate(con, "South Worcester", source=f"ranked_rates_as_of(date '{day}')")
        assert (found["population"], found["population_vintage"]) == expected
    assert rate(con, "South Worcester")["population_vintage"] == APRIL


def test_new_figures_may_be_divided_by_the_old_estimate(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "South Worcester", source="ranked_rates_for(null, null, date '2015-06-25')")
    assert (found["offences"], found["population"]) == (36, 300_000)
    assert found["rate_per_10k"] == pytest.approx(1.2, rel=1e-15)


def test_an_estimate_that_was_not_out_on_the_day_is_not_used_even_if_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "South Worcester", source="ranked_rates_for(date '2016-02-01', null, date '2016-04-21')")
    assert (found["status"], found["population"]) == ("no_population", None)


def test_the_year_and_vintage_of_a_row_are_those_that_divided(con: duckdb.DuckDBPyConnection) -> None:
    # the macro's parameters bear the names of these columns, and once stood in for them
    asked = {
        "null, null, null": (2014, APRIL),
        "null, null, date '2015-06-25'": (2014, date(2015, 6, 25)),
        "null, 2013, null": (2013, JULY),
        "date '2016-02-01', null, null": (2014, date(2015, 6, 25)),
    }
    for words, expected in asked.items():
        rows = rows_of(con, f"select distinct population_year, population_vintage from ranked_rates_for({words})")
        assert [tuple(r.values()) for r in rows] == [expected]
    assert rate(con, "South Worcester", source="ranked_rates_for(null, 2013, null)")["population"] == 299_000


# ---------------------------------------------------------------- two releases of one day
def test_of_two_releases_of_one_day_the_last_seen_stands(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    # seen last, though its name comes first
    for stem, seen, count in (("b", "2016-04-21T09:31:00Z", 1), ("a", "2016-04-21T15:00:00Z", 2)):
        world.seen = seen
        world.release(APRIL, counts("South Worcester", count, count), stem=stem)
    with world.build() as con:
        assert rate(con, "South Worcester")["offences"] == 4
        assert rate(con, "South Worcester", source="ranked_rates_as_of(date '2016-04-21')")["offences"] == 4
        assert rows_of(con, "from revisions") == []  # the first of them never stood
        assert len(rows_of(con, "from releases")) == 2


def test_a_release_that_was_replaced_on_its_day_leaves_no_trace_among_the_revisions(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    for day, stem, clock, count in ((JANUARY, "a", "09:31", 5), (APRIL, "b", "09:31", 99), (APRIL, "c", "15:00", 5)):
        world.seen = f"{day}T{clock}:00Z"
        world.release(day, [*counts("South Worcester", count, 0), *counts("North Worcestershire", 1, count)], stem=stem)
    with world.build() as con:
        assert rate(con, "South Worcester")["offences"] == 5
        assert rows_of(con, f"select {COLUMNS} from revisions") == []  # January and the last of April say the same


def test_a_figure_that_came_back_has_two_revisions(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    for day, count in ((JANUARY, 5), (APRIL, 6), (JULY, 5)):
        world.release(day, counts("South Worcester", count, 0))
    # October leaves the row out, and what it has stands
    world.release(OCTOBER, counts("North Worcestershire", 9, 9))
    with world.build() as con:
        rows = rows_of(
            con,
            "select r.before, r.after, t.published from revisions as r join releases as t "
            "on t.release_id = r.to_release where quarter = 1 and area_name = 'South Worcester' order by 3",
        )
        assert [tuple(r.values()) for r in rows] == [(5, 6, APRIL), (6, 5, JULY), (5, None, OCTOBER)]
        for day, expected in ((JANUARY, 5), (APRIL, 6), (JULY, 5)):
            assert rate(con, "South Worcester", source=f"ranked_rates_as_of(date '{day}')")["offences"] == expected
        # the area that was dropped keeps its row, and the row says why it has no figures
        gone = rate(con, "South Worcester")
        assert (gone["status"], gone["offences"], gone["rank"]) == ("incomplete", None, None)
        assert gone["status_note"] == f"the release of {OCTOBER} no longer has all its rows"
        assert (rate(con, "North Worcestershire")["rank"], rate(con, "North Worcestershire")["areas_ranked"]) == (1, 1)


def test_a_partnership_under_a_new_name_has_revised_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.release(JANUARY, [figures("2015/16", q, "Kent", count=4, csp="Shepway") for q in (1, 2)])
    world.release(APRIL, [figures("2015/16", q, "Kent", count=n, csp="Folkestone and Hythe") for q, n in ((1, 4), (2, 5))])
    with world.build() as con:
        assert rows_of(con, f"select {COLUMNS} from revisions") == [
            {
                "level": "csp",
                "area_name": "Folkestone and Hythe",
                "financial_year": "2015/16",
                "quarter": 2,
                "offence_code": "8Q",
                "before": 4,
                "after": 5,
            }
        ]
        spells = rows_of(con, "select offences, valid_from from crime_rates_core.count_history order by quarter_key, valid_from")
        assert [tuple(row.values()) for row in spells] == [(4, JANUARY), (4, JANUARY), (5, APRIL)]


def test_a_row_that_one_release_left_out_is_incomplete_while_it_stood(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    for day, south in ((JANUARY, counts("South Worcester", 5, 0)), (APRIL, []), (JULY, counts("South Worcester", 5, 0))):
        world.release(day, [*south, *counts("North Worcestershire", 1, 1)])
    with world.build() as con:
        rows = rows_of(con, "select before, after from revisions where quarter = 1 order by before nulls last")
        assert [tuple(r.values()) for r in rows] == [(5, None), (None, 5)]
        for day, status in ((JANUARY, "ranked"), (APRIL, "incomplete"), (JULY, "ranked")):
            assert rate(con, "South Worcester", source=f"ranked_rates_as_of(date '{day}')")["status"] == status


# ---------------------------------------------------------------- how far a condition reaches
@pytest.mark.parametrize("source", ["ranked_rates_as_of(date '2016-05-01')", "ranked_rates_for(null, 2013, null)"])
def test_what_a_query_names_reaches_the_scans(con: duckdb.DuckDBPyConnection, source: str) -> None:
    # else one table as of a date is worked out from every count that there is
    query = f"from {source} where half_year = '2015/16 H1' and level = 'csp' and offence_level = 'code' and offence_code = '8Q'"
    [(_, plan)] = con.execute(f"explain (format json) {query}").fetchall()
    filters = scan_filters(json.loads(plan))
    for table in ("basis_quarters", "area_half_year_history"):
        assert "half_year='2015/16 H1'" in filters[table] and "level='csp'" in filters[table]
    assert "code='8Q'" in filters["offence_rollup"] and "offence_level='code'" in filters["offence_rollup"]


def scan_filters(plan: list[dict[str, Any]]) -> dict[str, str]:
    """Table → the conditions under which a plan scans it, in DuckDB's words."""
    found: dict[str, str] = {}
    for node in plan:
        if table := node["extra_info"].get("Table"):
            name = str(table).rpartition(".")[2].strip('"')
            found[name] = found.get(name, "") + str(node["extra_info"].get("Filters", ""))
        found |= scan_filters(node["children"])
    return found


# ---------------------------------------------------------------- in a client's hands
TAKEN = (
    "ranked_rates",
    "offence_counts",
    "half_years",
    "areas",
    "offences",
    "populations",
    "releases",
    "revisions",
    "halves",
    "presence",
    "bases",
    "counts",
    "rated",
    "rates",
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A client that attached the published file as `x`, and has tables called like ours and like the parts of our macros."""
    world = january(tmp_path)
    world.build().close()
    with duckdb.connect() as con:
        con.execute(f"attach '{world.warehouse / 'crime_rates.duckdb'}' as x (read_only)")
        for name in TAKEN:
            con.execute(f"create table {name} as select 'decoy' as area_name, 'decoy' as half_year, 'decoy' as level")
        con.execute("create table sales as select 1 as n")
        yield con


def test_in_an_attached_file_the_macros_work_after_use(client: duckdb.DuckDBPyConnection) -> None:
    client.execute("use x")
    everything = table(client, "ranked_rates")
    # two areas; 8Q and 46, each of its own subgroup and group; the bundle of 8Q; the total
    assert len(everything) == 2 * (2 + 2 + 2 + 1 + 1)
    assert table(client, "ranked_rates_for(null, null, null)") == everything
    assert table(client, f"ranked_rates_as_of(date '{JANUARY}')") == everything
    assert rows_of(client, "select n from memory.sales") == [{"n": 1}]


def test_a_macro_never_reads_a_table_of_the_client(client: duckdb.DuckDBPyConnection) -> None:
    # without USE its names are looked up in the client's catalogue, where nobody else owns them: an error, and no wrong answer
    with pytest.raises(duckdb.Error, match="crime_rates_core"):
        client.execute("from x.ranked_rates_for(null, null, null)").fetchall()
    client.execute("use x")
    names = {r["area_name"] for r in table(client, "ranked_rates_for(null, null, null)")}
    assert names == {"South Worcester", "North Worcestershire"}
