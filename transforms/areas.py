"""Which councils make up a partnership and a force: ONS lookups → the canonical lookup table; our reference tables."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow as pa

from transforms.errors import PublishedFileError
from transforms.readers.workbooks import read_workbook

LOOKUP = pa.schema(
    (
        pa.field("lookup_year", pa.int16(), nullable=False),  # whose boundaries it tells, not when it was published
        pa.field("council_code", pa.string(), nullable=False),
        pa.field("council_name", pa.string(), nullable=False),
        pa.field("csp_code", pa.string(), nullable=False),
        pa.field("csp_name", pa.string(), nullable=False),
        pa.field("pfa_code", pa.string(), nullable=False),
        pa.field("pfa_name", pa.string(), nullable=False),
    )
)
_PATTERNS = {
    "council_code": r"(?:ltla|lad|la)(\d\d)_?(?:code|cd)",
    "council_name": r"(?:ltla|lad|la)(\d\d)_?(?:name|nm)",
    "csp_code": r"csp(\d\d)_?(?:code|cd)",
    "csp_name": r"csp(\d\d)_?(?:name|nm)",
    "pfa_code": r"pfa(\d\d)_?(?:code|cd)",
    "pfa_name": r"pfa(\d\d)_?(?:name|nm)",
}


def read_lookup(path: Path) -> pa.Table:
    """Read an ONS lookup of local authorities to partnerships and forces (LAD17CD … or ltla24_code …), sorted.

    Raises PublishedFileError when a column or every row is missing, or a cell empty. Source: ONS Open Geography Portal.
    """
    sheet = next(read_workbook(path), None)
    rows = sheet.text_rows() if sheet else []
    if not rows:
        raise PublishedFileError(path.name, "a table of councils", "an empty sheet" if sheet else "no sheet")
    header = [(cell or "").strip() for cell in rows[0]]
    places: dict[str, int] = {}
    year = 0
    for column, pattern in _PATTERNS.items():
        for place, cell in enumerate(header):
            if match := re.fullmatch(pattern, cell, re.IGNORECASE):
                places[column], year = place, 2000 + int(match[1])
    if missing := [column for column in _PATTERNS if column not in places]:
        raise PublishedFileError(path.name, f"columns for {', '.join(missing)}", ", ".join(header), row=1)
    out = set()
    for number, row in enumerate(rows[1:], start=2):
        values = [(row[places[column]] or "").strip() for column in _PATTERNS]
        if not all(values):
            raise PublishedFileError(path.name, "codes and names of council, partnership and force", "an empty cell", row=number)
        out.add((year, *values))
    if not out:
        raise PublishedFileError(path.name, "rows of councils below the header", "none")
    columns = zip(*sorted(out), strict=True)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, LOOKUP, strict=True)], schema=LOOKUP)


def read_reference(path: Path) -> list[dict[str, str]]:
    """The rows of a curated table in data/reference."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def known_names(areas: list[dict[str, str]]) -> set[tuple[str, str]]:
    """(level, published name) of every area in data/reference/areas.csv."""
    return {(row["level"], row["published_name"]) for row in areas}
