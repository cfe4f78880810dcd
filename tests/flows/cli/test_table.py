"""The table, as a person asks for it: what it prints in each format, and what it says when nothing fits."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sql.contract import RANKED_RATES
from tests.flows.cli.conftest import Command, Said, ranks
from tests.support.world import World


# ---------------------------------------------------------------- what it prints
def test_a_table_reads_from_its_title_to_its_source(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "Stalking (8Q), April to September 2015, by Community Safety Partnership"
    assert lines[1] == "Offences recorded in the half-year per 10,000 residents, not annualised; 1 is the highest rate."
    header, rule, *body = lines[3:13]
    assert header.split() == ["rank", "area", "force", "offences", "population", "per", "10,000", "95%", "interval"]
    assert rule == "-" * len(rule)
    assert body[0].split() == ["1", "Dover", "Kent", "20", "100,000", "2.00", "1.22", "to", "3.09"]
    assert body[1].split()[-6:] == ["36", "301,000", "1.20", "0.84", "to", "1.66"]
    assert len({line.rindex(" to ") for line in body if line.startswith("   ")}) == 1  # columns line up
    assert "8 areas are ranked, of 9 in the table." in lines
    assert "Not ranked, unassigned: not a place: offences that are recorded under no single area: Unassigned Kent (3)." in lines
    assert "Population: mid-2014 estimates as published on 2016-06-23." in lines
    assert re.fullmatch(r"Figures: prc-csp-mar2021-mar2026-tables-210416@[0-9a-f]{8}, published 2016-04-21\.", lines[-2])
    assert lines[-1].startswith("Source: Home Office police recorded crime; ONS mid-year population estimates.")


def test_ties_print_as_such(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q")
    assert ranks(said.out) == [
        ("1", "Dover"),
        ("2", "South Worcester"),
        ("3", "North Worcestershire"),
        ("4", "Medway"),
        ("5=", "Ashford"),
        ("5=", "Canterbury"),
        ("7", "Thanet"),
        ("8", "Swale"),
    ]


def test_a_break_at_the_start_of_the_half_year_stands_under_the_table(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "subgroup:harassment")
    lines = said.out.splitlines()
    at = lines.index("Do not compare with earlier half-years without these:")
    assert lines[at + 1].startswith("Break, 2015/16 Q1 (recording): from April 2015 two more offences count as harassment")
    assert "Do not compare" not in run("table", "2015-16-H1", "--offence", "8Q").out
    [row] = json.loads(run("table", "2015-16-H1", "--offence", "subgroup:harassment", "--area", "Dover", "--format", "json").out)
    assert row["break_note"].startswith("2015/16 Q1 (recording): from April 2015 two more offences")


def test_the_total_says_that_it_leaves_out_fraud(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "total").out
    assert said.startswith("Total recorded crime (excluding fraud), April to September 2015, by")
    assert "Since April 2013 no area's total holds fraud, which Action Fraud records" in said


def test_the_first_ranks_come_with_whoever_ties_there(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--top", "5")
    assert [rank for rank, _ in ranks(said.out)] == ["1", "2", "3", "4", "5=", "5="]
    assert "8 areas are ranked, of 9 in the table; 6 shown." in said.out


def test_a_rate_that_two_decimals_would_hide_prints_more(run: Command) -> None:
    assert re.search(r"Thanet .* 0\.40 ", run("table", "2015-16-H1", "--offence", "8Q").out)
    assert re.search(r"Swale .* 0\.08 ", run("table", "2015-16-H1", "--offence", "8Q").out)
    # one offence in 300,000 people
    assert re.search(r"South Worcester .* 0\.033 ", run("table", "2015-16-H1", "--offence", "5E").out)


def test_a_table_of_noughts_gives_no_first_places(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "46")
    assert said.code == 0
    assert "None recorded anywhere (9 areas)." in said.out
    assert ranks(said.out) == []


@pytest.mark.parametrize("words", ["stalking", "STALKING", "8q", " Stalking "])
def test_an_offence_is_found_by_code_or_words(run: Command, words: str) -> None:
    assert run("table", "2015-16-H1", "--offence", words).out.startswith("Stalking (8Q), ")


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("harassment", "Stalking and harassment (subgroup)"),
        ("violence person", "Violence against the person (group)"),
        ("homicide", "Homicide (subgroup)"),
        ("endangering", "Endangering life (5E)"),
        ("4.1", "Manslaughter (4.1)"),
        ("total", "Total recorded crime"),
        ("shop", "Shoplifting (46)"),
        ("code:stalking", "Stalking (8Q)"),
        ("subgroup:stalking", "Stalking and harassment (subgroup)"),
    ],
)
def test_an_offence_of_any_level_is_found_by_words_of_its_name(run: Command, words: str, title: str) -> None:
    assert run("table", "2015-16-H1", "--offence", words).out.startswith(title)


def test_the_nearest_offences_are_offered(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "stolking")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith('crime-rates: No offence fits "stolking". Nearest: 8Q Stalking')
    said = run("table", "2015-16-H1", "--offence", "violence")
    assert said.code == 1
    assert '"violence" fits 2 offences' in said.err and "Violence with injury" in said.err and said.err.endswith("Give a code.\n")


def test_part_of_a_name_finds_an_area(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--area", "south worc")
    assert (said.code, ranks(said.out)) == (0, [("2", "South Worcester")])
    assert "8 areas are ranked, of 9 in the table." in said.out


def test_someone_who_types_south_worcestershire_is_told_its_name(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--area", "South Worcestershire")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith('crime-rates: No area in this table is called "South Worcestershire". Nearest: South Worcester')


def test_a_part_of_two_names_is_not_guessed(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--area", "worcester")
    assert said.code == 1
    assert '"worcester" is part of 2 names: ' in said.err
    assert "South Worcester" in said.err and "North Worcestershire" in said.err


def test_an_area_without_a_rank_says_why(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--area", "Unassigned Kent")
    assert said.code == 0
    assert "Not ranked, unassigned: " in said.out and ranks(said.out) == []


def test_another_day_gives_another_table(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--as-of", "2016-02-01")
    assert re.search(r"1  Dover +Kent +19 ", said.out)
    assert "As it stood on 2016-02-01." in said.out
    assert "Population: mid-2014 estimates as published on 2015-06-25." in said.out


def test_the_population_basis_can_be_chosen(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--population-vintage", "2015-06-25", "--area", "South Worcester")
    assert re.search(r"South Worcester +West Mercia +36 +300,000 +1\.20 ", said.out)
    said = run("table", "2015-16-H1", "--offence", "8Q", "--population-year", "2013")
    assert "Population: no mid-2013 estimate is held." in said.out and ranks(said.out) == []


# ---------------------------------------------------------------- nothing fits
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["2016-17-H1"], "No csp release covers 2016/17 H1; held: 2015/16 H1 to 2015/16 H1."),
        (["2015-16"], 'expected a half-year such as 2015-16-H1 (April to September 2015), found "2015-16"'),
        (
            ["2015-16-H1", "--population-vintage", "2015-06-26"],
            "No mid-2014 population estimate was published on 2015-06-26; held: those of 2015-06-25, 2016-06-23.",
        ),
        (
            ["2015-16-H1", "--population-year", "2013", "--population-vintage", "2015-06-25"],
            "No mid-2013 population estimate was published on 2015-06-25; held: none.",
        ),
        (
            ["2015-16-H1", "--as-of", "2016-01-20"],
            "On 2016-01-20 no csp release that is held covered 2015/16 H1; the first is of 2016-01-21.",
        ),
        (["2015-16-H1", "--level", "pfa"], "The database holds no police force area (pfa) table."),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(run: Command, words: list[str], sentence: str) -> None:
    said = run("table", *words)
    assert said == Said(1, "", f"crime-rates: {sentence}\n")


@pytest.mark.parametrize(
    "words", [["table"], ["table", "2015-16-H1", "--format", "xml"], ["table", "2015-16-H1", "--as-of", "May"], ["tabel"]]
)
def test_a_command_that_is_not_understood_points_at_help(run: Command, words: list[str]) -> None:
    said = run(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("crime-rates: ") and said.err.endswith("See crime-rates --help.\n") and said.err.count("\n") == 1


def test_an_unknown_level_is_answered_with_those_that_there_are(run: Command) -> None:
    said = run("table", "2015-16-H1", "--level", "planet")
    assert said.code != 0 and said.out == "" and said.err.count("\n") == 1
    assert all(word in said.err for word in ("planet", "csp", "pfa"))


def test_an_empty_folder_says_what_to_do(run: Command, tmp_path: Path) -> None:
    for words in (["table", "2015-16-H1"], ["releases"], ["check"]):
        said = run(*words, folder=tmp_path)
        assert said == Said(
            1,
            "",
            f"crime-rates: {tmp_path} holds no published database yet: run `crime-rates update` (or `crime-rates demo`) first.\n",
        )
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- formats
def test_csv_and_json_hold_every_column_unrounded(run: Command) -> None:
    words = ["table", "2015-16-H1", "--offence", "8Q", "--format"]
    text, plain = run(*words, "csv"), run(*words, "json")
    rows, values = list(csv.DictReader(io.StringIO(text.out))), json.loads(plain.out)
    columns = [c.name for c in RANKED_RATES.columns]
    assert len(rows) == len(values) == 9 and list(rows[0]) == list(values[0]) == columns
    south = values[1]
    assert (south["area_name"], south["rank"], south["rate_per_10k"]) == ("South Worcester", 2, 36 / 301_000 * 10_000)
    assert (south["period_start"], south["population_vintage"]) == ("2015-04-01", "2016-06-23")
    assert float(rows[1]["rate_per_10k"]) == 36 / 301_000 * 10_000
    assert (values[-1]["area_name"], values[-1]["rank"], rows[-1]["rank"]) == ("Unassigned Kent", None, "")
    assert len(list(csv.reader(io.StringIO(run(*words, "csv", "--top", "2").out)))) == 3


def test_markdown_has_a_row_for_each_rank(run: Command) -> None:
    said = run("table", "2015-16-H1", "--offence", "8Q", "--format", "markdown")
    lines = said.out.splitlines()
    assert lines[0].startswith("## Stalking (8Q), April to September 2015")
    assert lines[2:4] == [
        "| rank | area | force | offences | population | per 10,000 | 95% interval |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    assert lines[8] == "| 5= | Ashford | Kent | 5 | 100,000 | 0.50 | 0.16 to 1.17 |"
    assert len([line for line in lines if line.startswith("|")]) == 2 + 8


def test_parquet_goes_to_a_file(data: Path, tmp_path: Path) -> None:
    words = ["table", "2015-16-H1", "--offence", "8Q", "--format", "parquet", "--data-dir", str(data)]
    with (tmp_path / "out.parquet").open("wb") as out:
        subprocess.run([Path(sys.executable).with_name("crime-rates"), *words], stdout=out, check=True)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.equals(RANKED_RATES.arrow_schema())
    assert table["area_name"].to_pylist()[:2] == ["Dover", "South Worcester"]


def test_a_reader_who_has_seen_enough_may_go(data: Path) -> None:
    command = f"{Path(sys.executable).with_name('crime-rates')} table 2015-16-H1 --offence 8Q --data-dir {data} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Stalking (8Q)") and done.stderr == ""


# ---------------------------------------------------------------- the sample
def test_a_simulation_is_called_one(run: Command, sample: World) -> None:
    words = ["table", "2015-16-H1", "--offence", "stalking"]
    partnerships = run(*words, "--population-vintage", "2015-06-25", "--area", "North Worcestershire", folder=sample.data)
    assert "SIMULATED" in partnerships.out.splitlines()[1]
    assert re.search(r"North Worcestershire +West Mercia +30 +278,916 +1\.08 ", partnerships.out)
    forces = run(*words, "--level", "pfa", "--population-vintage", "2015-06-25", "--top", "3", folder=sample.data)
    assert "SIMULATED" not in forces.out
    assert ranks(forces.out) == [("1", "Merseyside"), ("2", "Staffordshire"), ("3", "West Mercia")]
    assert [float(rate) for rate in re.findall(r"(\d\.\d\d)  \d\.\d\d to", forces.out)] == [1.98, 1.40, 1.08]
