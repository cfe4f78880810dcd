"""Whose residents an explanation counts: councils in part, councils in two areas, and councils without an estimate."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support.counts import worcestershire
from tests.support.explanations import check_arithmetic, flat, say, under
from tests.support.releases import figures
from tests.support.world import World, put_table_in_place_of

pytestmark = pytest.mark.usefixtures("terminal")
DAY = date(2026, 4, 23)


def test_an_apportioned_partnership_shows_the_parts_and_the_split(sample: World) -> None:
    text = say(sample.data, "Bournemouth")
    assert "E06000058  Bournemouth, Christchurch and Poole, in part" in text
    parts = under(text, "  code       part")
    assert re.search(r"E06000028  Bournemouth +191,390  in the area", "\n".join(parts))
    assert re.search(r"E06000029  Poole +150,109$", "\n".join(parts), re.MULTILINE)
    assert re.search(r"^  [\d,]+ × 191,390 ÷ 390,394 = [\d,]+$", text, re.MULTILINE)
    assert "as its parts stood in mid-2014, the same year (published 2015-06-25)" in flat(text)
    assert check_arithmetic(text) == 4  # rate, two bounds, the split
    population = re.search(r"^3\. The population: ([\d,]+)$", text, re.MULTILINE)[1]  # type: ignore[index]
    assert f"÷ 390,394 = {population}\n" in text and f" ÷ {population} × 10,000" in text


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


def test_parts_whose_size_the_ons_printed_are_marked_and_the_others_share_the_rest(tmp_path: Path) -> None:
    world = World(tmp_path)
    districts = {"Aylesbury Vale": "E07000004", "Chiltern": "E07000005", "South Bucks": "E07000006", "Wycombe": "E07000007"}
    world.lookup(2017, {name: [code] for name, code in districts.items()})
    world.population(date(2020, 6, 24), dict.fromkeys(districts.values(), 100_000), year=2019)
    world.population(date(2025, 7, 30), {"E06000060": 578_772}, year=2024)
    world.release(DAY, [figures("2025/26", q, "Thames Valley", csp=csp) for csp in districts for q in (1, 2)])
    world.build().close()
    text = say(world.data, "Wycombe", half_year="2025-26-H1")
    parts = "\n".join(under(text, "  code       part"))
    assert re.search(r"E07000004 .* 217,577  as printed$", parts, re.MULTILINE)
    assert re.search(r"E07000007 .* 120,398  in the area$", parts, re.MULTILINE)  # a third of 361,195
    assert "in mid-2019, the nearest year to mid-2024 with estimates of their own" in flat(text)
    assert "those that were printed for mid-2024 have that size, and the others share the rest" in flat(text)
    assert "Persons from council_part_populations.csv" in text and "CAUTION" not in text
    check_arithmetic(text)


def test_the_split_is_shown_whatever_keeps_the_figure_from_its_rank(tmp_path: Path) -> None:
    world = World(tmp_path)
    dorset = [f"E070000{n}" for n in range(48, 54)]
    world.lookup(2017, {"Bournemouth": ["E06000028"], "Poole": ["E06000029"], "Dorset": dorset})
    parts = {"E06000028": 200_000, "E06000029": 150_000} | dict.fromkeys(dorset, 50_000)
    world.population(date(2018, 6, 28), parts, year=2017)
    world.population(date(2020, 6, 24), {"E06000058": 400_000, "E06000059": 375_000}, year=2019)
    world.release(DAY, [figures("2020/21", 1, "Dorset", csp=csp) for csp in ("Bournemouth", "Poole", "Dorset")])
    world.build().close()
    text = say(world.data, "Bournemouth", half_year="2020-21-H1")
    assert "Status incomplete: only quarter 1" in text and "3. The population: 200,000" in text
    assert "  400,000 × 200,000 ÷ 400,000 = 200,000\n" in text and "CAUTION" not in text


def test_a_council_without_an_estimate_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(DAY, worcestershire())
    world.build().close()
    database = (world.warehouse / "crime_rates.duckdb").resolve()
    database.chmod(0o644)
    with duckdb.connect(str(database)) as con:  # a build of it would be refused: its force is not whole
        con.execute("delete from crime_rates_core.council_populations where council_code = 'E07000237'")
        put_table_in_place_of(con, "ranked_rates")
        con.execute(
            "update ranked_rates set population = null, rank = null, status = 'no_population', "
            "status_note = 'lacks some' where area_name = 'South Worcester'"
        )
    text = say(world.data, "South Worcester")
    assert re.search(r"E07000237 +no estimate", text) and re.search(r"sum +not known", text)
    assert "75,000" in text and "3. The population: not known" in text
