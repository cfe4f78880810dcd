"""Words and numbers of `explain`: headings, wrapped lines, counts, rates as a pocket calculator shows them."""

from __future__ import annotations

import textwrap

from flows.printing import number

WIDTH = 118
Lines = list[str]


def section(title: str) -> Lines:
    return ["", title, "=" * len(title)]


def wrapped(text: str) -> Lines:
    end = text[:-1] if text.endswith((".).", '.".', "..")) else text
    return textwrap.wrap(end, WIDTH, break_long_words=False, break_on_hyphens=False)


def exact(value: float) -> str:
    """A rate as a pocket calculator shows it: four decimals, more where they would show little."""
    places = 4 if value == 0 or value >= 0.1 else 6 if value >= 0.001 else 8
    return f"{value:.{places}f}"


def count_text(value: int | None, known: bool) -> str:
    """A count; N/a where the release gives none, and with what is known where it gives some."""
    if value is None:
        return "none" if known else "N/a"
    return number(value) if known else f"{number(value)} + N/a"


def counted(n: int, what: str) -> str:
    return f"{number(n)} {what}{'' if n == 1 else 's'}"


def row_numbers(rows: list[int]) -> str:
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
