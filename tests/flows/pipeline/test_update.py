"""`update` as a person runs it: a process of its own, with the Prefect that it starts. Slow, so there are two runs in all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from flows.common.atomic_files import read_json, sha256_of
from flows.storage.data_store import LocalStore
from tests.support.prefect_server import free_port
from tests.support.releases import CSP_2015, cover, figures, write_ods
from tests.support.world import World, rate, rows_of

APRIL = date(2026, 4, 23)
GOOD, BAD = "prc-csp-good-tables-230426.ods", "prc-csp-bad-tables-230426.ods"
SENTENCE = f'{BAD}, sheet 2015_16, row 3, column Offence Count: expected a whole number or N/a, found "lots".'


class Place(NamedTuple):
    """A folder of sources, a data folder, and the environment of a person who has neither settings nor a Prefect of their own."""

    sources: Path
    data: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("update")
    world = World(folder / "only-for-its-files", sources=folder / "sources")
    world.worcestershire()
    rows = [figures("2015/16", q, "West Mercia", count=18, csp="South Worcester") for q in (1, 2)]
    for name, second in ((GOOD, rows[1]), (BAD, [*rows[1][:-1], "lots"])):
        write_ods(world.sources / "offences" / name, [cover(APRIL), ("2015_16", [CSP_2015, rows[0], second])])
    vintage = [f"{path.name},population,2015-06-25,," for path in (world.sources / "population").iterdir()]
    (world.sources / "population/manifest.csv").write_text("\n".join(["file,kind,published,covers,note", *vintage]))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CRIME_RATES_", "COLUMNS"))}
    home = folder / "home"
    home.mkdir()
    put_hostile_modules(folder)
    return Place(world.sources, folder / "data", ours | {"HOME": str(home), "PREFECT_HOME": str(home / "prefect")})


def put_hostile_modules(folder: Path) -> None:
    """Modules in the working directory, named as those of a run and of its children; each leaves a mark when it is imported."""
    mark = (
        "from pathlib import Path\nPath(__file__).with_name('imported').touch()\nraise SystemExit('imported from the folder')\n"
    )
    for name in ("flows", "transforms", "sql"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(mark)
    for name in ("prefect", "uvicorn", "duckdb", "click"):
        (folder / f"{name}.py").write_text(mark)


def update(place: Place) -> subprocess.CompletedProcess[str]:
    folders = {"--releases": "offences", "--populations": "population", "--lookups": "lookup"}
    words = [word for option, name in folders.items() for word in (option, str(place.sources / name))]
    command = [Path(sys.executable).with_name("crime-rates"), "update", *words, "--data-dir", str(place.data)]
    return subprocess.run(command, env=place.environment, capture_output=True, text=True, cwd=place.data.parent, timeout=300)


@pytest.fixture(scope="module")
def first(place: Place) -> subprocess.CompletedProcess[str]:
    return update(place)


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
    assert (place.data.parent / "prefect.py").exists()
    assert [*place.data.parent.rglob("imported")] == []


def test_a_log_has_plain_lines_and_nothing_else(first: subprocess.CompletedProcess[str]) -> None:
    lines = first.stderr.splitlines()
    assert lines and [line for line in lines if not re.match(r"\d\d:\d\d:\d\d  \S", line)] == []
    said = "\n".join(lines)
    assert "Traceback" not in first.stderr + first.stdout and "\x1b" not in first.stderr + first.stdout
    assert f"failed: {BAD}" in said and f"new: {GOOD}" in said
    assert len(lines) < 30


def test_the_run_is_on_record(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.stdout
    [path] = (place.data / "runs").glob("*.json")
    run = read_json(path)
    assert (run["command"], run["state"], run["published"]) == ("update", "partial", True)
    assert {item["name"]: item["state"] for item in run["items"] if item["kind"] == "offences"} == {GOOD: "new", BAD: "failed"}
    assert [item["message"] for item in run["items"] if item["state"] == "failed"] == [SENTENCE]
    command = [Path(sys.executable).with_name("crime-rates"), "status", "--data-dir", str(place.data)]
    said = subprocess.run(command, env=place.environment, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^Last run: update, \S+: partial$", said, re.MULTILINE) and f"  failed: {SENTENCE}" in said


def test_a_busy_folder_is_refused_in_one_sentence_and_left_alone(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.stdout

    def files() -> dict[Path, str]:
        return {path: sha256_of(path) for path in place.data.rglob("*") if path.is_file() and path.name != ".run.lock"}

    before = files()
    with LocalStore(place.data).lock():
        second = update(place)
    assert second.returncode == 1
    sentence = f"Another run (process {os.getpid()}) is at work on {place.data}: wait for it to end, then run the command again."
    assert [line for line in (second.stdout + second.stderr).splitlines() if sentence in line] == [f"FAILED {sentence}"]
    assert "Traceback" not in second.stderr + second.stdout
    assert files() == before


def test_a_prefect_server_that_does_not_answer_is_one_sentence(place: Place, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/api"
    command = [Path(sys.executable).with_name("crime-rates"), "update", "--releases", str(place.sources / "offences")]
    environment = place.environment | {"PREFECT_API_URL": address, "PREFECT_CLIENT_MAX_RETRIES": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
    assert last.startswith(f"crime-rates: expected a Prefect server that answers ({address}), found none: ")
    assert not (tmp_path / "data").exists()
