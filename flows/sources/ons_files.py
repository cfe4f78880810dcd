"""ONS's population files: a curated table of what is where, for files have no listing that a machine could read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.common.file_names import safe_file_name
from flows.sources.http_client import join
from transforms.errors import PublishedFileError

SERVICE = "ONS"
COLUMNS = ("file_name", "url_path", "kind", "years", "vintage", "boundaries", "note", "source")


@dataclass(frozen=True)
class OnsFile:
    """One file. years: first and last mid-year in it; vintage: when it was published; boundaries: the year of its map.

    kind: as in a `manifest.csv` (`population`); source: who says that the file is at this address.
    """

    file_name: str
    url_path: str
    kind: str
    first_year: int
    last_year: int
    vintage: date
    boundaries: int
    note: str
    source: str

    def url(self, base_url: str) -> str:
        """The address under `base_url` (`https://www.ons.gov.uk`)."""
        return join(base_url, self.url_path)


def ons_files(table: Path) -> tuple[OnsFile, ...]:
    """The rows of the curated table (`data/reference/ons_files.csv`), in its order.

    Raises `PublishedFileError`, with line and column, for a row that cannot be read, and for a file listed twice.
    """
    files: list[OnsFile] = []
    with table.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.DictReader(source)
        if (found := tuple(reader.fieldnames or ())) != COLUMNS:
            raise PublishedFileError(table.name, f"the columns {', '.join(COLUMNS)}", ", ".join(found))
        for row in reader:
            file = _file(row, table.name, reader.line_num)
            if any(other.file_name == file.file_name for other in files):
                raise PublishedFileError(table.name, "each file once", f"{file.file_name} again", row=reader.line_num)
            files.append(file)
    return tuple(files)


def _file(row: dict[str, str], table: str, line: int) -> OnsFile:
    first, _, last = row["years"].partition("-")
    try:
        years = int(first), int(last or first)
        vintage = date.fromisoformat(row["vintage"])
        boundaries = int(row["boundaries"])
    except ValueError as error:
        raise PublishedFileError(
            table,
            "years such as 2001-2020, a vintage such as 2021-06-25 and a year of boundaries",
            f"{row['years']!r}, {row['vintage']!r}, {row['boundaries']!r}",
            row=line,
        ) from error
    if not row["url_path"].startswith("/"):
        raise PublishedFileError(
            table, "the part after the base address, from its slash on", repr(row["url_path"]), row=line, column="url_path"
        )
    name = safe_file_name(row["file_name"])
    return OnsFile(name, row["url_path"], row["kind"], *years, vintage, boundaries, row["note"], row["source"])
