"""What releases changed in earlier ones, as a person meets it: the sums, the biggest changes, the ranks that moved."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from pathlib import Path

import pytest

from flows.cli import query_commands
from flows.queries import connection
from flows.queries.connection import NotFound
from flows.queries.levels import Level
from flows.queries.revisions import fetch_revisions, find_revision_filter
from flows.rendering import revisions_text
from flows.rendering.formats import TextFormat
from flows.storage.data_store import LocalStore
from tests.support.releases import Cell, figures
from tests.support.world import KENT, WORCESTERSHIRE, World, force_of, persons_of
from transforms.errors import UsageError

JANUARY, APRIL, JULY = date(2026, 1, 29), date(2026, 4, 23), date(2026, 7, 23)
Counts = dict[tuple[str, str, int], int]  # partnership, code, quarter → offences of 2015/16

IN_JANUARY: Counts = {
    ("South Worcester", "8Q", 1): 20,
    ("South Worcester", "8Q", 2): 16,  # 1.2 per 10,000
    ("North Worcestershire", "8Q", 1): 16,
    ("North Worcestershire", "8Q", 2): 12,  # 1.0
    ("Dover", "8Q", 1): 4,
    ("Dover", "8Q", 2): 1,  # 0.5
    ("Dover", "46", 1): 1000,
    ("Dover", "46", 2): 1000,
    ("South Worcester", "46", 1): 9,
    ("South Worcester", "46", 2): 500,
    ("North Worcestershire", "46", 1): 100,
    ("North Worcestershire", "46", 2): 100,
    ("Unassigned Kent", "46", 1): 300,
    ("Unassigned Kent", "46", 2): 300,
}
IN_APRIL = IN_JANUARY | {
    ("North Worcestershire", "8Q", 2): 24,  # +12, +100%; 40 are 1.43 per 10,000: from second to first
    ("Dover", "46", 2): 1050,  # the biggest in offences, +5%
    ("South Worcester", "46", 1): 27,  # three times as many, but of nine
    ("Dover", "8Q", 1): 3,  # -1
    ("Unassigned Kent", "46", 1): 800,  # +500, in no place
    ("South Worcester", "5E", 1): 7,  # new
}
del IN_APRIL["South Worcester", "46", 2]  # dropped: 500
IN_JULY = IN_APRIL | {("Dover", "46", 2): 1040}


def rows(counts: Counts) -> list[list[Cell]]:
    return [figures("2015/16", q, force_of(csp), code, n, csp=csp) for (csp, code, q), n in counts.items()]


def world(folder: Path, *releases: tuple[date, Counts]) -> Path:
    world = World(folder)
    csps = {**WORCESTERSHIRE, "Dover": KENT["Dover"]}
    world.lookup(2017, csps)
    world.population(date(2015, 6, 25), persons_of(csps))
    for published, counts in releases:
        world.release(published, rows(counts), simulated="SIMULATED: a test" if published == JULY else "")
    world.build().close()
    return world.data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world(tmp_path_factory.mktemp("revisions"), (JANUARY, IN_JANUARY), (APRIL, IN_APRIL), (JULY, IN_JULY))


def say(
    data: Path,
    *,
    release: str | None = "230426",
    area: str | None = None,
    offence: str | None = None,
    level: str | None = None,
    top: int = 10,
    format: str = "text",
) -> str:
    with connection.connect(LocalStore(data)) as con:
        wanted = find_revision_filter(con, release, area, offence, Level(level) if level is not None else None)
        return revisions_text.render(fetch_revisions(con, wanted, top), TextFormat(format))


def listed(text: str, title: str) -> list[list[str]]:
    """The cells of the list below a title."""
    block = text.partition(f"\n{title}")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in re.split(r"  +", line.strip())] for line in block[3:]]


def independent(before: Counts, after: Counts) -> dict[tuple[str, str, int], tuple[int | None, int | None]]:
    """What changed, by comparing the counts that went into the workbooks."""
    return {key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)}


# ---------------------------------------------------------------- sums
def test_each_pair_of_releases_has_its_sums(data: Path) -> None:
    lines = say(data, release=None).splitlines()
    summary = [re.split(r"  +", line)[:8] for line in lines if re.match(r"2026-\d\d-\d\d  ", line)]
    # five changed, one came, one went: 12 + 50 + 18 - 1 + 500 + 7 - 500, and the same without signs
    assert summary == [
        ["2026-01-29", "2026-04-23", "csp", "5", "1", "1", "+86", "1,088"],
        ["2026-04-23", "2026-07-23", "csp", "1", "0", "0", "-10", "10"],
    ]


def test_what_is_printed_is_an_independent_comparison_of_the_two_releases(data: Path) -> None:
    text = say(data, area="Unassigned Kent", format="json")
    found = [
        (r["area_name"], r["offence_code"], r["quarter"], r["before"], r["after"])
        for said in (say(data, format="json"), text)
        for r in json.loads(said)["biggest"]
    ]
    wanted = independent(IN_JANUARY, IN_APRIL)
    assert sorted(found, key=str) == sorted([(*key, *values) for key, values in wanted.items()], key=str)
    assert len(found) == 7


def test_what_is_not_a_place_is_summed_and_said_but_takes_no_line(data: Path) -> None:
    said = say(data)
    assert "Not places, so in the sums only (--area shows them): Unassigned Kent (1 counts, +500 offences)." in said
    assert "Unassigned Kent" not in {row[0] for row in listed(said, "The biggest changes")}
    alone = listed(say(data, area="unassigned kent"), "The biggest changes")
    assert alone == [["Unassigned Kent", "2015/16 Q1", "46 Shoplifting", "300", "800", "+500", "+167%", "not ranked: unassigned"]]


# ---------------------------------------------------------------- the biggest
def test_the_biggest_come_first_with_the_ranks_that_they_moved(data: Path) -> None:
    found = listed(say(data), "The biggest changes")
    assert [row[:2] + row[3:6] for row in found[:3]] == [
        ["South Worcester", "2015/16 Q2", "500", "no row", "-500"],
        ["Dover", "2015/16 Q2", "1,000", "1,050", "+50"],
        ["South Worcester", "2015/16 Q1", "9", "27", "+18"],
    ]
    north = next(row for row in found if row[0] == "North Worcestershire")
    assert north[2:] == ["8Q Stalking", "12", "24", "+12", "+100%", "2 to 1 of 3"]
    assert next(row for row in found if row[2] == "8Q Stalking" and row[0] == "Dover")[-1] == "3 as before, of 3"
    assert found[1][-2:] == ["+5%", "1 as before, of 2"]  # the release has no row for South Worcester any more


def test_relative_changes_are_of_ten_or_more(data: Path) -> None:
    found = listed(say(data), "The biggest changes in proportion")
    # neither 9 to 27 nor 4 to 3 nor what has only one side
    assert [(row[0], row[6]) for row in found] == [("North Worcestershire", "+100%"), ("Dover", "+5%")]


def test_ranks_are_those_of_the_two_days_and_not_of_today(data: Path) -> None:
    # July takes ten of Dover's away again: its rank of April is asked for, over the figures of April
    [april, july] = [
        json.loads(say(data, release=name, area="dover", offence="46", format="json"))["biggest"][0]
        for name in ("230426", "230726")
    ]
    assert (april["before"], april["after"], july["before"], july["after"]) == (1000, 1050, 1050, 1040)
    assert (april["rank_before"], april["rank_after"], april["published"]) == (1, 1, "2026-04-23")
    new = json.loads(say(data, area="south worcester", offence="5E", format="json"))["biggest"][0]
    assert (new["before"], new["after"], new["change"], new["half_year"]) == (None, 7, 7, "2015/16 H1")
    assert (new["status_before"], new["rank_before"], new["rank_after"]) == (None, None, 1)  # the code is in no table in January


def test_top_is_how_many_and_csv_and_json_hold_the_same(data: Path) -> None:
    assert len(listed(say(data, top=2), "The biggest changes")) == 2
    table = list(csv.DictReader(io.StringIO(say(data, top=2, format="csv"))))
    assert [row["list"] for row in table] == ["absolute", "absolute", "relative", "relative"]
    plain = json.loads(say(data, top=2, format="json"))
    assert [row["change"] for row in plain["biggest"]] == [-500, 50]
    assert [row["change"] for row in table[:2]] == ["-500", "50"] and list(table[0])[1:] == list(plain["biggest"][0])
    assert (plain["summary"][0]["net_change"], plain["not_places"][0]["area_name"]) == (86, "Unassigned Kent")


# ---------------------------------------------------------------- what was asked for
def test_an_offence_may_be_a_code_or_wider(data: Path) -> None:
    assert {row[2] for row in listed(say(data, offence="8Q"), "The biggest changes")} == {"8Q Stalking"}
    violence = listed(say(data, offence="violence against the person"), "The biggest changes")
    assert {row[2] for row in violence} == {"8Q Stalking", "5E Endangering life"}
    assert len(listed(say(data, offence="total"), "The biggest changes")) == 6


def test_a_simulated_release_is_called_one(data: Path) -> None:
    assert "SIMULATED" in say(data, release="230726") and "SIMULATED" not in say(data)


def test_one_release_alone_changes_nothing_and_that_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = world(tmp_path, (JANUARY, IN_JANUARY))
    query_commands.revisions(store=LocalStore(alone))
    assert capsys.readouterr().out == "No release that is held changes another.\n"
    assert json.loads(say(alone, release=None, format="json"))["summary"] == []
    assert (
        say(alone, release=None, format="csv").startswith("list,from_release,")
        and say(alone, release=None, format="csv").count("\n") == 1
    )


def test_a_quiet_corner_is_told_apart_from_no_revisions(data: Path) -> None:
    said = say(data, area="north worcestershire", offence="46")
    asked = "Shoplifting (46), North Worcestershire, prc-csp-"
    assert said.startswith(f"No release that is held changes another in what was asked for: {asked}")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"release": "240425"}, 'No release that is held has "240425" in its name; held: prc-csp-'),
        ({"area": "Atlantis"}, 'No area in this table is called "Atlantis"'),
        ({"offence": "99Z"}, 'No offence fits "99Z"'),
    ],
)
def test_what_is_not_held_is_said_in_a_sentence(data: Path, words: dict[str, str], sentence: str) -> None:
    with pytest.raises(NotFound, match=sentence):
        say(data, **words)


def test_no_changes_at_all_cannot_be_asked_for(data: Path) -> None:
    with pytest.raises(UsageError, match="1 or more, found 0"):
        say(data, top=0)
