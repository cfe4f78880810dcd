"""How large an ODS may be, and the three ways in which reading one can fail."""

from __future__ import annotations

MAX_BYTES = 16 << 30  # of content.xml; the largest one published has 1.7 GB
MAX_CELLS = 1 << 26  # of a file, counting the empty ones up to the last row and column of each sheet
MAX_COLUMNS = 1 << 14  # what Excel and LibreOffice can hold
MAX_SHEETS = 1 << 10
MAX_CELL = 1 << 20  # characters of a cell; Excel can hold 32,767
MAX_TEXTS = 1 << 27  # characters of the different texts of a file
MAX_TOKEN = 1 << 24  # bytes of a tag
MAX_DEPTH = 256  # open tags


class OdsUnsupported(Exception):
    """The file uses a feature that this reader does not support; another reader may."""


class OdsError(Exception):
    """The file is not a readable spreadsheet, or is larger than allowed. `str()` says what was found."""


class NeedsFullParse(Exception):
    """The fast pass of `reader` cannot go on: expat has to parse the whole file. Never leaves this package."""


def check_limit(found: int, most: int, what: str) -> None:
    """Raise OdsError if `found` is more than `most`."""
    if found > most:
        raise OdsError(f"more than {most:,} {what} (at least {found:,})")
