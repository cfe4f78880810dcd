"""`table … --format xlsx` against the Government Statistical Service's checklist for accessible spreadsheets."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from flows.cli import query_commands
from flows.queries import connection, ranked_table
from flows.queries.levels import Level
from flows.queries.ranked_table import RankedTable, TableBasis
from flows.rendering import attribution, xlsx
from flows.rendering.formats import TableFormat
from flows.storage.data_store import LocalStore
from tests.support.world import World, rows_of
from transforms.errors import UsageError
from transforms.periods import HalfYear

H1 = HalfYear.parse("2015-16-H1")


@pytest.fixture(scope="module")
def published(sample: World) -> Iterator[duckdb.DuckDBPyConnection]:
    with connection.connect(LocalStore(sample.data)) as con:
        yield con


@pytest.fixture(scope="module")
def stalking(published: duckdb.DuckDBPyConnection) -> RankedTable:
    return ranked_table.fetch_ranked_table(published, H1, Level.CSP, "8Q", TableBasis())


def book_of(answer: RankedTable, rows: list[dict[str, Any]] | None = None) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(xlsx.xlsx_bytes(answer, answer.rows if rows is None else rows)))


def data_of(sheet: Any) -> Iterator[dict[str, Any]]:
    """The rows of a sheet's one table, by column head without its note."""
    [table] = sheet.tables.values()
    heads, *rows = [[cell.value for cell in row] for row in sheet[table.ref]]
    return (dict(zip([head.partition("\n")[0] for head in heads], row, strict=True)) for row in rows)


def test_the_figures_are_the_database_s_as_numbers(stalking: RankedTable, published: duckdb.DuckDBPyConnection) -> None:
    book = book_of(stalking)
    rows = rows_of(
        published,
        "from ranked_rates where half_year = '2015/16 H1' and level = 'csp' and offence_code = '8Q' "
        "order by rank nulls last, status, area_name",
    )
    shown = list(data_of(book["Ranked"]))
    assert len(shown) == 313
    for cells, row in zip(shown, rows, strict=False):
        assert [cells[head] for head in ("Rank", "Area", "Area code", "Force", "Offences", "Population")] == [
            row[name] for name in ("rank", "area_name", "area_code", "force_name", "offences", "population")
        ]
        for head, name in ((xlsx.RATE, "rate_per_10k"), (xlsx.LOWER, "rate_lower_95"), (xlsx.UPPER, "rate_upper_95")):
            assert cells[head] == pytest.approx(row[name], rel=1e-14) and isinstance(cells[head], int | float)
    others = list(data_of(book["Not ranked"]))
    assert [(cells["Area"], cells["Status"], cells["Why"]) for cells in others] == [
        (row["area_name"], row["status"], row["status_note"]) for row in rows[313:]
    ]


def test_it_is_laid_out_as_the_guidance_asks(stalking: RankedTable) -> None:
    book = book_of(stalking)
    assert book.sheetnames == ["Cover", "Contents", "Notes", "Ranked", "Not ranked"]
    for sheet in book:
        assert not sheet.merged_cells.ranges and sheet["A1"].value, sheet.title
        rows = list(sheet.iter_rows(values_only=True))
        assert all(any(cell is not None for cell in row) for row in rows), sheet.title  # no blank row
        if sheet.title == "Cover":
            continue
        [table] = sheet.tables.values()  # one table a sheet, marked as one, to the end of the sheet, with no blank cell
        assert table.ref.endswith(sheet.dimensions.partition(":")[2])
        assert all(cell.value is not None for row in sheet[table.ref] for cell in row), sheet.title
        heads = [cell.value for cell in sheet[table.ref][0]]
        assert len(set(heads)) == len(heads) and all(heads)
    assert "one table" in " ".join(str(book["Ranked"][f"A{row}"].value) for row in range(1, 5))
    notes = list(data_of(book["Notes"]))
    assert [row["Note number"] for row in notes] == list(range(1, 7))
    assert book["Ranked"]["A6"].value == "Rank\n[note 1]"
    assert [row["Sheet name"] for row in data_of(book["Contents"])] == ["Ranked", "Not ranked"]
    assert attribution.SIMULATION_WARNING in [row[0].value for row in book["Cover"].iter_rows()]
    assert book["Ranked"]["G7"].number_format == "#,##0.00"


def test_the_cover_says_what_kind_of_statistics_these_are(stalking: RankedTable) -> None:
    cover = [str(cell.value) for [cell] in book_of(stalking)["Cover"]["A1:A40"]]
    assert attribution.OFFICIAL_STATUS in cover and "not accredited official statistics" in attribution.OFFICIAL_STATUS


def test_an_equal_answer_gives_equal_bytes_and_a_formula_stays_a_text(stalking: RankedTable) -> None:
    rows = [stalking.rows[0] | {"area_name": "=1+1"}]
    first, again = (xlsx.xlsx_bytes(stalking, rows) for _ in range(2))
    assert first == again
    cell = openpyxl.load_workbook(io.BytesIO(first))["Ranked"]["B7"]
    assert (cell.value, cell.data_type) in (("=1+1", "s"), ("=1+1", "inlineStr"))


LINKS = (
    "[x](javascript:alert(1))",
    "[a](https://a.example) [b](https://b.example)",
    "![x](http://x)",
    "$$rank$$",
    "https://x",
    "mailto:a@b",
)


@pytest.mark.parametrize("name", LINKS)
def test_a_name_that_looks_like_a_link_is_a_name(stalking: RankedTable, name: str) -> None:
    hostile = {"area_name": name, "force_name": name, "status_note": name}
    ranked = next(row for row in stalking.rows if row["rank"] is not None)
    unranked = next(row for row in stalking.rows if row["rank"] is None)
    book = book_of(replace(stalking, offence=replace(stalking.offence, name=name)), [ranked | hostile, unranked | hostile])
    for sheet, columns in (("Ranked", ("Area", "Force", "Notes")), ("Not ranked", ("Area", "Force", "Why"))):
        [cells] = data_of(book[sheet])
        assert {cells[column].replace(" (", "(").replace("$ $", "$$") for column in columns} == {name}
        assert not [cell for row in book[sheet].iter_rows() for cell in row if cell.hyperlink]
    addresses = {cell.hyperlink.target for row in book["Cover"].iter_rows() for cell in row if cell.hyperlink}
    assert addresses == set(xlsx.LICENCE.values())


def test_regions_stand_in_no_force(published: duckdb.DuckDBPyConnection) -> None:
    book = book_of(ranked_table.fetch_ranked_table(published, H1, Level.REGION, "total", TableBasis()))
    assert book.sheetnames == ["Cover", "Contents", "Notes", "Ranked"]
    assert "Force" not in next(iter(data_of(book["Ranked"])))
    assert len(list(data_of(book["Notes"]))) == 5  # no note on what is not ranked: everything is


def test_where_nothing_is_ranked_the_reasons_are_the_table(stalking: RankedTable) -> None:
    book = book_of(stalking, [row for row in stalking.rows if row["rank"] is None])
    assert book.sheetnames == ["Cover", "Contents", "Notes", "Not ranked"]
    assert [row["Note text"][:8] for row in data_of(book["Notes"])] == ["Offences", "Why an a"]


def test_without_the_extra_one_sentence_says_what_is_missing(stalking: RankedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gptables", None)
    with pytest.raises(UsageError, match=r"^--format xlsx needs the extra \[report\]: gptables is not installed\.$"):
        xlsx.xlsx_bytes(stalking, stalking.rows)


def test_the_command_writes_it_to_standard_output(sample: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "table.xlsx").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        query_commands.table(
            "2015-16-H1", offence="8Q", area="South Worcester", format=TableFormat.XLSX, store=LocalStore(sample.data)
        )
    book = openpyxl.load_workbook(tmp_path / "table.xlsx")
    assert [row["Area"] for row in data_of(book["Ranked"])] == ["South Worcester"]
