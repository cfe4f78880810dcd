"""Every figure on a page equals the database: pages are read back."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.common.sanitize import escape_csv_column
from flows.queries import series
from flows.report import area_pages, histories, model, queries
from flows.report.table_pages import table_csv
from sql.contract import RANKED_RATES
from tests.support.report_pages import is_interval, is_printed, tables, words
from tests.support.world import rows_of
from transforms.periods import HalfYear

HALF_YEAR = "2015/16 H2"
LEVELS = ["csp", "pfa", "region", "country"]


@pytest.fixture(scope="module")
def site(published: duckdb.DuckDBPyConnection) -> model.Site:
    return model.load_site(published, None, Path("crime_rates-x.duckdb"))


def test_the_newest_half_year_with_ranks_is_the_site(site: model.Site) -> None:
    assert (str(site.half_year), str(site.half_year_before), str(site.year_before)) == (HALF_YEAR, "2015/16 H1", "2014/15 H2")
    assert site.levels == tuple(LEVELS) and len(site.offences) == 46 and len(site.areas) == 417


@pytest.mark.parametrize("level", LEVELS)
def test_every_figure_of_every_ranked_table(
    root: Path, published: duckdb.DuckDBPyConnection, site: model.Site, level: str
) -> None:
    rows = rows_of(
        published,
        "from ranked_rates where half_year = ? and level = ? order by rank nulls last, status, area_name",
        HALF_YEAR,
        level,
    )
    seen = 0
    for offence in site.offences:
        mine = [r for r in rows if (r["offence_level"], r["offence_code"]) == offence.key]
        path = root / "table" / level / f"{offence.slug}.html"
        assert path.exists() == bool(mine)
        if not mine:
            continue
        if all(row["offences"] == 0 for row in mine):
            assert "None recorded in any area:" in path.read_text() and tables(path) == []
        else:
            shown = [cells for table in tables(path) for cells in table]
            if all(row["offences"] == 0 for row in mine if row["rank"]):
                assert "None recorded in any of the" in path.read_text() or not mine[0]["rank"]
                mine = [row for row in mine if row["rank"] is None]
            assert len(shown) == len(mine)
            for cells, row in zip(shown, mine, strict=True):
                check(cells, row, mine)
                assert cells["id"] == f"area={site.areas[level, row['area_name']].slug}"
            seen += len(shown)
        with path.with_suffix(".csv").open(encoding="utf-8-sig", newline="") as file:
            assert list(csv.DictReader(file)) == [{k: "" if v is None else str(v) for k, v in row.items()} for row in mine]
    assert seen > {"csp": 12_000, "pfa": 1_500, "region": 350, "country": 100}[level]


def check(cells: dict[str, str], row: dict[str, Any], table: list[dict[str, Any]]) -> None:
    """One row of a ranked table, or of those that are not ranked."""
    assert cells["Area"].removesuffix("†") == row["area_name"]
    within = {"csp": ("Force", "force_name"), "pfa": ("Region", "region_name")}.get(row["level"])
    assert within is None or cells[within[0]] == (row[within[1]] or "")
    assert is_printed(cells["Offences"], row["offences"]) and is_printed(cells["Residents"], row["population"])
    if row["rank"] is None:
        status = "the whole" if row["rate_per_10k"] is not None else row["status"]
        assert (cells["Status"], cells["Why"]) == (status, row["status_note"])
    else:
        ties = sum(other["rank"] == row["rank"] for other in table) > 1
        assert cells["Rank"] == f"{row['rank']}{'=' if ties else ''}"
        assert is_printed(cells["Per 10,000"], row["rate_per_10k"])
        assert is_interval(cells["95% interval"], row["rate_lower_95"], row["rate_upper_95"])


def test_the_drawing_places_the_rate_and_its_interval(root: Path) -> None:
    text = (root / "table/csp/8q-stalking.html").read_text()
    top = re.findall(r'<line x1="([\d.]+)%" x2="([\d.]+)%".*?cx="([\d.]+)%', text)[0]
    row = tables(text)[0][0]
    low, _, high = row["95% interval"].partition(" to ")
    scale = float(top[2]) / float(row["Per 10,000"])
    assert float(top[0]) == pytest.approx(scale * float(low), rel=0.01)
    assert float(top[1]) == pytest.approx(min(scale * float(high), 100), rel=0.01)


@pytest.mark.parametrize("name", ["South Worcester", "Dorset", "Unassigned Kent", "London, City of"])
def test_the_figures_of_an_area_page(root: Path, published: duckdb.DuckDBPyConnection, site: model.Site, name: str) -> None:
    now, *rest = tables(root / site.areas["csp", name].url)
    names = {o.key: o.name for o in site.offences}
    rows = rows_of(
        published,
        "from ranked_rates where half_year = ? and level = 'csp' and area_name = ? and offence_level <> 'code'",
        HALF_YEAR,
        name,
    )
    assert sorted(cells["Offence"] for cells in now) == sorted(names[r["offence_level"], r["offence_code"]] for r in rows)
    by_figures = {(names[r["offence_level"], r["offence_code"]], r["offences"]): r for r in rows}
    for cells in now:
        row = by_figures[cells["Offence"], int(cells["Offences"].replace(",", ""))]
        assert is_printed(cells["Per 10,000"], row["rate_per_10k"])
        assert is_interval(cells["95% interval"], row["rate_lower_95"], row["rate_upper_95"])
        why = "none anywhere" if row["status"] == "none_recorded" else row["status"]
        assert cells["Rank"].replace("=", "") == (f"{row['rank']} of {row['areas_ranked']}" if row["rank"] else why)
    history = rows_of(
        published,
        "from ranked_rates_harmonised where level = 'csp' and area_name = ? and offence_level = 'total' order by half_year",
        name,
    )
    assert [cells["Half-year"] for cells in rest[0]] == [row["half_year"] for row in history]
    for cells, row in zip(rest[0], history, strict=True):
        assert is_printed(cells["Offences"], row["offences"]) and is_printed(cells["Residents"], row["population"])
        assert is_printed(cells["Per 10,000"], row["rate_per_10k"])
        assert is_interval(cells["95% interval"], row["rate_lower_95"], row["rate_upper_95"])


def test_areas_of_similar_size_stand_beside_an_area(root: Path, published: duckdb.DuckDBPyConnection) -> None:
    similar = next(t for t in tables(root / "area/csp/south-worcester.html") if "All offences per 10,000" in t[0])
    assert [row["Area"] for row in similar] == [
        "Doncaster",
        "Southwark",
        "South Worcester",
        "Cwm Taf",
        "Redbridge",
        "Hillingdon",
        "Lewisham",
    ]
    for cells in similar:
        [row] = rows_of(
            published,
            "from ranked_rates where half_year = ? and level = 'csp' and area_name = ? and offence_level = 'total'",
            HALF_YEAR,
            cells["Area"],
        )
        assert is_printed(cells["Residents"], row["population"]) and cells["Rank"] == str(row["rank"])
        assert is_printed(cells["All offences per 10,000"], row["rate_per_10k"])


def test_the_front_page_says_who_rose_and_fell(root: Path, published: duckdb.DuckDBPyConnection) -> None:
    movers = [t for t in tables(root / "index.html") if t and set(t[0]) >= {"Area", "Change", "Intervals"}]
    assert len(movers) == 8  # rate and rank, up and down, of partnerships and of forces
    want = rows_of(
        published,
        """
        select n.area_name, n.rate_per_10k - t.rate_per_10k as change,
            n.rate_lower_95 > t.rate_upper_95 or n.rate_upper_95 < t.rate_lower_95 as apart
        from ranked_rates as n join ranked_rates as t using (level, area_name, offence_level)
        where n.half_year = '2015/16 H2' and t.half_year = '2015/16 H1' and level = 'csp' and offence_level = 'total'
            and n.rank is not null and t.rank is not null order by change desc""",
    )
    for shown, rows in ((movers[0], want[:5]), (movers[1], want[:-6:-1])):
        assert [cells["Area"] for cells in shown] == [row["area_name"] for row in rows]
        for cells, row in zip(shown, rows, strict=True):
            assert is_printed(cells["Change"], row["change"])
            assert cells["Intervals"] == ("apart" if row["apart"] else "overlap")
    assert {cells["Area"]: cells["Intervals"] for cells in movers[1]}["Boston"] == "overlap"  # 823 offences, then 730


def test_the_front_page_says_what_stands_behind_and_what_is_not_ranked(root: Path, published: duckdb.DuckDBPyConnection) -> None:
    text = words((root / "index.html").read_text())
    for row in rows_of(published, "select distinct release_id from ranked_rates where half_year = ?", HALF_YEAR):
        assert row["release_id"] in text
    why = next(t for t in tables(root / "index.html") if t and "Why" in t[0])
    assert sum(int(cells["Areas"]) for cells in why) == 49
    assert {cells["Status"] for cells in why} == {"unassigned", "not_resident"}


def test_the_breaks_of_an_area_are_those_of_the_series_command(published: duckdb.DuckDBPyConnection, site: model.Site) -> None:
    for level, name in (("csp", "South Worcester"), ("csp", "Dorset"), ("pfa", "West Mercia"), ("region", "Wales")):
        rows = queries.fetch_histories(published, level, [name])[name]
        found = histories.Histories(published, site, level).of_area(site.areas[level, name], rows)
        assert len(found) == 6
        for history in found:
            want = series.fetch_series(published, name, history.offence.code, level)
            if want.offence != history.offence.offence:
                continue  # a subgroup of the same name comes first there
            assert history.breaks == want.breaks
            assert [row.half_year for row in history.rows] == list(want.rows)
            assert [row.rates for row in history.rows] == list(want.rows.values())


def test_the_method_page_has_every_source_and_column(root: Path, published: duckdb.DuckDBPyConnection) -> None:
    text = (root / "method.html").read_text()
    assert all(row["sha256"] in text for row in rows_of(published, "select sha256 from releases"))
    read = words(text)
    assert all(" ".join(row["meaning"].split()) in read for row in rows_of(published, "from data_dictionary"))
    assert "file:" not in text  # where a file lay on the machine that built the database is nobody's business


def test_a_half_year_in_pieces_has_pages_of_pieces_and_of_wholes(published: duckdb.DuckDBPyConnection) -> None:
    site = model.load_site(published, HalfYear.parse("2014-15-H1"), Path("crime_rates-x.duckdb"))
    assert site.half_year_before is None
    wanted = [site.areas["csp", name] for name in ("South Worcester", "South Worcs_Wychavon")]
    pages = dict(area_pages.render_area_pages(published, site, "csp", wanted))
    whole, piece = (pages[area.url] for area in wanted)
    assert "Published in pieces in April to September 2014" in whole and "now part of" in piece
    [row] = rows_of(
        published,
        "from ranked_rates where half_year = '2014/15 H1' and level = 'csp' "
        "and area_name = 'South Worcs_Wychavon' and offence_level = 'total'",
    )
    assert is_printed(tables(piece)[0][0]["Per 10,000"], row["rate_per_10k"])


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+1",
        "-x",
        "@A1",
        "\tx",
        " =1",
        "\n=1",
        "\xa0@A1",
        "＝1",
        "＋1",
        "－1",
        "＠A1",
        "a\rb",
        "\x00=1",
        "\x1b[2J",
        "Kent",
    ],
)
def test_a_csv_file_of_the_report_is_as_safe_as_an_exported_one(published: duckdb.DuckDBPyConnection, name: str) -> None:
    blank: dict[str, Any] = {c.name: None for c in RANKED_RATES.columns}
    text = table_csv([blank | {"area_name": name, "force_name": "Kent", "offences": -3}])
    assert text.startswith("\ufeff") and text.count("\r\n") == 2
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    exported = published.execute(f"select {escape_csv_column('name')} from (select ?::varchar as name)", [name]).fetchone()
    assert exported == (row["area_name"],) and (row["area_name"] == name) == (name == "Kent")
    assert (row["force_name"], row["offences"]) == ("Kent", "-3")
