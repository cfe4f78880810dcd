"""`update` and `rollback` with a lakehouse: commands of ours, on a stage set of Prefect."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from flows.storage import run_log
from flows.storage.data_store import LocalStore
from flows.warehouse import ducklake
from flows.warehouse.published import published
from tests.services.lakehouse.conftest import Place
from tests.support.releases import CSP_2015, cover, figures, write_ods
from tests.support.world import World


class Person:
    """Somebody with a folder of sources, a data folder and a lakehouse."""

    def __init__(self, folder: Path, place: Place) -> None:
        world = World(folder / "only-for-its-files", sources=folder / "sources")
        world.worcestershire()
        self.sources, self.data, self.place = world.sources, folder / "data", place
        self.environment = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT_", "CRIME_RATES_"))} | {
            ducklake.SETTING: place.catalog,
            ducklake.DATA: place.data,
        }

    def release(self, day: date, count: int) -> None:
        rows = [figures("2015/16", q, "West Mercia", count=count, csp="South Worcester") for q in (1, 2)]
        path = self.sources / "offences" / f"prc-csp-mar2021-mar2026-tables-{day:%d%m%y}.ods"
        write_ods(path, [cover(day), ("2015_16", [CSP_2015, *rows])])

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.chaos.stage", *words, "--data-dir", str(self.data)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300)

    def update(self) -> subprocess.CompletedProcess[str]:
        return self.run(
            "update",
            "--releases",
            str(self.sources / "offences"),
            "--populations",
            str(self.sources / "population"),
            "--lookups",
            str(self.sources / "lookup"),
        )

    def seen(self) -> tuple[str, int]:
        """(the build in the lakehouse, South Worcester's offences there)."""
        with ducklake.connect_read_only(self.place.catalog) as con:
            rows = con.execute("select offences from ranked_rates where offence_code = '8Q' and level = 'csp'").fetchall()
            return ducklake.list_publications(con)[0].build, rows[0][0]


@pytest.fixture
def person(tmp_path: Path, place: Place) -> Person:
    person = Person(tmp_path, place)
    person.release(date(2026, 1, 29), 18)
    return person


def test_update_publishes_to_the_lakehouse_too(person: Person) -> None:
    done = person.update()
    assert done.returncode == 0, done.stdout + done.stderr
    current = published(LocalStore(person.data))
    assert current is not None
    assert f"Published {current.name} to the lakehouse.\n" in done.stdout
    assert person.seen() == (current.stem, 36)
    last = run_log.last_run(LocalStore(person.data))
    assert last is not None and "publish to the lakehouse" in last.steps
    again = person.update()
    assert again.returncode == 0
    assert "lakehouse." not in again.stdout


def test_a_lakehouse_that_fails_keeps_nobody_from_the_file(person: Person) -> None:
    person.environment[ducklake.DATA] = ""
    failed = person.update()
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[-1].startswith("FAILED expected CRIME_RATES_LAKEHOUSE_DATA, a folder or s3://bucket/prefix")
    assert published(LocalStore(person.data)) is not None
    assert (person.data / "tables/2015-16-H1/csp.csv").exists()
    person.environment[ducklake.DATA] = person.place.data
    assert person.update().returncode == 0
    assert person.seen()[1] == 36


def test_a_roll_back_is_seen_in_the_lakehouse(person: Person) -> None:
    person.update()
    before = person.seen()
    person.release(date(2026, 4, 23), 20)
    person.update()
    assert person.seen()[1] == 40
    assert person.run("rollback").returncode == 0
    assert person.seen() == before
    assert person.update().returncode == 0
    assert person.seen() == before  # no run publishes it again
