"""Foreign text made harmless where it is shown: on a terminal, in Markdown, in a CSV file that somebody opens in a spreadsheet.

Names and notes come from files of others and are kept as they are: in the lake, the database, Parquet and JSON.

A spreadsheet runs a cell of a CSV file that starts with = + - or @ (or with a tab before it) as a formula, which can
send what stands beside it elsewhere. As OWASP advises ("CSV Injection"), such a text is written with an apostrophe in
front. Numbers are not text: a negative count stays a number.
"""

from __future__ import annotations

import re
import unicodedata

# Pattern and replacement, the same to Python and to DuckDB (RE2). A control character can not be shown in any of them.
_CONTROL = ("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]", "\ufffd")
_FORMULA = ("^(\\t|[ \\t\\n\\xa0]*[=+@\uff1d\uff0b\uff0d\uff20-])", "'\\1")

_MARKDOWN = re.compile(r"[\\`*\[\]<>|~]")
_ADDRESS = re.compile(r":/|\bwww\.|@", re.IGNORECASE)  # GitHub's Markdown makes links of https://…, www.… and a@b.example


def escape_csv_cell(text: str) -> str:
    """A text as a cell of a CSV file."""
    for pattern, replacement in (_CONTROL, _FORMULA):
        text = re.sub(pattern, replacement, text)
    return text


def escape_csv_column(expression: str) -> str:
    """The same of a VARCHAR column, in DuckDB's SQL."""
    changed = expression
    for pattern, replacement in (_CONTROL, _FORMULA):
        changed = f"regexp_replace({changed}, '{pattern}', '{replacement.replace(chr(39), chr(39) * 2)}', 'g')"
    rare = f"{_CONTROL[0]}|{_FORMULA[0]}"  # one look at each text is half the cost of two replacements
    return f"case when regexp_matches({expression}, '{rare}') then {changed} else {expression} end"


def escape_markdown(text: str) -> str:
    """A text as Markdown shows it letter by letter: nothing in it is a link, an image, an address to click, HTML or a column."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split("\n")))
    return _ADDRESS.sub(lambda match: match[0][:-1] + "\\" + match[0][-1], escaped)


def sanitize_text(text: str) -> str:
    """Lines for a terminal: what would steer it, or turn the direction of writing, is spelt out (`\\x1b`)."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if _is_plain(c) else c.encode("unicode_escape").decode() for c in text)


def _is_plain(character: str) -> bool:
    return character.isprintable() or character == "\n" or unicodedata.category(character) == "Zs"
