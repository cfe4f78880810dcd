"""Which offence codes are known, with the words that are published for each; a code that a spreadsheet changed is told by them.

Source of the known ones: data/reference/offence_codes.csv. A code that is new is no fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LOOKALIKES = str.maketrans("АВЕКМНОРСТХІЅ", "ABEKMHOPCTXIS")  # Cyrillic capitals that look like Latin ones
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*"
_CHANGED = re.compile(  # never a code: what spreadsheets make of 1/4, 4.10, 5E3
    rf"\d{{1,4}}-\d{{1,2}}-\d{{1,4}}([ T].*)?|\d{{1,2}}[- ]{_MONTH}|{_MONTH}[- ]\d{{2,4}}|\d+(\.\d+)?E[+-]\d+|#.*[!?A]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class KnownCodes:
    """Code → the descriptions that were published for it, folded; without any, every code is as good as another."""

    descriptions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> KnownCodes:
        """Of the rows of data/reference/offence_codes.csv."""
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["offence_code"], set()).add(fold(row["offence_name"]))
        return cls({code: frozenset(names) for code, names in found.items()})

    def find_fault(self, code: str) -> str | None:
        """What was expected in place of a code that is a known one but for case, blanks or look-alike letters, or is no code."""
        if _CHANGED.fullmatch(code):
            return "an offence code as published, not what a spreadsheet makes of one"
        if code in self.descriptions or not any(c.isdigit() for c in code):  # names such as CIFAS are written Cifas, too
            return None
        plain = skeleton(code)
        match = next((known for known in self.descriptions if skeleton(known) == plain), None)
        if match is None and re.fullmatch(r"\d+\.0+", code) and code.partition(".")[0] in self.descriptions:
            match = code.partition(".")[0]
        return None if match is None else f'the offence code "{match}"'

    def find_eaten(self, code: str, description: str) -> str | None:
        """The code that a description belongs to, where the one in its row is the same number (4.1 for 4.10); else None."""
        name = fold(description)
        if name in self.descriptions.get(code, ()):
            return None
        return next((k for k, names in self.descriptions.items() if k != code and name in names and _same_number(k, code)), None)


def fold(name: str) -> str:
    """A description for comparison: drift of case, blanks and "(outcome only)" is none."""
    return re.sub(r"\(outcome only\)", "", " ".join(name.split()).casefold()).strip()


def skeleton(code: str) -> str:
    """What a code looks like: without case, blanks and look-alike letters."""
    return "".join(unicodedata.normalize("NFKC", code).upper().translate(_LOOKALIKES).split())


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
