"""Errors for the person at the keyboard: one sentence that says where, what was expected and what was found."""

from __future__ import annotations

import re
from dataclasses import dataclass

# In an address: the user and password before the host, and values of a query that are named for what they are.
_USER = re.compile(r"(?<=://)[^\s/?#\\\"']*@")
_SECRET = re.compile(r"([?&;][\w.-]*(?:token|secret|passw|pwd|sig|key|credential|auth|uid)[\w.-]*=)[^\s&;#\"']+", re.IGNORECASE)


class CrimeRatesError(Exception):
    """Base of all errors that are meant for the person at the keyboard: `str()` is one plain sentence.

    It says where, what was expected and what was found. An error of another kind is a fault of the program.
    """


class UsageError(CrimeRatesError):
    """An option, an argument or a setting does not fit: raised before any work is done with it."""


@dataclass
class PublishedFileError(CrimeRatesError):
    """A published file differs from its layout: where, what was expected, what was found."""

    file: str
    expected: str
    found: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = [display_text(self.file, 120)]
        if self.sheet is not None:
            where.append(f"sheet {display_text(self.sheet, 60)}")
        if self.row is not None:
            where.append(f"row {self.row}")
        if self.column is not None:
            where.append(f"column {display_text(self.column, 60)}")
        return f"{', '.join(where)}: expected {display_text(self.expected, 400)}, found {display_text(self.found, 240)}."


def display_text(text: str, most: int) -> str:
    """Foreign text as it is shown in a sentence: on one line, what does not print escaped, cut when long."""
    text = without_secrets(text[: 2 * most + 2000])
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: most + 1])
    return f"{plain[:most]}…" if len(plain) > most else plain


def without_secrets(text: str) -> str:
    """A text without the secrets of the addresses in it: users, passwords, tokens (`ftp://user:pw@host` → `ftp://host`)."""
    return _SECRET.sub(r"\1…", _USER.sub("", text))


def quoted(value: object, most: int = 60) -> str:
    """A value as it is shown in an error: in quotes, or in words where it is none."""
    return "an empty cell" if value is None or value == "" else f'"{display_text(str(value), most)}"'
