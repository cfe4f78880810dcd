"""`table … --format markdown`: names and notes of others are shown letter by letter, and lead nowhere."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape, unescape

import pytest
from markdown_it import MarkdownIt

from flows.common.sanitize import escape_markdown
from flows.queries import connection, ranked_table
from flows.queries.levels import Level
from flows.queries.ranked_table import RankedTable, TableBasis
from flows.rendering import ranked_table_text
from flows.rendering.formats import TableFormat
from flows.storage.data_store import LocalStore
from tests.support.world import World
from transforms.periods import HalfYear

HOSTILE = (
    "[x](javascript:alert(1))",
    "![x](http://x.example)",
    "[x]: javascript:x",
    "<https://x.example>",
    "<b onclick=x>x</b>",
    "https://x.example/a",
    "WWW.x.example",
    "a@x.example",
    "a|b \\| c\\",
    "`x` ~~x~~ **x**",
    "a\nb",
)


@pytest.fixture(scope="module")
def stalking(sample: World) -> RankedTable:
    with connection.connect(LocalStore(sample.data)) as con:
        return ranked_table.fetch_ranked_table(con, HalfYear.parse("2015-16-H1"), Level.CSP, "8Q", TableBasis())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_letter_by_letter(stalking: RankedTable, name: str) -> None:
    ranked = next(row for row in stalking.rows if row["rank"] is not None)
    unranked = next(row for row in stalking.rows if row["rank"] is None)
    rows = [ranked | {"area_name": name, "force_name": name}, unranked | {"area_name": name, "status_note": name}]
    table = replace(stalking, offence=replace(stalking.offence, name=name))
    text = ranked_table_text.render(table, rows, TableFormat.MARKDOWN)
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    shown = escape(name.replace("\n", " "), quote=False)
    assert html.count(f"<td>{shown}</td>".replace('"', "&quot;")) == 2 and html.count("<tr>") == 2
    assert f"<h2>{shown} (8Q)".replace('"', "&quot;") in html


@pytest.mark.parametrize("name", HOSTILE)
def test_no_reader_of_markdown_finds_an_address(name: str) -> None:
    """GitHub's makes links of what looks like one, wherever it stands (GFM, 6.9 Autolinks)."""
    escaped = escape_markdown(name)
    assert not re.search(r"(?:https?|ftp)://|www\.|\w@\w", escaped, re.IGNORECASE)
    shown = re.sub(r"<[^>]+>", "", MarkdownIt("commonmark").render(escaped)).strip()
    assert unescape(shown) == name.replace("\n", " ").strip()
