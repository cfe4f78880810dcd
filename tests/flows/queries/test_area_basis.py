"""`table` on other areas: on their newest boundaries, by region and by country."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.cli import query_commands
from flows.queries.connection import NotFound
from flows.queries.levels import AreaBasis, Level
from flows.rendering.formats import TableFormat
from flows.storage.data_store import LocalStore
from tests.support.releases import figures
from tests.support.world import KENT, WORCESTERSHIRE, World, persons_of

FIRST, SECOND = date(2015, 6, 25), date(2016, 6, 23)
JANUARY, APRIL = date(2016, 1, 21), date(2016, 4, 21)
NEWEST = "Areas are on their newest boundaries"
Table = Callable[..., str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of 2014/15 with South Worcester in pieces; the force table of 2015/16."""
    world = World(tmp_path_factory.mktemp("basis"))
    csps = {**WORCESTERSHIRE, **KENT}
    world.lookup(2017, csps)
    world.population(FIRST, persons_of(csps), year=2013)
    world.population(FIRST, persons_of(csps), year=2014)
    world.population(SECOND, persons_of(csps) | {"E07000238": 205_000}, year=2013)  # Wychavon: 80,000 more
    pieces = {"South Worcs_Malvern Hills": 3, "South Worcs_Worcester": 12, "South Worcs_Wychavon": 14, "North Worcestershire": 14}
    for published, more in ((JANUARY, 0), (APRIL, 1)):
        world.release(
            published,
            [figures("2014/15", q, "West Mercia", count=n + more, csp=csp) for csp, n in pieces.items() for q in (1, 2)],
            stem="1415",
        )
    counts = {"West Mercia": 58, "Kent": 30, "British Transport Police": 7}
    world.release(APRIL, [figures("2015/16", q, force, count=n) for force, n in counts.items() for q in (1, 2)])
    world.build().close()
    return world.data


@pytest.fixture
def table(data: Path, capsys: pytest.CaptureFixture[str]) -> Table:
    def table(half_year: str = "2014-15-H1", **words: Any) -> str:
        kinds = {"level": Level, "area_basis": AreaBasis, "format": TableFormat}
        parsed = {name: kinds[name](value) if name in kinds else value for name, value in words.items()}
        query_commands.table(half_year, offence="8Q", store=LocalStore(data), **parsed)
        return capsys.readouterr().out

    return table


def rows(text: str) -> dict[str, tuple[Any, ...]]:
    """Area → offences, population, rank."""
    return {row["area_name"]: (row["offences"], row["population"], row["rank"]) for row in json.loads(text)}


def test_as_published_the_pieces_rank_apart(table: Table) -> None:
    assert list(rows(table(format="json"))) == [
        "South Worcs_Worcester",
        "South Worcs_Wychavon",
        "North Worcestershire",
        "South Worcs_Malvern Hills",
    ]
    assert NEWEST not in table()


def test_harmonised_the_pieces_are_one_area_and_the_footer_says_so(table: Table) -> None:
    found = rows(table(format="json", area_basis="harmonised"))
    assert found == {"South Worcester": (64, 380_000, 1), "North Worcestershire": (30, 280_000, 2)}
    said = table(area_basis="harmonised")
    assert f"\n{NEWEST}: the pieces in which some were once published are summed.\n" in said
    assert "2 areas are ranked, of 2 in the table." in said
    assert f"- {NEWEST}" in table(area_basis="harmonised", format="markdown")


def test_harmonised_goes_with_every_other_basis(table: Table) -> None:
    then = table(area_basis="harmonised", as_of=date(2016, 2, 1), format="json")
    assert rows(then)["South Worcester"] == (58, 300_000, 1)  # January's counts over the only vintage of that day
    first = table(area_basis="harmonised", population_vintage=FIRST, format="json")
    assert rows(first)["South Worcester"] == (64, 300_000, 1)
    year = table(area_basis="harmonised", population_year=2014, format="json")
    assert rows(year)["South Worcester"] == (64, 300_000, 1)
    said = table(area_basis="harmonised", as_of=date(2016, 2, 1))
    assert "As it stood on 2016-02-01." in said and NEWEST in said


def test_an_area_that_is_in_pieces_as_published_is_pointed_to_the_other_basis(table: Table) -> None:
    with pytest.raises(
        NotFound,
        match="South Worcester is published in pieces in 2014/15 H1: South Worcs_Malvern Hills, .*--area-basis harmonised",
    ):
        table(area="south worcester")
    assert "64     380,000" in table(area="south worcester", area_basis="harmonised")
    with pytest.raises(NotFound, match='No area in this table is called "South Devon"'):
        table(area="South Devon")


def test_regions_and_countries_are_tables_like_the_others_without_a_force(table: Table) -> None:
    said = table("2015-16-H1", level="region")
    lines = said.splitlines()
    assert lines[0] == "Stalking (8Q), April to September 2015, by region"
    assert lines[3].split() == ["rank", "area", "offences", "population", "per", "10,000", "95%", "interval"]
    assert lines[5].split()[:6] == ["1", "West", "Midlands", "Region", "116", "580,000"]
    country = rows(table("2015-16-H1", level="country", format="json"))
    assert country["England and Wales"][0] == 2 * (58 + 30 + 7) and country["England"][0] == 2 * (58 + 30)


def test_a_region_is_made_of_force_releases_and_an_error_names_those(table: Table) -> None:
    with pytest.raises(NotFound, match="No pfa release covers 2014/15 H1; held: 2015/16 H1 to 2015/16 H1"):
        table(level="region")
    with pytest.raises(NotFound, match="On 2016-02-01 no pfa release that is held covered 2015/16 H1; the first is of 2016-04"):
        table("2015-16-H1", level="country", as_of=date(2016, 2, 1))
