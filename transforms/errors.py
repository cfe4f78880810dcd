"""What is said when a published file is not what it should be. One sentence, for the person at the keyboard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class PublishedFileError(ValueError):
    """A published file differs from its layout: where, what was expected, what was found."""

    file: str
    expected: str
    found: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = [shown(self.file, 120)]
        if self.sheet is not None:
            where.append(f"sheet {shown(self.sheet, 60)}")
        if self.row is not None:
            where.append(f"row {self.row}")
        if self.column is not None:
            where.append(f"column {shown(self.column, 60)}")
        return f"{', '.join(where)}: expected {shown(self.expected, 400)}, found {shown(self.found, 240)}."


def shown(text: str, most: int) -> str:
    """Foreign text as it is shown in a sentence: on one line, what does not print escaped, cut when long."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: most + 1])
    return f"{plain[:most]}…" if len(plain) > most else plain


def quoted(value: object, most: int = 60) -> str:
    """A value as it is shown in an error: in quotes, or in words where it is none."""
    return "an empty cell" if value is None or value == "" else f'"{shown(str(value), most)}"'
