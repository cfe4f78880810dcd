"""The steps of a run without Prefect: a bad file fails alone, and the next build leaves what still stands."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.common.quality_check import Check
from flows.pipeline import normalise, steps
from flows.settings import Settings
from flows.sources.local_folder import FolderError
from flows.storage import lake, raw_store
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult
from flows.warehouse import build, versions
from flows.warehouse.published import published
from flows.warehouse.published import published as published_build
from tests.support.counts import rows
from tests.support.releases import CSP_2015, PFA, Row, Sheet, cover, figures, write_csv, write_ods
from tests.support.world import World, rows_of
from transforms.errors import UsageError

APRIL = date(2026, 4, 23)
GOOD = "prc-csp-good-tables-230426.ods"


def sheet(*body: Row, header: Row = CSP_2015) -> Sheet:
    return "2015_16", [header, *body]


def truncated(path: Path) -> None:
    write_ods(path, [sheet(*rows())])
    path.write_bytes(path.read_bytes()[:-300])


def a_web_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>Page not found - GOV.UK</body></html>")


def without_content(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")


def workbook(*body: Row, header: Row = CSP_2015) -> Callable[[Path], object]:
    return lambda path: write_ods(path, [cover(APRIL), sheet(*body, header=header)])


BAD: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {  # name → (how it is made, what its sentence says)
    "truncated": (truncated, ("expected an OpenDocument spreadsheet",)),
    "page": (a_web_page, ("expected a workbook", "found an HTML page")),
    "empty": (lambda path: path.write_bytes(b""), ("expected a workbook", "found an empty file")),
    "hollow": (without_content, ("expected an OpenDocument spreadsheet",)),
    "no-figures": (workbook(), ("sheet 2015_16", "expected rows of figures", "found none")),
    "no-count": (
        workbook(*[row[:-1] for row in rows()], header=CSP_2015[:-1]),
        ("sheet 2015_16, row 1", 'expected a column "Number of Offences" or "Offence Count"', "found Financial Year, "),
    ),
    "quarter": (workbook(*rows(), *rows(quarter=5)), ("sheet 2015_16, row 4, column Financial Quarter", 'found "5"')),
    "count": (workbook(*rows(), *rows(count="lots")), ("sheet 2015_16, row 4, column Offence Count", 'found "lots"')),
    "header": (
        workbook(*[[*row, 1] for row in rows()], header=[*CSP_2015, "Offence Count"]),
        ("sheet 2015_16, row 1", 'found "Offence Count" again in column 10'),
    ),
    "atlantis": (workbook(*rows(csp="Atlantis")), ("sheet 2015_16, row 2, column CSP Name", 'found "Atlantis"')),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder in which lookups and populations of Worcestershire are taken in."""
    World(tmp_path).worcestershire()
    return Settings(LocalStore(tmp_path / "data"))


def take_in(settings: Settings, releases: Path) -> list[FileResult]:
    items = []
    for group in steps.discover_local(steps.LocalFolders(releases=releases)):
        folders, downloaded = steps.store_raw(settings, group)
        assert downloaded == 0
        items.append(normalise.normalise(settings, group.name, group.kind, folders))
    return items


# ---------------------------------------------------------------- discovery
def test_a_folder_offers_its_files_in_groups(tmp_path: Path) -> None:
    write_ods(tmp_path / GOOD, [sheet(*rows())])
    write_csv(tmp_path, "prc-csp-tables-230126", [("2014_15", [CSP_2015, *rows(year="2014/15")]), sheet(*rows())])
    write_csv(tmp_path, "prc-pfa-tables-230126", [("2014_15", [PFA, figures("2014/15", 1, "West Mercia")])])
    (tmp_path / ".DS_Store").write_bytes(b"")
    groups = steps.discover_local(steps.LocalFolders(releases=tmp_path))
    assert [(group.name, group.kind, [file.path.name for file in group.files]) for group in groups] == [
        (GOOD, "offences", [GOOD]),
        ("prc-csp-tables-230126_*.csv", "offences", ["prc-csp-tables-230126_2014_15.csv", "prc-csp-tables-230126_2015_16.csv"]),
        ("prc-pfa-tables-230126_*.csv", "offences", ["prc-pfa-tables-230126_2014_15.csv"]),
    ]


def test_a_manifest_tells_what_names_do_not(tmp_path: Path) -> None:
    for name in ("mid2014.csv", "LAD17_CSP17_PFA17.csv", "about.csv", "recrime-geo-pfa.csv"):
        (tmp_path / name).write_text("code,name\n")
    (tmp_path / "manifest.csv").write_text(
        "file,kind,published,covers,note\nmid2014.csv,population,2015-06-25,2014,first\nabout.csv,areas,,,\n"
    )
    folders = steps.LocalFolders(populations=tmp_path, lookups=tmp_path)
    groups = steps.discover_local(folders)
    assert [(b.kind, b.name) for b in groups] == [("lookup", "LAD17_CSP17_PFA17.csv"), ("population", "mid2014.csv")]
    found = groups[1].files[0]
    assert (found.published, found.covers, found.note) == (date(2015, 6, 25), "2014", "first")


@pytest.mark.parametrize(
    ("make", "said"), [(Path.mkdir, "found none"), (Path.touch, "found a file"), (lambda _: None, "found nothing")]
)
def test_a_folder_without_files_is_refused(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "in")
    with pytest.raises(FolderError, match=said):
        steps.discover_local(steps.LocalFolders(releases=tmp_path / "in"))


# ---------------------------------------------------------------- a bad release
@pytest.fixture(scope="module")
def after_bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[FileResult], str]:
    """One good release, published; then every bad one beside it. Settings, items of the second run, the database of the first."""
    folder = tmp_path_factory.mktemp("bad")
    World(folder).worcestershire()
    settings = Settings(LocalStore(folder / "data"))
    releases = folder / "releases"
    releases.mkdir()
    write_ods(releases / GOOD, [cover(APRIL), sheet(*rows())])
    assert [item.state for item in take_in(settings, releases)] == ["new"]
    database, _ = steps.build(settings)
    assert steps.publish(settings, database)
    for name, (make, _) in BAD.items():
        make(releases / f"prc-csp-{name}-tables-230426.ods")
    return settings, take_in(settings, releases), database.name


@pytest.mark.parametrize("name", BAD)
def test_a_bad_release_gives_one_sentence_with_its_place(after_bad: tuple[Settings, list[FileResult], str], name: str) -> None:
    file = f"prc-csp-{name}-tables-230426.ods"
    [item] = [item for item in after_bad[1] if item.name == file]
    assert (item.kind, item.state) == ("offences", "failed")
    assert item.message.startswith(file) and item.message.endswith(".") and "\n" not in item.message
    for words in BAD[name][1]:
        assert words in item.message


def test_a_bad_release_fails_alone(after_bad: tuple[Settings, list[FileResult], str]) -> None:
    settings, items, before = after_bad
    assert {item.name: item.state for item in items if item.state != "failed"} == {GOOD: "unchanged"}
    assert len(items) == 1 + len(BAD)
    assert len(lake.partition_folders(settings.data_dir / "lake", FileKind.OFFENCES)) == 1
    database, _ = steps.build(settings)
    assert database.name == before  # what is published stands
    assert steps.publish(settings, database) is False


def test_a_bad_file_stays_in_the_raw_store(after_bad: tuple[Settings, list[FileResult], str]) -> None:
    kept = {file.path.name for file in raw_store.raw_files(after_bad[0].data_dir / "raw", FileKind.OFFENCES)}
    assert {f"prc-csp-{name}-tables-230426.ods" for name in BAD} <= kept


def test_a_bad_population_file_and_a_bad_lookup_fail_alone_too(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/mid2015.csv").write_text("code,name,population\nE07000235,Malvern Hills,many\n")
    (tmp_path / "in/LAD24_CSP24.csv").write_text("LAD24CD,LAD24NM\nE07000235,Malvern Hills\n")
    folders = steps.LocalFolders(populations=tmp_path / "in", lookups=tmp_path / "in")
    items = [
        normalise.normalise(settings, b.name, b.kind, steps.store_raw(settings, b)[0]) for b in steps.discover_local(folders)
    ]
    assert [(item.kind, item.state) for item in items] == [("lookup", "failed"), ("population", "failed")]
    assert items[0].message.startswith("LAD24_CSP24.csv, row 1: expected columns for csp_code, csp_name")
    assert items[1].message == 'mid2015.csv, sheet mid2015, row 2: expected a whole number of persons, found "many".'


def test_persons_that_cannot_be_fail_alone(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a_mid2014.csv").write_text("code,name,population\nE07000235,Malvern Hills,37000\n")
    (tmp_path / "in/b_mid2014.csv").write_text("code,name,population\nE07000235,Malvern Hills,\nE07000237,Worcester,100400\n")
    groups = steps.discover_local(steps.LocalFolders(populations=tmp_path / "in"))
    items = [normalise.normalise(settings, group.name, group.kind, steps.store_raw(settings, group)[0]) for group in groups]
    assert [item.state for item in items] == ["failed", "new"]
    assert items[0].message == (
        "a_mid2014.csv, sheet a_mid2014, row 2: expected about 75,000 persons in Malvern Hills (E07000235) in mid-2014, "
        "as persons_mid2014_2015-06-25.csv gives for mid-2014, found 37,000."
    )
    assert items[1].message.endswith("(first fetched), cells without a figure: 1 (E07000235 in mid-2014)")


def test_an_item_says_what_was_taken_in(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    write_ods(tmp_path / "in" / GOOD, [cover(APRIL), sheet(*rows())])
    [item] = take_in(settings, tmp_path / "in")
    assert (item.state, item.message) == ("new", "2 rows, 2015/16 Q1 to 2015/16 Q2, published 2026-04-23 (file name)")
    assert [item.state for item in take_in(settings, tmp_path / "in")] == ["unchanged"]


# ---------------------------------------------------------------- warnings
def test_warnings_are_what_does_not_stop_and_has_something_to_say() -> None:
    def check(name: str, required: bool, broken: int) -> Check:
        return Check(name, "guards", required, broken, "a row")

    checks = [check("sound", False, 0), check("few", False, 3), check("many", False, 1234), check("required", True, 5)]
    assert steps.check_warnings(checks) == ["few: a row", "many: a row … (1,234 rows)"]


# ---------------------------------------------------------------- the next build
def test_tables_whose_rows_are_the_same_in_the_next_build_are_left(tmp_path: Path, settings: Settings) -> None:
    world = World(tmp_path)
    world.worcestershire()
    world.release(APRIL, rows())
    first, _ = steps.build(settings)
    assert steps.export(settings, first) == 1
    table = settings.data_dir / "tables/2015-16-H1/csp.csv"
    before = (table.read_bytes(), table.stat().st_mtime_ns)
    world.release(APRIL, [figures("2016/17", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)], stem="later")
    second, _ = steps.build(settings)
    assert steps.export(settings, second) == 1
    assert (table.read_bytes(), table.stat().st_mtime_ns) == before
    assert (settings.data_dir / "tables/2016-17-H1/csp.csv").exists()
    table.unlink()
    assert steps.export(settings, first) == 1  # the table that is gone
    assert table.read_bytes() == before[0]


def test_too_little_memory_to_build_in_names_the_setting(tmp_path: Path, settings: Settings) -> None:
    World(tmp_path).release(APRIL, rows())
    with pytest.raises(UsageError) as caught:
        steps.build(replace(settings, memory_limit="2MB"))
    assert str(caught.value) == "CRIME_RATES_MEMORY_LIMIT: expected enough to build in, found that 2MB is too little."
    assert not [*(settings.data_dir / "warehouse").rglob("*.duckdb")]


def test_a_build_refused_leaves_what_is_published(tmp_path: Path, settings: Settings) -> None:
    world = World(tmp_path)
    world.release(APRIL, rows())
    database, _ = steps.build(settings)
    steps.publish(settings, database)
    world.population(date(2016, 6, 23), {"E07000235": 75_000})  # five councils are missing
    with pytest.raises(build.BuildRefused, match="forces_add_up_to_england_and_wales"):
        steps.build(settings)
    published = published_build(settings.store)
    assert published is not None and published.name == database.name
    with duckdb.connect(str(published), read_only=True) as con:
        assert rows_of(con, "select count(*) as n from releases") == [{"n": 1}]


def test_a_roll_back_stands_until_something_new_comes(tmp_path: Path, settings: Settings) -> None:
    world = World(tmp_path)
    made = []
    for day in (APRIL, date(2026, 7, 23)):
        world.release(day, rows())
        made.append(steps.build(settings)[0])
        steps.publish(settings, made[-1])
    versions.roll_back(settings.store)
    database, said = steps.choose_database(settings, made[1])
    assert database == made[0].resolve() and steps.publish(settings, database) is False
    assert said == [
        f"{made[1].stem} was rolled back, so it is not published again: `crime-rates rollback --to {made[1].stem}` "
        "does that, or anything new in the lake."
    ]
    world.release(date(2026, 10, 22), rows())
    newest, _ = steps.build(settings)
    assert steps.choose_database(settings, newest) == (newest, [])
    assert steps.publish(settings, newest) and published(settings.store) == newest.resolve()
