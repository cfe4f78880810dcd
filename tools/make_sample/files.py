"""The CSV files of the sample: how they are read and written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_manifest(folder: str, rows: Iterable[Sequence[str]]) -> None:
    """Rows of file, kind, day of publication, what it covers, and a note."""
    write_csv(folder, "manifest.csv", ["file", "kind", "published", "covers", "note"], rows)


def write_csv(folder: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    with (SAMPLE / folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
