"""Which councils make up a partnership and a force: ONS lookups → the canonical lookup table; our reference tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from transforms.errors import PublishedFileError
from transforms.readers.workbooks import read_workbook

LOOKUP = pa.schema(
    (
        pa.field("lookup_year", pa.int16(), nullable=False),  # of the boundaries, not of the publication
        pa.field("council_code", pa.string(), nullable=False),
        pa.field("council_name", pa.string(), nullable=False),
        pa.field("csp_code", pa.string(), nullable=False),
        pa.field("csp_name", pa.string(), nullable=False),
        pa.field("pfa_code", pa.string(), nullable=False),
        pa.field("pfa_name", pa.string(), nullable=False),
    )
)
# column → how ONS names it; the name carries the year of the boundaries: LAD24CD, LAD17NM, in copies also ltla24_code
_PREFIXES = {"council": "LTLA|LAD|LA", "csp": "CSP", "pfa": "PFA"}
_SUFFIXES = {"code": "CD|CODE", "name": "NM|NAME"}
_LOOKUP_HEADERS = {
    f"{area}_{part}": re.compile(rf"(?:{prefix})(\d\d)_?(?:{suffix})", re.IGNORECASE)
    for area, prefix in _PREFIXES.items()
    for part, suffix in _SUFFIXES.items()
}

_HEADER_ROWS = 20  # how far down the header of a lookup may stand
_HEADER_BYTES = 4096
_NAMES_PARTNERSHIPS = re.compile(r"csp|partnership|pfa|police.?force|lookup", re.IGNORECASE)


def match_lookup_headers(headers: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Column of `LOOKUP` → (place in `headers`, year of the boundaries) of each header that stands for it, maybe none.

    Source: the names of the fields of ONS Open Geography Portal lookups since 2017, and of copies of them.
    """
    return {
        column: [(place, 2000 + int(found[1])) for place, header in enumerate(headers) if (found := pattern.fullmatch(header))]
        for column, pattern in _LOOKUP_HEADERS.items()
    }


def lookup_headers(year: int) -> list[str]:
    """ONS's own headers of the columns of `LOOKUP`, without the year: LAD24CD, LAD24NM, CSP24CD …"""
    return [f"{area}{year % 100:02}{part}" for area in ("LAD", "CSP", "PFA") for part in ("CD", "NM")]


def is_lookup(path: Path) -> bool:
    """Whether a file has the columns of a lookup, whatever its name; False also for one that cannot be read.

    Of a workbook only one whose name tells of partnerships is opened: other workbooks take long to read.
    """
    if path.suffix.lower() == ".csv":
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES).decode("utf-8-sig", "replace")
        header = next(csv.reader(head.splitlines()[:1]), [])
        return all(match_lookup_headers([cell.strip() for cell in header]).values())
    if not _NAMES_PARTNERSHIPS.search(path.name):
        return False
    try:
        sheet = next(read_workbook(path), None)
    except PublishedFileError:
        return False
    return sheet is not None and _find_header(sheet.text_rows(_HEADER_ROWS)) is not None


def _find_header(rows: Sequence[Sequence[str | None]]) -> int | None:
    """The first row that has every column of a lookup, counted from 0."""
    return next((i for i, row in enumerate(rows) if all(match_lookup_headers([(c or "").strip() for c in row]).values())), None)


def read_lookup(path: Path) -> pa.Table:
    """Read an ONS lookup of local authorities to partnerships and forces, as rows of `LOOKUP`, sorted.

    Raises PublishedFileError when a column or every row is missing, or a cell empty. Source: ONS Open Geography Portal.
    """
    sheet = next(read_workbook(path), None)
    rows = sheet.text_rows() if sheet else []
    if not rows:
        raise PublishedFileError(path.name, "a table of councils", "an empty sheet" if sheet else "no sheet")
    first = _find_header(rows[:_HEADER_ROWS]) or 0
    header = [(cell or "").strip() for cell in rows[first]]
    matches = match_lookup_headers(header)
    if missing := [column for column, found in matches.items() if not found]:
        raise PublishedFileError(path.name, f"columns for {', '.join(missing)}", ", ".join(header), row=first + 1)
    places = {column: found[-1][0] for column, found in matches.items()}
    year = matches["csp_code"][-1][1]
    records = set()
    for number, row in enumerate(rows[first + 1 :], start=first + 2):
        values = [(row[place] or "").strip() for place in places.values()]
        if not all(values):
            raise PublishedFileError(path.name, "codes and names of council, partnership and force", "an empty cell", row=number)
        records.add((year, *values))
    if not records:
        raise PublishedFileError(path.name, "rows of councils below the header", "none")
    columns = zip(*sorted(records), strict=True)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, LOOKUP, strict=True)], schema=LOOKUP)


def read_reference(path: Path) -> list[dict[str, str]]:
    """The rows of a curated CSV table in data/reference, column → text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def known_names(areas: list[dict[str, str]]) -> set[tuple[str, str]]:
    """(level, published name) of every area in data/reference/areas.csv."""
    return {(row["level"], row["published_name"]) for row in areas}
