"""Judging a file from a server by its name and its first bytes, before anybody opens it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Literal

from flows.common.file_names import FileNameError
from flows.sources.errors import ContentError

Kind = Literal["zip", "ole", "text"]
KINDS: dict[str, Kind] = {".ods": "zip", ".xlsx": "zip", ".zip": "zip", ".xls": "ole", ".csv": "text"}
WORDS: dict[Kind, str] = {"zip": "an ODS or XLSX workbook (a ZIP)", "ole": "an XLS workbook (OLE)", "text": "CSV text"}
TABLE_SUFFIXES = frozenset({".ods", ".xlsx", ".xls", ".csv"})
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def kind_for(name: str, *, where: str = "a file name") -> Kind:
    """What the suffix of a file name promises; `FileNameError` for a suffix that is not a table's."""
    kind = KINDS.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        raise FileNameError(where, f"a file name ending in one of {', '.join(KINDS)}", repr(name))
    return kind


def check_content(path: Path, kinds: Collection[Kind], *, service: str, url: str) -> Kind:
    """The kind of a whole file by its magic bytes; `ContentError` unless it is one of `kinds`.

    A ZIP must also have its central directory, which stands at its end: a ZIP without one was cut. Text must not open
    like HTML, XML or JSON, the shapes of login walls and error pages.
    """
    with path.open("rb") as file:
        head = file.read(512)
    found: Kind | None
    if head.startswith(b"PK\x03\x04"):
        found = "zip"
    elif head.startswith(_OLE):
        found = "ole"
    else:
        found = "text" if _is_table_text(head) else None
    if found not in kinds or found is None:
        wanted = " or ".join(WORDS[kind] for kind in sorted(kinds))
        raise ContentError(service, url, wanted, WORDS[found] if found else describe(head))
    if found == "zip" and not zipfile.is_zipfile(path):
        raise ContentError(service, url, WORDS["zip"], "the start of one, cut before its end")
    return found


def is_sound(path: Path) -> bool:
    """Whether every entry of a ZIP unpacks to what its checksum says; a second or two for the largest workbooks."""
    try:
        with zipfile.ZipFile(path) as book:
            return book.testzip() is None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        return False


def describe(head: bytes) -> str:
    """The first bytes of an answer in words, for an error message."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not text:
        return "nothing" if not head else "blanks"
    if re.match(r"<(!doctype html|html|head|body|!--|script|title)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>\s*([^<]{1,80})", text, re.IGNORECASE)
        return "an HTML page" + (f" titled {title[1].strip()!r}" if title else "")
    return f"something that begins {text[:40]!r}" if text.isprintable() or "\x00" not in text else "binary data"


def _is_table_text(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return bool(text) and b"\x00" not in text and not text.startswith((b"<", b"{", b"[", b"%PDF"))
