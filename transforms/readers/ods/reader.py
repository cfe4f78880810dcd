"""OpenDocument spreadsheets (.ods), read sheet by sheet as columns of text, in little time and memory.

A few thousand runs of bytes (a cell, the end of a row) fill a book of a gigabyte. So a fast pass cuts content.xml at
every `<table:table-` into *pieces*, and only a piece never seen goes to expat, a real XML parser; what it says of it
(`odf_cells.py`) is remembered. Whatever that pass cannot be sure of (comments, CDATA, any error) is left to a second
one, in which expat reads everything: slow, but right.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import cast
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.readers import zips
from transforms.readers.ods.cells import OP, Book
from transforms.readers.ods.grid import MAX_CELLS, MAX_TOKEN, Ints, NotPlain, OdsBroken, OdsSheet, OdsUnsure

__all__ = ["OdsBroken", "OdsSheet", "OdsUnsure", "read_ods"]

MAX_BYTES = 16 << 30  # of content.xml; the largest one published has 1.7 GB
MAX_MEMO = 1 << 17  # pieces remembered

Pieces = tuple[list[bytes], Ints]  # the different pieces of a block, and which of them stands in each place


def read_ods(
    path: Path,
    wanted: Callable[[str], bool] = lambda _: True,
    max_bytes: int = MAX_BYTES,
    max_cells: int = MAX_CELLS,
) -> Iterator[OdsSheet]:
    """The sheets whose name is wanted, in their order. Raises OdsUnsure or OdsBroken, perhaps after some sheets.

    OdsUnsure comes at the end of the book, when all its wanted sheets have been found to be within the bounds.
    """
    given = 0
    for read in (_read_fast, _read_all):
        book = Book(wanted, max_cells)
        try:
            for sheet in islice(read(book, _content(path, max_bytes)), given, None):
                given += 1
                yield sheet
            book.finish()
            return
        except (NotPlain, expat.ExpatError) as error:
            if read is _read_all:
                raise OdsBroken(f"content.xml is not well-formed XML: {error}") from error


def _content(path: Path, max_bytes: int) -> Iterator[bytes]:
    """The bytes of content.xml, block by block."""
    manifest = b""
    try:
        with suppress(KeyError):
            manifest = b"".join(zips.inflate(path, "META-INF/manifest.xml", MAX_TOKEN))
        if b"encryption-data" in manifest:
            raise OdsBroken("an encrypted workbook")
        yield from zips.inflate(path, "content.xml", max_bytes)
    except KeyError as error:
        raise OdsBroken("this zip file has no content.xml, so it is no spreadsheet") from error
    except zips.ZipBroken as error:
        raise OdsBroken(str(error)) from error


def _read_all(book: Book, blocks: Iterator[bytes]) -> Iterator[OdsSheet]:
    """Expat sees every byte."""
    for block in blocks:
        book.feed(block)
        yield from book.take_sheets()


# ---------------------------------------------------------------- the fast pass
_CUT, _ROW_END, _SHEET_END = b"<table:table-", b"</table:table-row>", b"</table:table>"
_NO_OP = bytes(OP.size)
# A piece up to the end of its row: an empty row (<table:table-row/>), or whatever goes before </table:table-row>
_ROW_ENDS = re.compile(rb"""row(?:[^>"']|"[^"]*"|'[^']*')*(?<=/)>|.*?</table:table-row>""", re.DOTALL)


def _read_fast(book: Book, blocks: Iterator[bytes]) -> Iterator[OdsSheet]:
    """Expat sees each piece once, and all that stands around the rows: by itself a well-formed, far shorter text."""
    memo: dict[bytes, bytes] = {}  # piece -> its operation
    lead, learnt = b"", 0  # what was cut off before a piece: nothing before the first; how many pieces expat was shown
    for pieces, places in _pieces(blocks):
        ops = np.frombuffer(b"".join([memo.get(piece, _NO_OP) for piece in pieces]), "<i4").reshape(-1, 4).copy()
        unknown = iter(np.flatnonzero((ops == 0).all(axis=1).take(places)).tolist())  # places, as the block begins
        at = 0
        while at < len(places):
            if book.in_rows:  # take over the operations of all pieces up to one that is still unknown; learn that one
                new = next((i for i in unknown if i >= at and not ops[places[i]].any()), len(places))
                book.ops += ops.take(places[at:new], axis=0).tobytes()
                if new < len(places) and (op := _learn(book, piece := pieces[places[new]])):
                    ops[places[new]] = np.frombuffer(op, "<i4")
                    if len(memo) < MAX_MEMO:
                        memo[piece] = op
                at, learnt = new + 1, learnt + 1
                if learnt > 2 * MAX_MEMO:  # hardly a piece comes twice: expat alone is faster
                    raise NotPlain
            elif book.in_unwanted:  # look for its end only
                ends = np.flatnonzero(np.array([_SHEET_END in piece for piece in pieces]).take(places[at:]))
                if ends.size:
                    _feed(book, (piece := pieces[places[at + ends[0]]])[piece.index(_SHEET_END) :])
                at += int(ends[0]) + 1 if ends.size else len(places)
            else:
                _feed(book, lead + pieces[places[at]])
                at, lead = at + 1, _CUT
        yield from book.take_sheets()


def _pieces(blocks: Iterator[bytes]) -> Iterator[Pieces]:
    """The pieces of each block, cut a little ahead of need by other threads."""

    def cut(block: bytes) -> Pieces:
        pieces = pc.split_pattern(pa.array([block], pa.binary()), _CUT.decode()).values.dictionary_encode()
        return cast(list[bytes], pieces.dictionary.to_pylist()), pieces.indices.to_numpy()

    ahead: deque[Future[Pieces]] = deque()
    rest = b""
    with ThreadPoolExecutor(2) as pool:
        for block in chain(blocks, [_CUT]):  # the last one cuts off what is left
            whole, found, rest = (rest + block).rpartition(_CUT)
            if len(rest) > MAX_TOKEN:
                raise NotPlain
            if found:
                ahead.append(pool.submit(cut, whole))
            if len(ahead) > 3:
                yield ahead.popleft().result()
        yield from (future.result() for future in ahead)


def _learn(book: Book, piece: bytes) -> bytes:
    """Have expat read a piece, and the book note its operations. Returns them as one, if one says it all."""
    if not re.match(rb"(row|cell)[\s/>]", piece):
        _feed(book, _CUT + piece)
        return b""
    # To expat, a piece comes as a row of its own: what opens or ends the row is added here, and its operation dropped
    opens, ended = piece.startswith(b"row"), _ROW_ENDS.match(piece)
    row = ended[0] if ended else piece
    start, rest = len(book.ops), piece[len(row) :]
    _feed(book, (b"" if opens else b"<table:table-row>") + _CUT + row + (b"" if ended else _ROW_END))
    book.ops[start:] = book.ops[start + (0 if opens else OP.size) : len(book.ops) - (0 if ended else OP.size)]
    ops = np.frombuffer(bytes(book.ops[start:]), "<i4").reshape(-1, 4)
    if rest.strip():  # the end of a group, or of the sheet
        _feed(book, rest)
    elif (ops[:, 2] > 0).sum() < 2:  # a begin, a cell and an end, or some of these
        return bytes(ops.sum(axis=0, dtype="<i4"))
    return b""


def _feed(book: Book, data: bytes) -> None:
    if b"<!" in data or data.find(b"<?", 1) >= 0:  # a comment may hide what looks like a tag
        raise NotPlain
    book.feed(data)
