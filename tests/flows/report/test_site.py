"""The folder: whole or untouched, equal for an equal database, escaped, complete, and with nothing that asks a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from flows.queries.connection import NotFound
from flows.report import area_pages, charts, site, urls
from flows.settings import Settings
from flows.storage.data_store import LocalStore
from flows.storage.file_lock import RunInProgress
from tests.flows.report.conftest import FORMULA, HOSTILE
from tests.support.report_pages import tables, words
from transforms.errors import UsageError
from transforms.periods import HalfYear


@pytest.fixture(scope="module")
def hostile(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a database with hostile names, written by one process."""
    return site.write_site(LocalStore(small), tmp_path_factory.mktemp("hostile") / "report", processes=1).front.parent


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_equal_database_gives_equal_bytes_from_any_number_of_processes(small: Path, hostile: Path, tmp_path: Path) -> None:
    site.write_site(LocalStore(small), tmp_path / "again", processes=2)
    assert content(tmp_path / "again") == content(hostile)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["again"]


# ---------------------------------------------------------------- the folder
def test_an_older_report_is_replaced_and_a_failure_leaves_it_whole(
    small: Path, hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    shutil.copytree(hostile, out)
    (out / "left-over.html").touch()

    def fails(*_: object) -> object:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(area_pages, "render_area_pages", fails)
        with pytest.raises(OSError, match="no space left"):
            site.write_site(LocalStore(small), out, processes=1)
    assert (out / "left-over.html").exists() and content(out).keys() > content(hostile).keys()
    site.write_site(LocalStore(small), out, processes=1)
    assert content(out) == content(hostile)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["report"]


def test_a_process_that_died_between_its_renames_loses_nothing(small: Path, hostile: Path, tmp_path: Path) -> None:
    shutil.copytree(hostile, tmp_path / ".report.old")
    with pytest.raises(NotFound, match=r"holds no 1999/00 H1; held: 2014/15 H1"):
        site.write_site(LocalStore(small), tmp_path / "report", HalfYear.parse("1999-00-H1"))
    with pytest.raises(OSError, match="no space left"), site.replace_folder(tmp_path / "report"):
        raise OSError("no space left")
    assert content(tmp_path / "report") == content(hostile)


@pytest.mark.parametrize("what", ["a folder of somebody", "a file", "a link"])
def test_what_is_not_a_report_is_left_alone(small: Path, tmp_path: Path, what: str) -> None:
    out = tmp_path / "report"
    kept = tmp_path / "theirs"
    kept.mkdir()
    (kept / "thesis.txt").write_text("years of work")
    if what == "a folder of somebody":
        kept.rename(out)
    elif what == "a file":
        out.write_text("years of work")
    else:
        out.symlink_to(kept)
    with pytest.raises(UsageError, match="name another"):
        site.write_site(LocalStore(small), out)
    found = {path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert found == {"years of work"}


def test_two_processes_do_not_write_one_folder(small: Path, tmp_path: Path) -> None:
    with site.replace_folder(tmp_path / "report"), pytest.raises(RunInProgress, match="wait for it to end"):
        site.write_site(LocalStore(small), tmp_path / "report")


def test_the_command_says_what_it_wrote_and_where(small: Path, tmp_path: Path) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("crime-rates"), "report", "--data-dir", str(small), *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    done = run("--half-year", "2014-15-H2", "--out", str(tmp_path / "site"))
    said = rf"Wrote \d+ pages on October 2014 to March 2015 \(\d+ MB\): open {tmp_path}/site/index.html\n"
    assert re.fullmatch(said, done.stdout)
    assert (done.stderr, done.returncode) == ("", 0)
    wrong = run("--half-year", "2030-31-H1", "--out", str(tmp_path / "site"))
    assert wrong.returncode == 1 and wrong.stderr.startswith("crime-rates: The database holds no 2030/31 H1; held: ")
    assert wrong.stderr.count("\n") == 1 and (tmp_path / "site/index.html").exists()


def test_update_writes_it_only_where_a_setting_says_so(monkeypatch: pytest.MonkeyPatch, small: Path) -> None:
    from flows.pipeline import steps

    assert not Settings.from_environment(LocalStore(small)).report
    monkeypatch.setenv("CRIME_RATES_REPORT", "true")
    settings = Settings.from_environment(LocalStore(small))
    database = small / "warehouse" / "crime_rates.duckdb"
    assert settings.report and steps.report(settings, database) > 0
    assert steps.report(settings, database) == 0  # of this database already


# ---------------------------------------------------------------- what is in it
def test_text_is_escaped_wherever_it_comes_from(hostile: Path) -> None:
    pages = {path: path.read_text() for path in hostile.rglob("*.html")}
    assert len(pages) > 60
    for path, text in pages.items():
        assert "<img" not in text, path
    table = tables(hostile / "table/csp/8q-stalking.html")
    shown = {row["Area"] for rows in table for row in rows}
    assert {HOSTILE, FORMULA, "South Worcester", "South-Worcester"} <= shown
    assert {row["Why"] for row in table[1]} == {HOSTILE}
    assert f"'{FORMULA}".replace('"', '""') in (hostile / "table/csp/8q-stalking.csv").read_text(encoding="utf-8-sig")


def test_areas_whose_names_are_alike_have_pages_of_their_own(hostile: Path) -> None:
    # "South Worcester" and "South-Worcester" would share a file name
    assert "<h1>South Worcester</h1>" in (hostile / "area/csp/south-worcester.html").read_text()
    assert "<h1>South-Worcester</h1>" in (hostile / "area/csp/south-worcester-2.html").read_text()


def test_slugs_are_short_plain_and_unique() -> None:
    assert urls.slugify("Ynys Môn & “Caergybi”") == "ynys-mon-and-caergybi"
    assert urls.slugify("…") == "x" and urls.slugify("King's Lynn") == "kings-lynn"
    long = {"a": "x" * 90, "b": "x" * 90 + "y", "c": "…"}
    assert urls.assign_slugs(long) == {"a": "x" * 60, "b": "x" * 60 + "-2", "c": "x"}
    assert urls.assign_slugs({"4.1": "4.1 A", "4.10": "4.10 A", "4 1": "4 1 A"}) == {
        "4 1": "4-1-a",
        "4.1": "4-1-a-2",
        "4.10": "4-10-a",
    }


@pytest.mark.parametrize(
    ("value", "ticks"),
    [
        (None, (0, 0.25, 0.5, 0.75, 1)),
        (0.04, (0, 0.01, 0.02, 0.03, 0.04)),
        (5.04, (0, 2, 4)),
        (93.0, (0, 25, 50, 75, 100)),
        (1400.0, (0, 500, 1000, 1500)),
    ],
)
def test_a_scale_has_few_round_ticks(value: float | None, ticks: tuple[float, ...]) -> None:
    assert charts.make_scale([value]).ticks == ticks


def test_every_link_leads_somewhere(root: Path) -> None:
    files = {f"/site/{path.relative_to(root)}": path for path in root.rglob("*") if path.is_file()}
    pages = {url: path.read_text() for url, path in files.items() if path.suffix == ".html"}
    ids = {url: set(map(unescape, re.findall(r'\bid="([^"]+)"', text))) for url, text in pages.items()}
    assert len(pages) > 500
    links = 0
    linked: dict[str, set[str]] = {url: set() for url in pages}
    for url, text in pages.items():
        for attribute, link in set(re.findall(r'(href|src|data-page)="([^"]*)"', text)):
            address, fragment = urldefrag(unescape(link))
            if address.startswith(("https://www.nationalarchives.gov.uk/", "data:")):
                continue
            target = unquote(urljoin(url, address))
            assert target in files, (url, link)
            assert not fragment or fragment in ids.get(target, ids[url]), (url, link)
            links += 1
            if attribute == "href" and target in pages:
                linked[url].add(target)
    assert links > 20_000
    reached: set[str] = set()
    waiting = {"/site/index.html"}
    while waiting:  # and no page is without a way to it
        reached |= waiting
        waiting = set().union(*(linked[url] for url in waiting)) - reached
    assert reached == pages.keys()


def test_nothing_in_a_page_asks_a_network(root: Path) -> None:
    for path in root.rglob("*"):
        if path.suffix == ".html":
            text = path.read_text()
            assert not re.search(r"<(?!a\b)[^>]*(src|href|action|data|poster|srcset)=\"(https?:)?//", text), path
        elif path.name in ("report.js", "report.css"):
            asks = r"https?://|fetch\(|XMLHttpRequest|import\b|url\(\"?//"
            assert not re.search(asks, path.read_text()), path


def test_a_page_is_light_with_all_that_it_loads(root: Path) -> None:
    assets = sum(path.stat().st_size for path in (root / "assets").iterdir())
    heaviest = max(path.stat().st_size for path in root.rglob("*.html"))
    assert assets + heaviest < 1_000_000


def test_a_table_that_is_nought_everywhere_ranks_nobody(root: Path) -> None:
    text = words((root / "table/csp/4-2-infanticide.html").read_text())
    assert "None recorded in any area: the count is zero in all 357 areas of this table, so no area is ranked." in text
    assert (root / "table/csp/4-2-infanticide.csv").exists()


def test_a_half_year_without_a_population_ranks_nobody_and_says_why(small: Path, tmp_path: Path) -> None:
    root = site.write_site(LocalStore(small), tmp_path / "report", HalfYear.parse("2014-15-H1"), processes=1).front.parent
    front = words((root / "index.html").read_text())
    assert "no area can be ranked in this half-year, and each page says why" in front and "What has changed" not in front
    assert "2014/15 H2: ranked." in front
    table = root / "table/csp/8q-stalking.html"
    assert "No area is ranked in this table." in words(table.read_text())
    assert {(row["Status"], row["Why"]) for row in tables(table)[0]} == {("no_population", "no estimate is held")}
    assert "Not ranked, no_population: no estimate is held." in words((root / "area/pfa/kent.html").read_text())


def test_simulated_figures_carry_a_banner_and_others_do_not(root: Path) -> None:
    def banner(address: str) -> bool:
        return 'class="banner"' in (root / address).read_text()

    assert banner("index.html") and banner("table/csp/total.html") and banner("area/csp/adur.html")
    assert not banner("areas.html")
    for page in ("table/pfa/total.html", "area/pfa/kent.html"):  # real, but a selection: the manifest's note says so
        assert "<strong>NOTE:</strong> Real figures of the Home Office. A selection of offences" in (root / page).read_text()


def test_without_a_script_each_table_is_whole(root: Path) -> None:
    text = (root / "table/csp/8q-stalking.html").read_text()
    without = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert sum(map(len, tables(without))) == 357
    # what would need a script is hidden until there is one, and figures under charts are open
    for tag in re.findall(r"<[^>]*needs-js[^>]*>", without):
        assert "hidden" in tag
    area = (root / "area/csp/adur.html").read_text()
    assert area.count("<details open>") == area.count("<details") == 6
