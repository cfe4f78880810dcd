"""File names that are safe to create: length, characters, and no way out of their folder."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from transforms.errors import CrimeRatesError, display_text


class FileNameError(CrimeRatesError):
    """A file name cannot be used safely as the name of a file in one folder.

    `where` says who gave it, such as "GOV.UK, https://…"; `expected` and `found` complete the sentence.
    """

    def __init__(self, where: str, expected: str, found: str) -> None:
        """All arguments are positional strings, so that the error survives pickling."""
        super().__init__(where, expected, found)
        self.where, self.expected, self.found = where, expected, found

    def __str__(self) -> str:
        """One sentence: where, what was expected, what was found."""
        expected, found = display_text(self.expected, 400), display_text(self.found, 1000)
        return f"{display_text(self.where, 500)}: expected {expected}; found {found}"


MAX_BYTES = 2 << 30  # of a file; the largest one published has 50 MB
LONGEST_NAME = 200  # bytes; leaves room for ".part.json" within the 255 of common file systems
_ALLOWED = re.compile(r"[\w][\w .()&',+-]*")


def safe_file_name(name: str, *, where: str = "a file name") -> str:
    """The name as one that is safe inside one folder: outer blanks removed, Unicode composed (NFC), else unchanged.

    Anything else is refused with `FileNameError`, never repaired, for a repaired name may be another file's: an empty
    or hidden name, a path (`../x.ods`, `/x.ods`, `C:\\x.ods`), control characters, one that is too long, and `.part`
    or `.json` endings, which downloads use. `where` says in the error who gave the name.
    """
    tidy = unicodedata.normalize("NFC", name).strip(" ")
    if (
        _ALLOWED.fullmatch(tidy)
        and not tidy.endswith(".")
        and len(tidy.encode()) <= LONGEST_NAME
        and PurePosixPath(tidy).suffix.lower() not in {".part", ".json"}
    ):
        return tidy
    raise FileNameError(where, "a plain file name such as prc-csp-mar2021-mar2026-tables-230726.ods", repr(name))
