"""The lakehouse holds what the published file holds, on each catalog and storage: tables, comments, views, macros, answers."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import duckdb
import pytest

from flows.cli.main import main
from flows.rendering import text_tables
from flows.settings import lakehouse_access
from flows.warehouse import ducklake
from sql import contract, quoted
from tests.services.lakehouse.conftest import Place
from tests.support.lakehouse_variants import differences
from tests.support.world import World

ASKED = (
    "from latest_half_year",
    "from top_areas",
    "from ranked_rates_as_of(date '2026-05-01')",
    "from ranked_rates_for(null, 2014, date '2015-06-25')",
    "from crime_rates_core.rates_on('harmonised', null, null, null)",
)
COMMANDS = (
    "table 2015-16-H1 --offence 8Q --top 5",
    "table 2015-16-H1 --offence 8Q --population-vintage 2015-06-25 --format csv",
    "table 2015-16-H1 --offence stalking --area-basis harmonised --as-of 2026-05-01 --format json",
    "series --area Liverpool --offence 8Q",
    "revisions",
    "releases",
    "check",
)


@pytest.fixture(params=["file-folder", "postgres-folder", "file-s3", "postgres-s3"])
def filled(request: pytest.FixtureRequest, tmp_path: Path, built: Path) -> Place:
    """A lakehouse of each kind, with the sample in it."""
    catalog, storage = request.param.split("-")
    where = Place(
        str(tmp_path / "catalog.ducklake") if catalog == "file" else request.getfixturevalue("server").database(),
        f"{request.getfixturevalue('bucket')}/some//prefix/" if storage == "s3" else f"{tmp_path}/lakehouse//",
    )
    assert where.publish(built)
    assert not where.publish(built)
    return where


def test_lakehouse_and_file_are_equal(
    filled: Place, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample: World
) -> None:
    with ducklake.connect_read_only(filled.catalog, access=lakehouse_access()) as con:
        con.execute(f"attach {quoted(str(built))} as built (read_only)")
        rows_are_equal(con)
        descriptions_are_equal(con)
        answers_are_equal(con, built)
    commands_are_equal(monkeypatch, filled, tmp_path, sample.data)


def rows_are_equal(con: duckdb.DuckDBPyConnection) -> None:
    found = differences(con)
    assert {f"main.{t.name}" for t in contract.TABLES} < set(found)
    assert not any(found.values()), found
    for table in ("rate_facts", "populations"):  # in the order of the file too, so that statistics of row groups help
        in_order = "select hash(list(hash(t) order by rowid)) from {} as t"
        stored = con.execute(in_order.format(f"lake.{table}")).fetchall()
        assert stored == con.execute(in_order.format(f"built.main.{table}")).fetchall()


def descriptions_are_equal(con: duckdb.DuckDBPyConnection) -> None:
    in_tables = "schema_name, table_name, column_name, data_type, is_nullable, comment from duckdb_columns()"
    of_table = "select table_name from duckdb_tables()"
    for what in (
        f"{in_tables} where table_name in ({of_table})",
        "schema_name, table_name, comment from duckdb_tables() where true",
        "schema_name, view_name, comment from duckdb_views() where not internal",
        "schema_name, function_name, parameters from duckdb_functions() where function_type = 'table_macro'",
    ):
        but = f"not contains({what.split(', ')[1]}, 'published_objects')"  # the lakehouse's own
        ours = con.execute(f"select {what} and database_name = 'lake' and {but} order by all").fetchall()
        assert ours == con.execute(f"select {what} and database_name = 'built' order by all").fetchall()
        assert ours


def answers_are_equal(con: duckdb.DuckDBPyConnection, built: Path) -> None:
    with duckdb.connect(str(built), read_only=True) as file:
        for question in ASKED:
            types = f"select column_name, column_type from (describe {question})"
            assert con.execute(types).fetchall() == file.execute(types).fetchall()
            [(rows, ours)] = con.execute(digest := f"select count(*), sum(hash(t)::hugeint) from ({question}) as t").fetchall()
            assert [(rows, ours)] == file.execute(digest).fetchall()
            assert rows > 0, question


def commands_are_equal(monkeypatch: pytest.MonkeyPatch, filled: Place, tmp_path: Path, data: Path) -> None:
    monkeypatch.setattr(text_tables, "can_print", lambda characters: True)  # noqa: ARG005
    monkeypatch.setenv(ducklake.SETTING, filled.catalog)
    for command in COMMANDS:
        ours, theirs = (said(monkeypatch, f"{command} --data-dir {folder}") for folder in (tmp_path / "nothing", data))
        assert ours == theirs


def said(monkeypatch: pytest.MonkeyPatch, command: str) -> str:
    monkeypatch.setattr("sys.argv", ["crime-rates", *command.split()])
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            main()
        except SystemExit as end:
            assert not end.code
    assert out.getvalue()
    return out.getvalue()
