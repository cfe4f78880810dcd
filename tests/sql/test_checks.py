"""What stops a publication, and what only warns. A check that cannot fail guards nothing, so each one fails here."""

from __future__ import annotations

import csv
import importlib.resources
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.common.atomic_files import read_json, sha256_of, write_json
from flows.common.quality_check import Check
from flows.warehouse.build import BuildRefused
from flows.warehouse.checks import read_checks
from flows.warehouse.published import LINK
from tests.support.releases import Cell, figures
from tests.support.world import KENT, REFERENCE, WORCESTERSHIRE, World, force_of, persons_of, rows_of

APRIL, JULY = date(2026, 4, 23), date(2026, 7, 23)
CSPS = {**WORCESTERSHIRE, "Medway": KENT["Medway"]}


def partnerships(south: int = 18, unassigned: int = 0) -> list[list[Cell]]:
    """Stalking of April to September 2015 in two quarters: South Worcester's, 15 in North Worcestershire, 7 in Medway."""
    rows = [("South Worcester", south), ("North Worcestershire", 15), ("Medway", 7), ("Unassigned West Mercia", unassigned)]
    return [figures("2015/16", q, force_of(csp), count=n, csp=csp) for csp, n in rows for q in (1, 2)]


def forces(west_mercia: int = 33) -> list[list[Cell]]:
    rows = [("West Mercia", west_mercia), ("Kent", 7), ("British Transport Police", 4)]
    return [figures("2015/16", q, force, count=n) for force, n in rows for q in (1, 2)]


def world_in(folder: Path, reference_dir: Path = REFERENCE) -> World:
    world = World(folder, reference_dir=reference_dir)
    world.lookup(2017, CSPS)
    world.population(date(2015, 6, 25), persons_of(CSPS))
    return world


def refusal(world: World) -> str:
    with pytest.raises(BuildRefused) as error:
        world.make()
    return str(error.value)


def reference_with(folder: Path, change: Callable[[dict[str, str]], list[dict[str, str]]]) -> Path:
    """data/reference with other rows of areas.csv."""
    shutil.copytree(REFERENCE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with (folder / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = [new for row in csv.DictReader(file) for new in change(row)]
    with (folder / "areas.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


# ---------------------------------------------------------------- partnerships and forces
def test_partnerships_that_do_not_add_up_to_their_force_stop_the_publication(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, partnerships())
    world.build().close()
    link = world.warehouse / LINK
    before = (link.readlink(), sha256_of(link), sorted(p.name for p in world.warehouse.iterdir()))
    world.release(APRIL, forces(west_mercia=34))
    said = refusal(world)
    assert said.startswith("Nothing is published, because a required check failed: partnerships_add_up_to_force (")
    assert (
        "2 rows, such as force_name West Mercia, quarter 2015/16 Q1, offence_code 8Q, force_offences 34, "
        "partnership_offences 33; force_name West Mercia, quarter 2015/16 Q2" in said
    )
    assert "Kent" not in said and "British Transport Police" not in said
    assert (link.readlink(), sha256_of(link), sorted(p.name for p in world.warehouse.iterdir())) == before


def test_what_is_unassigned_counts_towards_the_force(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, partnerships(south=10, unassigned=8))
    world.release(APRIL, forces())
    world.make()


def test_tables_of_two_days_need_not_agree(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, partnerships())
    world.release(JULY, forces(west_mercia=40))
    world.make()


# ---------------------------------------------------------------- nothing is lost, nothing is doubled
def a_parquet_file(world: World) -> Path:
    [path] = world.lake.glob("offences/*/2015-16.parquet")
    return path


def tamper(path: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    table = pq.read_table(path)
    rows = change(table.to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def raised(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**rows[0], "offences": rows[0]["offences"] + 1}, *rows[1:]]  # type: ignore[operator]


def doubled(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [*rows, *rows[:1]]


def forgotten(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [*rows[:2], *({**row, "offences": None} for row in rows[2:])]


@pytest.mark.parametrize(
    "change",
    [raised, lambda rows: rows[1:], doubled, forgotten],
    ids=["a count raised", "a row lost", "a row doubled", "counts lost"],
)
def test_a_lake_that_does_not_hold_what_was_read_stops_the_publication(
    tmp_path: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]
) -> None:
    world = world_in(tmp_path)
    release = world.release(APRIL, partnerships())
    assert (release.rows, release.offences) == (8, 2 * (18 + 15 + 7))
    tamper(a_parquet_file(world), change)
    said = refusal(world)
    assert release.release_id in said


def test_a_name_that_is_of_no_area_in_its_year_stops_the_publication(tmp_path: Path) -> None:
    # the reader knows the name; that it is not one of 2015/16 only the models can tell
    def until_2014(row: dict[str, str]) -> list[dict[str, str]]:
        return [{**row, "valid_to": "2014/15"} if row["published_name"] == "South Worcester" else row]

    world = world_in(tmp_path, reference_with(tmp_path / "reference", until_2014))
    world.release(APRIL, partnerships())
    said = refusal(world)
    assert "published_names_are_known" in said and "financial_year 2015/16, area_name South Worcester" in said
    assert "counts_are_conserved" in said and "published 40, kept 22" in said  # 18 a quarter would be lost


def test_rows_that_the_lake_has_lost_since_a_release_was_digested_stop_the_publication(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, partnerships())
    world.build().close()
    [year] = world.lake.glob("offences/*/2015-16.parquet")
    pq.write_table(pq.read_table(year).slice(1), year)
    world.population(date(2016, 6, 23), persons_of(WORCESTERSHIRE | KENT), year=2015)  # so that there is something to build
    said = refusal(world)
    assert "releases_are_whole" in said and "rows_read 8, rows_held 7" in said


def test_a_name_that_is_of_two_areas_stops_the_publication(tmp_path: Path) -> None:
    def twice(row: dict[str, str]) -> list[dict[str, str]]:
        two = row["level"] == "csp" and row["published_name"] == "Medway"
        return [row, {**row, "area_code": "E22999999", "area_name": "Another Medway"}] if two else [row]

    world = world_in(tmp_path, reference_with(tmp_path / "reference", twice))
    world.release(APRIL, partnerships())
    assert "counts_are_conserved" in (said := refusal(world)) and "published 40, kept 47" in said  # 7 would count twice


def test_a_key_that_comes_twice_stops_the_publication(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    release = world.release(APRIL, partnerships())
    [folder] = world.lake.glob("offences/*")
    # another sheet of the same release, under a record of its own
    copy = folder.with_name(f"copy-of-{folder.name}")
    shutil.copytree(folder, copy)
    record = read_json(copy / "record.json")
    write_json(copy / "record.json", {**record, "published": "2026-04-22", "sha256": "0" * 64})
    assert (
        f"key_of_releases (releases has one row per release: one published file in one vintage): 1 rows, such as "
        f"release_id {release.release_id}, rows 2" in refusal(world)
    )


def test_people_of_no_known_partnership_stop_the_publication(tmp_path: Path) -> None:
    def without_code(row: dict[str, str]) -> list[dict[str, str]]:
        return [{**row, "area_code": "E22999999"} if row["published_name"] == "Medway" else row]

    world = world_in(tmp_path, REFERENCE)
    world.release(APRIL, partnerships())
    world.reference_dir = reference_with(tmp_path / "reference", without_code)  # the lookup keeps Medway's own
    said = refusal(world)
    assert "partnerships_hold_everyone_once" in said
    assert "forces 830000, partnerships 580000, apportioned 0" in said


def test_a_quarter_in_which_nothing_is_known_is_no_loss(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, [[*row[:-1], "N/a"] if row[1] == 2 else row for row in partnerships()])
    world.make()


def test_an_empty_lake_is_nothing_to_build_from(tmp_path: Path) -> None:
    assert refusal(world_in(tmp_path)) == "There is nothing to build: the lake holds no release of offences."


# ---------------------------------------------------------------- a finished table that is wrong
@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    world = world_in(tmp_path_factory.mktemp("finished"))
    world.release(APRIL, [*partnerships(), *[figures("2015/16", q, "Kent", "46", -1, csp="Medway") for q in (1, 2)]])
    yield world.make()[0]


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("ranks_are_whole", "rank = 7 where area_name = 'South Worcester'"),
        ("ranks_are_whole", "rank = 1 where area_name = 'North Worcestershire'"),
        ("ranks_are_whole", "areas_ranked = 4 where offence_code = '8Q'"),
        ("ranks_are_whole", "rate_per_10k = 99 where area_name = 'North Worcestershire'"),
        ("rates_hold_every_count", "offences = offences + 1 where area_name = 'Medway' and offence_level = 'group'"),
        ("rates_hold_every_count", "half_year = '2015/16 H2' where area_name = 'Medway'"),
        ("statuses_say_why", "status_note = null where status = 'unassigned'"),
        ("statuses_say_why", "rank = null where area_name = 'Medway' and offence_code = '8Q'"),
        ("statuses_say_why", "rate_per_10k = 0.5 where status = 'negative'"),
        ("statuses_say_why", "rate_lower_95 = 0.5 where status = 'negative'"),
        ("statuses_say_why", "rate_lower_95 = rate_upper_95 where status = 'ranked'"),
        ("statuses_say_why", "population = null where status = 'ranked'"),
    ],
)
def test_a_table_that_breaks_its_own_rules_is_seen(finished: Path, check: str, wrong: str) -> None:
    query = (importlib.resources.files("sql") / "40_checks" / f"{check}.sql").read_text(encoding="utf-8")
    with duckdb.connect() as con:
        con.execute(f"attach '{finished}' as x (read_only)")
        for name in ("ranked_rates", "offence_counts"):
            con.execute(f"create table {name} as from x.{name}")
        assert con.execute(query).fetchall() == []
        con.execute(f"update ranked_rates set {wrong}")
        assert con.execute(query).fetchall() != []


# ---------------------------------------------------------------- what warns
def warnings(checks: list[Check]) -> dict[str, str]:
    assert all(check.passed for check in checks if check.required)
    return {check.name: check.examples for check in checks if not check.passed}


def test_a_place_that_falls_silent_warns(tmp_path: Path) -> None:
    def year(name: str, medway: int, south: int) -> list[list[Cell]]:
        rows = [("Medway", medway), ("South Worcester", south), ("North Worcestershire", 4)]
        return [figures(name, q, force_of(csp), "46", n, csp=csp) for csp, n in rows for q in (1, 2)]

    world = world_in(tmp_path)
    world.population(date(2015, 6, 25), persons_of(CSPS), year=2013)
    world.release(APRIL, [*year("2014/15", 300, 200), *year("2015/16", 29, 20)])  # under a tenth; a tenth exactly
    said = warnings(world.make()[1])
    assert said == {"no_place_falls_silent": "level csp, area_name Medway, half_year 2015/16 H1, year_before 600, offences 58"}


def test_half_years_without_any_estimate_warn_in_one_line(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    later = [[year, *row[1:]] for year in ("2024/25", "2025/26") for row in partnerships()]
    world.release(APRIL, [*partnerships(), *later])
    assert warnings(world.make()[1]) == {
        "half_years_have_a_population": "csp: 2024/25 H1 to 2025/26 H1 (2 half-years) cannot be ranked, "
        "no estimates for mid-2023 to mid-2024 are held"
    }


def test_a_place_without_rows_for_an_offence_warns(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.release(APRIL, [*partnerships(), figures("2015/16", 1, "West Mercia", "46", 3, csp="South Worcester")])
    said = warnings(world.make()[1])
    assert list(said) == ["places_have_every_offence"]
    assert "area_name Medway, financial_year 2015/16, quarter 1, offences 1, expected 2" in said["places_have_every_offence"]
    assert "quarter 2" not in said["places_have_every_offence"]


def test_a_partnership_under_another_force_warns(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    misplaced = [[*row[:2], "Kent", *row[3:]] if row[3] == "South Worcester" else row for row in partnerships()]
    release = world.release(APRIL, misplaced)
    assert warnings(world.make()[1]) == {
        "partnerships_keep_their_force": f"release_id {release.release_id}, area_name South Worcester, "
        "published_force Kent, known_force West Mercia"
    }


def test_persons_that_moved_and_rows_that_may_be_a_slip_warn(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    world.population(date(2016, 6, 23), persons_of(CSPS) | {"E07000237": 110_000})
    release = world.release(APRIL, [*partnerships(), figures("2015/16", 1, "Kent", count=-2, csp="Medway")])
    assert warnings(world.make()[1]) == {
        "councils_agree_with_their_past": "E07000237 (E07000237): 110,000 in mid-2014 (persons_mid2014_2016-06-23.csv, "
        "2016-06-23), 100,000 in mid-2014 (2015-06-25): 10.0%",
        "releases_raise_no_doubt": f"{release.file_name}, sheet 2015_16: counts in several rows, which are summed: 1, "
        "such as 8Q in Medway, quarter 1, in rows 6, 10",
    }


def test_twice_the_persons_of_another_vintage_stop_the_publication_of_an_older_lake_too(tmp_path: Path) -> None:
    world, older = world_in(tmp_path / "world"), World(tmp_path / "older")
    world.release(APRIL, partnerships())
    older.population(date(2016, 6, 23), persons_of(CSPS) | {"E07000237": 200_000})  # nothing there to hold it against
    [partition] = (older.lake / "populations").iterdir()
    shutil.copytree(partition, world.lake / "populations" / partition.name)
    assert "councils_are_not_doubled" in refusal(world)


def test_checks_stand_in_the_published_file(finished: Path) -> None:
    folder = importlib.resources.files("sql") / "40_checks"
    files = {file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql")}
    with duckdb.connect(str(finished), read_only=True) as con:
        rows = rows_of(con, "from quality_checks")
    assert files <= {row["check_name"] for row in rows}
    assert all(row["passed"] == (row["rows_broken"] == 0) and row["guards"] for row in rows)
    assert {row["check_name"] for row in rows if not row["passed"]} == {"places_have_every_offence"}
    columns = ("check_name", "guards", "required", "rows_broken", "examples")
    assert read_checks(finished) == [Check(*[row[c] for c in columns]) for row in rows]
