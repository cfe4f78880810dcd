"""What a release says in words: the day it was updated, whether it is a simulation, and notes that withdraw figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime

from transforms.errors import PublishedFileError
from transforms.readers.workbooks import Sheet

_UPDATED = re.compile(r"^\s*(?:Updated|Date published):\s*(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]+ \d{4})", re.IGNORECASE)
_FIRST_PUBLISHED = re.compile(
    r"originally published (?:at [\d.:]+ ?[ap]m,? )?(?:on )?(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]+ \d{4})", re.IGNORECASE
)
LONGEST_NOTE = 20_000  # characters; the longest one published has 500
_SECTION = re.compile(r"^\s*(Force Notes|Additional Notes)\s*$", re.IGNORECASE)


@dataclass
class Notes:
    """Notes of all sheets without figures of one release."""

    updated: date | None = None
    simulated: bool = False
    force_notes: list[str] = field(default_factory=list)

    def add(self, other: Notes) -> None:
        """Add the notes of another sheet; the first date found stays."""
        self.updated = self.updated or other.updated
        self.simulated = self.simulated or other.simulated
        self.force_notes += [note for note in other.force_notes if note not in self.force_notes]


def read_notes(sheet: Sheet) -> Notes:
    """Read a sheet without figures: a line `Updated: 23 July 2026`, the lines from `Force Notes` to `Additional Notes`.

    Source: Cover_sheet and Notes of the Home Office workbooks since 2015/16; `Date published:` and `originally
    published at 9.30am 21 December 2022` on ONS cover sheets. Raises
    PublishedFileError for a row of text that is too long for a note.
    """
    notes = Notes()
    in_force_notes = False
    for number, row in enumerate(sheet.text_rows(500), start=1):
        if (size := sum(len(cell) for cell in row if cell)) > LONGEST_NOTE:
            raise PublishedFileError(sheet.file, f"notes of at most {LONGEST_NOTE:,} characters", f"{size:,}", sheet.name, number)
        line = " ".join(cell.strip() for cell in row if cell)
        if section := _SECTION.match(line):
            in_force_notes = section[1].casefold() == "force notes"
        elif in_force_notes and line:
            notes.force_notes.append(line)
        if match := _UPDATED.match(line) or _FIRST_PUBLISHED.search(line):
            notes.updated = notes.updated or _parse_long_date(f"{match[1]} {match[2]}")
        if line.startswith("SIMULATED"):
            notes.simulated = True
    return notes


def _parse_long_date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d %B %Y").date()
    except ValueError:
        return None
