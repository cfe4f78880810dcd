"""File names that are safe to create: length, characters, and no way out of their folder."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from flows.sources.errors import SourceError


class FileNameError(SourceError):
    """A file name from a server that cannot be used safely as the name of a file in one folder."""


MAX_BYTES = 2 << 30  # of a file; the largest one published has 50 MB
LONGEST_NAME = 200  # bytes; leaves room for ".part.json" within the 255 of common file systems
_ALLOWED = re.compile(r"[\w][\w .()&',+-]*")


def safe_file_name(name: str, *, service: str = "the server", url: str = "") -> str:
    """The name as one that is safe inside one folder: outer blanks removed, Unicode composed (NFC), else unchanged.

    Anything else is refused with `FileNameError`, never repaired, for a repaired name may be another file's: an empty
    or hidden name, a path (`../x.ods`, `/x.ods`, `C:\\x.ods`), control characters, one that is too long, and `.part`
    or `.json` endings, which downloads use.
    """
    tidy = unicodedata.normalize("NFC", name).strip(" ")
    if (
        _ALLOWED.fullmatch(tidy)
        and not tidy.endswith(".")
        and len(tidy.encode()) <= LONGEST_NAME
        and PurePosixPath(tidy).suffix.lower() not in {".part", ".json"}
    ):
        return tidy
    raise FileNameError(service, url, "a plain file name such as prc-csp-mar2021-mar2026-tables-230726.ods", repr(name))
