"""Plain text: aligned columns, headings, wrapped paragraphs, and how counts and rates are written."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from sql.rows import RankedRate

WIDTH = 118  # characters a line
RATE_HEADINGS = ("offences", "population", "per 10,000", "95% interval")
Lines = list[str]


def align_columns(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> Lines:
    """The lines of a table whose columns line up; those at the places in `right` are set flush right."""
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    lines = []
    for row in table:
        cells = [c.rjust(widths[i]) if i in right else c.ljust(widths[i]) for i, c in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def rate_cells(row: RankedRate) -> tuple[str, str, str, str]:
    """The cells under RATE_HEADINGS of one row of rates; rate and interval are blank where it has none."""
    return (
        format_count(row["offences"]),
        format_count(row["population"]),
        format_rate(row["rate_per_10k"]),
        "" if row["rate_per_10k"] is None else f"{format_rate(row['rate_lower_95'])} to {format_rate(row['rate_upper_95'])}",
    )


def heading(title: str) -> Lines:
    """A blank line, the title, and a rule below it."""
    return ["", title, "=" * len(title)]


def wrap(text: str) -> Lines:
    """A paragraph in lines of at most WIDTH characters; a full stop that would stand twice stands once."""
    end = text[:-1] if text.endswith((".).", '.".', "..")) else text
    return textwrap.wrap(end, WIDTH, break_long_words=False, break_on_hyphens=False)


def indent(lines: Lines) -> Lines:
    """The lines, two spaces further in."""
    return [f"  {line}" for line in lines]


def format_count(value: int | None) -> str:
    """A count with thousands separators; blank where it is not known."""
    return "" if value is None else f"{value:,}"


def format_change(value: int) -> str:
    """A difference of counts, always with its sign: +1,050, -3, 0."""
    return f"{value:+,}" if value else "0"


def format_known_count(value: int | None, known: bool) -> str:
    """A count; N/a where the release gives none, and `12 + N/a` where it gives only a part."""
    if value is None:
        return "none" if known else "N/a"
    return format_count(value) if known else f"{format_count(value)} + N/a"


def count_noun(n: int, noun: str) -> str:
    """A number with its noun: 1 area, 2 areas."""
    return f"{format_count(n)} {noun}{'' if n == 1 else 's'}"


def format_rate(value: float | None) -> str:
    """A rate: two decimals, two significant digits where those would hide it; blank where there is none."""
    if value is None:
        return ""
    return f"{value:.2f}" if value == 0 or value >= 0.05 else f"{value:.2g}"


def format_exact_rate(value: float) -> str:
    """A rate as a pocket calculator shows it: four decimals, more where they would show little."""
    places = 4 if value == 0 or value >= 0.1 else 6 if value >= 0.001 else 8
    return f"{value:.{places}f}"


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
