"""The commands that read, as a person meets them: what they print, and what they say when nothing fits."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow.parquet as pq
import pytest

from flows import builds, cli
from sql.contract import RANKED_RATES, arrow_schema
from tests.releases import Cell, figures
from tests.world import KENT, ROOT, WORCESTERSHIRE, World, force_of, persons_of

STALKING = {  # per 10,000: 2, 1.2, 1.07, 1, 0.5, 0.5, 0.4 and 0.08
    "Dover": 20, "South Worcester": 36, "North Worcestershire": 30, "Medway": 25, "Ashford": 5, "Canterbury": 5, "Thanet": 2,
    "Swale": 1,
}
FIRST, SECOND = date(2015, 6, 25), date(2016, 6, 23)
JANUARY, APRIL = date(2016, 1, 21), date(2016, 4, 21)


class Said(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World(tmp_path_factory.mktemp("cli"))
    csps = {**WORCESTERSHIRE, **KENT}
    world.lookup(2017, csps)
    world.population(FIRST, persons_of(csps))
    world.population(SECOND, persons_of(csps) | {"E07000237": 101_000})

    def rows(dover: int) -> list[list[Cell]]:
        counts = STALKING | {"Dover": dover, "Unassigned Kent": 3}
        return [figures("2015/16", q, force_of(csp), code, n, csp=csp) for csp, stalking in counts.items()
                for code, figure in (("8Q", stalking), ("46", 0), ("4.1", 0), ("5E", 1))
                for q, n in ((1, figure), (2, 0))]

    world.release(JANUARY, rows(19))
    world.release(APRIL, rows(20))
    world.build().close()
    return world.data


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on that data folder as the console script does."""
    def run(*words: str, folder: Path = data) -> Said:
        monkeypatch.setattr(sys, "argv", ["crime-rates", *words, "--data-dir", str(folder)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return Said(code, *capsys.readouterr())

    return run


def ranks(text: str) -> list[tuple[str, str]]:
    """(rank, area) of the printed lines."""
    return re.findall(r"^ *(\d+=?)  (.+?)  ", text, re.MULTILINE)


# ---------------------------------------------------------------- table
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
        ("1", "Dover"), ("2", "South Worcester"), ("3", "North Worcestershire"), ("4", "Medway"), ("5=", "Ashford"),
        ("5=", "Canterbury"), ("7", "Thanet"), ("8", "Swale"),
    ]


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
    [("harassment", "Stalking and harassment (subgroup)"), ("violence person", "Violence against the person (group)"),
     ("homicide", "Homicide (subgroup)"), ("endangering", "Endangering life (5E)"), ("4.1", "Manslaughter (4.1)"),
     ("total", "Total recorded crime"), ("shop", "Shoplifting (46)"), ("code:stalking", "Stalking (8Q)"),
     ("subgroup:stalking", "Stalking and harassment (subgroup)")],
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
        (["2015-16-H1", "--population-vintage", "2015-06-26"],
         "No mid-2014 population estimate was published on 2015-06-26; held: those of 2015-06-25, 2016-06-23."),
        (["2015-16-H1", "--population-year", "2013", "--population-vintage", "2015-06-25"],
         "No mid-2013 population estimate was published on 2015-06-25; held: none."),
        (["2015-16-H1", "--as-of", "2016-01-20"],
         "On 2016-01-20 no csp release that is held covered 2015/16 H1; the first is of 2016-01-21."),
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
        assert said == Said(1, "", f"crime-rates: {tmp_path} holds no published database yet: "
                                   "run `crime-rates update` (or `crime-rates demo`) first.\n")
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
    assert lines[2:4] == ["| rank | area | force | offences | population | per 10,000 | 95% interval |",
                          "| ---: | --- | --- | ---: | ---: | ---: | ---: |"]
    assert lines[8] == "| 5= | Ashford | Kent | 5 | 100,000 | 0.50 | 0.16 to 1.17 |"
    assert len([line for line in lines if line.startswith("|")]) == 2 + 8


def test_parquet_goes_to_a_file(data: Path, tmp_path: Path) -> None:
    words = ["table", "2015-16-H1", "--offence", "8Q", "--format", "parquet", "--data-dir", str(data)]
    with (tmp_path / "out.parquet").open("wb") as out:
        subprocess.run([Path(sys.executable).with_name("crime-rates"), *words], stdout=out, check=True)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.equals(arrow_schema(RANKED_RATES))
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


# ---------------------------------------------------------------- releases, status, check
def test_releases_are_listed_in_order_of_publication(run: Command) -> None:
    said = run("releases")
    lines = said.out.splitlines()
    assert said.code == 0 and lines[0].split() == ["release", "table", "published", "date", "from", "quarters", "rows"]
    assert [re.findall(r"csp +(\S+) +file name +2015/16 Q1 to 2015/16 Q2 +72$", line) for line in lines[2:]] == [
        ["2016-01-21"], ["2016-04-21"]]


def test_status_says_what_is_published_and_how_old_it_is(run: Command, data: Path) -> None:
    said = run("status")
    assert said.code == 0
    database = (data / "warehouse/crime_rates.duckdb").resolve().name
    assert said.out.startswith(f"Published: {database}\n")
    newest = r"csp: prc-csp-mar2021-mar2026-tables-210416@\w+, published 2016-04-21 \([\d,]+ days ago\), to 2015/16 Q2"
    assert re.search(newest, said.out)
    facts = json.loads(run("status", "--json").out)
    assert (facts["database"], facts["newest"][0]["published"]) == (database, "2016-04-21")
    assert facts["disk_bytes"]["warehouse"] >= (data / "warehouse" / database).stat().st_size


def test_status_of_an_empty_folder_is_no_error(run: Command, tmp_path: Path) -> None:
    said = run("status", folder=tmp_path)
    assert said.code == 0 and said.out.startswith(f"No database is published in {tmp_path} yet.\nNo run is on record.\n")


def test_check_says_whether_the_required_ones_passed(run: Command, data: Path, tmp_path: Path) -> None:
    said = run("check")
    assert said.code == 0 and said.out.splitlines()[-1].endswith("; required ones all passed.")
    assert re.search(r"^ok +counts_are_conserved: ", said.out, re.MULTILINE)
    assert not re.search(r"[,:]$", said.out, re.MULTILINE)  # each says what it guards to the end
    (tmp_path / "warehouse").mkdir()
    copy = tmp_path / "warehouse/crime_rates.duckdb"
    shutil.copyfile(data / "warehouse/crime_rates.duckdb", copy)
    with duckdb.connect(str(copy)) as con:
        con.execute("update quality_checks set passed = false, rows_broken = 2, examples = 'level csp' "
                    "where check_name = 'counts_are_conserved'")
    said = run("check", folder=tmp_path)
    assert said.code == 1 and said.out.splitlines()[-1].endswith("required ones are BROKEN.")
    assert re.search(r"^BROKEN +counts_are_conserved: .*\n +2 rows, such as level csp$", said.out, re.MULTILINE)


def test_rollback_shows_the_build_before_and_its_tables(run: Command, data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data / "warehouse", copy / "warehouse", symlinks=True)
    [older] = builds.kept(copy)
    newer = older.with_name("crime_rates-newer.duckdb")
    shutil.copyfile(older, newer)
    builds.publish(newer, keep=3)
    said = run("rollback", folder=copy)
    assert said == Said(0, f"Readers see {older.name} now, and not {newer.name}; {copy / 'tables'} is written to match.\n", "")
    assert json.loads((copy / "tables/.written.json").read_text())["database"] == older.name
    status = run("status", folder=copy).out
    assert status.startswith(f"Published: {older.name}\n")
    assert "  crime_rates-newer was rolled back: `crime-rates rollback --to crime_rates-newer` publishes it again\n" in status
    said = run("rollback", folder=copy)
    assert said.code == 1
    assert said.err == f"crime-rates: There is no older build than {older.stem} to go back to.\n"
    assert run("rollback", "--to", "newer", folder=copy).code == 0
    assert builds.published(copy) == newer.resolve()


# ---------------------------------------------------------------- start
def test_commands_that_only_read_import_neither_prefect_nor_settings(data: Path) -> None:
    code = """
import sys
from flows.cli import main
for words in (["table", "2015-16-H1", "--offence", "8Q"], ["releases"], ["status"], ["check"]):
    sys.argv = ["crime-rates", *words, "--data-dir", sys.argv[-1]]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
heavy = {"prefect", "pydantic_settings", "requests", "fastexcel"}
print("IMPORTED", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "IMPORTED []"


def test_what_only_reads_changes_nothing(run: Command, data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    for words in (["table", "2015-16-H1"], ["releases"], ["status"], ["check"]):
        run(*words)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_a_fault_keeps_its_traceback_for_debug(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_: Path) -> str:
        raise ValueError("expected this,\nfound that")

    monkeypatch.setattr("flows.overview.releases", fault)
    assert run("releases") == Said(1, "", "crime-rates: expected this, found that\n")
    with pytest.raises(ValueError, match="expected this"):
        run("--debug", "releases")
