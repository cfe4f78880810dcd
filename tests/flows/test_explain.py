"""One figure from its cells to its rank, as somebody with a pocket calculator and the workbooks checks it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from math import isclose, sqrt
from pathlib import Path

import duckdb
import fastexcel
import pytest

from flows import asking, explaining, printing
from flows.reading import NotFound
from tests.releases import Cell, figures, write_csv
from tests.world import KENT, ROOT, SAMPLE, SOUTH_WORCESTER, WORCESTERSHIRE, World, persons_of, rate, rows_of
from transforms.periods import HalfYear

DAY = date(2026, 4, 23)
KENT_NOTE = ("Kent: Due to ongoing IT issues, crime data for Maidstone, Medway, Tonbridge and Malling, Dartford and Gravesham, "
             "and Tunbridge Wells are recorded under an unassigned CSP group from 2024 onwards.")
STATED = re.compile(r"([\d.,]+ .*[×÷].*) = ([\d.,]+)$")


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most terminals can print a division sign; pytest's may not."""
    monkeypatch.setattr(printing, "can_print", lambda characters: True)  # noqa: ARG005


def say(data: Path, area: str, offence: str = "8Q", level: str = "csp", half_year: str = "2015-16-H1") -> str:
    return explaining.explain(data, HalfYear.parse(half_year), area, offence, level)


def flat(text: str) -> str:
    """The text in one line, so that what was wrapped can be found."""
    return " ".join(text.split())


def under(text: str, heading: str) -> list[str]:
    """The lines from the one that begins with a heading to the next blank one."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(heading))
    return lines[first : next((i for i in range(first, len(lines)) if not lines[i]), len(lines))]


def statements(text: str) -> list[tuple[float, str]]:
    """Each line `… = result` worked out, beside the result that it prints."""
    found = []
    for line in text.splitlines():
        if stated := STATED.search(line):
            sum_ = stated[1].replace(",", "").replace("÷", "/").replace("×", "*").replace("−", "-").replace("³", "**3")
            sum_ = re.sub(r"√(\d+)", r"sqrt(\1)", sum_)
            assert re.fullmatch(r"(sqrt|[\d.\s()+*/-])+", sum_), line
            found.append((float(eval(sum_, {"sqrt": sqrt})), stated[2].replace(",", "")))
    return found


def check_arithmetic(text: str) -> int:
    """Every printed sum comes out as printed, to a unit of its last place; how many there are."""
    found = statements(text)
    for value, printed in found:
        places = len(printed.partition(".")[2])
        assert isclose(value, float(printed), rel_tol=2e-5, abs_tol=0.51 * 10**-places), text
    return len(found)


# ---------------------------------------------------------------- a whole partnership
def test_a_whole_partnership_from_its_two_cells_to_its_rank(sample: World) -> None:
    text = say(sample.data, "south worcester")
    assert text.startswith("Stalking (8Q) in South Worcester, April to September 2015\n"
                           "(E22000332, Community Safety Partnership, West Mercia)\nSIMULATED")
    assert "  36 ÷ 296,970 × 10,000 = 1.2122\n" in text
    assert "  lower  36 × (1 − 1 ÷ (9 × 36) − 0.65332 ÷ √36)³ ÷ 296,970 × 10,000 = 0.8489\n" in text
    assert "  upper  37 × (1 − 1 ÷ (9 × 37) + 0.65332 ÷ √37)³ ÷ 296,970 × 10,000 = 1.6783\n" in text
    assert "Byar" in text and check_arithmetic(text) == 3
    assert "1. The figure: 1.2122 per 10,000, rank" in text and "areas ranked; 1 is the highest rate." in text


def test_rate_bounds_and_rank_are_those_of_the_table(sample: World) -> None:
    with duckdb.connect(str(sample.warehouse / "crime_rates.duckdb"), read_only=True) as con:
        row = rate(con, "South Worcester")
        near = rows_of(con, "select rank, area_name from ranked_rates where half_year = '2015/16 H1' and level = 'csp' "
                       "and offence_code = '8Q' and rank is not null order by rank, area_name")
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
    persons = {re.split(r"\s{2,}", line.strip())[1]: int(re.split(r"\s{2,}", line.strip())[2].replace(",", ""))
               for line in table if line.strip().startswith("E07")}
    assert persons == {"Malvern Hills": 76_224, "Worcester": 100_739, "Wychavon": 120_007}
    assert sum(persons.values()) == 296_970 and table[-2].split() == ["sum", "296,970"]
    assert "Mid-2014 (30 June 2014), the year before the financial year 2015/16 starts" in text
    assert "published 2021-06-25, the newest that is held (also held: 2015-06-25)" in text
    assert "Persons from mid2013-2014_revised.csv" in table[-1] and re.search(r"Wychavon +120,007  row \d+", text)


FIGURES = [
    ("South Worcester", "8Q", "csp"), ("South Worcester", "total", "csp"), ("Bournemouth", "8Q", "csp"),
    ("Dorset", "Stalking and harassment", "csp"), ("Unassigned Kent", "8Q", "csp"), ("London, City of", "8Q", "csp"),
    ("Isles of Scilly", "8Q", "csp"), ("West Mercia", "8Q", "pfa"), ("Dorset", "total", "pfa"), ("Action Fraud", "total", "pfa"),
    ("British Transport Police", "8Q", "pfa"), ("England and Wales", "8Q", "country"), ("England", "total", "country"),
    ("West Midlands Region", "46", "region"), ("London", "Theft offences", "region"),
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
    ("area", "level"), [("South Worcester", "csp"), ("England and Wales", "country"), ("West Mercia", "pfa")])
def test_codes_and_forces_add_up_to_the_count(sample: World, area: str, level: str) -> None:
    text = say(sample.data, area, "total", level)
    total = int(re.search(r"^2\. The offences: ([\d,]+)$", text, re.MULTILINE)[1].replace(",", ""))  # type: ignore[index]
    heads = ["The offence codes that make it up:", *(["The forces that make it up:"] if level == "country" else [])]
    for head in heads:
        lines = [re.search(r"(-?[\d,]+) +(-?[\d,]+) +(-?[\d,]+)(  |$)", line) for line in under(text, head)[3:]]
        assert sum(int(line[3].replace(",", "")) for line in lines if line) == total
    assert re.search(r"^ +\d+ more codes ", text, re.MULTILINE)  # 21 codes of the sample: the small ones in one line


# ---------------------------------------------------------------- shared councils
def test_an_apportioned_partnership_shows_the_parts_and_the_split(sample: World) -> None:
    text = say(sample.data, "Bournemouth")
    assert "E06000058  Bournemouth, Christchurch and Poole, in part" in text
    parts = under(text, "  code       part")
    assert re.search(r"E06000028  Bournemouth +194,516  in the area", "\n".join(parts))
    assert re.search(r"E06000029  Poole +150,577$", "\n".join(parts), re.MULTILINE)
    assert re.search(r"^  [\d,]+ × 194,516 ÷ 394,150 = [\d,]+$", text, re.MULTILINE)
    assert "as its parts stood in mid-2015, the last with estimates of their own (published 2016-06-23)" in flat(text)
    assert check_arithmetic(text) == 4  # rate, two bounds, the split
    population = re.search(r"^3\. The population: ([\d,]+)$", text, re.MULTILINE)[1]  # type: ignore[index]
    assert f"÷ 394,150 = {population}\n" in text and f" ÷ {population} × 10,000" in text


def test_a_whole_council_and_a_part_of_another_add_up(sample: World) -> None:
    text = say(sample.data, "Dorset")
    table = [re.split(r"\s{2,}", line.strip()) for line in under(text, "  code       council") if line.startswith("  E06")]
    assert [row[1] for row in table] == ["Bournemouth, Christchurch and Poole, in part", "Dorset"]
    population = re.search(r"^3\. The population: ([\d,]+)$", text, re.MULTILINE)[1]  # type: ignore[index]
    assert sum(int(row[2].replace(",", "")) for row in table) == int(population.replace(",", ""))
    assert "E07000048  Christchurch" in text and "CAUTION" not in text


def test_a_part_that_nobody_published_is_said_to_be_lacking(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, {"Bournemouth": ["E06000028"], "Poole": ["E06000029"], "Dorset": [f"E070000{n}" for n in range(48, 54)]})
    world.population(date(2020, 6, 24), {"E06000058": 400_000, "E06000059": 375_000}, year=2019)
    world.release(DAY, [figures("2020/21", q, "Dorset", csp=csp) for csp in ("Bournemouth", "Poole", "Dorset") for q in (1, 2)])
    world.build().close()
    text = say(world.data, "Bournemouth", half_year="2020-21-H1")
    assert "3. The population: not known" in text and "no estimate of its parts is held" in flat(text)
    assert "A population is that of all councils of the area or none" in text
    assert "Status no_population: no separate estimate was published for the part of E06000058" in flat(text)


def test_a_council_without_an_estimate_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, worcestershire())
    world.build().close()
    database = (world.warehouse / "crime_rates.duckdb").resolve()
    database.chmod(0o644)
    with duckdb.connect(str(database)) as con:  # a build of it would be refused: its force is not whole
        con.execute("delete from crime_rates_core.council_populations where council_code = 'E07000237'")
        con.execute("update ranked_rates set population = null, rank = null, status = 'no_population', "
                    "status_note = 'lacks some' where area_name = 'South Worcester'")
    text = say(world.data, "South Worcester")
    assert re.search(r"E07000237 +no estimate", text) and re.search(r"sum +not known", text)
    assert "75,000" in text and "3. The population: not known" in text


# ---------------------------------------------------------------- forces, countries, what is no place
def test_a_force_is_held_against_its_partnerships(sample: World) -> None:
    text = say(sample.data, "West Mercia", level="pfa")
    assert "134 ÷ " in text and "(E23000016, police force area)" in text and "SIMULATED" not in text
    assert re.search(r"West Mercia as a force: 134 offences\. Its 5 partnerships and Unassigned West Mercia \(\d+\) "
                     r"add up to 134: the same\.", flat(text))
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


# ---------------------------------------------------------------- what is set aside
def worcestershire(south: tuple[Cell, Cell] = (20, 16), north: tuple[Cell, Cell] = (15, 15)) -> list[list[Cell]]:
    counts = {"South Worcester": south, "North Worcestershire": north}
    return [figures("2015/16", q, "West Mercia", count=n[q - 1], csp=csp) for csp, n in counts.items() for q in (1, 2)]


def test_a_withdrawn_partnership_quotes_the_note_and_tells_where_the_figures_stand(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, KENT)
    world.population(date(2025, 7, 30), persons_of(KENT), year=2024)
    rows = [figures("2025/26", q, "Kent", count=n, csp=csp) for q in (1, 2)
            for csp, n in {**dict.fromkeys(KENT, 5), "Medway": 0, "Unassigned Kent": 300}.items()]
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


def built(world: World, area: str, offence: str = "8Q", half_year: str = "2015-16-H1", level: str = "csp") -> str:
    world.build().close()
    return say(world.data, area, offence, level, half_year)


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
    from tests.releases import CSP_2015

    world = World(tmp_path)
    world.worcestershire()
    paths = write_csv(world.sources / "offences", "prc-csp-mar2016-tables-230426", [("2015_16", [CSP_2015, *worcestershire()])])
    world.take_release(*paths)
    text = built(world, "South Worcester")
    assert "Read from prc-csp-mar2016-tables-230426_2015_16.csv\n    Q1  row 2\n    Q2  row 3\n" in text


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
    asking.explain("2015-16-H1", area="South Worcester", offence="8Q", data_dir=sample.data)
    assert capsys.readouterr().out == say(sample.data, "South Worcester")


def test_a_terminal_of_plain_letters_gets_plain_signs(sample: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "can_print", lambda characters: False)  # noqa: ARG005
    text = say(sample.data, "South Worcester")
    assert text.isascii() and "  36 / 296,970 x 10,000 = 1.2122\n" in text


def test_it_starts_without_the_heavy_packages(sample: World) -> None:
    code = ("import sys\nfrom pathlib import Path\nfrom flows.explaining import explain\n"
            "from transforms.periods import HalfYear\n"
            f"explain(Path({str(sample.data)!r}), HalfYear.parse('2015-16-H1'), 'South Worcester', '8Q', 'csp')\n"
            "print(sorted({'prefect', 'pandas', 'pyarrow', 'numpy', 'requests', 'pydantic'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_councils_of_south_worcester_are_those_that_the_lookup_names(sample: World) -> None:
    text = say(sample.data, "South Worcester")
    assert set(re.findall(r"E07\d{6}", text)) == set(SOUTH_WORCESTER)
