"""Tables read back from pages, as a person would read them: text in cells, numbers as far as they are printed."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from pathlib import Path

Cells = dict[str, str]


def words(markup: str) -> str:
    """The text of some HTML, without what only a screen reader says."""
    text = re.sub(r'<span class="vh">.*?</span>|<svg.*?</svg>|<(script|style).*?</\1>', "", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def tables(page: Path | str) -> list[list[Cells]]:
    """The tables of a page: rows as column head → text; the row's id stands under "id"."""
    text = page if isinstance(page, str) else page.read_text(encoding="utf-8")
    return [rows(table) for table in re.findall(r"<table.*?</table>", text, re.DOTALL)]


def rows(table: str) -> list[Cells]:
    head, _, body = table.partition("<tbody>")
    heads = [words(cell) for cell in re.findall(r"<th.*?</th>", head[head.index("<thead>") :], re.DOTALL)]
    found = []
    for attributes, row in re.findall(r"<tr([^>]*)>(.*?)</tr>", body, re.DOTALL):
        cells = [words(cell) for _, cell in re.findall(r"<(t[dh])\b[^>]*>(.*?)</\1>", row, re.DOTALL)]
        assert len(cells) == len(heads), (heads, cells)
        identity = re.search(r'id="([^"]*)"', attributes)
        found.append({**dict(zip(heads, cells, strict=True)), "id": html.unescape(identity[1]) if identity else ""})
    return found


def is_printed(text: str, value: float | None) -> bool:
    """Whether a text is the value, to within half of the last digit that is printed; blank is None."""
    if value is None or text == "":
        return value is None and text == ""
    printed = Decimal(text.replace(",", "").replace("−", "-").replace("+", ""))
    half = Decimal(5).scaleb(printed.as_tuple().exponent - 1)  # type: ignore[operator]
    return abs(printed - Decimal(value)) <= half * Decimal("1.000001")


def is_interval(text: str, low: float | None, high: float | None) -> bool:
    if low is None or text == "":
        return low is None and text == ""
    first, _, last = text.partition(" to ")
    return is_printed(first, low) and is_printed(last, high)
