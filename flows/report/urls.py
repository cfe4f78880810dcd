"""Where each page of the site lies: readable, unique file names, the same for the same database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

LONGEST = 60  # characters of a file name before its ending: long offence names are cut
Key = TypeVar("Key", str, tuple[str, str])


def slug(text: str) -> str:
    """Letters, digits and hyphens of a text, in lower case; "x" where it has none."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and ")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower().replace("'", "")).strip("-")[:LONGEST].strip("-") or "x"


def slugs(words: Mapping[Key, str]) -> dict[Key, str]:
    """Key → a slug of its words that no other key has: where two would share one, the later key gets a number."""
    found: dict[Key, str] = {}
    taken: set[str] = set()
    for key in sorted(words):
        base = candidate = slug(words[key])
        number = 1
        while candidate in taken:
            number += 1
            candidate = f"{base}-{number}"
        taken.add(candidate)
        found[key] = candidate
    return found


def offence_words(level: str, code: str, name: str) -> str:
    """What the file name of an offence is made of: 8Q Stalking, group Robbery, total."""
    return "total" if level == "total" else f"{code} {name}" if level == "code" else f"{level} {name}"


def table_page(level: str, offence: str) -> str:
    """The address of a ranked table from the site's root; `offence` is a slug."""
    return f"table/{level}/{offence}.html"


def area_page(level: str, area: str) -> str:
    """The address of an area's page from the site's root; `area` is a slug."""
    return f"area/{level}/{area}.html"
