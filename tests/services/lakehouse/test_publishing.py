"""What a publication into the lakehouse does, and leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from flows.queries import connection
from flows.queries.status import fetch_quality_checks, fetch_snapshots
from flows.rendering import status_text
from flows.storage.data_store import LocalStore
from flows.warehouse import ducklake, ducklake_publish
from flows.warehouse.ducklake import LakehouseError
from tests.services.lakehouse.conftest import KEPT, Place
from tests.support.lakehouse_variants import MARKED, marks, variant
from transforms.errors import UsageError

DAYS = 86_400


def aged(files: set[Path], days: float = 2) -> None:
    for file in files:
        os.utime(file, (time.time() - days * DAYS,) * 2)


def test_only_what_changed_is_written_again(place: Place, built: Path, tmp_path: Path) -> None:
    assert place.publish(built)
    before = place.parquet()
    assert place.publish(variant(built, tmp_path, "1", ["quality_checks"]))
    new = {file.parent.name for file in place.parquet() - before}
    assert new == {"quality_checks", "published_objects"}
    assert before < place.parquet()  # the old build can still be asked


def test_rows_are_stored_in_the_order_of_the_file(place: Place, built: Path, tmp_path: Path) -> None:
    # with several threads DuckLake writes row groups as they come, whatever preserve_insertion_order says
    many = variant(built, tmp_path, "1", [])
    with duckdb.connect(str(many)) as con:
        con.execute("create table many as select i, md5(i::varchar) as text from range(2_000_000) as r(i)")
    place.publish(many)
    with ducklake.connect_read_only(place.catalog) as con:
        later = "select count(*) from (select i, lag(i) over (order by rowid) as before from many) where i <> before + 1"
        assert con.execute(later).fetchall() == [(0,)]
        file = f"{place.data}/main/many/*.parquet"
        firsts = con.execute(
            f"select stats_min::bigint from parquet_metadata('{file}') where path_in_schema = 'i' "
            "order by file_name, row_group_id"
        ).fetchall()
        assert len(firsts) > 10
        assert firsts == sorted(firsts)


def test_the_same_build_again_does_nothing(place: Place, built: Path) -> None:
    assert place.publish(built)
    before = place.parquet()
    assert not place.publish(built)
    assert place.parquet() == before


def test_readers_go_back_to_a_snapshot(place: Place, built: Path, tmp_path: Path) -> None:
    for mark in ("1", "2"):
        assert place.publish(variant(built, tmp_path, mark))
    with ducklake.connect_read_only(place.catalog) as con:
        assert marks(con) == {"2"}
        [newest, older] = ducklake.list_publications(con)
        assert (newest.build, older.build) == ("crime_rates-2", "crime_rates-1")
        at = f"select distinct examples from quality_checks at (version => {older.snapshot})"
        assert con.execute(at).fetchall() == [("1",)]
    with ducklake.connect_read_only(place.catalog, older.snapshot) as con:
        assert marks(con) == {"1"}
        assert con.execute("select distinct release_id from top_areas").fetchall() == [("1",)]  # views go back too
    with pytest.raises(LakehouseError, match="No snapshot found at version 99"):
        ducklake.connect_read_only(place.catalog, 99)


def test_a_command_asks_a_snapshot(place: Place, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for mark in ("1", "2"):
        place.publish(variant(built, tmp_path, mark))
    monkeypatch.setenv(ducklake.SETTING, place.catalog)
    heading, _, newest, older = status_text.render_snapshots(fetch_snapshots()).splitlines()
    assert heading.split()[0] == "snapshot"
    assert (newest.split()[-1], older.split()[-1]) == ("crime_rates-2", "crime_rates-1")
    monkeypatch.setenv(ducklake.SNAPSHOT, older.split()[0])
    assert marked(tmp_path) == {"1"}
    assert marked(built.parents[1]) == {"1"}  # even where there is a file
    monkeypatch.setenv(ducklake.SNAPSHOT, "yesterday")
    with pytest.raises(UsageError, match="expected the number of a snapshot.*found 'yesterday'"):
        fetch_quality_checks(LocalStore(tmp_path))


def marked(data_dir: Path) -> set[str]:
    with connection.connect(LocalStore(data_dir)) as con:
        return marks(con)


def test_the_file_is_asked_where_there_is_one(place: Place, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.publish(variant(built, tmp_path, "1"))
    monkeypatch.setenv(ducklake.SETTING, place.catalog)
    assert marked(tmp_path) == {"1"}
    assert marked(built.parents[1]) != {"1"}


def test_the_newest_builds_are_kept_and_files_go_when_a_day_old(place: Place, built: Path, tmp_path: Path) -> None:
    builds = [variant(built, tmp_path, str(number)) for number in range(KEPT + 2)]
    for build in builds:
        assert place.publish(build)
    with ducklake.connect_read_only(place.catalog) as con:
        assert [p.build for p in ducklake.list_publications(con)] == [build.stem for build in reversed(builds[-KEPT:])]
        held = place.parquet()
    forget_scheduled_by(place, "2 days")
    assert place.publish(variant(built, tmp_path, "last"))
    gone = held - place.parquet()
    assert {file.parent.name for file in gone} == {*MARKED, "published_objects"}
    assert len(gone) == 2 * (len(MARKED) + 1)  # of two builds; that which went only now has its day
    with ducklake.connect_read_only(place.catalog) as con:
        publications = ducklake.list_publications(con)
    for one in publications:
        with ducklake.connect_read_only(place.catalog, one.snapshot) as con:
            assert marks(con) == {one.build.removeprefix("crime_rates-")}


def forget_scheduled_by(place: Place, age: str) -> None:
    """Make files that wait for their deletion older than they are."""
    with duckdb.connect(place.catalog) as con:
        con.execute(f"update ducklake_files_scheduled_for_deletion set schedule_start = schedule_start - interval '{age}'")


def test_files_that_nothing_knows_go_when_a_day_old_and_no_others(place: Place, built: Path, tmp_path: Path) -> None:
    place.publish(built)
    old, young = (Path(place.data) / "main" / "rate_facts" / f"ducklake-{age}.parquet" for age in ("old", "young"))
    for orphan in (old, young):
        orphan.write_bytes(next(iter(place.parquet())).read_bytes())
    live = place.parquet() - {old, young}
    aged({old, *live})
    place.publish(variant(built, tmp_path, "1"))
    assert not old.exists()
    assert young.exists()  # of a writer that is at work, for all that is known
    assert live < place.parquet()


def test_a_relative_folder_is_kept_whole(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # DuckLake takes a live file for an orphan where its address is written in another way
    monkeypatch.chdir(tmp_path)
    place = Place(str(tmp_path / "catalog.ducklake"), "x/..//./lakehouse//")
    place.publish(built)
    live = set((tmp_path / "lakehouse").rglob("*.parquet"))
    aged(live)
    monkeypatch.chdir("/")
    assert place.publish(variant(built, tmp_path, "1"))
    assert live < set((tmp_path / "lakehouse").rglob("*.parquet"))


def test_a_new_lakehouse_wants_an_empty_place(place: Place, built: Path) -> None:
    somebody = Path(place.data) / "theirs" / "figures.parquet"
    somebody.parent.mkdir(parents=True)
    somebody.touch()
    with pytest.raises(UsageError, match="expected an empty place for a new lakehouse, found 1 file"):
        place.publish(built)
    with pytest.raises(UsageError, match="CRIME_RATES_LAKEHOUSE_DATA.*found nothing"):
        Place(place.catalog, "").publish(built)
    assert Place(place.catalog, f"{place.data}/ours").publish(built)  # what was refused stands in nobody's way


def test_the_address_is_wanted_once(place: Place, built: Path, tmp_path: Path) -> None:
    place.publish(built)
    assert Place(place.catalog, "").publish(variant(built, tmp_path, "1"))


def test_what_somebody_else_changed_is_mended(place: Place, built: Path) -> None:
    place.publish(built)
    with ducklake.connect_writable(place.catalog, "") as con:
        con.execute("delete from rate_facts where area_key < 100")
        con.execute("drop view top_areas")
    assert place.publish(built)
    with ducklake.connect_read_only(place.catalog) as con, duckdb.connect(str(built), read_only=True) as file:
        for count in ("select count(*) from ranked_rates", "select count(*) from top_areas"):
            assert con.execute(count).fetchall() == file.execute(count).fetchall()


def test_tables_and_columns_follow_the_file(place: Place, built: Path, tmp_path: Path) -> None:
    changed = variant(built, tmp_path, "1")
    with duckdb.connect(str(changed)) as con:
        con.execute("alter table half_years add column extra integer; comment on column half_years.extra is 'more'")
        con.execute("create table another as select 1 as one; drop view latest_half_year; drop macro table ranked_rates_as_of")
        con.execute("create view one_more as from another")
    place.publish(built)
    for database in (changed, variant(built, tmp_path, "2")):
        assert place.publish(database)
        with ducklake.connect_read_only(place.catalog) as con, duckdb.connect(str(database), read_only=True) as file:
            listed = (
                "select table_name, column_name, data_type, comment from duckdb_columns() where database_name = "
                "current_database() and schema_name = 'main' and not internal and table_name in "
                "(select table_name from duckdb_tables()) order by all"
            )
            assert con.execute(listed).fetchall() == file.execute(listed).fetchall()
            views = (
                "select view_name from duckdb_views() where not internal and database_name = current_database() union all "
                "select function_name from duckdb_functions() where function_type = 'table_macro' "
                "and database_name = current_database() order by all"
            )
            assert con.execute(views).fetchall() == file.execute(views).fetchall()


def test_nothing_is_kept_in_the_catalog(place: Place, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # by default tables of ten rows or fewer lie there, where readers of Parquet do not find them
    place.publish(built)
    count = f"select sum(num_rows) from parquet_file_metadata('{place.data}/**/exact_poisson_limits/*.parquet')"
    assert duckdb.execute(count).fetchall() == [(10,)]
    assert inlined(place) == 0
    default = Place(str(tmp_path / "default.ducklake"), str(tmp_path / "default"))
    monkeypatch.setattr(ducklake, "ALWAYS", "data_inlining_row_limit 10")
    default.publish(built)
    assert not list(Path(default.data).rglob("exact_poisson_limits/*"))
    assert inlined(default) > 0


def inlined(place: Place) -> int:
    with duckdb.connect(place.catalog, read_only=True) as con:
        tables = con.execute(
            "select table_name from duckdb_tables() where starts_with(table_name, 'ducklake_inlined_data_') "
            "and table_name <> 'ducklake_inlined_data_tables'"
        ).fetchall()
        return sum(con.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in tables)


@pytest.mark.parametrize("catalog", ["postgres:dbname=lake password=secret", "postgres:postgresql://me:secret@db/lake"])
def test_a_password_in_the_address_is_refused(catalog: str) -> None:
    # DuckDB prints the whole address when it cannot connect
    with pytest.raises(UsageError, match="expected no password") as refused:
        ducklake.connect_read_only(catalog)
    assert "secret" not in str(refused.value)


def test_readers_are_told_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LakehouseError, match="none.ducklake.*does not exist"):
        ducklake.connect_read_only(str(tmp_path / "none.ducklake"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # noqa: ARG005
    with pytest.raises(LakehouseError, match=r'pip install "crime-rates\[lake\]"'):
        ducklake.connect_read_only(str(tmp_path / "none.ducklake"))


def test_readers_change_nothing(place: Place, built: Path) -> None:
    place.publish(built)
    with ducklake.connect_read_only(place.catalog) as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute("delete from areas")


def test_asking_imports_neither_pydantic_nor_the_publication() -> None:
    heavy = "pydantic", "flows.warehouse.ducklake_publish", "flows.warehouse.writer", "prefect"
    loaded = f"import sys, flows.queries.connection; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_macros_come_after_those_that_they_read() -> None:
    objects = [
        ducklake_publish.Entry("macro table", f"main.{name}", (f"create macro {name} as {query}",))
        for name, query in (("a", "from b()"), ("b", "from c()"), ("c", "from abc"))
    ]
    assert [one.name for one in ducklake_publish._in_order(objects)] == ["main.c", "main.b", "main.a"]
    with pytest.raises(ValueError, match="in a ring"):
        ducklake_publish._in_order(objects[:2] + [ducklake_publish.Entry("view", "main.c", ("as from a()",))])
