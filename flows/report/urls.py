"""Where each page of the site lies: readable, unique file names, the same for the same database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

MAX_LENGTH = 60  # characters of a file name before its ending: long offence names are cut
Key = TypeVar("Key", str, tuple[str, str])


def slugify(text: str) -> str:
    """The letters a to z, digits and hyphens of a text, in lower case, at most MAX_LENGTH of them; "x" where it has none."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and ")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower().replace("'", "")).strip("-")[:MAX_LENGTH].strip("-") or "x"


def assign_slugs(names: Mapping[Key, str]) -> dict[Key, str]:
    """Key → a slug of its name that no other key has: where two would share one, the later key gets a number."""
    slugs: dict[Key, str] = {}
    taken: set[str] = set()
    for key in sorted(names):
        base = candidate = slugify(names[key])
        number = 1
        while candidate in taken:
            number += 1
            candidate = f"{base}-{number}"
        taken.add(candidate)
        slugs[key] = candidate
    return slugs


def offence_file_name(level: str, code: str, name: str) -> str:
    """The words that an offence's slug is made of: 8Q Stalking, group Robbery, total."""
    return "total" if level == "total" else f"{code} {name}" if level == "code" else f"{level} {name}"


def table_page_url(level: str, offence_slug: str) -> str:
    """The address of a ranked table from the site's root, such as table/csp/8q-stalking.html."""
    return f"table/{level}/{offence_slug}.html"


def area_page_url(level: str, area_slug: str) -> str:
    """The address of an area's page from the site's root, such as area/csp/adur.html."""
    return f"area/{level}/{area_slug}.html"
