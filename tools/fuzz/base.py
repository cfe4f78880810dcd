"""The files that get mutated: small and right, one for each kind and format; and what a zip file is made of."""

from __future__ import annotations

import csv
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

from tests.support.releases import CSP_2015, Row, Sheet, cover, figures, notes, write_ods, write_xlsx
from tools.fuzz.xls import write_xls

KINDS = ("offences", "population", "lookup")
FORMATS = ("ods", "xlsx", "xls", "csv")
LOOKUP = [f"{area}17{part}" for area in ("LAD", "CSP", "PFA") for part in ("CD", "NM")]
NAMES = {"offences": "prc-csp-tables-230426", "population": "persons_mid2014", "lookup": "LAD17_CSP17_PFA17"}


def sheets(kind: str) -> list[Sheet]:
    """What stands in a right file of a kind."""
    if kind == "offences":
        rows = [
            figures("2015/16", q, "West Mercia", code, 10 * q - 11, csp)
            for q in (1, 2)
            for code in ("8Q", "4.10", "5E")
            for csp in ("South Worcester", "North Worcestershire")
        ]
        return [("2015_16", [CSP_2015, *rows]), cover(date(2026, 4, 23)), notes(["Kent: a note."])]
    if kind == "population":
        people: list[Row] = [("E07000235", "Malvern Hills", 75_000), ("E07000237", "Worcester", 100_000)]
        return [("persons", [("code", "name", "population"), *people])]
    return [
        (
            "lookup",
            [
                LOOKUP,
                *(
                    [code, "A council", "E22000332", "South Worcester", "E23000016", "West Mercia"]
                    for code in ("E07000235", "E07000237", "E07000238")
                ),
            ],
        )
    ]


def write(folder: Path, kind: str, format: str, tables: list[Sheet] | None = None) -> Path:
    """A file of a kind in a format, under a name that such a file has; of a CSV only the first sheet."""
    tables = tables or sheets(kind)
    year = "_2015_16" if format == "csv" and kind == "offences" else ""
    path = folder / f"{NAMES[kind]}{year}.{format}"
    if format == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(tables[0][1])
        return path
    writers: dict[str, Callable[[Path, list[Sheet]], Path]] = {"ods": write_ods, "xlsx": write_xlsx, "xls": write_xls}
    return writers[format](path, tables)


@cache
def right(kind: str, format: str) -> tuple[str, bytes]:
    """The name and the bytes of a right file."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), kind, format)
        return path.name, path.read_bytes()


def parts_of(data: bytes, folder: Path) -> dict[str, bytes]:
    """The parts of a zip file."""
    path = folder / "parts.zip"
    path.write_bytes(data)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    path.unlink()
    return parts


def zipped(parts: dict[str, bytes] | list[tuple[str, bytes]], folder: Path, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    path = folder / "parts.zip"
    with zipfile.ZipFile(path, "w", method) as book:
        for name, data in parts.items() if isinstance(parts, dict) else parts:
            book.writestr(zipfile.ZipInfo(name), data, method)
    data = path.read_bytes()
    path.unlink()
    return data
