"""Tiny workbooks in the published layouts, for the tests and for data/sample: the same sheets give the same bytes.

What a sheet looks like to a reader is here; what the figures in it mean is not.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import openpyxl  # type: ignore[import-untyped]

Cell = str | int | float | None
Row = Sequence[Cell]
Sheet = tuple[str, Iterable[Row]]

# The headers of each era (SOURCES.md, section 1)
CSP_2002 = (
    "Financial Year",
    "Financial Quarter",
    "Force Name",
    "CSP Name",
    "Offence Description",
    "Offence Group",
    "Offence Subgroup",
    "Offence Code",
    "Number of Offences",
)
CSP_2015 = (
    "Financial Year",
    "Financial Quarter",
    "Police Force",
    "CSP Name",
    "Offence Description",
    "Offence Group",
    "Offence Subgroup",
    "Offence Code",
    "Offence Count",
)
PFA = tuple(name for name in CSP_2002 if name != "CSP Name")

VIOLENCE, THEFT = "Violence against the person", "Theft offences"
OFFENCES = {  # code -> (description, group, subgroup), as published
    "8Q": ("Stalking", VIOLENCE, "Stalking and harassment"),
    "4.1": ("Manslaughter", VIOLENCE, "Homicide"),
    "4.10": ("Corporate manslaughter", VIOLENCE, "Homicide"),
    "5E": ("Endangering life", VIOLENCE, "Violence with injury"),
    "1/4.1/4.10/4.2": ("Homicide", VIOLENCE, "Homicide"),
    "30A": ("Burglary in a building other than a dwelling (outcome only)", THEFT, "Non-domestic burglary"),
    "46": ("Shoplifting", THEFT, "Shoplifting"),
}


def figures(
    year: str,
    quarter: Cell,
    force: str,
    code: Cell = "8Q",
    count: Cell = 1,
    csp: str | None = None,
    description: str | None = None,
) -> list[Cell]:
    """A row of the force table, or of the partnership table where `csp` is given, in the order of its header."""
    name, group, subgroup = OFFENCES.get(str(code), ("An offence", "A group", "A subgroup"))
    area = [force] if csp is None else [force, csp]
    return [year, quarter, *area, description or name, group, subgroup, code, count]


def cover(published: date, title: str = "Police recorded crime open data", simulated: str = "") -> Sheet:
    """The cover sheet since 2015/16. `simulated` says, from the word SIMULATED on, what is not as published."""
    warning: list[Row] = [[simulated]] if simulated else []
    licence = "Contains public sector information licensed under the Open Government Licence v3.0"
    return "Cover_sheet", [[title], ["Home Office"], *warning, [f"Updated: {long_date(published)}"], [licence]]


def notes(force_notes: Iterable[str], published: date | None = None, additional: Iterable[str] = ()) -> Sheet:
    """The sheet of notes since 2015/16: those on forces, then the others."""
    updated: list[Row] = [[f"Updated: {long_date(published)}"]] if published else []
    return "Notes", [
        ["Notes"],
        *updated,
        ["Force Notes"],
        *[[n] for n in force_notes],
        ["Additional Notes"],
        *[[n] for n in additional],
    ]


def long_date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


# ---------------------------------------------------------------- ODS
COLUMNS, FILLER_ROWS = 16_384, 800_000  # what LibreOffice fills a sheet up to
_START = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3">'
    "<office:body><office:spreadsheet>"
)
_END = "</office:spreadsheet></office:body></office:document-content>"
_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3"><manifest:file-entry '
    'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry '
    'manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def write_ods(path: Path, sheets: Iterable[Sheet]) -> Path:
    """Write an OpenDocument spreadsheet with the filler of the published ones: a last cell that comes thousands of
    times in each row, and a last row that comes 800,000 times."""
    content = "".join([_START, *(xml for sheet in sheets for xml in _ods_sheet(*sheet)), _END])
    parts = {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": _MANIFEST.encode(),
        "content.xml": content.encode(),
    }
    _write_zip(path, parts)
    return path


def _ods_sheet(name: str, rows: Iterable[Row]) -> Iterator[str]:
    yield f"<table:table table:name={quoteattr(name)}>"
    yield f'<table:table-column table:number-columns-repeated="{COLUMNS}"/>'
    for row in rows:
        yield '<table:table-row table:style-name="ro1">'
        yield from map(_ods_cell, row)
        yield f'<table:table-cell table:number-columns-repeated="{COLUMNS - len(row)}"/></table:table-row>'
    yield f'<table:table-row table:number-rows-repeated="{FILLER_ROWS}">'
    yield f'<table:table-cell table:number-columns-repeated="{COLUMNS}"/></table:table-row></table:table>'


def _ods_cell(value: Cell) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, str):
        return (
            '<table:table-cell table:style-name="ce3" office:value-type="string" calcext:value-type="string">'
            f"<text:p>{escape(value)}</text:p></table:table-cell>"
        )
    return (
        f'<table:table-cell table:style-name="ce4" office:value-type="float" office:value="{value}" '
        f'calcext:value-type="float"><text:p>{value}</text:p></table:table-cell>'
    )


# ---------------------------------------------------------------- XLSX, CSV
_WRITTEN = datetime(2026, 4, 23)


def write_xlsx(path: Path, sheets: Iterable[Sheet]) -> Path:
    """Write an Excel workbook."""
    book = openpyxl.Workbook(write_only=True)
    book.properties.created = _WRITTEN
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as saved:
        parts = {info.filename: saved.read(info) for info in saved.infolist()}
    # openpyxl writes the time of day
    moment = f"{_WRITTEN:%Y-%m-%dT%H:%M:%SZ}".encode()
    properties = parts["docProps/core.xml"]
    parts["docProps/core.xml"] = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + moment, properties)
    _write_zip(path, parts)
    return path


def write_csv(
    folder: Path,
    stem: str,
    sheets: Iterable[Sheet],
    *,
    encoding: str = "utf-8",
    bom: bool = False,
    line_end: str = "\r\n",
) -> list[Path]:
    """Write one file for each sheet of a year, `<stem>_2015_16.csv`; a CSV release has no notes and no cover."""
    paths = []
    for name, rows in sheets:
        if re.fullmatch(r"\d{4}[-_]\d{2}", name):
            out = io.StringIO(newline="")
            csv.writer(out, lineterminator=line_end).writerows(rows)
            paths.append(folder / f"{stem}_{name}.csv")
            paths[-1].write_bytes((b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode(encoding))
    return paths


def _write_zip(path: Path, parts: dict[str, bytes]) -> None:
    """A ZIP whose entries bear one fixed time and system, so that its bytes depend on its content alone."""
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            stored = name == "mimetype"  # ODF wants it first, and not compressed
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            book.writestr(entry, data, compresslevel=None if stored else 9)
