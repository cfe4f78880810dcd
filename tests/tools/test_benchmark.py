"""The bench's own machinery, on the sample: that it measures what it says, and that the baseline is an honest one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import duckdb
import pytest

from flows.storage.data_store import LocalStore
from flows.warehouse import build
from flows.warehouse.published import published
from tests.support.world import REFERENCE, SAMPLE, World
from tools.benchmark import growth, inputs, measuring, pandas_way, report
from tools.benchmark.profile import Hooks, Line, markdown
from tools.benchmark.vintages import simulate

ROW = report.Row("work", "against", "≤ 2 ×", "1.5 ×", True, "3 s against 2 s")


def test_the_pandas_baseline_gives_the_rates_and_ranks_of_the_pipeline(sample: World, tmp_path: Path) -> None:
    pandas_way.main(SAMPLE / "releases", SAMPLE / "populations", SAMPLE / "lookups", REFERENCE, tmp_path)
    with duckdb.connect() as con:
        con.execute(f"attach '{published(LocalStore(sample.data))}' as ours (read_only)")
        con.execute(f"attach '{tmp_path / 'crime_rates.duckdb'}' as theirs (read_only)")
        for table in ("ranked_rates", "ranked_rates_harmonised"):
            keys = "half_year::varchar, level::varchar, area_name::varchar, offence_level::varchar, offence_code::varchar"
            rows = (
                f"select {keys}, offences::bigint, population::bigint, round(rate_per_10k, 9), round(rate_lower_95, 9), "
                f"round(rate_upper_95, 9), rank, areas_ranked, status::varchar from {{}}.{table}"
            )
            ours, theirs = rows.format("ours"), rows.format("theirs")
            assert con.execute(f"select count(*) filter (where status = 'ranked') from ours.{table}").fetchall()[0][0] > 50_000
            assert con.execute(f"({ours} except all {theirs}) union all ({theirs} except all {ours})").fetchall() == []
        counts = "select level, area_name, financial_year, quarter, offence_code, offences::bigint from {}.offence_counts"
        both = f"({counts.format('ours')} except all {counts.format('theirs')})"
        assert con.execute(both).fetchall() == []
    assert len(list((tmp_path / "tables").glob("*/*.csv"))) == len(list((tmp_path / "tables").glob("*/*.parquet"))) == 16


def test_simulated_vintages_are_revisions_and_pass_the_checks(sample: World, tmp_path: Path) -> None:
    simulate(sample.lake, tmp_path, [1, 3])
    database, checks = build.build(tmp_path / "3/lake", REFERENCE, tmp_path / "warehouse", "1GB")
    assert [check.name for check in checks if check.required and not check.passed] == []
    with duckdb.connect(str(database), read_only=True) as con:
        [(releases, days)] = con.execute("select count(*), count(distinct published) from releases").fetchall()
        assert (releases, days) == (10, 4)  # three of each of three tables, and the first release of January 2016
        [(counts,)] = con.execute("select count(*) from offence_counts where level = 'csp' and offences > 0").fetchall()
        shares = con.execute("select count(*) from revisions where level = 'csp'").fetchall()[0][0] / counts / 2
        assert 0.02 < shares < 0.03
        assert con.execute("select count(*) from revisions where level = 'pfa'").fetchall()[0][0] > 0
    assert len(list((tmp_path / "1/lake/offences").iterdir())) == 4


def test_the_newest_vintage_alone_is_forgotten_before_it_is_built_again(sample: World, tmp_path: Path) -> None:
    simulate(sample.lake, tmp_path, [3])
    newest = growth._newest(tmp_path / "3", 3)
    assert {release.partition("@")[0][-6:] for release in newest} == {"231026"}
    cache = tmp_path / "3/cache/version"
    cache.mkdir(parents=True)
    for release in (*newest, "prc-csp-old-tables-230426@12345678"):
        (cache / f"{release}.areas.parquet").touch()
    growth._forget(tmp_path / "3", newest)
    assert [path.name for path in cache.iterdir()] == ["prc-csp-old-tables-230426@12345678.areas.parquet"]


def test_the_memory_of_a_process_is_that_of_its_largest_child() -> None:
    eat = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'len(bytearray(200_000_000))'], check=True)"
    say = "import json; print(json.dumps({'seconds': 1, 'peak': measured.peak_mb}))"
    small = (
        f"from tools.benchmark import measuring; measured = measuring.command(['-c', {eat!r}]); {say}"  # this process is large
    )
    answer = measuring.command(["-c", small]).answer
    assert 200 < answer["peak"] < 240


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux says what processes have together")
def test_a_watched_process_is_measured_together_with_its_children() -> None:
    eat = "import time; eaten = bytearray(b'x') * 100_000_000; time.sleep(2)"
    both = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {eat!r}]); {eat}; child.wait()"
    measured = measuring.command(["-c", both], watched=True)
    assert measured.processes == 2
    assert 200 < measured.together_mb < 240


def test_a_process_that_fails_is_no_measure() -> None:
    with pytest.raises(measuring.ChildFailed, match="exit status 3"):
        measuring.command(["-c", "import sys; sys.exit(3)"])


def test_the_table_of_the_terminal_is_that_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    table = report.table([ROW])
    assert table.splitlines()[2] == "| work | against | ≤ 2 × | 1.5 ×    | met |"
    report.put(page, table)
    report.put(page, table)
    assert page.read_text(encoding="utf-8") == f"before\n{report.BEGIN}\n\n{table}\n\n{report.END}\nafter\n"
    with pytest.raises(ValueError, match="expected the marks"):
        report.put(page, table, "<!-- no -->", "<!-- such -->")


def test_the_drawing_of_growth_is_one_that_a_browser_can_read() -> None:
    points = [
        growth.Point(n, 10.0 + n, 9.0 + n / 5, 140.0 + 3 * n, 3_000_000 + 60_000 * n, 50_000 * n, 900.0) for n in (1, 5, 10, 20)
    ]
    drawn = ET.fromstring(growth.svg(points))
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("vintages") == 3
    assert {"1", "5", "10", "20"} <= set(texts)
    assert growth.row(points).measured == "1.41 ×"


def test_a_profile_sums_a_step_and_says_what_its_parts_leave() -> None:
    hooks = Hooks()
    hooks.lines = [
        Line(0, "all", 10, 12, 300),
        Line(1, "build", 8, 9, 300),
        Line(2, "a model", 5, 6, 200),
        Line(2, "quick", 0.01, 0, 200),
        Line(1, "export", 1.5, 1, 300),
    ]
    assert [(line.level, line.step, round(line.seconds, 2)) for line in hooks.rest()] == [
        (0, "all", 10),
        (1, "build", 8),
        (2, "a model", 5),
        (2, "the rest of it", 3),
        (1, "export", 1.5),
        (1, "the rest of it", 0.5),
    ]
    assert "| · · a model " in markdown(hooks.rest())
    with hooks.step("all"), hooks.step("publish"):
        pass
    assert [line.step for line in hooks.lines[-2:]] == ["export", "publish"]


def test_without_inputs_one_sentence_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tools.benchmark.__main__ import main

    monkeypatch.setattr(inputs, "SHARED", tmp_path / "nothing")
    monkeypatch.delenv(inputs.RELEASES, raising=False)
    monkeypatch.delenv(inputs.POPULATIONS, raising=False)
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "csp"])
    assert main() == 2
    assert "name them with --releases and --populations" in capsys.readouterr().err


def test_inputs_are_the_folders_that_are_named(tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    shutil.copytree(SAMPLE / "releases", releases)
    found = inputs.find(releases, SAMPLE / "populations", tmp_path / "made")
    assert found.force.name == "prc-pfa-mar2015-mar2016-sample-tables-230426.ods"
    with pytest.raises(inputs.NoInputs, match="prc-csp-mar2021"):
        _ = found.full


def test_the_profile_finds_the_functions_that_it_measures() -> None:
    # apart, because it wraps them for good
    code = "from tools.benchmark.profile import Hooks, install; install(Hooks())"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=inputs.ROOT)
