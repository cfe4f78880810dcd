"""What keeps a figure from its rank, or from being what it was: notes, gaps, revisions, changed names, a lake that is gone."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support.counts import worcestershire
from tests.support.explanations import built, check_arithmetic, flat, say, statements, under
from tests.support.releases import figures, write_csv
from tests.support.world import KENT, WORCESTERSHIRE, World, persons_of

pytestmark = pytest.mark.usefixtures("terminal")
DAY = date(2026, 4, 23)
KENT_NOTE = (
    "Kent: Due to ongoing IT issues, crime data for Maidstone, Medway, Tonbridge and Malling, Dartford and Gravesham, "
    "and Tunbridge Wells are recorded under an unassigned CSP group from 2024 onwards."
)


# ---------------------------------------------------------------- what is set aside
def test_a_withdrawn_partnership_quotes_the_note_and_tells_where_the_figures_stand(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, KENT)
    world.population(date(2025, 7, 30), persons_of(KENT), year=2024)
    rows = [
        figures("2025/26", q, "Kent", count=n, csp=csp)
        for q in (1, 2)
        for csp, n in {**dict.fromkeys(KENT, 5), "Medway": 0, "Unassigned Kent": 300}.items()
    ]
    world.release(DAY, rows, force_notes=[KENT_NOTE])
    world.release(DAY, [figures("2025/26", q, "Kent", count=325) for q in (1, 2)])
    world.build().close()
    text = say(world.data, "Medway", half_year="2025-26-H1")
    assert f'Status withdrawn: figures stand elsewhere: "{KENT_NOTE}"' in flat(text)
    assert "3. The population: 250,000" in text and statements(text) == []
    assert "the count is given: 0." in text and "Withdrawn, Medway: the note quoted above." in text
    assert "Kent as a force: 650 offences. Its 6 partnerships and Unassigned Kent (600) add up to 650: the same." in flat(text)
    assert re.search(r"withdrawn +1 +0$", text, re.MULTILINE) and re.search(r"unassigned +1 +600$", text, re.MULTILINE)
    other = say(world.data, "Ashford", half_year="2025-26-H1")  # its neighbours should know too
    assert f'Withdrawn, Medway: figures stand elsewhere: "{KENT_NOTE}"' in flat(other) and check_arithmetic(other) == 3


def test_partnerships_that_do_not_add_up_to_the_force_are_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, worcestershire())
    assert "The figure of West Mercia as a force is not held" in built(world, "South Worcester")
    # released on the same day, a build of it would be refused
    world.release(date(2026, 7, 23), [figures("2015/16", q, "West Mercia", count=40) for q in (1, 2)])
    text = flat(built(world, "South"))
    assert "West Mercia as a force: 80 offences. Its 2 partnerships add up to 66: they differ by 14." in text


def test_an_incomplete_half_year_shows_which_quarter_is_missing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, [row for row in worcestershire() if row[1] == 1])
    text = built(world, "South Worcester")
    assert "Status incomplete: only quarter 1 of quarters 1 and 2 is published." in text
    assert re.search(r"Q1, April to June 2015 +20  prc-csp", text)
    assert re.search(r"Q2, July to September 2015 +none +\(no release that is held covers it\)", text)
    assert max(map(len, text.splitlines())) <= 120
    assert "no rate, no interval and no rank; the count is given: 20." in text


def test_na_is_not_nought_and_a_correction_shows_its_sign(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, worcestershire(("N/a", 16), (-3, 15)))
    text = built(world, "South Worcester")
    assert "Status incomplete: the release says N/a for a count in this half-year." in text
    assert re.search(r"Q1, April to June 2015 +N/a  prc", text) and "2. The offences: 16 + N/a" in text
    assert "That is not nought" in text
    north = say(world.data, "North Worcestershire")
    assert re.search(r"Q1, April to June 2015 +-3  prc", north) and "A count below nought corrects an earlier quarter" in north
    assert "  12 ÷ 280,000 × 10,000 = 0.4286\n" in north


def test_revisions_of_these_very_counts_are_listed_and_no_others(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    shops = [figures("2015/16", q, "West Mercia", "46", 50, csp=csp) for csp in WORCESTERSHIRE for q in (1, 2)]
    world.release(date(2016, 1, 28), [*worcestershire((20, 16), (15, 15)), *shops])
    assert "one release of these quarters is held, so none can be seen" in built(world, "South Worcester")
    world.release(date(2016, 4, 28), [*worcestershire((20, 18), (99, 99)), *shops])
    text = built(world, "South Worcester")
    assert "Revisions: 1 change of these counts by later releases." in text
    table = under(text, "Revisions:")
    assert re.search(r"2016-04-28  prc-csp-\S+280416@\w+ +Q2 +8Q +16 +18$", table[-1]) and len(table) == 4
    assert "2. The offences: 38" in text and "280416" in text
    assert "Revisions: no release that is held changed these counts." in say(world.data, "South Worcester", "46")


# ---------------------------------------------------------------- names
def test_a_name_that_has_changed_is_given_as_the_release_has_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = [figures("2015/16", q, "Devon and Cornwall", code="8Q", count=3, description="Stalking, as it was") for q in (1, 2)]
    rows += [figures("2016/17", q, "Devon & Cornwall", code="8Q", count=3) for q in (1, 2)]
    world.release(DAY, rows)
    text = built(world, "Devon & Cornwall", level="pfa")
    assert 'Named there: "Devon and Cornwall" for Devon & Cornwall.' in text
    assert 'Described there: 8Q "Stalking, as it was" (now "Stalking").' in text
    later = say(world.data, "Devon & Cornwall", level="pfa", half_year="2016-17-H1")
    assert "Named there" not in later and "Described there" not in later


def test_a_code_that_moved_between_headings_is_told_on_both_sides(tmp_path: Path) -> None:
    world = World(tmp_path)
    then = [figures("2012/13", q, "Kent", code="5E", count=7) for q in (1, 2)]
    for row in then:
        row[5] = "Violence without injury"
    rows = [*then, *(figures(y, q, "Kent", code=c, count=2) for y, c in (("2012/13", "8Q"), ("2013/14", "5E")) for q in (1, 2))]
    other = [figures("2012/13", q, "Kent", code="99X", count=1) for q in (1, 2)]
    for row in other:
        row[5] = "Violence without injury"
    world.release(DAY, [*rows, *other])
    text = built(world, "Kent", "Violence with injury", "2012-13-H1", "pfa")
    assert 'Filed there under "Violence without injury": 5E; codes count where they stand now.' in text
    assert "2. The offences: 14" in text
    left = say(world.data, "Kent", "Violence without injury", "pfa", "2012-13-H1")
    assert 'under this heading but now under "Violence with injury", so not counted: 5E.' in flat(left)
    assert "2. The offences: 2" in left


def test_a_piece_says_what_it_became(sample: World) -> None:
    text = say(sample.data, "South Worcs_Malvern Hills", half_year="2014-15-H1")
    assert "Published apart then; now a part of South Worcester." in text and "E07000235" in text


# ---------------------------------------------------------------- the lake
def test_without_the_lake_it_says_so_and_explains_the_rest(sample: World, tmp_path: Path) -> None:
    (tmp_path / "warehouse").symlink_to(sample.warehouse)
    text = say(tmp_path, "South Worcester")
    assert f"Sheet and rows cannot be told: {tmp_path / 'lake'} does not hold prc-csp-" in text
    assert "36 ÷ 296,970 × 10,000 = 1.2122" in text and "Read from" not in text and "CAUTION" not in text


def test_a_lake_that_the_database_was_not_built_from_is_noticed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, worcestershire())
    assert "CAUTION" not in built(world, "South Worcester")
    [path] = (world.lake / "offences").glob("*/2015-16.parquet")
    with duckdb.connect() as con:
        con.execute(f"create table t as from read_parquet('{path}')")
        con.execute("update t set offences = 21 where area_name = 'South Worcester' and quarter = 1")
        con.execute(f"copy t to '{path}' (format parquet)")
    assert "CAUTION: the rows of the lake for quarter 1 add up to 21" in say(world.data, "South Worcester")


def test_rows_of_csv_sheets_name_their_own_file(tmp_path: Path) -> None:
    from tests.support.releases import CSP_2015

    world = World(tmp_path)
    world.worcestershire()
    paths = write_csv(world.sources / "offences", "prc-csp-mar2016-tables-230426", [("2015_16", [CSP_2015, *worcestershire()])])
    world.take_release(*paths)
    text = built(world, "South Worcester")
    assert "Read from prc-csp-mar2016-tables-230426_2015_16.csv\n    Q1  row 2\n    Q2  row 3\n" in text
