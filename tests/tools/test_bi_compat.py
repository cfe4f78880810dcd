"""The bench of clients, with the DuckDB of our own environment: what `make bi` finds, it would also miss if it were not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.world import ROOT
from tools.bi_compat.builds import Build, two_builds
from tools.bi_compat.page import row
from tools.bi_compat.running import Result, run

CLIENTS = ROOT / "tools" / "bi_compat" / "clients"
TELLS = """
import sys
sys.path.insert(0, {clients!r})
from talk import DATABASE, TABLES, TOP, rows, tell
import duckdb
con = duckdb.connect(DATABASE, read_only=True)
top = rows(con.execute(TOP).fetchall())
tables = [name for (name,) in con.execute(TABLES).fetchall()]
first = dict(version="1", setting="s", tables=tables, top=top, types="", macro=top, comments="", refused="read-only")
"""


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, Build]:
    return two_builds(tmp_path_factory.mktemp("bench") / "builds")


def client(folder: Path, builds: tuple[Build, Build], code: str) -> Result:
    script = folder / "client.py"
    script.write_text(TELLS.format(clients=str(CLIENTS)) + code)
    return run("a client", [sys.executable, str(script)], folder, builds)


def test_the_two_builds_differ_in_their_newest_half_year(builds: tuple[Build, Build]) -> None:
    old, new = builds
    assert len(old.top) == len(new.top) == 5
    assert {r[5] for r in old.top} == {"2015-10-01"} and {r[5] for r in new.top} == {"2016-04-01"}


@pytest.mark.parametrize("script", ["duckdb_python.py", "attached.py"])
def test_our_duckdb_reads_on_while_another_build_is_published(script: str, builds: tuple[Build, Build], tmp_path: Path) -> None:
    result = run(script, [sys.executable, str(CLIENTS / script)], tmp_path, builds)
    assert result.works, row(result)
    assert {build for _, build in result.ways} == {"new"}
    assert not builds[0].path.samefile(next(iter(tmp_path.glob("*/warehouse/crime_rates.duckdb"))))  # the link was repointed


def test_a_client_with_other_figures_is_told_apart(builds: tuple[Build, Build], tmp_path: Path) -> None:
    nearly = "first['top'] = [[*r[:4], r[4] + 1e-12, *r[5:]] for r in top]\n"
    result = client(tmp_path, builds, nearly + "tell(**first)\ntell(top=top)\ntell(ways=[('again', top)])")
    assert not result.works and not result.right
    assert row(result)[2] == "**wrong**: the newest half-year"


def test_a_client_that_never_sees_the_new_build_is_told_apart(builds: tuple[Build, Build], tmp_path: Path) -> None:
    result = client(tmp_path, builds, "tell(**first)\ntell(top=top)\ntell(ways=[('the page loaded again', top)])")
    assert not result.works and result.ways == [("the page loaded again", "old")]
    assert row(result)[3] == "goes on with the old; still old: the page loaded again; **never new**"


def test_a_client_that_dies_is_quoted(builds: tuple[Build, Build], tmp_path: Path) -> None:
    result = client(tmp_path, builds, "tell(**first)\nduckdb.connect(DATABASE + '.not', read_only=True)")
    assert not result.works
    assert "IO Error" in result.broke and "PATH.not" in result.broke  # and no path of this machine
