"""One figure from its cells to its rank, as somebody with a pocket calculator and the workbooks checks it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import fastexcel
import pytest

from flows.cli import query_commands
from flows.queries.connection import NotFound
from flows.rendering import text_tables
from flows.storage.data_store import LocalStore
from tests.support.counts import worcestershire
from tests.support.explanations import check_arithmetic, flat, say, statements, under
from tests.support.world import ROOT, SAMPLE, SOUTH_WORCESTER, World, rate, rows_of

pytestmark = pytest.mark.usefixtures("terminal")
DAY = date(2026, 4, 23)


# ---------------------------------------------------------------- a whole partnership
def test_a_whole_partnership_from_its_two_cells_to_its_rank(sample: World) -> None:
    text = say(sample.data, "south worcester")
    assert text.startswith(
        "Stalking (8Q) in South Worcester, April to September 2015\n"
        "(E22000332, Community Safety Partnership, West Mercia)\nSIMULATED"
    )
    assert "  36 ÷ 296,970 × 10,000 = 1.2122\n" in text
    assert "  lower  36 × (1 − 1 ÷ (9 × 36) − 0.65332 ÷ √36)³ ÷ 296,970 × 10,000 = 0.8489\n" in text
    assert "  upper  37 × (1 − 1 ÷ (9 × 37) + 0.65332 ÷ √37)³ ÷ 296,970 × 10,000 = 1.6783\n" in text
    assert "Byar" in text and check_arithmetic(text) == 3
    assert "1. The figure: 1.2122 per 10,000, rank" in text and "areas ranked; 1 is the highest rate." in text


def test_rate_bounds_and_rank_are_those_of_the_table(sample: World) -> None:
    with duckdb.connect(str(sample.warehouse / "crime_rates.duckdb"), read_only=True) as con:
        row = rate(con, "South Worcester")
        near = rows_of(
            con,
            "select rank, area_name from ranked_rates where half_year = '2015/16 H1' and level = 'csp' "
            "and offence_code = '8Q' and rank is not null order by rank, area_name",
        )
    text = say(sample.data, "South Worcester")
    assert f"rank {row['rank']} of {row['areas_ranked']}\n" in text
    at = next(i for i, n in enumerate(near) if n["area_name"] == "South Worcester")
    table = under(text, "Rank ")
    assert [re.split(r"\s{2,}", line.strip(" *"))[1] for line in table[3:]] == [n["area_name"] for n in near[at - 1 : at + 2]]
    assert [line.startswith("  *") for line in table[3:]] == [False, True, False]
    for name in ("rate_per_10k", "rate_lower_95", "rate_upper_95"):
        assert f"= {row[name]:.4f}\n" in text


def test_the_named_rows_of_the_workbook_hold_the_counts(sample: World) -> None:
    text = say(sample.data, "South Worcester")
    counts = [int(line.split()[5]) for line in text.splitlines() if re.match(r"Q\d, ", line)]
    file = next(line.removeprefix("Read from ") for line in text.splitlines() if line.startswith("Read from "))
    assert sum(counts) == 36
    sheet = fastexcel.read_excel(SAMPLE / "releases" / file).load_sheet("2015_16", header_row=None, dtypes="string").to_arrow()
    rows = [int(n) for n in re.findall(r"sheet 2015_16, row (\d+)", text)]
    assert len(rows) == 2
    for count, quarter, row in zip(counts, "12", rows, strict=True):
        cells = [column[row - 1].as_py() for column in sheet.columns]
        assert cells[0] == "2015/16" and cells[1] == quarter and cells[3] == "South Worcester"
        assert cells[7] == "8Q" and int(cells[8]) == count


def test_the_councils_are_named_with_their_persons_and_add_up(sample: World) -> None:
    text = say(sample.data, "South Worcester")
    table = under(text, "  code       council")
    persons = {
        re.split(r"\s{2,}", line.strip())[1]: int(re.split(r"\s{2,}", line.strip())[2].replace(",", ""))
        for line in table
        if line.strip().startswith("E07")
    }
    assert persons == {"Malvern Hills": 76_224, "Worcester": 100_739, "Wychavon": 120_007}
    assert sum(persons.values()) == 296_970 and table[-2].split() == ["sum", "296,970"]
    assert "Mid-2014 (30 June 2014), the year before the financial year 2015/16 starts" in text
    assert "published 2021-06-25, the newest that is held (also held: 2015-06-25)" in text
    assert "Persons from mid2013-2014_revised.csv" in table[-1] and re.search(r"Wychavon +120,007  row \d+", text)


FIGURES = [
    ("South Worcester", "8Q", "csp"),
    ("South Worcester", "total", "csp"),
    ("Bournemouth", "8Q", "csp"),
    ("Dorset", "Stalking and harassment", "csp"),
    ("Unassigned Kent", "8Q", "csp"),
    ("London, City of", "8Q", "csp"),
    ("Isles of Scilly", "8Q", "csp"),
    ("West Mercia", "8Q", "pfa"),
    ("Dorset", "total", "pfa"),
    ("Action Fraud", "total", "pfa"),
    ("British Transport Police", "8Q", "pfa"),
    ("England and Wales", "8Q", "country"),
    ("England", "total", "country"),
    ("West Midlands Region", "46", "region"),
    ("London", "Theft offences", "region"),
]


@pytest.mark.parametrize(("area", "offence", "level"), FIGURES, ids=lambda value: str(value))
@pytest.mark.parametrize("half_year", ["2014-15-H2", "2015-16-H1"])
def test_every_sum_comes_out_as_printed_in_lines_that_fit(
    sample: World, area: str, offence: str, level: str, half_year: str
) -> None:
    try:
        text = say(sample.data, area, offence, level, half_year)
    except NotFound:
        assert (area, half_year) == ("South Worcester", "2014-15-H2")  # in pieces then
        return
    assert max(map(len, text.splitlines())) <= 120
    assert "CAUTION" not in text and not re.search(r"\b(None(?! was recorded)|nan|nat|True|False)\b", text)
    is_ranked = "Status " not in text
    assert check_arithmetic(text) >= (3 if is_ranked else 0)


@pytest.mark.parametrize(
    ("area", "level"), [("South Worcester", "csp"), ("England and Wales", "country"), ("West Mercia", "pfa")]
)
def test_codes_and_forces_add_up_to_the_count(sample: World, area: str, level: str) -> None:
    text = say(sample.data, area, "total", level)
    total = int(re.search(r"^2\. The offences: ([\d,]+)$", text, re.MULTILINE)[1].replace(",", ""))  # type: ignore[index]
    heads = ["The offence codes that make it up:", *(["The forces that make it up:"] if level == "country" else [])]
    for head in heads:
        lines = [re.search(r"(-?[\d,]+) +(-?[\d,]+) +(-?[\d,]+)(  |$)", line) for line in under(text, head)[3:]]
        assert sum(int(line[3].replace(",", "")) for line in lines if line) == total
    assert re.search(r"^ +\d+ more codes ", text, re.MULTILINE)  # 21 codes of the sample: the small ones in one line


# ---------------------------------------------------------------- forces, countries, what is no place
def test_a_force_is_held_against_its_partnerships(sample: World) -> None:
    text = say(sample.data, "West Mercia", level="pfa")
    assert "134 ÷ " in text and "(E23000016, police force area)" in text and "SIMULATED" not in text
    assert re.search(
        r"West Mercia as a force: 134 offences\. Its 5 partnerships and Unassigned West Mercia \(\d+\) "
        r"add up to 134: the same\.",
        flat(text),
    )
    assert re.search(r"^ +sum +1,2\d\d,\d{3}$", text, re.MULTILINE)


def test_a_country_is_its_forces_and_england_and_wales_has_the_transport_police(sample: World) -> None:
    text = say(sample.data, "England and Wales", level="country")
    assert "  1,047" in text and "2. The offences: 2,115" in text  # SOURCES.md: 1047 and 1068
    forces = under(text, "The forces that make it up")
    assert len([line for line in forces if re.search(r"\d  \d+, \d+$", line)]) == 44
    assert re.search(r"British Transport Police +1 +2 +3  \d+, \d+", text)
    assert re.search(r"British Transport Police +not a place", text)  # no residents
    assert "British Transport Police counts here" in text
    assert check_arithmetic(text) == 3
    assert "British Transport Police" not in say(sample.data, "England", level="country").replace("England and Wales", "")


def test_an_unassigned_group_says_that_nobody_lives_there(sample: World) -> None:
    text = say(sample.data, "Unassigned Kent")
    assert "1. The figure: not ranked" in text and "Status unassigned: not a place" in text
    assert "So there is no rate, no interval and no rank; the count is given: " in text
    assert "3. The population: none" in text and statements(text) == []


def test_few_offences_have_exact_limits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, worcestershire((4, 3), (0, 0)))
    world.build().close()
    text = say(world.data, "South Worcester")
    assert "exact limits of a count below 10" in text and "  lower  2.8143631 ÷ 300,000 × 10,000 = 0.093812\n" in text
    assert check_arithmetic(text) == 3
    nought = say(world.data, "North Worcestershire")
    assert "  0 ÷ 280,000 × 10,000 = 0.0000\n" in nought and "  upper  3.6888795 ÷ 280,000 × 10,000 = 0.1317" in nought


# ---------------------------------------------------------------- at the keyboard
def test_what_is_not_there_is_said_in_a_sentence(sample: World, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match='No area in this table is called "Worcesterfordshire"'):
        say(sample.data, "Worcesterfordshire")
    with pytest.raises(NotFound, match="published in pieces"):
        say(sample.data, "South Worcester", half_year="2014-15-H1")
    with pytest.raises(NotFound, match="No csp release covers 2031/32 H1"):
        say(sample.data, "South Worcester", half_year="2031-32-H1")
    with pytest.raises(NotFound, match="no published database"):
        say(tmp_path, "South Worcester")


def test_the_command_prints_it(sample: World, capsys: pytest.CaptureFixture[str]) -> None:
    query_commands.explain("2015-16-H1", area="South Worcester", offence="8Q", store=LocalStore(sample.data))
    assert capsys.readouterr().out == say(sample.data, "South Worcester")


def test_a_terminal_of_plain_letters_gets_plain_signs(sample: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_tables, "can_print", lambda characters: False)  # noqa: ARG005
    text = say(sample.data, "South Worcester")
    assert text.isascii() and "  36 / 296,970 x 10,000 = 1.2122\n" in text


def test_it_starts_without_the_heavy_packages(sample: World) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom flows.cli.query_commands import explain\n"
        "from flows.storage.data_store import LocalStore\n"
        f"explain('2015-16-H1', area='South Worcester', offence='8Q', store=LocalStore(Path({str(sample.data)!r})))\n"
        "print(sorted({'prefect', 'pandas', 'pyarrow', 'numpy', 'requests', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_councils_of_south_worcester_are_those_that_the_lookup_names(sample: World) -> None:
    text = say(sample.data, "South Worcester")
    assert set(re.findall(r"E07\d{6}", text)) == set(SOUTH_WORCESTER)
