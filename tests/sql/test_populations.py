"""How many people live in an area: all of its councils, through every change of boundaries, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.warehouse.build import BuildRefused
from tests.support.releases import Cell, figures
from tests.support.world import SOUTH_WORCESTER, WORCESTERSHIRE, World, force_of, persons_of, rate, rows_of

APRIL = date(2026, 4, 23)

# The lookup of 2017
SOMERSET = {"E07000187": 110_000, "E07000188": 120_000, "E07000189": 165_000, "E07000190": 115_000, "E07000191": 35_000}
DORSET = {
    "E07000048": 50_000,
    "E07000049": 90_000,
    "E07000050": 70_000,
    "E07000051": 45_000,
    "E07000052": 100_000,
    "E07000053": 65_000,
}  # Christchurch first
BOURNEMOUTH, POOLE = {"E06000028": 200_000}, {"E06000029": 150_000}
ST_ALBANS, BARNSLEY, SHEFFIELD = {"E07000240": 140_000}, {"E08000016": 240_000}, {"E08000019": 560_000}
CORBY, EAST_NORTHANTS, KETTERING, WELLINGBOROUGH = (
    {"E07000150": 70_000},
    {"E07000152": 90_000},
    {"E07000153": 100_000},
    {"E07000156": 80_000},
)
OLD_LOOKUP = {
    "Somerset": SOMERSET,
    "Dorset": DORSET,
    "Bournemouth": BOURNEMOUTH,
    "Poole": POOLE,
    "St Albans": ST_ALBANS,
    "Barnsley": BARNSLEY,
    "Sheffield": SHEFFIELD,
    "Corby": CORBY,
    "East Northamptonshire": EAST_NORTHANTS,
    "Kettering": KETTERING,
    "Wellingborough": WELLINGBOROUGH,
}
# The lookup of 2024: merged councils, four of them shared by partnerships
BCP, DORSET_COUNCIL, NORTH_NORTHANTS = "E06000058", "E06000059", "E06000061"
NEW_LOOKUP = {
    **OLD_LOOKUP,
    "Somerset": ["E06000066"],
    "Dorset": [BCP, DORSET_COUNCIL],
    "Bournemouth": [BCP],
    "Poole": [BCP],
    **dict.fromkeys(("Corby", "East Northamptonshire", "Kettering", "Wellingborough"), [NORTH_NORTHANTS]),
}


def everybody(**changed: int | None) -> dict[str, int]:
    """The councils of 2017, with some set to another figure, or taken out where it is None."""
    persons: dict[str, int | None] = {code: n for councils in OLD_LOOKUP.values() for code, n in councils.items()}
    return {code: n for code, n in (persons | changed).items() if n is not None}


def stalking(csps: dict[str, object], *years: str) -> list[list[Cell]]:
    return [figures(year, quarter, force_of(csp), csp=csp) for year in years for csp in csps for quarter in (1, 2)]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    world = World(tmp_path_factory.mktemp("populations"))
    # the newer lookup was published before the older: only the period that it covers matters
    world.lookup(2017, OLD_LOOKUP, published=date(2025, 1, 1))
    world.lookup(2024, NEW_LOOKUP, published=date(2024, 12, 31))
    without_dorset = dict.fromkeys([*DORSET, *BOURNEMOUTH, *POOLE])
    # mid-2011 on the codes before 2012: St Albans is E07000100
    world.population(date(2012, 6, 21), everybody(E07000240=None, E07000100=139_000), year=2011)
    # mid-2014 twice: as first published, and as revised
    world.population(date(2015, 6, 25), everybody(), year=2014)
    world.population(date(2018, 3, 22), everybody(E07000187=111_000), year=2014)
    # mid-2017, the last with Bournemouth, Poole and Christchurch apart: 240,000, 150,000 and 60,000 (of 450,000)
    world.population(date(2018, 6, 28), everybody(E06000028=240_000, E07000048=60_000), year=2017)
    # mid-2018 with parts again, but published after the estimates of mid-2019
    world.population(date(2026, 1, 1), everybody(E06000028=130_000, E07000048=100_000), year=2018)
    # mid-2019 on two maps, published on one day: Northamptonshire in parts, and whole, with figures that differ
    april_2020 = everybody(**without_dorset, E07000190=None, E07000191=None, E07000246=155_000) | {
        BCP: 400_001,
        DORSET_COUNCIL: 375_000,
    }
    april_2021 = {code: n for code, n in april_2020.items() if code not in (*CORBY, *EAST_NORTHANTS, *KETTERING, *WELLINGBOROUGH)}
    world.population(date(2020, 6, 24), april_2020, year=2019, boundaries="20")
    world.population(date(2020, 6, 24), april_2021 | {NORTH_NORTHANTS: 345_000}, year=2019, boundaries="21")
    # mid-2024 on the codes of 2025: Barnsley and Sheffield are new, Somerset is one council
    april_2025 = everybody(**without_dorset, **dict.fromkeys(SOMERSET), E08000016=None, E08000019=None) | {
        "E06000066": 590_000,
        "E08000038": 250_000,
        "E08000039": 570_000,
        BCP: 410_000,
        DORSET_COUNCIL: 380_000,
    }
    world.population(date(2025, 7, 30), april_2025, year=2024)
    years = ("2012/13", "2015/16", "2018/19", "2020/21", "2025/26")
    world.release(APRIL, stalking(OLD_LOOKUP, *years))
    with world.build() as con:
        yield con


def persons(con: duckdb.DuckDBPyConnection, area: str, year: int, source: str = "ranked_rates") -> tuple[int | None, str | None]:
    """(people, method) of a partnership in the financial year that starts in `year`, first half."""
    found = rate(con, area, half_year=f"{year}/{(year + 1) % 100:02d} H1", source=source)
    return found["population"], found["population_method"]


# ---------------------------------------------------------------- whole councils
def test_an_area_has_the_people_of_all_its_councils(con: duckdb.DuckDBPyConnection) -> None:
    assert persons(con, "Dorset", 2015) == (50_000 + 90_000 + 70_000 + 45_000 + 100_000 + 65_000, "sum")
    assert persons(con, "Somerset", 2015) == (111_000 + 120_000 + 165_000 + 115_000 + 35_000, "sum")


def test_a_merger_inside_an_area_changes_nothing(con: duckdb.DuckDBPyConnection) -> None:
    # Somerset West and Taunton, in no lookup, is Taunton Deane and West Somerset; Somerset is all of them
    assert persons(con, "Somerset", 2020) == (110_000 + 120_000 + 165_000 + 155_000, "sum")
    assert persons(con, "Somerset", 2025) == (590_000, "sum")


def test_a_council_under_a_new_code_is_the_old_one(con: duckdb.DuckDBPyConnection) -> None:
    assert persons(con, "St Albans", 2012) == (139_000, "sum")  # E07000100 in estimates of 2012, E07000240 in the lookup
    assert persons(con, "Barnsley", 2025) == (250_000, "sum")  # E08000038 in estimates of 2025, E08000016 in the lookup
    assert persons(con, "Sheffield", 2025) == (570_000, "sum")


# ---------------------------------------------------------------- shared councils
def test_a_shared_council_is_split_by_its_last_separately_published_parts(con: duckdb.DuckDBPyConnection) -> None:
    # of mid-2017, and neither of mid-2014 nor of mid-2018, which nobody had when mid-2019 came out
    assert persons(con, "Bournemouth", 2020) == (round(400_001 * 240 / 450), "apportioned")
    assert persons(con, "Poole", 2020) == (round(400_001 * 150 / 450), "apportioned")
    assert persons(con, "Dorset", 2020) == (375_000 + round(400_001 * 60 / 450), "apportioned")  # with Christchurch


def test_a_split_says_how_it_was_made_and_is_ranked(con: duckdb.DuckDBPyConnection) -> None:
    found = rate(con, "Bournemouth", half_year="2020/21 H1")
    assert found["status"] == "ranked"
    assert found["status_note"] == (  # council names are as the file gives them: here, codes
        "population apportioned: E06000058 split by its parts of mid-2017 (53.33% of 400,001; parts published 2018-06-28)"
    )
    assert rate(con, "Somerset", half_year="2020/21 H1")["status_note"] is None


def test_the_parts_behind_a_split_are_listed(con: duckdb.DuckDBPyConnection) -> None:
    parts = rows_of(
        con,
        "select p.part_code, p.part_persons, p.is_inside, p.part_year, p.persons, p.persons_inside, p.persons_in_parts, "
        "p.persons_counted from crime_rates_core.council_parts as p join crime_rates_core.areas as a using (area_key) "
        "join crime_rates_core.year_lookups as l using (lookup_year) "
        "join crime_rates_core.population_bases as b using (set_key) "
        "where a.level = 'csp' and a.area_name = 'Bournemouth' and l.start_year = 2020 and b.year = 2019 order by 1",
    )
    whole = {
        "part_year": 2017,
        "persons": 400_001,
        "persons_inside": 240_000,
        "persons_in_parts": 450_000,
        "persons_counted": persons(con, "Bournemouth", 2020)[0],
    }
    assert parts == [
        {"part_code": "E06000028", "part_persons": 240_000, "is_inside": True, **whole},
        {"part_code": "E06000029", "part_persons": 150_000, "is_inside": False, **whole},
        {"part_code": "E07000048", "part_persons": 60_000, "is_inside": False, **whole},
    ]


def test_in_the_newer_lookup_too_a_partnership_keeps_its_ground(con: duckdb.DuckDBPyConnection) -> None:
    # the 2024 lookup has the same council under three partnerships; which part is whose is told by that of 2017
    known = "ranked_rates_as_of(date '2026-04-23')"  # before the ONS printed sizes of mid-2024 (test_shared_councils.py)
    assert persons(con, "Poole", 2025, known) == (round(410_000 * 150 / 450), "apportioned")


def test_a_part_that_nobody_published_is_not_guessed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, {"Dorset": DORSET, "Bournemouth": BOURNEMOUTH, "Poole": POOLE})
    world.population(date(2020, 6, 24), {BCP: 400_000, DORSET_COUNCIL: 375_000}, year=2019)
    world.release(APRIL, stalking({"Dorset": 0, "Bournemouth": 0, "Poole": 0}, "2020/21"))
    with world.build() as con:
        for area in ("Bournemouth", "Poole", "Dorset"):  # never the 375,000 of Dorset's own council
            found = rate(con, area, half_year="2020/21 H1")
            assert (found["population"], found["population_method"], found["status"]) == (None, None, "no_population")
            assert found["status_note"] == "no separate estimate was published for the part of E06000058 that it covers"
        warned = rows_of(con, "select rows_broken, required from quality_checks where check_name = 'places_have_a_population'")
        assert warned == [{"rows_broken": 3, "required": False}]
        # the force is whole
        assert rows_of(con, "select persons from populations where level = 'pfa'") == [{"persons": 775_000}]


# ---------------------------------------------------------------- boundary sets
def test_of_two_maps_of_one_vintage_the_better_one_is_chosen_and_they_are_never_mixed(con: duckdb.DuckDBPyConnection) -> None:
    for area, own in {"Corby": 70_000, "East Northamptonshire": 90_000, "Kettering": 100_000, "Wellingborough": 80_000}.items():
        assert persons(con, area, 2020) == (own, "sum")
    rows = rows_of(
        con, "select boundaries, persons from populations where area_name = 'Northamptonshire' and year = 2019 order by 1"
    )
    # the force: 340,000 on the map of 2020, 345,000 on that of 2021, and never 685,000
    assert rows == [{"boundaries": "2020", "persons": 340_000}, {"boundaries": "2021", "persons": 345_000}]
    bases = rows_of(con, "select boundaries from crime_rates_core.population_bases where year = 2019")
    assert bases == [{"boundaries": "2020"}]


def test_a_map_that_lacks_councils_loses_to_one_that_has_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, WORCESTERSHIRE)
    whole = persons_of(WORCESTERSHIRE)
    part = {code: count for code, count in whole.items() if code not in ("E07000237", "E07000239")}  # one of each partnership
    world.population(date(2015, 6, 25), part, boundaries="13")
    world.population(date(2015, 6, 25), whole, boundaries="14")
    world.release(APRIL, stalking(dict(WORCESTERSHIRE), "2015/16"))
    with world.build() as con:
        assert persons(con, "South Worcester", 2015) == (300_000, "sum")
        assert persons(con, "North Worcestershire", 2015) == (280_000, "sum")


# ---------------------------------------------------------------- which estimate
def test_by_default_the_year_before_divides_in_its_newest_vintage(con: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(con, "select distinct half_year, population_year, population_vintage from ranked_rates order by 1")
    assert [tuple(r.values()) for r in rows] == [
        ("2012/13 H1", 2011, date(2012, 6, 21)),
        ("2015/16 H1", 2014, date(2018, 3, 22)),
        ("2018/19 H1", 2017, date(2018, 6, 28)),
        ("2020/21 H1", 2019, date(2020, 6, 24)),
        ("2025/26 H1", 2024, date(2025, 7, 30)),
    ]


def test_another_vintage_or_year_can_be_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    assert persons(con, "Somerset", 2015, "ranked_rates_for(null, null, date '2015-06-25')") == (545_000, "sum")
    assert persons(con, "St Albans", 2015, "ranked_rates_for(null, 2011, null)") == (139_000, "sum")
    found = rate(con, "Somerset", source="ranked_rates_for(null, 2013, null)")
    assert (found["status"], found["status_note"]) == ("no_population", "no mid-2013 population estimate is held")


# ---------------------------------------------------------------- which lookup
def test_the_lookup_is_the_one_whose_period_covers_the_half_year(tmp_path: Path) -> None:
    # a story: in 2024 Wychavon leaves South Worcester for the north; the older lookup is published last
    world = World(tmp_path)
    moved = {
        "South Worcester": ["E07000235", "E07000237"],
        "North Worcestershire": ["E07000238", *WORCESTERSHIRE["North Worcestershire"]],
    }
    world.lookup(2017, WORCESTERSHIRE, published=date(2026, 1, 1))
    world.lookup(2024, moved, published=date(2025, 1, 1))
    years = ("2012/13", "2017/18", "2023/24", "2024/25", "2025/26")
    for year in years:
        world.population(date(2025, 7, 30), persons_of(WORCESTERSHIRE), year=int(year[:4]) - 1)
    world.release(APRIL, stalking(dict(WORCESTERSHIRE), *years))
    with world.build() as con:
        rows = rows_of(
            con,
            "select half_year, population from ranked_rates where area_name = 'South Worcester' "
            "and offence_code = '8Q' order by 1",
        )
    assert [r["population"] for r in rows] == [300_000, 300_000, 300_000, 175_000, 175_000]


# ---------------------------------------------------------------- what stops a build
def refusal(folder: Path, *persons: tuple[str, dict[str, int]], total: int | None = None) -> str:
    """What is said when these population files of mid-2014 (name, councils) meet Somerset and Worcestershire."""
    world = World(folder)
    csps = {**WORCESTERSHIRE, "Somerset": SOMERSET}
    world.lookup(2017, csps)
    for name, councils in persons:
        world.population(date(2015, 6, 25), councils, year=2014, name=name, total=total)
    world.release(APRIL, stalking(dict(csps), "2015/16"))
    with pytest.raises(BuildRefused) as error:
        world.make()
    assert not list(world.warehouse.iterdir())  # nothing is left behind
    return str(error.value)


SOUND = persons_of(WORCESTERSHIRE) | SOMERSET  # 580,000 and 545,000


def test_a_file_that_counts_a_council_beside_its_successor_stops_the_build(tmp_path: Path) -> None:
    said = refusal(tmp_path, ("double", SOUND | {"E07000246": 150_000}))
    assert "no_ground_is_counted_twice" in said
    assert "year 2014, vintage 2015-06-25" in said
    assert "E07000190, E07000246" in said and "E07000191, E07000246" in said


def test_a_council_of_no_force_stops_the_build_and_its_year_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, ("cardiff", SOUND | {"W06000015": 360_000}))
    assert "forces_add_up_to_england_and_wales" in said
    assert "year 2014, vintage 2015-06-25, lookup_year 2017, forces 1125000, councils 1485000" in said


def test_a_force_that_lacks_a_council_stops_the_build(tmp_path: Path) -> None:
    without = {code: n for code, n in SOUND.items() if code not in SOUTH_WORCESTER}
    said = refusal(tmp_path, ("without", without))
    assert "forces_add_up_to_england_and_wales" in said and "forces_without 1" in said


def test_forces_that_differ_from_the_printed_total_stop_the_build(tmp_path: Path) -> None:
    said = refusal(tmp_path, ("printed", SOUND), total=1_125_001)
    assert "forces 1125000, councils 1125000, printed 1125001" in said


def test_two_files_of_one_vintage_that_disagree_stop_the_build(tmp_path: Path) -> None:
    said = refusal(tmp_path, ("one", SOUND), ("other", SOUND | {"E07000237": 100_001}))
    assert "population_files_agree" in said and "E07000237" in said


def test_the_printed_total_of_england_and_wales_may_agree(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lookup(2017, WORCESTERSHIRE)
    world.population(date(2015, 6, 25), persons_of(WORCESTERSHIRE), total=580_000)
    world.release(APRIL, stalking(dict(WORCESTERSHIRE), "2015/16"))
    world.make()
