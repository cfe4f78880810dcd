"""What can happen to a right file: to its bytes, to its zip file, to its XML, to its text. The same seed, the same file."""

from __future__ import annotations

import random
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from tools.fuzz.base import parts_of, zipped

Bytes = Callable[[bytes, random.Random], bytes]


def _flip(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


def _overwrite(data: bytes, dice: random.Random) -> bytes:
    at, size = dice.randrange(len(data)), dice.choice((1, 4, 50))
    return data[:at] + dice.choice((bytes(size), b"\xff" * size, dice.randbytes(size))) + data[at + size :]


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _slices(data: bytes, dice: random.Random) -> bytes:
    """Two neighbouring slices change places, or one comes twice, or goes."""
    a, b, c = sorted(dice.randrange(len(data) + 1) for _ in range(3))
    return dice.choice((data[:a] + data[b:c] + data[a:b] + data[c:], data[:b] + data[a:], data[:a] + data[b:]))


_PIECES = (
    b"\0",
    b"\r",
    b'"',
    b"<",
    b"&",
    b"\xff\xfe",
    b"<![CDATA[",
    b"<!--",
    b"&#0;",
    b"]]>",
    b"\xed\xa0\x80",
    b"=1+1",
    b"\x1b[31m",
    b"9" * 5000,
    b"\n" * 1000,
    b"," * 1000,
    "\u202e".encode(),
)


def _insert(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(_PIECES) + data[at:]


BYTES: tuple[Bytes, ...] = (_flip, _flip, _overwrite, _cut, _slices, _insert)

# ---------------------------------------------------------------- zip files
NUMBERS = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_MEMBERS = (
    "../../escape.txt",
    "/etc/escape.txt",
    "a\\..\\b",
    "x" * 60_000,
    "",
    "content.xml/",
    "xl/worksheets/sheet1.xml ",
    "\u202e.xml",
)


def _directory(data: bytes, dice: random.Random) -> bytes:
    """A field of a zip record is another number: a size, a checksum, a method, a flag, an offset."""
    out = bytearray(data)
    signature, first, length = dice.choice(((b"PK\x03\x04", 4, 30), (b"PK\x01\x02", 4, 46), (b"PK\x05\x06", 4, 22)))
    places = [match.start() for match in re.finditer(re.escape(signature), data)]
    for _ in range(dice.choice((1, 2))):
        at = dice.choice(places) + dice.randrange(first, length - 3, 2)
        size = dice.choice(("<H", "<I"))
        number = dice.choice(NUMBERS) & (0xFFFF if size == "<H" else 0xFFFFFFFF)
        struct.pack_into(size, out, min(at, len(out) - 4), number)
    return bytes(out)


def _members(data: bytes, dice: random.Random, folder: Path) -> bytes:
    """A part is missing, comes twice, under another name, not compressed, or as a zip file; or another one is there."""
    parts = list(parts_of(data, folder).items())
    i = dice.randrange(len(parts))
    name, content = parts[i]
    what = dice.randrange(7)
    if what == 0:
        del parts[i]
    elif what == 1:
        parts.append((name, content if dice.random() < 0.5 else b"<other/>"))
    elif what == 2:
        parts[i] = (dice.choice(_MEMBERS), content)
    elif what == 3:
        parts.insert(i, (dice.choice(_MEMBERS), dice.randbytes(99)))
    elif what == 4:
        parts[i] = (name, zipped(parts, folder))
    elif what == 5:
        parts[i] = (name, b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zipfile, about a name that comes twice
        return zipped(parts, folder, dice.choice(_METHODS))


# ---------------------------------------------------------------- XML
_VALUES = (
    b"",
    b"-1",
    b"0",
    b"999999999",
    b"1000000000",
    b"9" * 400,
    b"1e308",
    b"NaN",
    b"A1:XFD1048576",
    b"XFD1048576",
    b"true",
    b"&#1;",
    b"&lt;",
    b"&amp;a;",
    "\u202e\x9b".encode(),
    b"x" * 70_000,
    b"../../../etc/passwd",
    b"inlineStr",
    b"e",
    b"s",
    b"d",
)
_TOKENS = re.compile(rb"<[^<>]*>|[^<>]+")


def _tags(xml: bytes, dice: random.Random) -> bytes:
    """A tag or a text goes, comes twice, or changes places with another one."""
    tokens = _TOKENS.findall(xml)
    if len(tokens) < 2:
        return xml
    i, j = dice.randrange(len(tokens)), dice.randrange(len(tokens))
    what = dice.randrange(3)
    if what == 0:
        del tokens[i]
    elif what == 1:
        tokens.insert(j, tokens[i])
    else:
        tokens[i], tokens[j] = tokens[j], tokens[i]
    return b"".join(tokens)


def _values(xml: bytes, dice: random.Random) -> bytes:
    """The value of an attribute, or a text, is another one."""
    places = list(re.finditer(rb'(?<==")[^"]*(?=")|(?<=>)[^<>]+(?=<)', xml))
    if not places:
        return xml
    place = dice.choice(places)
    return xml[: place.start()] + dice.choice(_VALUES) + xml[place.end() :]


XML: tuple[Bytes, ...] = (_tags, _tags, _values, _values, _flip, _insert, _cut)


def _inside(data: bytes, dice: random.Random, folder: Path) -> bytes:
    """The XML of a part is mutated, and the zip file is whole again."""
    parts = parts_of(data, folder)
    heavy = [name for name in parts if re.search(r"content\.xml|sheet1\.xml|sharedStrings|workbook\.xml$|styles", name)]
    name = dice.choice(heavy or list(parts))
    for _ in range(dice.choice((1, 1, 3))):
        parts[name] = dice.choice(XML)(parts[name], dice)
    return zipped(parts, folder)


def mutated(data: bytes, format: str, seed: str, folder: Path) -> bytes:
    """The bytes of a right file, mutated as the seed has it."""
    dice = random.Random(seed)
    if format in ("ods", "xlsx"):
        what = dice.choice((_inside, _inside, _members, None, None))
        if what is not None:
            return what(data, dice, folder)
        return dice.choice((*BYTES, _directory, _directory, _directory))(data, dice)
    for _ in range(dice.choice((1, 1, 3))):
        data = dice.choice(BYTES)(data, dice) or b"\0"
    return data
