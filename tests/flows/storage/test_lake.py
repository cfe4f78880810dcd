"""A release becomes Parquet once and for good: the same release, the same bytes, whatever format it came in."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.common.atomic_files import read_json
from flows.storage import lake
from flows.storage.raw_store import FileKind
from tests.support.releases import CSP_2015, Cell, Sheet, cover, figures, notes, write_csv, write_ods, write_xlsx
from tests.support.world import WORCESTERSHIRE, World, persons_of
from transforms.errors import PublishedFileError

APRIL = date(2026, 4, 23)
STEM = "prc-csp-tables-230426"


def row(year: str, quarter: Cell, count: Cell, csp: str = "South Worcester") -> list[Cell]:
    return figures(year, quarter, "West Mercia", count=count, csp=csp)


def sheets() -> list[Sheet]:
    return [
        cover(APRIL),
        notes(["West Mercia: a note."]),
        ("2014_15", [CSP_2015, row("2014/15", 1, 20), row("2014/15", 2, "N/a"), row("2014/15", 2, -3, "North Worcestershire")]),
        ("2015_16", [CSP_2015, row("2015/16", 1, 36), row("2015/16", 1, 30), row("2015/16", 3, 1, "North Worcestershire")]),
    ]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a lake, by its place."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows_in(world: World, release: lake.ReleasePartition) -> list[dict[str, Any]]:
    """Every row of a release, without the columns that name its file."""
    [folder] = world.lake.glob(f"offences/{release.release_id}.*")
    tables = [pq.read_table(path).drop_columns(["release_id", "file_name", "sheet"]) for path in sorted(folder.glob("*.parquet"))]
    return [r for table in tables for r in table.to_pylist()]


def test_a_release_has_a_file_a_year_and_a_record(tmp_path: Path) -> None:
    world = World(tmp_path)
    release = world.take_release(write_ods(tmp_path / f"{STEM}.ods", sheets()))
    [folder] = world.lake.glob("offences/*")
    assert sorted(p.name for p in folder.iterdir()) == ["2014-15.parquet", "2015-16.parquet", "record.json"]
    assert lake.read_release(folder) == release
    assert release.release_id == f"{STEM}@{release.sha256[:8]}"
    assert (release.table_kind, release.published, release.published_source) == ("csp", "2026-04-23", "file name")
    assert (release.rows, release.offences) == (6, 20 - 3 + 36 + 30 + 1)
    assert release.quarters == ["2014/15 Q1", "2014/15 Q2", "2015/16 Q1", "2015/16 Q3"]
    assert release.force_notes == ["West Mercia: a note."]


def test_the_same_release_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    book = write_ods(tmp_path / f"{STEM}.ods", sheets())
    worlds = [World(tmp_path / name) for name in "ab"]
    for world in worlds:
        world.seen = "2026-04-23T08:31:00Z"
        world.take_release(book)
    first, second = (bytes_of(world.lake) for world in worlds)
    assert len(first) == 3 and first == second
    # and a second time in one lake it is found there
    before = {path: path.stat().st_mtime_ns for path in worlds[0].lake.rglob("*")}
    worlds[0].take_release(book)
    assert {path: path.stat().st_mtime_ns for path in worlds[0].lake.rglob("*")} == before


def test_a_date_told_later_changes_the_record_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    book = write_ods(tmp_path / f"{STEM}.ods", sheets())
    world.take_release(book)
    [folder] = world.lake.glob("offences/*")
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    told = world.take_release(book, published=date(2026, 4, 22))
    assert (told.published, told.published_source) == ("2026-04-22", "manifest")
    assert lake.read_release(folder) == told
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet")} == before


def test_a_vintage_told_later_changes_the_record_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.population(date(2015, 6, 25), persons_of(WORCESTERSHIRE))
    [table] = world.lake.glob("populations/*/table.parquet")
    before = table.stat().st_mtime_ns
    [path] = (world.sources / "population").iterdir()
    told, new = lake.write_population(world.lake, world.store(path, "population", published=date(2015, 6, 26)))
    assert (first.vintage, told.vintage, new) == ("2015-06-25", "2015-06-26", False)
    assert read_json(table.parent / "record.json")["vintage"] == "2015-06-26"
    assert table.stat().st_mtime_ns == before


def test_a_bad_release_leaves_nothing_behind(tmp_path: Path) -> None:
    world = World(tmp_path)
    # the first sheet is sound and its file is written before the second is read
    bad = write_ods(tmp_path / f"{STEM}.ods", [*sheets(), ("2016_17", [CSP_2015, row("2016/17", 1, "lots")])])
    with pytest.raises(PublishedFileError, match=f'{STEM}.ods, sheet 2016_17, row 2, column Offence Count: .* found "lots"'):
        world.take_release(bad)
    assert [p for p in world.lake.rglob("*") if p.is_file()] == []
    assert lake.partition_folders(world.lake, FileKind.OFFENCES) == []
    assert list(world.lake.glob("offences/*")) == list(world.lake.glob("offences/.*")) == []


def test_a_folder_of_a_run_that_died_is_no_release(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.take_release(write_ods(tmp_path / f"{STEM}.ods", sheets()))
    [folder] = lake.partition_folders(world.lake, FileKind.OFFENCES)
    shutil.copytree(folder, folder.with_name(f".{folder.name}.1234.part"))
    (folder.parent / "half.1").mkdir()  # no record
    assert lake.partition_folders(world.lake, FileKind.OFFENCES) == [folder]


def test_the_csv_sheets_of_one_stem_are_one_release(tmp_path: Path) -> None:
    world = World(tmp_path)
    paths = write_csv(tmp_path, STEM, sheets())
    release = world.take_release(*paths)
    assert [p.name for p in paths] == [f"{STEM}_2014_15.csv", f"{STEM}_2015_16.csv"]
    assert (release.file_name, release.published, release.rows) == (f"{STEM}_*.csv", "2026-04-23", 6)
    assert release.release_id == f"{STEM}@{release.sha256[:8]}"
    assert world.take_release(*reversed(paths)).release_id == release.release_id  # in whatever order they come


def test_another_sheet_makes_another_release(tmp_path: Path) -> None:
    world = World(tmp_path)
    paths = write_csv(tmp_path, STEM, sheets())
    assert world.take_release(*paths).release_id != world.take_release(paths[1]).release_id


def test_every_format_gives_equal_rows(tmp_path: Path) -> None:
    world = World(tmp_path)
    ods = world.take_release(write_ods(tmp_path / f"{STEM}.ods", sheets()))
    xlsx = world.take_release(write_xlsx(tmp_path / f"{STEM}.xlsx", sheets()))
    text = world.take_release(*write_csv(tmp_path, STEM, sheets(), encoding="cp1252", line_end="\r"))
    rows = rows_in(world, ods)
    assert [r["offences"] for r in rows] == [20, -3, None, 36, 30, 1]
    assert rows_in(world, xlsx) == rows and rows_in(world, text) == rows
    assert (xlsx.force_notes, text.force_notes) == (ods.force_notes, [])  # CSV sheets carry no notes
    assert len({ods.release_id, xlsx.release_id, text.release_id}) == 3


def test_a_simulation_says_so_in_the_workbook_or_in_the_manifest(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = [row("2015/16", 1, 1)]
    assert not world.release(APRIL, rows, stem="real").simulated
    assert world.release(APRIL, rows, stem="cover", simulated="SIMULATED: not Home Office figures").simulated
    path = write_ods(tmp_path / f"{STEM}.ods", [("2015_16", [CSP_2015, *rows])])
    file = world.store(path, "offences", note="A Simulated split")
    assert lake.write_release(world.lake, [file], lambda *_: True)[0].simulated


def test_a_simulation_may_be_told_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    book = write_ods(tmp_path / f"{STEM}.ods", [("2015_16", [CSP_2015, row("2015/16", 1, 1)])])
    assert not world.take_release(book).simulated
    file = world.store(book, "offences", note="SIMULATED: a split by chance")
    assert lake.write_release(world.lake, [file], lambda *_: True)[0].simulated


def test_the_year_that_a_file_covers_may_be_corrected_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = tmp_path / "persons.csv"
    path.write_text("code,name,population\nE07000235,Malvern Hills,75000\n")
    for covers in ("2013", "2014"):
        lake.write_population(world.lake, world.store(path, "population", published=APRIL, covers=covers))
    [table] = world.lake.glob("populations/*/table.parquet")
    assert pq.read_table(table)["year"].to_pylist() == [2014]
