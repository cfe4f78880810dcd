"""A person with folders of sources, a good release and a bad one among them, who gives commands in a hostile folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from tests.support.releases import CSP_2015, cover, figures, write_ods
from tests.support.world import World

APRIL = date(2026, 4, 23)
GOOD, BAD = "prc-csp-good-tables-230426.ods", "prc-csp-bad-tables-230426.ods"
COMMAND = Path(sys.executable).with_name("crime-rates")


@dataclass
class Place:
    """A working directory with sources and hostile modules in it, and the environment of a person who has no settings."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder that commands are given without saying so."""
        return self.folder / "data"

    def start(self, *words: str, data: str = "data", **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, *words, "--data-dir", data],
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )

    def run(self, *words: str, data: str = "data", **variables: str) -> subprocess.CompletedProcess[str]:
        with self.start(*words, data=data, **variables) as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def update(self, data: str = "data", **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("update", *UPDATE, data=data, **variables)

    def imported(self) -> list[Path]:
        """The marks that hostile modules have left."""
        return [*self.folder.rglob("imported")]


UPDATE = ("--releases", "sources/offences", "--populations", "sources/population", "--lookups", "sources/lookup")


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


def environment_of(home: Path, **variables: str) -> Mapping[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CRIME_RATES_", "COLUMNS"))}
    return ours | {"HOME": str(home)} | variables


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where a good release and a bad one wait to be taken in; the person's home cannot be written to."""
    folder = tmp_path_factory.mktemp("update")
    world = World(folder / "only-for-its-files", sources=folder / "sources")
    world.worcestershire()
    rows = [figures("2015/16", q, "West Mercia", count=18, csp="South Worcester") for q in (1, 2)]
    for name, second in ((GOOD, rows[1]), (BAD, [*rows[1][:-1], "lots"])):
        write_ods(world.sources / "offences" / name, [cover(APRIL), ("2015_16", [CSP_2015, rows[0], second])])
    vintage = [f"{path.name},population,2015-06-25,," for path in (world.sources / "population").iterdir()]
    (world.sources / "population/manifest.csv").write_text("\n".join(["file,kind,published,covers,note", *vintage]))
    put_hostile_modules(folder)
    return Place(folder, dict(environment_of(folder / "no-such-home")))


@pytest.fixture(scope="session")
def first(place: Place) -> subprocess.CompletedProcess[str]:
    """The first `update` of that person, without a Prefect server."""
    return place.update()
