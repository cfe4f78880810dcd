"""OpenDocument spreadsheets (.ods), read sheet by sheet as columns of text, in little time and memory.

A few thousand different runs of bytes (a cell, the end of a row) make up a file of a gigabyte. So a fast pass splits
content.xml at every `<table:table-` into *pieces*. Only a piece that has not been seen before goes to expat, a real XML
parser; the operations that it stands for (`cells.py`) are remembered. What that pass cannot vouch for (comments, CDATA,
any error) is left to a second pass, in which expat parses everything: slow, but right.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import cast
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from transforms.readers import zips
from transforms.readers.ods.cells import OP, ContentParser
from transforms.readers.ods.grid import IntArray, OdsSheet
from transforms.readers.ods.limits import MAX_BYTES, MAX_CELLS, MAX_TOKEN, NeedsFullParse, OdsError, OdsUnsupported

__all__ = ["OdsError", "OdsSheet", "OdsUnsupported", "read_ods"]

MAX_PIECES = 1 << 17  # different pieces remembered

Pieces = tuple[list[bytes], IntArray]  # the different pieces of a block, and which of them stands in each place
NumberCells = dict[tuple[bytes, bytes, bytes], bytes]  # what stands around a whole number -> the operation of such a piece


def read_ods(
    path: Path,
    wanted: Callable[[str], bool] = lambda _: True,
    max_bytes: int = MAX_BYTES,
    max_cells: int = MAX_CELLS,
) -> Iterator[OdsSheet]:
    """The sheets whose names are wanted, in their order.

    Raises OdsError, perhaps after some sheets, for a damaged file or one with more than `max_bytes` of content.xml or
    `max_cells` in its wanted sheets. Raises OdsUnsupported at the end of the file, when all wanted sheets have been found to
    be within the limits; the sheets from the first unsupported feature on are then missing.
    """
    given = 0
    for read in (_read_in_pieces, _read_whole):
        parser = ContentParser(wanted, max_cells)
        try:
            for sheet in islice(read(parser, _read_content(path, max_bytes)), given, None):
                given += 1
                yield sheet
            parser.finish()
            return
        except (NeedsFullParse, expat.ExpatError) as error:
            if read is _read_whole:
                raise OdsError(f"content.xml is not well-formed XML: {error}") from error


def _read_content(path: Path, max_bytes: int) -> Iterator[bytes]:
    """The bytes of content.xml, block by block."""
    manifest = b""
    try:
        with suppress(KeyError):
            manifest = b"".join(zips.read_part(path, "META-INF/manifest.xml", MAX_TOKEN))
        if b"encryption-data" in manifest:
            raise OdsError("an encrypted workbook")
        yield from zips.read_part(path, "content.xml", max_bytes)
    except KeyError as error:
        raise OdsError("this zip file has no content.xml, so it is no spreadsheet") from error
    except zips.ZipError as error:
        raise OdsError(str(error)) from error


def _read_whole(parser: ContentParser, blocks: Iterator[bytes]) -> Iterator[OdsSheet]:
    """Expat parses every byte."""
    for block in blocks:
        parser.feed(block)
        yield from parser.take_sheets()


# ---------------------------------------------------------------- the fast pass
_CUT, _ROW_END, _SHEET_END = b"<table:table-", b"</table:table-row>", b"</table:table>"
_CUT_WORDS = np.frombuffer(_CUT[:8] + _CUT[-8:], "<u8")  # its first and its last 8 bytes
_UNKNOWN = bytes(OP.size)
# A piece up to the end of its row: an empty row (<table:table-row/>), or whatever goes before </table:table-row>
_ROW_ENDS = re.compile(rb"""<table:table-row(?:[^>"']|"[^"]*"|'[^']*')*(?<=/)>|.*?</table:table-row>""", re.DOTALL)
_ROW_OR_CELL = re.compile(rb"<table:table-(row|cell)[\s/>]")
# A cell with a whole number, the same in its value and as displayed, between three texts that other such cells have too
_NUMBER_CELL = re.compile(
    rb"""(<table:table-cell [^>]*?office:value=")(0|[1-9][0-9]{0,8})("[^>]*><text:p>)\2(</text:p></table:table-cell>[^0-9]*)"""
)


def _read_in_pieces(parser: ContentParser, blocks: Iterator[bytes]) -> Iterator[OdsSheet]:
    """Expat parses each different piece once, and all that stands around the rows: in itself a well-formed, far shorter text."""
    known: dict[bytes, bytes] = {}  # piece -> its operation
    number_cells: NumberCells = {}
    parsed = 0  # how many pieces expat has parsed
    for pieces, places in _split_into_pieces(blocks):
        ops = np.frombuffer(b"".join([known.get(piece, _UNKNOWN) for piece in pieces]), "<i4").reshape(-1, 4).copy()
        unknown = (ops == 0).all(axis=1)
        where = np.flatnonzero(unknown.take(places))  # places that are unknown as the block begins
        ahead = iter(zip(where.tolist(), places.take(where).tolist(), strict=True))
        at = 0
        while at < len(places):
            if parser.in_rows:  # take over the operations of all pieces up to one that is still unknown; parse that one
                new, i = next(((new, i) for new, i in ahead if new >= at and unknown[i]), (len(places), 0))
                parser.ops += ops.take(places[at:new], axis=0).tobytes()
                if new < len(places) and (op := _parse_piece(parser, piece := pieces[i], number_cells)):
                    ops[i], unknown[i] = np.frombuffer(op, "<i4"), False
                    if len(known) < MAX_PIECES:
                        known[piece] = op
                at, parsed = new + 1, parsed + 1
                if parsed > 2 * MAX_PIECES:  # hardly a piece is repeated: expat alone is faster
                    raise NeedsFullParse
            elif parser.in_unwanted:  # look for its end only
                ends = np.flatnonzero(np.array([_SHEET_END in piece for piece in pieces]).take(places[at:]))
                if ends.size:
                    _feed(parser, (piece := pieces[places[at + ends[0]]])[piece.index(_SHEET_END) :])
                at += int(ends[0]) + 1 if ends.size else len(places)
            else:
                _feed(parser, pieces[places[at]])
                at += 1
        yield from parser.take_sheets()


def _split_into_pieces(blocks: Iterator[bytes]) -> Iterator[Pieces]:
    """The pieces of each block, which all but the first begin with `_CUT`; decompressed and split ahead of need by threads."""
    ahead: deque[Future[Pieces]] = deque()
    rest = b""  # the last piece of a block goes on in the next one
    with ThreadPoolExecutor(1) as decompressing, ThreadPoolExecutor(2) as splitting:
        for block in _prefetch(decompressing, blocks):
            first, last = block.find(_CUT), block.rfind(_CUT)
            if first < 0:  # a small block, in which at most a part of a cut stands
                joined = rest + block
                first = last = max(joined.rfind(_CUT), 0)
                head, rest = joined[:first], joined[first:]
            else:
                head, rest = rest + block[:first], block[last:]
            if len(rest) > MAX_TOKEN:
                raise NeedsFullParse
            if head:
                ahead.append(splitting.submit(_split, head, 0, len(head)))
            if first < last:
                ahead.append(splitting.submit(_split, block, first, last))
            while len(ahead) > 4:
                yield ahead.popleft().result()
        yield from (future.result() for future in ahead)
        yield _split(rest, 0, len(rest))


def _prefetch(pool: ThreadPoolExecutor, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, each decompressed by a thread of the pool while the one before it is worked on."""
    following = pool.submit(next, blocks, b"")
    while block := following.result():
        following = pool.submit(next, blocks, b"")
        yield block


def _split(data: bytes, start: int, end: int) -> Pieces:
    """Split `data[start:end]` before each `_CUT`: the different pieces, and which of them stands in each place."""
    tags = np.flatnonzero(np.frombuffer(data, np.uint8)[start : max(end - len(_CUT) + 1, start)] == ord("<")) + start
    words = np.ndarray((max(len(data) - 7, 0),), "<u8", data, strides=(1,))  # the 8 bytes from each byte on
    tags = tags[words[tags] == _CUT_WORDS[0]]
    cuts = tags[words[tags + len(_CUT) - 8] == _CUT_WORDS[1]]
    bounds = np.concatenate(([start], cuts[cuts > start], [end])).astype(np.int32)
    whole = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, [None, pa.py_buffer(bounds.tobytes()), pa.py_buffer(data)])
    pieces = whole.dictionary_encode()  # of views: the bytes are not copied before they are known to differ
    return cast(list[bytes], pieces.dictionary.to_pylist()), pieces.indices.to_numpy()


def _parse_piece(parser: ContentParser, piece: bytes, number_cells: NumberCells) -> bytes:
    """Have expat parse a piece, and the parser note its operations. Returns them as one, if one can stand for all.

    A cell that differs from one of `number_cells` in its number alone needs no expat: a sheet has thousands of these.
    """
    cell = _NUMBER_CELL.fullmatch(piece)
    if cell is None:
        return _parse_new_piece(parser, piece)
    around, number = (cell[1], cell[3], cell[4]), cell[2].decode()
    if like := number_cells.get(around):
        begin, _, times, end = OP.unpack(like)
        op = OP.pack(begin, parser.code_of(number), times, end)
        parser.ops += op
        return op
    op = _parse_new_piece(parser, piece)
    if op and not parser.unsupported and OP.unpack(op)[1] == parser.texts.get(number):
        number_cells[around] = op
    return op


def _parse_new_piece(parser: ContentParser, piece: bytes) -> bytes:
    if not _ROW_OR_CELL.match(piece):
        _feed(parser, piece)
        return b""
    # To expat, a piece comes as a row of its own: what opens or ends the row is added here, and its operation dropped
    opens, ended = piece.startswith(_CUT + b"row"), _ROW_ENDS.match(piece)
    row = ended[0] if ended else piece
    start, rest = len(parser.ops), piece[len(row) :]
    _feed(parser, (b"" if opens else b"<table:table-row>") + row + (b"" if ended else _ROW_END))
    parser.ops[start:] = parser.ops[start + (0 if opens else OP.size) : len(parser.ops) - (0 if ended else OP.size)]
    ops = np.frombuffer(bytes(parser.ops[start:]), "<i4").reshape(-1, 4)
    if rest.strip():  # the end of a group, or of the sheet
        _feed(parser, rest)
    elif (ops[:, 2] > 0).sum() < 2:  # a begin, a cell and an end, or some of these
        return bytes(ops.sum(axis=0, dtype="<i4"))
    return b""


def _feed(parser: ContentParser, data: bytes) -> None:
    if b"<!" in data or data.find(b"<?", 1) >= 0:  # a comment may hide what looks like a tag
        raise NeedsFullParse
    parser.feed(data)
