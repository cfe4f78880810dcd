"""Words and numbers of `explain`: headings, wrapped lines, counts, rates as a pocket calculator shows them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

WIDTH = 118
Lines = list[str]


def heading(title: str) -> Lines:
    return ["", title, "=" * len(title)]


def wrap(text: str) -> Lines:
    end = text[:-1] if text.endswith((".).", '.".', "..")) else text
    return textwrap.wrap(end, WIDTH, break_long_words=False, break_on_hyphens=False)


def indent(lines: Lines) -> Lines:
    """The lines, two spaces further in."""
    return [f"  {line}" for line in lines]


def format_exact_rate(value: float) -> str:
    """A rate as a pocket calculator shows it: four decimals, more where they would show little."""
    places = 4 if value == 0 or value >= 0.1 else 6 if value >= 0.001 else 8
    return f"{value:.{places}f}"


def format_known_count(value: int | None, known: bool) -> str:
    """A count; N/a where the release gives none, and with what is known where it gives some."""
    if value is None:
        return "none" if known else "N/a"
    return format_count(value) if known else f"{format_count(value)} + N/a"


def count_noun(n: int, what: str) -> str:
    return f"{format_count(n)} {what}{'' if n == 1 else 's'}"


def format_row_numbers(rows: list[int]) -> str:
    """Row numbers, neighbours as a span; only their bounds where they are many."""
    spans: list[list[int]] = []
    for row in sorted(rows):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    if len(spans) > 4:
        return f"{spans[0][0]} to {spans[-1][1]} ({len(rows):,} of them)"
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in spans)


def can_print(characters: str) -> bool:
    """Whether standard output can show these characters."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def format_count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def format_rate(value: float | None) -> str:
    """A rate as it is printed: two decimals, more where two would show nothing."""
    if value is None:
        return ""
    return f"{value:.2f}" if value == 0 or value >= 0.05 else f"{value:.2g}"


def align_columns(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Lines of a table whose columns line up; those in `right` are set flush right."""
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    lines = []
    for row in table:
        cells = [c.rjust(widths[i]) if i in right else c.ljust(widths[i]) for i, c in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


RATE_HEADINGS = ("offences", "population", "per 10,000", "95% interval")


def rate_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The cells under FIGURES of one row of rates; rate and interval are blank where it is not ranked."""
    return (
        format_count(row["offences"]),
        format_count(row["population"]),
        format_rate(row["rate_per_10k"]),
        "" if row["rank"] is None else f"{format_rate(row['rate_lower_95'])} to {format_rate(row['rate_upper_95'])}",
    )
