"""Releases of one or two sheets in the published layouts, and the rows that they become."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.support.releases import CSP_2015, Cell, Row, Sheet, figures, write_ods
from transforms.offences import ReleaseReader

WORCESTER = {"force": "West Mercia", "csp": "South Worcester"}
KNOWN = {
    ("pfa", "West Mercia"),
    ("pfa", "Devon & Cornwall"),
    ("pfa", "London, City of"),
    ("pfa", "Action Fraud"),
    ("csp", "South Worcester"),
    ("csp", "North Worcestershire"),
    ("csp", "South Worcs_Malvern Hills"),
    ("csp", "Northern Devon_ Torridge"),
    ("csp", "Unassigned West Mercia"),
}
KENT = (
    "Kent: Due to ongoing IT issues, crime data for Maidstone, Medway, Tonbridge and Malling, Dartford and "
    "Gravesham, and Tunbridge Wells are recorded under an unassigned CSP group from 2024 onwards."
)


def reader_of(*files: Path) -> ReleaseReader:
    return ReleaseReader("release@1", files, lambda level, name: (level, name) in KNOWN)


def read(*files: Path) -> pa.Table:
    return pa.concat_tables([table for _, table in reader_of(*files).years()])


def columns(table: pa.Table, *names: str) -> list[Any]:
    """The rows of a table by some of its columns: tuples, or plain values for one."""
    values = [table[name].to_pylist() for name in names]
    return values[0] if len(names) == 1 else list(zip(*values, strict=True))


def csp_2015(*rows: Iterable[Cell], header: Row = CSP_2015, name: str = "2015_16") -> Sheet:
    """A sheet in the newest layout; by default with one sound row."""
    return name, [header, *(list(row) for row in rows or [figures("2015/16", 1, **WORCESTER)])]


def book(folder: Path, *sheets: Sheet, name: str = "csp.ods") -> Path:
    return write_ods(folder / name, sheets or [csp_2015()])
