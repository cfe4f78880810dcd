"""Names and first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.common.file_names import FileNameError, safe_file_name
from flows.sources.content_check import check_content
from flows.sources.errors import ContentError

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)


@pytest.mark.parametrize(
    "name",
    [
        "prc-csp-mar2021-mar2026-tables-230726.ods",
        "MYEB3_summary_components_of_change_series_UK_(2020_geog20).csv",
        "King's Lynn & West, 2015.csv",
        "Ynys Môn.xlsx",
    ],
)
def test_names_as_published_pass_unchanged(name: str) -> None:
    assert safe_file_name(name) == name
    assert safe_file_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", ".hidden.ods", "../x.ods", "a/../x.ods", "/etc/x.ods", "a/b.ods", "..\\x.ods", "C:x.ods"),
        *("x\0.ods", "x\n.ods", "x.ods\n", "%2e%2e%2fx.ods", "~x.ods", "-x.ods", "x.ods.", "x" * 300 + ".ods"),
        *("x.ods.part", "x.ods.part.json", "\u202ex.ods", "\u2025/x.ods"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(FileNameError, match="expected a plain file name"):
        safe_file_name(name)


@pytest.mark.parametrize(
    ("body", "promised", "found"),
    [
        (b"<!DOCTYPE html><html><title>Log in</title>", "zip", "an HTML page titled 'Log in'"),
        (b"\n <html>", "text", "an HTML page"),
        (b'{"error": "token"}', "text", "something that begins"),
        (b"", "text", "nothing"),
        (OLE, "zip", "an XLS workbook"),
        (OLE, "text", "an XLS workbook"),
        (b"PK\x03\x04 and no more", "zip", "cut before its end"),
        (b"a,b\n1,2\n", "ole", "CSV text"),
        (b"a,\0b", "text", "binary data"),
    ],
)
def test_what_is_not_what_its_name_says(tmp_path: Path, body: bytes, promised: str, found: str) -> None:
    (tmp_path / "x").write_bytes(body)
    with pytest.raises(ContentError, match=found):
        check_content(tmp_path / "x", {promised}, service="ONS", url="http://x")  # type: ignore[arg-type]


def test_what_is_what_its_name_says(tmp_path: Path, workbook: bytes) -> None:
    path = tmp_path / "x"
    for body, kind in (
        (workbook, "zip"),
        (OLE, "ole"),
        ("\ufeffCSP Name,n\r\nYnys Môn,1".encode(), "text"),
        ("Ynys Môn,1".encode("cp1252"), "text"),
    ):
        path.write_bytes(body)
        assert check_content(path, {kind}, service="ONS", url="http://x") == kind  # type: ignore[arg-type]
