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
        where = [self.file]
        if self.sheet is not None:
            where.append(f"sheet {self.sheet}")
        if self.row is not None:
            where.append(f"row {self.row}")
        if self.column is not None:
            where.append(f"column {self.column}")
        return f"{', '.join(where)}: expected {self.expected}, found {self.found}."


def quoted(value: object, most: int = 60) -> str:
    """A value as it is shown in an error: in quotes, control characters escaped, cut when long."""
    if value is None or value == "":
        return "an empty cell"
    text = str(value).encode("unicode_escape").decode("ascii") if not str(value).isprintable() else str(value)
    return f'"{text[:most]}…"' if len(text) > most else f'"{text}"'
