"""The half-years of one area as a person meets them: the figures, their shape, and what breaks the series."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from flows.cli import query_commands
from flows.queries import connection
from flows.queries.connection import NotFound
from flows.queries.levels import Level
from flows.queries.series import fetch_series
from flows.rendering import series_text
from flows.rendering.formats import TextFormat
from flows.storage.data_store import LocalStore
from tests.support.releases import Cell, figures
from tests.support.world import ROOT, WORCESTERSHIRE, World, persons_of, rows_of
from transforms.periods import HalfYear, PeriodError

DAY = date(2026, 4, 23)
VINTAGE = date(2021, 6, 25)


def quarters(year: str, csp: str, counts: Mapping[int, int], code: str = "8Q", force: str = "West Mercia") -> list[list[Cell]]:
    return [figures(year, q, force, code, n, csp=csp) for q, n in counts.items()]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """South Worcester from three pieces to one partnership; 2016/17 is in no release; 2017/18 ends with quarter 3."""
    world = World(tmp_path_factory.mktemp("series"))
    world.worcestershire(VINTAGE, 2012, 2013, 2014, 2016)
    north = "North Worcestershire"
    rows = quarters("2013/14", north, {3: 1, 4: 1}, "46")
    rows += quarters("2013/14", "South Worcs_Worcester", {3: 2, 4: 2}, "46")
    for piece, counts in {  # 30 and 60 in all
        "South Worcs_Malvern Hills": (1, 2, 3, 4),
        "South Worcs_Worcester": (10, 10, 20, 20),
        "South Worcs_Wychavon": (3, 4, 6, 7),
    }.items():
        rows += quarters("2014/15", piece, dict(enumerate(counts, start=1)))
    rows += quarters("2014/15", north, {1: 21, 2: 21, 3: 21, 4: 21})
    rows += quarters("2015/16", north, {1: 21, 2: 21, 3: 21, 4: 21})
    rows += quarters("2015/16", "South Worcester", {1: 20, 2: 16, 3: 0, 4: 0})
    rows += quarters("2015/16", "South Worcester", {3: 1, 4: 0}, "5E") + quarters("2015/16", north, {3: 5, 4: 5}, "5E")
    world.release(DAY, rows, stem="mar2014-mar2016")
    later = quarters("2017/18", "South Worcester", {1: 60, 2: 60, 3: 10}) + quarters("2017/18", north, {1: 21, 2: 21, 3: 21})
    world.release(DAY, later, stem="mar2018", simulated="SIMULATED: a test")
    world.build().close()
    return world.data


def say(
    data: Path,
    area: str = "South Worcester",
    offence: str = "8Q",
    level: str = "csp",
    *,
    first: str | None = None,
    last: str | None = None,
    format: str = "text",
) -> str:
    span = [HalfYear.parse(text) if text is not None else None for text in (first, last)]
    with connection.connect(LocalStore(data)) as con:
        return series_text.render(fetch_series(con, area, offence, Level(level), *span), TextFormat(format))


def line(text: str, half_year: str) -> list[str]:
    """The cells of a half-year's line."""
    [found] = re.findall(rf"^{re.escape(half_year)}  .*", text, re.MULTILINE)
    return [cell.strip() for cell in re.split(r"  +", found)]


def breaks(text: str, kind: str) -> list[str]:
    """What is said of one kind of break, each in one line."""
    block = text.partition("with care.\n")[2].partition("\n\n")[0]
    lines = re.sub(r"\n {6,}", " ", block).splitlines()
    return [" ".join(line.split())[len(kind) + 1 :] for line in lines if line.split()[0] == kind]


# ---------------------------------------------------------------- figures
def test_a_series_has_every_half_year_with_its_rate_interval_and_rank(data: Path) -> None:
    said = say(data)
    assert said.startswith("Stalking (8Q) in South Worcester (Community Safety Partnership), 2014/15 H1 to 2017/18 H2\n")
    assert line(said, "2014/15 H1")[:7] == ["2014/15 H1", "30", "300,000", "1.00", "0.67 to 1.43", "2", "2"]
    assert line(said, "2014/15 H2")[:7] == ["2014/15 H2", "60", "300,000", "2.00", "1.53 to 2.57", "1", "2"]
    assert line(said, "2015/16 H2") == ["2015/16 H2", "0", "300,000", "0.00", "0.00 to 0.12", "2", "2"]
    assert line(said, "2017/18 H1") == ["2017/18 H1", "120", "300,000", "4.00", "3.32 to 4.78", "1", "2"]
    assert "mar2018-tables-230426" in said and said.splitlines()[-1].startswith("Source: Home Office police recorded crime")


def test_the_sum_over_the_series_is_the_sum_of_the_pieces(data: Path) -> None:
    found = json.loads(say(data, first="2014-15-H1", last="2015-16-H2", format="json"))["half_years"]
    with connection.connect(LocalStore(data)) as con:
        [published] = rows_of(
            con,
            "select sum(offences)::bigint as offences from offence_counts where offence_code = '8Q' "
            "and area_name like 'South Worc%' and financial_year < '2016/17'",
        )
    assert sum(row["offences"] for row in found) == published["offences"] == 30 + 60 + 36


def test_the_bars_start_at_nought_and_a_half_year_without_a_rank_has_none(data: Path) -> None:
    # 1, 2, 1.2, 0, two that no release covers, 4 and one that is incomplete
    assert "2014/15 H1 |▃▅▃▁  █ | 2017/18 H2   per 10,000: lowest 0.00, highest 4.00" in say(data)
    assert series_text.draw_bars([0, None, 0]) == "▁ ▁" and series_text.draw_bars([None]) == " "


def test_a_terminal_without_blocks_gets_letters(data: Path) -> None:
    code = "import sys; from flows.cli.main import main; main()"
    words = ["series", "--area", "south w", "--offence", "8Q", "--from", "2014-15-H1", "--to", "2015-16-H1"]
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--data-dir", str(data)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=env,
    )
    assert "2014/15 H1 |=#=| 2015/16 H1" in done.stdout


def test_a_simulated_release_is_named_where_others_are_real(data: Path) -> None:
    lines = say(data).splitlines()
    assert lines[1].startswith("SIMULATED") and re.fullmatch(r"Simulated: prc-csp-mar2018-tables-230426@\w+\.", lines[2])
    assert "SIMULATED" not in say(data, last="2015-16-H2")


# ---------------------------------------------------------------- breaks
def test_a_half_year_that_no_release_covers_is_a_gap_and_so_is_one_that_cannot_be_ranked(data: Path) -> None:
    said = say(data)
    assert breaks(said, "gap") == [
        "2016/17 H1 to 2016/17 H2: no row: no release that is held covers it.",
        "2017/18 H2: not ranked, incomplete: only quarter 3 of quarters 3 and 4 is published.",
    ]
    assert line(said, "2016/17 H1") == ["2016/17 H1", "gap"]
    assert line(said, "2017/18 H2") == ["2017/18 H2", "10", "300,000", "gap"]


def test_the_pieces_are_named_and_when_they_became_one(data: Path) -> None:
    said = say(data)
    [when] = breaks(said, "boundary")
    assert when == (
        "2014/15 H1 to 2014/15 H2: published as South Worcs_Malvern Hills, South Worcs_Worcester, "
        "South Worcs_Wychavon, summed here; as one area from 2015/16 H1 on."
    )
    assert line(said, "2014/15 H2")[-1] == "boundary" and line(said, "2015/16 H1")[-1] == "2"
    assert breaks(say(data, "north worcestershire"), "boundary") == []
    assert breaks(say(data, first="2015-16-H1"), "boundary") == []


def test_a_span_that_ends_among_the_pieces_says_still_when_they_became_one(data: Path) -> None:
    [when] = breaks(say(data, last="2014-15-H1"), "boundary")
    assert when.startswith("2014/15 H1: published as ") and when.endswith("as one area from 2015/16 H1 on.")


def test_stalking_starts_in_2014_and_the_half_year_before_is_no_nought(data: Path) -> None:
    said = say(data, first="2013-14-H2", last="2015-16-H1")
    assert line(said, "2013/14 H2") == ["2013/14 H2", "gap, boundary"]
    assert breaks(said, "gap") == ["2013/14 H2: no row: 8Q stands from 2014/15 H1 to 2017/18 H2."]
    [code] = breaks(said, "code")
    assert code.startswith("2014/15 H1: stalking is a classification of its own (8Q) from April 2014")
    assert " |" + " ▅█▅| " in said


def test_an_offence_that_starts_within_what_is_held_says_so_though_no_one_wrote_it_down(data: Path) -> None:
    said = say(data, offence="5E")
    assert said.splitlines()[0].endswith(", 2015/16 H2 to 2015/16 H2")
    assert breaks(said, "code") == ["2015/16 H2: the first half-year with rows of 5E Endangering life."]
    assert breaks(say(data, offence="46"), "code") == []  # it starts with the first release that is held


def test_codes_that_start_or_end_within_a_wider_offence_are_named(data: Path) -> None:
    assert breaks(say(data, offence="total"), "code") == [
        "2013/14 H2: last rows of 46 Shoplifting.",
        "2014/15 H1: first rows of 8Q Stalking.",
        "2015/16 H2: first rows of 5E Endangering life.",
        "2015/16 H2: last rows of 5E Endangering life.",
    ]
    assert breaks(say(data, offence="violence against the person"), "code") == [
        "2015/16 H2: first rows of 5E Endangering life.",
        "2015/16 H2: last rows of 5E Endangering life.",
    ]


def test_a_council_that_was_merged_away_leaves_a_split_population(tmp_path: Path) -> None:
    # the districts of Buckinghamshire had estimates of their own until they were one council
    parts = {"E07000004": 200_000, "E07000005": 100_000, "E07000006": 50_000, "E07000007": 150_000}
    world = World(tmp_path)
    names = ("Aylesbury Vale", "Chiltern", "South Bucks", "Wycombe")
    world.lookup(2017, {name: [code] for name, code in zip(names, parts, strict=True)})
    world.lookup(2024, {name: ["E06000060"] for name in names})
    world.population(date(2016, 6, 23), parts, year=2015)
    world.population(VINTAGE, {"E06000060": 600_000}, year=2019)
    world.release(
        DAY,
        [
            row
            for name in names
            for year in ("2016/17", "2020/21")
            for row in quarters(year, name, {1: 5, 2: 5}, force="Thames Valley")
        ],
    )
    world.build().close()
    said = say(world.data, "Aylesbury Vale")
    assert line(said, "2016/17 H1")[2] == "200,000" and line(said, "2020/21 H1")[2] == "240,000"
    assert breaks(said, "boundary") == [  # and not one for the new lookup: its ground is the same
        "2020/21 H1: population apportioned: E06000060 split by its parts of mid-2015 "
        "(40.00% of 600,000; parts published 2016-06-23)."
    ]


def test_a_council_that_moved_to_the_next_partnership_marks_both(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, WORCESTERSHIRE)
    moved = {name: [c for c in councils if c != "E07000236"] for name, councils in WORCESTERSHIRE.items()}
    world.lookup(2024, {**moved, "South Worcester": [*moved["South Worcester"], "E07000236"]})
    world.population(VINTAGE, persons_of(WORCESTERSHIRE), year=2022)
    world.population(VINTAGE, persons_of(WORCESTERSHIRE), year=2023)
    world.release(
        DAY,
        [
            row
            for name in WORCESTERSHIRE
            for year in ("2023/24", "2024/25")
            for row in quarters(year, name, {1: 5, 2: 5, 3: 5, 4: 5})
        ],
    )
    world.build().close()
    for area, before, after in (("South Worcester", "300,000", "385,000"), ("North Worcestershire", "280,000", "195,000")):
        said = say(world.data, area)
        assert [line(said, half_year)[2] for half_year in ("2023/24 H2", "2024/25 H1")] == [before, after]
        assert breaks(said, "boundary") == [
            "2024/25 H1: its councils are those of the ONS lookup of 2024, before of that of 2017."
        ]


def test_what_a_force_lost_for_a_while_marks_its_partnerships_and_the_wholes_and_nobody_else(tmp_path: Path) -> None:
    world = World(tmp_path)
    forces = ("Greater Manchester", "West Mercia")
    world.release(DAY, [figures("2019/20", q, force) for force in forces for q in (1, 2, 3, 4)])
    world.release(date(2026, 7, 23), quarters("2019/20", "Bolton", {1: 1, 2: 1, 3: 1, 4: 1}, force="Greater Manchester"))
    world.build().close()
    for area, level in (("greater manchester", "pfa"), ("north west", "region"), ("england", "country"), ("bolton", "csp")):
        first, second = breaks(say(world.data, area, level=level), "system")
        assert first.startswith("2019/20 H1: Greater Manchester moved to a new IT system in July 2019"), area
        assert second.startswith("2019/20 H2: Greater Manchester's October to December 2019 was missing"), area
    assert breaks(say(world.data, "west mercia", level="pfa"), "system") == []


def test_the_rules_on_stalking_of_2020_stand_between_414_and_1313(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = [figures("2019/20", q, "West Mercia", "8Q", n) for q, n in {1: 145, 2: 218, 3: 189, 4: 225}.items()]
    rows += [figures("2020/21", q, "West Mercia", "8Q", n) for q, n in {1: 562, 2: 751, 3: 562, 4: 608}.items()]
    world.release(DAY, rows)
    world.build().close()
    said = say(world.data, "west mercia", level="pfa")
    [note] = breaks(said, "recording")
    assert note.startswith("2020/21 H1: from April 2020 every course of conduct between a victim and a former partner")
    assert "not comparable" in note and line(said, "2020/21 H1")[-1].endswith("recording")
    assert (line(said, "2019/20 H2")[1], line(said, "2020/21 H1")[1]) == ("414", "1,313")


# ---------------------------------------------------------------- formats
def test_csv_has_a_row_for_each_half_year_of_the_calendar(data: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(say(data, format="csv"))))
    assert [row["half_year"] for row in rows][2:6] == ["2015/16 H1", "2015/16 H2", "2016/17 H1", "2016/17 H2"] and len(rows) == 8
    assert (float(rows[0]["rate_per_10k"]), rows[0]["rank"]) == (30 / 300_000 * 10_000, "2")
    assert (rows[4]["offences"], rows[4]["status"]) == ("", "")
    assert rows[4]["breaks"] == "gap: no row: no release that is held covers it"


def test_json_has_rows_and_breaks(data: Path) -> None:
    found = json.loads(say(data, format="json"))
    assert len(found["half_years"]) == 6 and found["half_years"][0]["population_vintage"] == "2021-06-25"
    assert {"first": "2016/17 H1", "last": "2016/17 H2", "kind": "gap", "what": "no row: no release that is held covers it"} in (
        found["breaks"]
    )


# ---------------------------------------------------------------- what does not fit
def test_a_word_with_a_quote_or_a_question_mark_is_a_word(data: Path) -> None:
    words = ["King's Lynn", "' or true --", "?", None, 7, DAY, ["a", "'b'"]]
    with connection.connect(LocalStore(data)) as con:
        [row] = connection.fetch_rows(con, "select " + ", ".join(f"? as v{i}" for i in range(len(words))), words)
    assert list(row.values()) == words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"area": "South Worcs_Wychavon"}, "South Worcs_Wychavon is a piece of South Worcester now"),
        ({"area": "worcester"}, '"worcester" is part of 2 names'),
        ({"area": "Atlantis"}, 'No area in this table is called "Atlantis"'),
        ({"offence": "99Z"}, 'No offence fits "99Z"'),
        ({"level": "pfa", "area": "West Mercia"}, r"The database holds no police force area \(pfa\) table"),
        (
            {"first": "2016-17-H1", "last": "2016-17-H2"},
            "South Worcester has no rows of 8Q Stalking from 2016/17 H1 to 2016/17 H2; the offence stands from 2014/15 H1",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(data: Path, words: dict[str, str], sentence: str) -> None:
    with pytest.raises(NotFound, match=sentence):
        say(data, **words)


def test_a_span_that_runs_backwards_is_refused(data: Path) -> None:
    with pytest.raises(PeriodError, match="from an earlier to a later half-year, found 2015-16-H1 to 2014-15-H1"):
        say(data, first="2015-16-H1", last="2014-15-H1")


def test_an_area_of_another_level_is_told_apart_from_none(sample: World) -> None:
    with pytest.raises(NotFound, match="West Mercia is a police force area: add --level pfa"):
        say(sample.data, "west mercia")


def test_the_commands_on_time_and_place_import_nothing_heavy(data: Path) -> None:
    code = """
import sys
from flows.cli.main import main
for words in (["series", "--area", "South Worcester"], ["revisions"], ["table", "2014-15-H1", "--area-basis", "harmonised"]):
    sys.argv = ["crime-rates", *words, "--data-dir", sys.argv[-1]]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
print("IMPORTED", sorted({"prefect", "pandas", "pydantic", "requests"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "IMPORTED []"


def test_the_command_passes_its_words_on(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query_commands.series(
        area="South Worcester", offence="8Q", first="2014-15-H2", last="2015-16-H1", format=TextFormat.CSV, store=LocalStore(data)
    )
    assert [row["half_year"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["2014/15 H2", "2015/16 H1"]
