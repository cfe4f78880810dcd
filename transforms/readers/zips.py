"""The parts of a zip file, inflated under a bound: what its directory says of their sizes is not believed."""

from __future__ import annotations

import copy
import errno
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

BLOCK = 1 << 22  # bytes inflated at a time


class ZipBroken(Exception):  # noqa: N818
    """The file is not a whole zip file, or holds more than allowed."""


def check_zip(path: Path, max_bytes: int) -> None:
    """Inflate every part, for a reader that sets itself no bound. Raises ZipBroken if together they are too large."""
    with _opened(path) as book:
        blocks = chain.from_iterable(_blocks(book, part) for part in book.infolist())
        for _ in _bounded(blocks, max_bytes, "all its parts"):
            pass


def inflate(path: Path, name: str, max_bytes: int) -> Iterator[bytes]:
    """The bytes of a part, block by block. Raises KeyError if there is no such part, and ZipBroken."""
    with _opened(path) as book:
        yield from _bounded(_blocks(book, book.getinfo(name)), max_bytes, name)


def _blocks(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    if part.flag_bits & 1:
        raise ZipBroken("an encrypted workbook")
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # those of ODF and of Office Open XML
        raise ZipBroken(f"{part.filename} compressed in a way that workbooks do not use")
    part = copy.copy(part)
    part.file_size = 1 << 62  # zipfile would stop at the size it is told, other readers where the compressed data end
    with book.open(part) as content:
        while block := content.read(BLOCK):
            yield block


def _bounded(blocks: Iterator[bytes], max_bytes: int, where: str) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > max_bytes:
            raise ZipBroken(f"more than {max_bytes:,} bytes in {where}")
        yield block


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as book:
            if len(set(book.namelist())) < len(book.namelist()):  # readers differ on which one counts
                raise ZipBroken("a zip file with two parts of one name")
            yield book
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError) as error:
        raise ZipBroken(f"this is not a whole zip file: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a damaged directory sends zipfile to places that no file has
            raise
        raise ZipBroken("this is not a whole zip file: its directory is damaged") from error
