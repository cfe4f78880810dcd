"""Nomis: mid-year population estimates by council, all years in one query, paged until complete.

Dataset NM_2002_1, all persons of all ages, newest vintage only; Nomis sends no publication date.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flows.sources.errors import ContentError, IncompleteError
from flows.sources.http_client import Client, join

SERVICE = "Nomis"
PATH = "/api/v01/dataset/NM_2002_1.data.csv"
GEOGRAPHY = "TYPE424"  # local authorities on 2023 boundaries
MOST_ROWS = 1_000_000  # all years of all councils are 9,000; a service may page without end
PAGE_SIZE = 25_000  # records that an anonymous call returns at most
COLUMNS = ("DATE_NAME", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", "OBS_VALUE")


@dataclass(frozen=True)
class PopulationRow:
    """Persons in one council in the middle of one year; `None` where Nomis has no figure."""

    year: int
    code: str
    name: str
    persons: int | None


@dataclass(frozen=True)
class PopulationAnswer:
    """A complete answer. url: of the dataset, without its query.

    text: one CSV document, header once, the pages' lines as sent; rows: the same, typed.
    """

    url: str
    text: str
    rows: tuple[PopulationRow, ...]

    @property
    def count(self) -> int:
        """How many records the answer has."""
        return len(self.rows)


def populations(
    client: Client,
    base_url: str,
    years: Iterable[int],
    *,
    geography: str = GEOGRAPHY,
    page_size: int = PAGE_SIZE,
) -> PopulationAnswer:
    """The estimates of `years` from `base_url` (`https://www.nomisweb.co.uk`); a year that Nomis lacks has no rows.

    Complete by RECORD_COUNT, which is asked for, or, if the service leaves it out, when a page is shorter than
    `page_size`. Raises `ContentError` for an answer without rows or columns, `IncompleteError` for pages that do not
    add up; a page that fails is the error of `Client.get_text`. Half an answer is never returned.
    """
    url = join(base_url, PATH)
    query = {
        "geography": geography,
        "date": _spans(years),
        "gender": "0",
        "c_age": "200",
        "measures": "20100",
        "select": "date_name,geography_name,geography_code,obs_value,record_count",
    }
    header, lines, rows = "", [], list[PopulationRow]()
    promised: int | None = None
    seen: set[tuple[int, str]] = set()
    while promised is None or len(rows) < promised:
        params = query | ({"recordoffset": str(len(rows))} if rows else {})
        first, _, rest = client.get_text(url, service=SERVICE, params=params).partition("\n")
        if rows and first != header:
            raise IncompleteError(SERVICE, url, f"the header of the first page, {header.strip()!r}", repr(first.strip()))
        header = first
        page, count = _rows(first, rest, url)
        if promised is not None and page and count != promised:
            raise IncompleteError(SERVICE, url, f"{promised:,} records on every page", f"a page that says {count}")
        promised = count if page else promised
        for row in page:
            if (row.year, row.code) in seen:
                raise IncompleteError(SERVICE, url, "each record once", f"{row.code} of {row.year} twice")
            seen.add((row.year, row.code))
        rows += page
        if len(rows) > MOST_ROWS:
            raise ContentError(SERVICE, url, f"at most {MOST_ROWS:,} records", "more")
        lines.append(rest if rest.endswith("\n") or not rest else f"{rest}\n")
        if not page or (promised is None and len(page) < page_size):
            break
    if not rows:
        raise ContentError(SERVICE, url, f"records of {query['date']} for {geography}", "none")
    if promised is not None and len(rows) != promised:
        raise IncompleteError(SERVICE, url, f"{promised:,} records", f"{len(rows):,}")
    return PopulationAnswer(url, f"{header}\n{''.join(lines)}", tuple(rows))


def _rows(header: str, body: str, url: str) -> tuple[list[PopulationRow], int | None]:
    """The records of one page, and what its RECORD_COUNT says, `None` without that column."""
    columns = [name.strip().upper() for name in next(_records(header.strip(), url), [])]
    if missing := [name for name in COLUMNS if name not in columns]:
        raise ContentError(
            SERVICE, url, f"the columns {', '.join(COLUMNS)}", f"no {', '.join(missing)} in {header.strip()[:100]!r}"
        )
    rows, count = [], None
    for record in _records(body, url):
        cells = dict(zip(columns, record, strict=False))
        try:
            value = cells["OBS_VALUE"].strip()
            persons = int(value.removesuffix(".0")) if value else None
            rows.append(PopulationRow(int(cells["DATE_NAME"]), cells["GEOGRAPHY_CODE"], cells["GEOGRAPHY_NAME"], persons))
            count = int(cells["RECORD_COUNT"]) if "RECORD_COUNT" in columns else None
        except (KeyError, ValueError) as error:
            raise ContentError(SERVICE, url, "a year, a code, a name and a count in each record", repr(record)) from error
    return rows, count


def _records(text: str, url: str) -> Iterator[list[str]]:
    """The records of CSV text that are not blank."""
    try:
        yield from filter(None, csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:  # a field of more than 131,072 characters, most likely
        raise ContentError(SERVICE, url, "comma-separated values", f"something else ({error})") from error


def _spans(years: Iterable[int]) -> str:
    """`2001-2025`, or `2001-2003,2005`: the years as Nomis's `date` writes them."""
    spans: list[list[int]] = []
    for year in sorted(set(years)):
        if spans and spans[-1][1] == year - 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    if not spans:
        raise ValueError("populations: expected at least one year; found none")
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
