"""The sample's site, a small site that tests may spoil, and a browser, each made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from flows.report import site
from flows.storage.data_store import LocalStore
from tests.support.world import World, put_table_in_place_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '<img src=x onerror="alert(1)">'
FORMULA = '=HYPERLINK("evil")'
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def root(sample: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample's site, of its newest half-year."""
    return site.write_site(LocalStore(sample.data), tmp_path_factory.mktemp("site") / "report").front.parent


@pytest.fixture(scope="session")
def small(sample: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a part of the sample's database, with hostile names, and no ranks in 2014/15 H1."""
    data = tmp_path_factory.mktemp("small")
    (data / "warehouse").mkdir()
    path = data / "warehouse" / "crime_rates.duckdb"
    shutil.copyfile((sample.warehouse / "crime_rates.duckdb").resolve(), path)
    path.chmod(0o644)
    with duckdb.connect(str(path)) as con:
        for table in ("ranked_rates", "ranked_rates_harmonised"):
            put_table_in_place_of(con, table)
            con.execute(
                f"delete from {table} where offence_code not in ('8Q', 'Robbery', 'Total', 'Shoplifting') "
                "or (level = 'csp' and force_name not in ('West Mercia', 'Sussex'))"
            )
            con.execute(f"update {table} set area_name = ? where area_name = 'Adur'", [HOSTILE])
            con.execute(f"update {table} set area_name = ? where area_name = 'Arun'", [FORMULA])
            con.execute(f"update {table} set area_name = 'South-Worcester' where area_name = 'Crawley'")
            con.execute(f"update {table} set status_note = ? where status = 'unassigned'", [HOSTILE])
            con.execute(f"""update {table} set rank = null, rate_per_10k = null, rate_lower_95 = null, rate_upper_95 = null,
                areas_ranked = 0, population = null, population_vintage = null, population_method = null,
                status = 'no_population', status_note = 'no estimate is held' where half_year = '2014/15 H1'""")
        con.execute("update offences set offence_name = ? where offence_code = 'Robbery'", ["Robbery </title><b>" + HOSTILE])
    return data


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium: CHROMIUM names it, or it is found on the path; without one, tests are skipped."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: the browser tests are skipped (CHROMIUM can name one)")
    sync = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: the browser tests are skipped")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
