"""The parts of a zip file, decompressed under a limit: the sizes that the file states of itself are not trusted."""

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
from types import ModuleType

try:
    from isal import isal_zlib
except ImportError:  # the standard library decompresses to the same, in twice the time
    inflater: ModuleType = zlib
else:
    inflater = isal_zlib

BLOCK = 1 << 22  # bytes decompressed at a time, at most
READ = 1 << 16  # compressed bytes at a time: what comes of more does not fit into a block, and is copied again and again


class ZipError(Exception):
    """The file is not a whole zip file, or holds more than allowed. A reader catches it and names the file."""


def check_zip(path: Path, max_bytes: int) -> None:
    """Decompress every part, for a reader that has no limit of its own.

    Raises ZipError if the parts are damaged, or have more than `max_bytes` together.
    """
    with _open_zip(path) as archive:
        blocks = chain.from_iterable(_decompress(archive, part) for part in archive.infolist())
        for _ in _limit(blocks, max_bytes, "all its parts"):
            pass


def read_part(path: Path, name: str, max_bytes: int) -> Iterator[bytes]:
    """The bytes of one part, in blocks. Raises KeyError if there is no such part, and ZipError as `check_zip` does."""
    with _open_zip(path) as archive:
        yield from _limit(_decompress(archive, archive.getinfo(name)), max_bytes, name)


def _decompress(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    if part.flag_bits & 1:
        raise ZipError("an encrypted workbook")
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # those of ODF and of Office Open XML
        raise ZipError(f"{part.filename} compressed in a way that workbooks do not use")
    if part.compress_type == zipfile.ZIP_STORED:
        yield from _read_stored(archive, part)
    else:
        yield from _inflate(archive, part)


def _read_stored(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    part = copy.copy(part)
    part.file_size = 1 << 62  # zipfile would stop at the stated size, other readers where the data end
    with archive.open(part) as content:
        while block := content.read(BLOCK):
            yield block


def _inflate(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Decompress here, because zipfile takes three times as long: it copies what did not fit into a block each time.

    To the end of the compressed data, whatever size is stated; what comes after it is ignored, as by zipfile.
    """
    packed = copy.copy(part)  # zipfile gives the compressed bytes of what it takes for a stored part without a checksum
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, part.compress_size
    del packed.CRC
    stream, checksum = inflater.decompressobj(-zlib.MAX_WBITS), 0
    with archive.open(packed) as content:
        while not stream.eof:
            data = stream.unconsumed_tail or content.read(READ)
            if block := stream.decompress(data, BLOCK):
                checksum = inflater.crc32(block, checksum)
                yield block
            elif not data:
                raise ZipError("this is not a whole zip file: its data end too soon")
    if checksum != part.CRC:
        raise ZipError(f"this is not a whole zip file: Bad CRC-32 for file {part.filename!r}")


def _limit(blocks: Iterator[bytes], max_bytes: int, where: str) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > max_bytes:
            raise ZipError(f"more than {max_bytes:,} bytes in {where}")
        yield block


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(set(archive.namelist())) < len(archive.namelist()):  # readers differ on which one counts
                raise ZipError("a zip file with two parts of one name")
            yield archive
    except (zipfile.BadZipFile, inflater.error, zlib.error, EOFError, NotImplementedError, struct.error, ValueError) as error:
        raise ZipError(f"this is not a whole zip file: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a damaged directory sends zipfile to offsets that no file has
            raise
        raise ZipError("this is not a whole zip file: its directory is damaged") from error
