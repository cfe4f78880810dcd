"""The commands that oversee a data folder: releases, status, check and rollback; and how those that only read start."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flows.storage.data_store import LocalStore
from flows.warehouse import versions
from flows.warehouse.published import published
from tests.flows.cli.conftest import Command, Said
from tests.support.world import ROOT
from transforms.errors import PublishedFileError, UsageError


# ---------------------------------------------------------------- releases, status, check
def test_releases_are_listed_in_order_of_publication(run: Command) -> None:
    said = run("releases")
    lines = said.out.splitlines()
    assert said.code == 0 and lines[0].split() == [
        "release",
        "table",
        "published",
        "date",
        "from",
        "quarters",
        "rows",
        "in",
        "use",
    ]
    assert [re.findall(r"csp +(\S+) +file name +2015/16 Q1 to 2015/16 Q2 +72 +\d", line) for line in lines[2:]] == [
        ["2016-01-21"],
        ["2016-04-21"],
    ]


def test_status_says_what_is_published_and_how_old_it_is(run: Command, data: Path) -> None:
    said = run("status")
    assert said.code == 0
    database = (data / "warehouse/crime_rates.duckdb").resolve().name
    assert said.out.startswith(f"Published: {database}\n")
    newest = r"csp: prc-csp-mar2021-mar2026-tables-210416@\w+, published 2016-04-21 \([\d,]+ days ago\), to 2015/16 Q2"
    assert re.search(newest, said.out)
    facts = json.loads(run("status", "--json").out)
    assert (facts["database"], facts["newest"][0]["published"]) == (database, "2016-04-21")
    assert facts["disk_bytes"]["warehouse"] >= (data / "warehouse" / database).stat().st_size


def test_status_of_an_empty_folder_is_no_error(run: Command, tmp_path: Path) -> None:
    said = run("status", folder=tmp_path)
    assert said.code == 0 and said.out.startswith(f"No database is published in {tmp_path} yet.\nNo run is on record.\n")


def test_check_says_whether_the_required_ones_passed(run: Command, data: Path, tmp_path: Path) -> None:
    said = run("check")
    assert said.code == 0 and said.out.splitlines()[-1].endswith("; required ones all passed.")
    assert re.search(r"^ok +counts_are_conserved: ", said.out, re.MULTILINE)
    assert not re.search(r"[,:]$", said.out, re.MULTILINE)  # each says what it guards to the end
    (tmp_path / "warehouse").mkdir()
    copy = tmp_path / "warehouse/crime_rates.duckdb"
    shutil.copyfile(data / "warehouse/crime_rates.duckdb", copy)
    with duckdb.connect(str(copy)) as con:
        con.execute(
            "update quality_checks set passed = false, rows_broken = 2, examples = 'level csp' "
            "where check_name = 'counts_are_conserved'"
        )
    said = run("check", folder=tmp_path)
    assert said.code == 1 and said.out.splitlines()[-1].endswith("required ones are BROKEN.")
    assert re.search(r"^BROKEN +counts_are_conserved: .*\n +2 rows, such as level csp$", said.out, re.MULTILINE)


def test_rollback_shows_the_build_before_and_its_tables(run: Command, data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data / "warehouse", copy / "warehouse", symlinks=True)
    [build] = versions.kept_builds(LocalStore(copy))
    older = copy / "warehouse" / build.file_name
    newer = older.with_name("crime_rates-newer.duckdb")
    shutil.copyfile(older, newer)
    versions.publish(LocalStore(copy), newer, keep=3)
    said = run("rollback", folder=copy)
    assert said == Said(0, f"Readers see {older.name} now, and not {newer.name}; {copy / 'tables'} is written to match.\n", "")
    assert json.loads((copy / "tables/.written.json").read_text())["database"] == older.name
    status = run("status", folder=copy).out
    assert status.startswith(f"Published: {older.name}\n")
    assert "  crime_rates-newer was rolled back: `crime-rates rollback --to crime_rates-newer` publishes it again\n" in status
    said = run("rollback", folder=copy)
    assert said.code == 1
    assert said.err == f"crime-rates: There is no older build than {older.stem} to go back to.\n"
    assert run("rollback", "--to", "newer", folder=copy).code == 0
    assert published(LocalStore(copy)) == newer.resolve()


# ---------------------------------------------------------------- start
def test_commands_that_only_read_import_neither_prefect_nor_settings(data: Path) -> None:
    code = """
import sys
from flows.cli.main import main
for words in (["table", "2015-16-H1", "--offence", "8Q"], ["releases"], ["status"], ["check"]):
    sys.argv = ["crime-rates", *words, "--data-dir", sys.argv[-1]]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
heavy = {"prefect", "pydantic", "requests", "fastexcel"}
print("IMPORTED", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "IMPORTED []"


def test_what_only_reads_changes_nothing(run: Command, data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    for words in (["table", "2015-16-H1"], ["releases"], ["status"], ["check"]):
        run(*words)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


FAULT = "crime-rates: This is a fault of crime-rates, not of your input: {}. Run the command again with --debug to see where.\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UsageError("expected this,\nfound that."), "crime-rates: expected this, found that.\n"),
        (PublishedFileError("x.ods", "a sheet", "none"), "crime-rates: x.ods: expected a sheet, found none.\n"),
        (
            FileNotFoundError(2, "No such file or directory", "x.csv"),
            "crime-rates: x.csv: No such file or directory.\n",
        ),
        (
            OSError(28, "No space left on device"),
            "crime-rates: the disk is full. What is published stands; make room, then run the command again.\n",
        ),
        (KeyError("x"), FAULT.format("KeyError: 'x'")),
        (AttributeError("no such thing"), FAULT.format("AttributeError: no such thing")),
        (ValueError("expected this,\nfound that"), FAULT.format("ValueError: expected this, found that")),
        (RuntimeError("it cannot be."), FAULT.format("RuntimeError: it cannot be")),
        (duckdb.BinderException("no column"), FAULT.format("BinderException: no column")),
        (ConnectionError("no server"), FAULT.format("ConnectionError: no server")),
        (AssertionError(), FAULT.format("AssertionError")),
    ],
)
def test_a_fault_of_the_program_never_looks_like_the_users_nor_the_other_way_round(
    run: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(_: Path) -> str:
        raise error

    monkeypatch.setattr("flows.queries.status.fetch_releases", fail)
    assert run("releases") == Said(1, "", sentence)
    with pytest.raises(type(error)):
        run("--debug", "releases")


def test_words_that_do_not_fit_are_the_users(run: Command) -> None:
    said = run("table", "2015-16-H9")
    assert said == Said(
        1, "", 'crime-rates: expected a half-year such as 2015-16-H1 (April to September 2015), found "2015-16-H9"\n'
    )
    said = run("table", "2015-16-H1", "--top", "many")
    assert (said.code, said.out) == (2, "") and "--top" in said.err and "See crime-rates --help." in said.err
    assert "fault of crime-rates" not in said.err


def test_a_setting_that_does_not_fit_is_the_users(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIME_RATES_MEMORY_LIMIT", "bananas")
    said = run("backfill", "2015-16-H1", "2015-16-H2", "--dry-run")
    assert said == Said(1, "", 'crime-rates: CRIME_RATES_MEMORY_LIMIT: expected an amount such as 4GB, found "bananas".\n')
    monkeypatch.setenv("CRIME_RATES_MEMORY_LIMIT", "4GB")
    monkeypatch.setenv("CRIME_RATES_KEEP_BUILDS", "none")
    said = run("backfill", "2015-16-H1", "2015-16-H2", "--dry-run")
    assert said.code == 1 and "keep_builds: " in said.err and "found 'none'. Settings are CRIME_RATES_" in said.err


def test_a_damaged_database_is_named(run: Command, tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse/crime_rates.duckdb").write_bytes(b"no database" * 1000)
    said = run("table", "2015-16-H1", folder=tmp_path)
    assert said.code == 1
    assert "warehouse/crime_rates.duckdb: expected a database that can be read, found that it cannot (" in said.err
