"""Hostile files by name: each was thought of, and what should come of it is known. Built in code, nothing is kept."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.releases import CSP_2015, Sheet, figures
from tools.fuzz.base import FORMATS, KINDS, parts_of, right, sheets, write, zipped
from tools.fuzz.xls import biff, ole

READ, REFUSED, EITHER = "read", "refused", "read or refused"  # read: with the rows of the right file


@dataclass(frozen=True)
class Case:
    """A file: a right one of a kind and format, changed. `outcome` is what should come of it."""

    name: str
    kind: str
    format: str
    change: Callable[[bytes, Path], bytes]
    outcome: str

    @property
    def title(self) -> str:
        return f"{self.format} {self.kind}: {ascii(self.name)}"

    def make(self, folder: Path) -> tuple[Path, str]:
        name, data = right(self.kind, self.format)
        data = self.change(data, folder)
        (folder / name).write_bytes(data)
        return folder / name, self.kind


def part(name: str, change: Callable[[bytes], bytes]) -> Callable[[bytes, Path], bytes]:
    """A change of one part of a zip file."""

    def changed(data: bytes, folder: Path) -> bytes:
        parts = parts_of(data, folder)
        return zipped(parts | {name: change(parts[name])}, folder)

    return changed


def swap(old: bytes, new: bytes, times: int = 1) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        assert old in data, old
        return data.replace(old, new, times)

    return changed


# ---------------------------------------------------------------- OpenDocument
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
BOMB = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'.encode()
OUTSIDE = b'<!DOCTYPE x SYSTEM "file:///etc/passwd" [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]>'
BODY, CELL, ROW = b"<office:body>", b"<table:table-cell ", b"<table:table-row "


def _other_prefix(xml: bytes) -> bytes:
    return xml.replace(b"table:", b"t:").replace(b"xmlns:table=", b"xmlns:t=").replace(b"xmlns:t:", b"xmlns:table:")


ODS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a billion laughs": (lambda x: x.replace(b"?><", b"?>" + BOMB + b"<", 1), REFUSED),
    "a document type that looks outside": (lambda x: x.replace(b"?><", b"?>" + OUTSIDE + b"<", 1), REFUSED),
    "an entity nobody declared": (swap(b"<text:p>", b"<text:p>&boom;"), REFUSED),
    "a row a billion times": (swap(ROW, ROW + b'table:number-rows-repeated="1000000000" '), REFUSED),
    "a row 999,999,999 times": (swap(ROW, ROW + b'table:number-rows-repeated="999999999" '), REFUSED),
    "a cell a billion times": (swap(CELL, CELL + b'table:number-columns-repeated="1000000000" '), REFUSED),
    "a cell 16,384 times": (swap(CELL, CELL + b'table:number-columns-repeated="16384" '), REFUSED),
    "a million cells": (swap(ROW, ROW[:-1] + b">" + b"<table:table-cell/>" * 1_000_000 + b"</table:table-row>" + ROW), REFUSED),
    "repeated minus once": (swap(CELL, CELL + b'table:number-columns-repeated="-1" '), REFUSED),
    "tags as deep as a well": (swap(b"<text:p>", b"<text:p>" + b"<text:span>" * 100_000), REFUSED),
    "deep tags outside of cells": (swap(BODY, BODY + b"<a>" * 100_000), REFUSED),
    "an attribute of 40 MB": (swap(CELL, CELL + b'table:x="' + b"x" * 40_000_000 + b'" '), REFUSED),
    "an attribute of 1 MB": (swap(CELL, CELL + b'table:x="' + b"x" * 1_000_000 + b'" '), READ),
    "a text of 2 MB": (swap(b"<text:p>", b"<text:p>" + b"x" * 2_000_000), REFUSED),
    "a byte that is no UTF-8": (swap(b"<text:p>", b"<text:p>\xff"), REFUSED),
    "a surrogate in UTF-8": (swap(b"<text:p>", b"<text:p>\xed\xa0\x80"), REFUSED),
    "a control character": (swap(b"<text:p>", b"<text:p>\x1b[31m"), REFUSED),
    "a reference to a NUL": (swap(b"<text:p>", b"<text:p>&#0;"), REFUSED),
    "UTF-16": (lambda x: x.replace(b"UTF-8", b"UTF-16").decode().encode("utf-16"), READ),
    "UTF-16 that says UTF-8": (lambda x: x.decode().encode("utf-16"), EITHER),
    "Latin-1": (lambda x: x.replace(b"UTF-8", b"ISO-8859-1"), READ),
    "an unknown encoding": (swap(b"UTF-8", b"UTF-0"), REFUSED),
    "another prefix": (_other_prefix, READ),
    "a prefix that is not declared": (swap(b"xmlns:text=", b"xmlns:texts="), REFUSED),
    "a namespace of another": (swap(b"xmlns:text:1.0", b"xmlns:text:9.9"), EITHER),
    "a processing instruction": (swap(ROW, b'<?php system("id") ?>' + ROW), READ),
    "a comment": (swap(ROW, b"<!-- </table:table> -->" + ROW), READ),
    "CDATA": (swap(b"<text:p>", b"<text:p><![CDATA[]]>"), READ),
    "a comment without end": (swap(ROW, b"<!-- " + ROW), REFUSED),
    "a tag without end": (lambda x: x[:-40], REFUSED),
    "ends crosswise": (swap(b"</text:p></table:table-cell>", b"</table:table-cell></text:p>"), REFUSED),
    "two roots": (lambda x: x + x[x.index(b"?>") + 2 :], REFUSED),
    "nothing": (lambda _: b"", REFUSED),
    "128 MB of blanks": (lambda x: x.replace(BODY, b" " * (1 << 27) + BODY), READ),
    "ten thousand sheets": (swap(b"</table:table>", b"</table:table>" + b"<table:table/>" * 10_000), REFUSED),
    "a formula with its result": (swap(CELL, CELL + b'table:formula="of:=cmd|calc" '), READ),
    "an error in a cell": (swap(b'calcext:value-type="string"><text:p>2015', b'calcext:value-type="error"><text:p>2015'), EITHER),
    "a number that is none": (swap(b'office:value="1"', b'office:value="NaN"'), REFUSED),
    "a number of 400 digits": (swap(b'office:value="1"', b'office:value="' + b"9" * 400 + b'"'), REFUSED),
}

# ---------------------------------------------------------------- Excel
SHEET, TEXTS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
FAR = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'


def start(new: bytes) -> Callable[[bytes], bytes]:
    """Something that stands before the rows."""
    return swap(b"<sheetData>", new + b"<sheetData>")


def last(cell: bytes) -> Callable[[bytes], bytes]:
    """A cell far below the figures, which the layout does not allow there."""
    return swap(b"</sheetData>", b'<row r="99">' + cell + b"</row></sheetData>")


def one(cell: bytes) -> Callable[[bytes], bytes]:
    """Another content of the first cell that holds the number 1."""
    return swap(b"<v>1</v>", cell)


LINK = b'</sheets><externalReferences><externalReference xmlns:r="x" r:id="rId9"/></externalReferences>'
XLSX: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a billion laughs": (SHEET, lambda x: BOMB + x.replace(b"<v>", b"<v>&l11;", 1), REFUSED),
    "a cell in the far corner": (SHEET, swap(b"</sheetData>", FAR), REFUSED),
    "a dimension that lies": (SHEET, start(b'<dimension ref="A1:XFD1048576"/>'), READ),
    "a dimension that is none": (SHEET, start(b'<dimension ref="ZZZZZZZZ99999999999"/>'), EITHER),
    "a shared text that is not there": (SHEET, last(b'<c r="A99" t="s"><v>999999999</v></c>'), EITHER),
    "a text in place": (SHEET, last(b'<c r="AA99" t="inlineStr"><is><t>x</t></is></c>'), EITHER),
    "a formula with its result": (SHEET, one(b"<f>1+0</f><v>1</v>"), READ),
    "a formula without": (SHEET, one(b"<f>1+0</f>"), EITHER),
    "an error in a cell": (SHEET, last(b'<c r="A99" t="e"><v>#REF!</v></c>'), EITHER),
    "a number that is none": (SHEET, one(b"<v>1e</v>"), REFUSED),
    "a date as a number": (SHEET, last(b'<c r="A99" t="d"><v>2015-01-01</v></c>'), EITHER),
    "rows out of order": (SHEET, swap(b'<row r="1"', b'<row r="77"'), EITHER),
    "a hidden sheet": (BOOK, swap(b'state="visible"', b'state="veryHidden"'), READ),
    "an external link": (BOOK, swap(b"</sheets>", LINK), READ),
    "a sheet that is not there": (BOOK, swap(b'r:id="rId1"', b'r:id="rId99"'), REFUSED),
    "no sheet": (BOOK, lambda x: x[: x.index(b"<sheets>")] + b"<sheets/>" + x[x.index(b"</sheets>") + 9 :], REFUSED),
    "deep tags": (SHEET, swap(b"<sheetData>", b"<sheetData>" + b"<row>" * 100_000), EITHER),
    "nothing": (SHEET, lambda _: b"", EITHER),
    "UTF-16": (SHEET, lambda x: x.decode().encode("utf-16"), EITHER),
}


def _twice(data: bytes, folder: Path) -> bytes:
    return zipped([*(parts := parts_of(data, folder)).items(), next(reversed(parts.items()))], folder)


def _escape(data: bytes, folder: Path) -> bytes:
    return zipped({**parts_of(data, folder), **dict.fromkeys(("../../escape.txt", "/tmp/escape.txt", "a/../../b"), b"x")}, folder)


def _encrypted(data: bytes, _: Path) -> bytes:
    at = data.rindex(b"PK\x01\x02") + 8
    return data[:at] + struct.pack("<H", 1) + data[at + 2 :]


ZIPS: dict[str, tuple[Callable[[bytes, Path], bytes], str]] = {
    "a part twice": (_twice, REFUSED),
    "parts that lead elsewhere": (_escape, READ),
    "an encrypted part": (_encrypted, REFUSED),
    "cut": (lambda x, _: x[:-30], REFUSED),
    "cut in half": (lambda x, _: x[: len(x) // 2], REFUSED),
    "bytes before it": (lambda x, _: b"MZ" * 999 + x, EITHER),
    "bytes after it": (lambda x, _: x + b"x" * 999, EITHER),
    "a zip in a zip": (lambda x, f: zipped({"book": x}, f), REFUSED),
    "an empty zip": (lambda _, f: zipped({}, f), REFUSED),
    "a comment of 64 kB": (lambda x, _: x[:-2] + b"\xff\xff" + b"x" * 65_535, READ),
    "other bytes": (lambda *_: bytes(range(256)) * 9, REFUSED),
    "an OLE header": (lambda *_: ole(b"")[:600], REFUSED),
    "a zip within a megabyte of a part": (lambda x, f: zipped(parts_of(x, f) | {"Thumbnails/x.png": bytes(1 << 20)}, f), READ),
}
CSV: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "UTF-16": (lambda x: x.decode().encode("utf-16"), REFUSED),
    "a byte-order mark": (lambda x: b"\xef\xbb\xbf" + x, READ),
    "lone CRs": (lambda x: x.replace(b"\r\n", b"\r"), READ),
    "a NUL": (lambda x: x[:-9] + b"\0" + x[-9:], REFUSED),
    "a NUL far down": (lambda x: x + b"x\n" * 9999 + b"\0", REFUSED),
    "a quote of 100 MB": (lambda x: x + b'"' + b"x\n" * 50_000_000, REFUSED),
    "a line of 100 MB": (lambda x: x + b"x" * 100_000_000, REFUSED),
    "a million columns": (lambda x: x + b"," * 1_000_000, REFUSED),
    "semicolons": (lambda x: x.replace(b",", b";"), REFUSED),
    "sep=": (lambda x: b"sep=;\r\n" + x.replace(b",", b";"), REFUSED),
    "tabs": (lambda x: x.replace(b",", b"\t"), REFUSED),
    "two delimiters": (lambda x: x[:20] + x[20:].replace(b",", b";"), REFUSED),
    "quotes everywhere": (lambda x: re.sub(rb"[^,\r\n]+", rb'"\g<0>"', x), READ),
}
ANY: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", REFUSED),
    "a page": (lambda _: b"<!DOCTYPE html><html><title>Page not found</title></html>", REFUSED),
    "a page after a comment": (lambda _: b"<!-- x --><html>" + b"x" * 999, REFUSED),
    "JSON": (lambda _: b'{"error": 1}', REFUSED),
    "one byte": (lambda _: b"x", REFUSED),
    "blanks": (lambda _: b" \r\n" * 999, REFUSED),
    "XML": (lambda _: b"<?xml version='1.0'?><a/>", REFUSED),
}


def whole(change: Callable[[bytes], bytes]) -> Callable[[bytes, Path], bytes]:
    return lambda data, _: change(data)


def cases() -> Iterator[Case]:
    """All of them."""
    for name, (change, outcome) in ODS.items():
        yield Case(name, "offences", "ods", part("content.xml", change), outcome)
    for name, (where, change, outcome) in XLSX.items():
        yield Case(name, "offences", "xlsx", part(where, change), outcome)
    for name, (change, outcome) in CSV.items():
        yield from (Case(name, kind, "csv", whole(change), outcome) for kind in KINDS)
    for name, (both, outcome) in ZIPS.items():
        yield from (Case(name, "population", format, both, outcome) for format in ("ods", "xlsx"))
    for name, (change, outcome) in ANY.items():
        yield from (Case(name, "lookup", format, whole(change), outcome) for format in FORMATS)
    for name, column in {"a cell in the far corner": 65535, "a cell at the foot": 5}.items():
        book = ole(biff([("persons", {(0, 0): "code", (65535, column): "x"})]))
        yield Case(name, "population", "xls", whole(lambda _, book=book: book), REFUSED)
    yield from _cells()


def _cells() -> Iterator[Case]:
    """Texts that mean something elsewhere: where a name must be known they are refused, else they are data."""
    for text in ("<script>alert(1)</script>", "'; drop table x; --", "%s{0}", "=cmd|' /C calc'!A0", "a\u202eb", "../../passwd"):
        for place, outcome in ((3, REFUSED), (4, EITHER), (8, REFUSED)):
            row = figures("2015/16", 1, "West Mercia", csp="South Worcester")
            row[place] = text
            tables = [("2015_16", [CSP_2015, row]), *sheets("offences")[1:]]
            for format in ("ods", "csv"):
                yield Case(f"{text} in column {place + 1}", "offences", format, _written(format, tables), outcome)


def _written(format: str, tables: list[Sheet]) -> Callable[[bytes, Path], bytes]:
    return lambda _, folder: write(folder, "offences", format, tables).read_bytes()
