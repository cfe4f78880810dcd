"""What stands in a cell of a workbook is data to whatever shows it: a terminal, a spreadsheet, a page, a database."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.common.sanitize import escape_csv_cell, escape_csv_column, sanitize_text
from flows.pipeline import steps
from flows.queries import connection, ranked_table
from flows.queries.levels import Level
from flows.queries.revisions import fetch_revisions, find_revision_filter
from flows.queries.series import fetch_series
from flows.queries.status import fetch_quarter_sources, fetch_releases
from flows.rendering import ranked_table_text, revisions_text, series_text, status_text
from flows.rendering.formats import TableFormat, TextFormat, json_text
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from flows.warehouse import table_export
from flows.warehouse.published import published
from tests.support import explanations
from tests.support.releases import CSP_2015, figures
from tests.support.world import REFERENCE, World, rows_of
from transforms.areas import read_reference
from transforms.periods import HalfYear

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "\n=1",
    "\xa0-1",
    "＝1",
    "=cmd|' /C calc'!A0",
    "-",
    '=HYPERLINK("http://x","y")',
]
HOSTILE = [
    "<script>alert(1)</script>",
    "'; drop table x; --",
    "%s%n{0}{area}",
    "\x1b[31mred\x1b]0;title\x07",
    "a\x9b31mb",
    "\u202egnp",
    "a\"b'c",
    "a | b",
    "${jndi:ldap://x}",
    "[link](javascript:1)",
    "Robert'); --",
    *FORMULAS,
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_has_an_apostrophe_in_front(text: str) -> None:
    assert escape_csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=b", "4.10", "1/4.1/4.10/4.2", "'=1", "St. Helens", "Ynys Môn – Anglesey", "a\nb", "–1"])
def test_other_text_is_as_it_was(text: str) -> None:
    assert escape_csv_cell(text) == text


@given(st.text(st.sampled_from("=+-@\t\r\n \xa0＝\x00\x0b\x1b\x7f\x9bab'\"\\1é"), max_size=5))
@example("\r=1")
def test_duckdb_and_python_write_a_text_alike(text: str) -> None:
    found = duckdb.execute(f"select {escape_csv_column('x')} from (select ?::varchar as x)", [text]).fetchone()
    assert found == (escape_csv_cell(text),)
    assert not re.match(r"\s*[=+@＝-]|\t", escape_csv_cell(text)) and not set(escape_csv_cell(text)) & {
        "\r",
        "\0",
        "\x1b",
        "\x9b",
    }


@given(st.text())
def test_a_terminal_sees_no_character_that_steers_it_and_json_loses_none(text: str) -> None:
    for shown in (sanitize_text(text), json_text(text)):
        assert {unicodedata.category(c) for c in shown if c != "\n"} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()
    assert json.loads(json_text(text)) == text


def test_no_published_name_or_code_is_written_otherwise() -> None:
    for path in REFERENCE.glob("*.csv"):
        for row in read_reference(path):
            for text in row.values():
                assert (escape_csv_cell(text), sanitize_text(text)) == (text, text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Descriptions of offences that are anything but, one a code; one of them with a negative count."""
    world = World(tmp_path_factory.mktemp("hostile"))
    world.worcestershire()
    counts = {"South Worcester": 36, "North Worcestershire": -30}
    rows = [
        [
            figures("2015/16", quarter, "West Mercia", f"{i}X", count, csp, description=text)
            for csp, count in counts.items()
            for quarter in (1, 2)
        ]
        for i, text in enumerate(HOSTILE)
    ]
    flat = [row for group in rows for row in group]
    path = world.sources / "offences" / "prc-csp-tables-230426_2015_16.csv"
    world._write_csv(
        path,
        [
            list(CSP_2015),
            *flat,
        ],
    )
    world.take_release(path, published=date(2026, 4, 23))
    world.build().close()
    return world


SEEN = [" ".join(text.replace("\u202e", "").split()) for text in HOSTILE]  # out of a sheet: nothing that nobody sees
NAMES = set(SEEN)


def test_they_come_through_lake_and_database_as_they_are(world: World) -> None:
    parquet = pq.read_table(next(world.lake.glob("offences/*/2015-16.parquet")))
    assert set(parquet["offence_name"].to_pylist()) == NAMES
    with connection.connect(LocalStore(world.data)) as con:
        assert {row["offence_name"] for row in rows_of(con, "from offences where offence_level = 'code'")} == NAMES
        assert connection.fetch_rows(con, "select count(*) as n from ranked_rates")[0]["n"] > 0


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_no_command_sends_a_control_character_to_a_terminal(world: World, number: int) -> None:
    half_year, code, seen = HalfYear.parse("2015-16-H1"), f"{number}X", SEEN[number]
    with connection.connect(LocalStore(world.data)) as con:
        table = ranked_table.fetch_ranked_table(con, half_year, Level.CSP, code, ranked_table.TableBasis())
        series = fetch_series(con, "South Worcester", code, Level.CSP)
        revisions = fetch_revisions(con, find_revision_filter(con, None, None, code, None), 5)
    texts = [ranked_table_text.render(table, table.rows, TableFormat(kind)) for kind in ("text", "markdown", "csv", "json")]
    texts += [series_text.render(series, kind) for kind in TextFormat]
    texts += [
        explanations.say(world.data, "South Worcester", code),
        status_text.render_releases(fetch_releases(LocalStore(world.data)), fetch_quarter_sources(LocalStore(world.data))),
        revisions_text.render(revisions, TextFormat.TEXT),
    ]
    for text in texts:
        assert {unicodedata.category(c) for c in text if c != "\n"} & {"Cc", "Zl", "Zp"} == set()
    assert sanitize_text(seen) in texts[0] and "<script" not in texts[1].replace("\\<", "")
    assert json.loads(texts[3])[0]["offence_name"] == seen
    for row in csv.DictReader(io.StringIO(texts[2])):
        assert row["offence_name"] == escape_csv_cell(seen) and int(row["offences"]) in (72, -60)


def test_the_tables_on_disk_are_safe_in_csv_and_whole_in_parquet(world: World) -> None:
    settings = Settings(LocalStore(world.data))
    steps.export(settings, next(world.warehouse.glob("crime_rates-*.duckdb")))
    folder = world.data / "tables" / "2015-16-H1"
    with (folder / "csp.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = pq.read_table(folder / "csp.parquet").to_pylist()
    assert len(rows) == len(whole) and {row["offence_name"] for row in whole} >= NAMES
    for row, raw in zip(rows, whole, strict=True):
        for name, value in raw.items():
            if isinstance(value, str):
                assert row[name] == escape_csv_cell(value)
                assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert {row["offences"] for row in rows if row["area_name"] == "North Worcestershire"} >= {"-60"}


def test_what_is_published_today_is_exported_unchanged(sample: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = published(LocalStore(sample.data))
    assert database is not None
    table_export.export(LocalStore(tmp_path / "safe"), database)
    monkeypatch.setattr(table_export, "escape_csv_column", lambda expression: expression)
    table_export.export(LocalStore(tmp_path / "raw"), database)
    files = [path.relative_to(tmp_path / "raw") for path in (tmp_path / "raw").rglob("*.csv")]
    assert files and escape_csv_column("x") != "x"
    assert all((tmp_path / "raw" / file).read_bytes() == (tmp_path / "safe" / file).read_bytes() for file in files)
