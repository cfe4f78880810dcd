"""`update` as a person runs it: a process of its own, where no Prefect server is configured. There is one whole run in all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb

from flows.common.atomic_files import read_json, sha256_of
from flows.storage.data_store import LocalStore
from tests.flows.pipeline.conftest import BAD, GOOD, Place
from tests.support.prefect_server import free_port
from tests.support.world import rate, rows_of

SENTENCE = f'{BAD}, sheet 2015_16, row 3, column Offence Count: expected a whole number or N/a, found "lots".'


def test_a_bad_release_among_good_ones_is_named_and_the_exit_status_is_not_nought(
    first: subprocess.CompletedProcess[str],
) -> None:
    assert first.returncode == 1
    [failed] = [line for line in first.stdout.splitlines() if line.startswith("FAILED")]
    assert failed.endswith(SENTENCE)
    assert "prc-csp-good-tables-230426.ods: 2 rows, 2015/16 Q1 to 2015/16 Q2, published 2026-04-23" in first.stdout
    assert "Populations and lookups: 2 new files." in first.stdout


def test_the_good_ones_are_published_all_the_same(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.stdout
    with duckdb.connect(str(place.data / "warehouse/crime_rates.duckdb"), read_only=True) as con:
        found = rate(con, "South Worcester")
        assert (found["offences"], found["population"], found["rank"], found["population_vintage"]) == (
            36,
            300_000,
            1,
            date(2015, 6, 25),
        )
        assert [r["file_name"] for r in rows_of(con, "from releases")] == [GOOD]
    assert (place.data / "tables/2015-16-H1/csp.csv").exists()
    assert re.search(r"^Published .*crime_rates\.duckdb \(crime_rates-[0-9a-f]{12}\.duckdb\)\.$", first.stdout, re.MULTILINE)


def test_modules_in_the_working_directory_are_never_imported(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.stdout
    for words in (["table", "2015-16-H1"], ["status"], ["check"], ["releases"], ["report", "--out", "site"]):
        done = place.run(*words)
        assert (done.returncode, done.stderr) == (0, ""), words
    assert (place.folder / "prefect.py").exists()
    assert place.imported() == []


def test_no_server_is_started_and_no_home_is_made(first: subprocess.CompletedProcess[str], place: Place) -> None:
    [said] = [line for line in first.stderr.splitlines() if "Prefect" in line]
    assert said.endswith("  no Prefect server is configured: the run goes on in this process alone")
    assert not Path(place.environment["HOME"]).exists()


def test_prefect_is_not_imported_without_a_server(place: Place, first: subprocess.CompletedProcess[str]) -> None:
    assert first.stdout
    code = (
        "import sys; from flows.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print('IMPORTED', sorted({'prefect', 'uvicorn', 'httpx', 'sqlalchemy'} & {*sys.modules}))"
    )
    words = ["update", "--lookups", "sources/lookup", "--data-dir", "data"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words], env=place.environment, cwd=place.folder, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "IMPORTED []"
    assert "1 file is unchanged" in done.stdout


def test_a_log_has_plain_lines_and_nothing_else(first: subprocess.CompletedProcess[str]) -> None:
    lines = first.stderr.splitlines()
    assert lines and [line for line in lines if not re.match(r"\d\d:\d\d:\d\d  \S", line)] == []
    said = "\n".join(lines)
    assert "Traceback" not in first.stderr + first.stdout and "\x1b" not in first.stderr + first.stdout
    assert f"failed: {BAD}" in said and f"new: {GOOD}" in said
    assert len(lines) < 30


def test_the_run_is_on_record(first: subprocess.CompletedProcess[str], place: Place, tmp_path: Path) -> None:
    assert first.stdout
    path = min((place.data / "runs").glob("*.json"))
    run = read_json(path)
    assert (run["command"], run["state"], run["published"]) == ("update", "partial", True)
    assert {item["name"]: item["state"] for item in run["items"] if item["kind"] == "offences"} == {GOOD: "new", BAD: "failed"}
    assert [item["message"] for item in run["items"] if item["state"] == "failed"] == [SENTENCE]
    shutil.copytree(place.data / "warehouse", tmp_path / "warehouse", symlinks=True)
    shutil.copytree(path.parent, tmp_path / "runs", ignore=lambda _, names: {*names} - {path.name})
    said = place.run("status", data=str(tmp_path)).stdout
    assert re.search(r"^Last run: update, \S+: partial$", said, re.MULTILINE) and f"  failed: {SENTENCE}" in said


def test_a_busy_folder_is_refused_in_one_sentence_and_left_alone(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.stdout

    def files() -> dict[Path, str]:
        return {path: sha256_of(path) for path in place.data.rglob("*") if path.is_file() and path.name != ".run.lock"}

    before = files()
    with LocalStore(place.data).lock():
        second = place.update()
    assert second.returncode == 1
    sentence = f"Another run (process {os.getpid()}) is at work on data: wait for it to end, then run the command again."
    assert [line for line in (second.stdout + second.stderr).splitlines() if sentence in line] == [f"FAILED {sentence}"]
    assert "Traceback" not in second.stderr + second.stdout
    assert files() == before


def test_a_prefect_server_that_does_not_answer_is_one_sentence(place: Place) -> None:
    address = f"http://127.0.0.1:{free_port()}/api"
    home = str(place.folder / "prefect-home")
    done = place.update("other", PREFECT_API_URL=address, PREFECT_CLIENT_MAX_RETRIES="0", PREFECT_HOME=home)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
    assert last.startswith(f"crime-rates: expected a Prefect server that answers ({address}), found none: ")
    assert not (place.folder / "other").exists()
