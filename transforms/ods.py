"""OpenDocument spreadsheets (.ods), read sheet by sheet as columns of text, in little time and memory.

Only layout is known here, not what a column means. What a cell says follows ODF 1.3 (part 3, 19.385 `office:value-type`
and its neighbours); how it is printed follows fastexcel: `36`, not `36.0`.

A few thousand runs of bytes (a cell, the end of a row) fill a book of a gigabyte. So a first pass cuts content.xml at
every `<table:table-`: only a piece never seen goes to expat, a real XML parser. Whatever that pass cannot be sure of
(comments, CDATA, any error) is left to a second one, in which expat reads everything: slow, but right.
"""

import re
import struct
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MAX_BYTES = 16 << 30  # of content.xml; the largest one published has 1.7 GB
MAX_CELLS = 1 << 26  # of a sheet, counting the empty ones up to its last row and column
MAX_COLUMNS = 1 << 14  # what Excel and LibreOffice can hold
MAX_CELL = 1 << 20  # characters of a cell; Excel can hold 32,767
MAX_TEXTS = 1 << 27  # characters of the different texts of a book
MAX_TOKEN = 1 << 24  # bytes of a tag, or of a piece
MAX_MEMO = 1 << 17  # pieces remembered
MAX_DEPTH = 256  # tags in each other
BLOCK = 1 << 22  # bytes inflated at a time

Ints = npt.NDArray[np.signedinteger]
Pieces = tuple[list[Any], Ints]  # the different pieces of a block, and the place of each in it


@dataclass(frozen=True)
class OdsSheet:
    """Row i of `cells` is the sheet's row i + 1, column "j" its column j + 1; null where a cell is empty.

    Every column is text, held as a dictionary. Empty rows and columns are cut after the last value, never before it.
    """

    name: str
    cells: pa.Table


class OdsUnsure(Exception):  # noqa: N818
    """The book uses something that this reader does not vouch for."""


class OdsBroken(Exception):  # noqa: N818
    """The file is not a readable spreadsheet, or is larger than allowed."""


class _NotPlain(Exception):  # noqa: N818
    """The first pass must not go on."""


def read_ods(
    path: Path,
    wanted: Callable[[str], bool] = lambda name: True,  # noqa: ARG005
    max_bytes: int = MAX_BYTES,
    max_cells: int = MAX_CELLS,
) -> Iterator[OdsSheet]:
    """The sheets whose name is wanted, in their order. Raises OdsUnsure or OdsBroken, perhaps after some sheets."""
    given = 0
    for read in (_read_plain, _read_any):
        book = _Book(wanted, max_cells)
        try:
            for sheet in islice(read(book, _inflate(path, max_bytes)), given, None):
                given += 1
                yield sheet
            book.parser.Parse(b"", True)
        except (_NotPlain, expat.ExpatError) as error:
            if read is _read_any:
                raise OdsBroken(f"content.xml is not well-formed XML: {error}") from error
        else:
            if not book.is_spreadsheet:
                raise OdsBroken("content.xml holds no spreadsheet")
            return


def _check(found: int, most: int, what: str) -> None:
    if found > most:
        raise OdsBroken(f"expected at most {most:,} {what}, found {found:,} or more")


def _inflate(path: Path, max_bytes: int) -> Iterator[bytes]:
    """The bytes of content.xml, block by block."""
    size = 0
    try:
        with zipfile.ZipFile(path) as book:
            parts = {part.filename: part for part in book.infolist()}
            if "content.xml" not in parts:
                raise OdsBroken("this zip file has no content.xml, so it is no spreadsheet")
            manifest = book.open("META-INF/manifest.xml").read(MAX_TOKEN) if "META-INF/manifest.xml" in parts else b""
            if b"encryption-data" in manifest or parts["content.xml"].flag_bits & 1:
                raise OdsBroken("this workbook is encrypted")
            with book.open("content.xml") as content:
                while block := content.read(BLOCK):
                    size += len(block)
                    _check(size, max_bytes, "bytes in content.xml")
                    yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        raise OdsBroken(f"this is not a whole zip file: {error}") from error


# ---------------------------------------------------------------- two passes
_CUT, _ROW_END, _SHEET_END = b"<table:table-", b"</table:table-row>", b"</table:table>"
_ROW_ENDS = re.compile(rb"""row(?:[^>"']|"[^"]*"|'[^']*')*(?<=/)>|.*?</table:table-row>""", re.DOTALL)


def _read_any(book: "_Book", blocks: Iterator[bytes]) -> Iterator[OdsSheet]:
    for block in blocks:
        book.feed(block)
        yield from book.take_sheets()


def _read_plain(book: "_Book", blocks: Iterator[bytes]) -> Iterator[OdsSheet]:
    """Expat sees each piece once, and all that stands around the rows: by itself a well-formed, far shorter text."""
    memo: dict[bytes, bytes] = {}  # piece -> operation
    lead = b""
    for pieces, places in _pieces(blocks):
        ops = np.frombuffer(b"".join([memo.get(piece, _NO_OP) for piece in pieces]), "<i4").reshape(-1, 4).copy()
        unknown = iter(np.flatnonzero((ops == 0).all(axis=1).take(places)).tolist())
        at = 0
        while at < len(places):
            if book.in_rows:
                new = next((i for i in unknown if i >= at and not ops[places[i]].any()), len(places))
                book.ops += ops.take(places[at:new], axis=0).tobytes()
                if new < len(places) and (op := _learn(book, piece := pieces[places[new]])):
                    ops[places[new]] = np.frombuffer(op, "<i4")
                    if len(memo) < MAX_MEMO:
                        memo[piece] = op
                at = new + 1
            elif book.in_unwanted:
                ends = np.flatnonzero(np.array([_SHEET_END in piece for piece in pieces]).take(places[at:]))
                if ends.size:
                    _feed_plain(book, (piece := pieces[places[at + ends[0]]])[piece.index(_SHEET_END) :])
                at += int(ends[0]) + 1 if ends.size else len(places)
            else:
                _feed_plain(book, lead + pieces[places[at]])
                at, lead = at + 1, _CUT
        yield from book.take_sheets()


def _pieces(blocks: Iterator[bytes]) -> Iterator[Pieces]:
    """The pieces of each block, cut a little ahead of need by other threads."""

    def cut(block: bytes) -> Pieces:
        pieces = pc.split_pattern(pa.array([block], pa.binary()), _CUT.decode()).values.dictionary_encode()
        return pieces.dictionary.to_pylist(), pieces.indices.to_numpy()

    ahead: deque[Future[Pieces]] = deque()
    rest = b""
    with ThreadPoolExecutor(2) as pool:
        for block in chain(blocks, [_CUT]):  # the last one cuts off what is left
            whole, found, rest = (rest + block).rpartition(_CUT)
            if len(rest) > MAX_TOKEN:
                raise _NotPlain
            if found:
                ahead.append(pool.submit(cut, whole))
            if len(ahead) > 3:
                yield ahead.popleft().result()
        yield from (future.result() for future in ahead)


def _learn(book: "_Book", piece: bytes) -> bytes:
    """Have expat read a piece, in a row of its own if need be; its operation, if it is one and no more."""
    if not re.match(rb"(row|cell)[\s/>]", piece):
        _feed_plain(book, _CUT + piece)
        return b""
    ended, opened = _ROW_ENDS.match(piece), piece.startswith(b"row")
    row = ended[0] if ended else piece
    start, rest = len(book.ops), piece[len(row) :]
    _feed_plain(book, (b"" if opened else b"<table:table-row>") + _CUT + row + (b"" if ended else _ROW_END))
    book.ops[start:] = book.ops[start + (0 if opened else _OP.size) : len(book.ops) - (0 if ended else _OP.size)]
    ops = np.frombuffer(bytes(book.ops[start:]), "<i4").reshape(-1, 4)
    if rest.strip():
        _feed_plain(book, rest)
    elif (ops[:, 2] > 0).sum() < 2:
        return bytes(ops.sum(axis=0, dtype="<i4"))
    return b""


def _feed_plain(book: "_Book", data: bytes) -> None:
    if b"<!" in data or data.find(b"<?", 1) >= 0:  # a comment may hide what looks like a tag
        raise _NotPlain
    book.feed(data)


# ---------------------------------------------------------------- what expat tells
_OFFICE, _TABLE, _TEXT = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0 " for name in ("office", "table", "text"))
_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_SPREADSHEET, _SHEET, _ROW, _PARAGRAPH = _OFFICE + "spreadsheet", _TABLE + "table", _TABLE + "table-row", _TEXT + "p"
_CELLS = {_TABLE + "table-cell", _TABLE + "covered-table-cell"}
_GROUPS = {_TABLE + "table-row-group", _TABLE + "table-header-rows", _TABLE + "table-rows"}
_RUNS = {_PARAGRAPH, _TEXT + "span", _TEXT + "a", _TEXT + "sheet-name"}
# Blanks that are meant stand as characters that no XML holds, until those that merely lie in the file are looked at
_BLANKS = {_TEXT + "s": "\0", _TEXT + "tab": "\1", _TEXT + "line-break": "\2", _PARAGRAPH: "\2"}
_SHOWN = _RUNS | set(_BLANKS)
_INSIDE: dict[str, set[str]] = {
    "": {_OFFICE + "document-content"},
    _OFFICE + "document-content": {_OFFICE + "body"},
    _OFFICE + "body": {_SPREADSHEET},
    _SPREADSHEET: {_SHEET},
    **dict.fromkeys({_SHEET} | _GROUPS, {_ROW} | _GROUPS),
    _ROW: _CELLS,
    **dict.fromkeys(_CELLS, {_PARAGRAPH}),
    **dict.fromkeys(_RUNS, _SHOWN - {_PARAGRAPH}),
}
_FORMS = {
    "string": re.compile(r".*", re.DOTALL),
    "float": re.compile(r"[+-]?([0-9]{1,99}\.?[0-9]*|\.[0-9]+)([eE](-[0-9]{1,3}|\+?[0-9]{1,2}))?"),
    "boolean": re.compile("true|false"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?"),
}
# An operation: begin a row, which comes so many times; add a cell, by the code of its text (0: empty); so many times;
# end the row
_OP = struct.Struct("<4i")
_NO_OP = bytes(_OP.size)


def _text(sheet: str, cell: dict[str, str], shown: str) -> str | None:
    """What a cell says, by its attributes and the text it shows; None for an empty one."""
    kind = "error" if cell.get(_CALCEXT + "value-type") == "error" else cell.get(_OFFICE + "value-type", "")
    if not (kind or shown):
        return None
    numeric = kind in ("float", "percentage", "currency")
    value = cell.get(_OFFICE + ("value" if numeric else f"{kind}-value"))
    if kind == "string" and value is None and not re.search(r"[\t\n\r]", shown):  # readers differ on raw line ends
        return shown.translate(str.maketrans("\0\1\2", " \t\n"))
    if value is not None and (form := _FORMS.get("float" if numeric else kind)) and form.fullmatch(value):
        return f"{float(value):.9f}".rstrip("0").rstrip(".") if numeric else value
    raise OdsUnsure(f"sheet {sheet}: a cell of type {kind or 'none'} with value {value!r} shows {shown!r}")


class _Book:
    """What expat tells of content.xml: sheets and, in a sheet, operations on its rows and cells."""

    def __init__(self, wanted: Callable[[str], bool], max_cells: int) -> None:
        self.wanted, self.max_cells = wanted, max_cells
        self.grid, self.sheets = _Grid("", 0), list[OdsSheet]()
        self.ops = bytearray()
        self.texts: dict[str, int] = {}  # text -> code
        self.prefixes: dict[str | None, str] = {"office": _OFFICE[:-1], "table": _TABLE[:-1], "text": _TEXT[:-1]}
        self.inside = [""]  # the open tags
        self.shown: list[str] = []  # in the open cell
        self.shown_size = self.texts_size = self.skipped = self.fed = 0
        self.in_unwanted = self.is_spreadsheet = False
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartNamespaceDeclHandler = self.declare
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.show

    @property
    def in_rows(self) -> bool:
        """Whether a row may start here."""
        return not self.skipped and _ROW in _INSIDE.get(self.inside[-1], ())

    def feed(self, data: bytes) -> None:
        self.parser.Parse(data)
        self.fed += len(data)
        _check(self.fed - self.parser.CurrentByteIndex, MAX_TOKEN + BLOCK, "bytes in a tag")

    def take_sheets(self) -> list[OdsSheet]:
        """The sheets that ended since the last call."""
        if len(self.ops) > _OP.size * MAX_COLUMNS:
            del self.ops[: self.grid.add(bytes(self.ops))]
        _check(len(self.ops) // _OP.size, 2 * MAX_COLUMNS, f"cells in a row of sheet {self.grid.name}")
        taken, self.sheets = self.sheets, []
        return taken

    def declare(self, prefix: str | None, uri: str) -> None:
        if (
            self.prefixes.setdefault(prefix, uri) != uri and not self.skipped
        ):  # the same bytes would say different things
            raise OdsUnsure(f"content.xml gives the prefix {prefix} another meaning: {uri}")

    def doctype(self, *_: object) -> None:
        raise OdsBroken("content.xml declares a document type, which no spreadsheet needs and which can hide a bomb")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        _check(len(self.inside) + self.skipped, MAX_DEPTH, "tags in each other")
        parent = self.inside[-1]
        if self.skipped or name not in _INSIDE.get(parent, ()):
            if not self.skipped and parent in _CELLS | _SHOWN and (name == _SHEET or name.startswith(_TEXT)):
                raise OdsUnsure(f"sheet {self.grid.name}: a cell holds a {name.split()[-1]}")
            self.skipped += 1  # columns, shapes, annotations, settings …
            return
        if name == _SHEET:
            self.grid = _Grid(attributes.get(_TABLE + "name", ""), self.max_cells)
            self.in_unwanted = not self.wanted(self.grid.name)
            if self.in_unwanted:
                self.skipped = 1
                return
        elif name == _ROW:
            self.ops += _OP.pack(_count(attributes, _TABLE + "number-rows-repeated"), 0, 0, 0)
        elif name in _CELLS:
            self.cell, self.shown, self.shown_size = attributes, [], 0
        self.is_spreadsheet |= name == _SPREADSHEET
        self.inside.append(name)
        if name in _BLANKS:
            self.show(_BLANKS[name] * min(_count(attributes, _TEXT + "c"), MAX_CELL + 1))

    def end(self, _: str) -> None:
        if self.skipped:
            self.skipped -= 1
            self.in_unwanted &= self.skipped > 0
            return
        name = self.inside.pop()
        if name in _CELLS:
            self.ops += _OP.pack(0, self.code(), _count(self.cell, _TABLE + "number-columns-repeated"), 0)
        elif name == _ROW:
            self.ops += _OP.pack(0, 0, 0, 1)
        elif name == _SHEET:
            if self.grid.add(bytes(self.ops)) < len(self.ops):
                raise _NotPlain
            self.ops.clear()
            self.sheets.append(OdsSheet(self.grid.name, self.grid.table(list(self.texts))))

    def show(self, text: str) -> None:
        if not self.skipped and self.inside[-1] in _SHOWN:
            self.shown.append(text)
            self.shown_size += len(text)
            _check(self.shown_size, MAX_CELL, f"characters in a cell of sheet {self.grid.name}")
        elif not self.skipped and self.inside[-1] in _CELLS and text.strip():
            raise OdsUnsure(f"sheet {self.grid.name}: a cell holds text outside a paragraph")

    def code(self) -> int:
        """The code of the text of the cell that ends here."""
        text = _text(self.grid.name, self.cell, "".join(self.shown).removeprefix(_BLANKS[_PARAGRAPH]))
        if text is None or text in self.texts:
            return 0 if text is None else self.texts[text]
        self.texts_size += len(text)
        _check(self.texts_size, MAX_TEXTS, "characters of different texts")
        return self.texts.setdefault(text, len(self.texts) + 1)


def _count(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "1")
    if not re.fullmatch("0*[1-9][0-9]{0,8}", value):
        raise OdsBroken(f"{name.split()[-1]}: expected a number from 1 on, found {value!r}")
    return int(value)


class _Grid:
    """The codes of a sheet's texts in their places, in bands of whole rows."""

    def __init__(self, name: str, max_cells: int) -> None:
        self.name, self.max_cells = name, max_cells
        self.bands: list[tuple[int, Ints]] = []  # first row, codes
        self.rows = self.height = self.width = 0  # rows so far; rows and columns up to the last value

    def add(self, ops: bytes) -> int:
        """Lay out the whole rows of some operations; how many bytes those were."""
        numbers = np.frombuffer(ops, "<i4").reshape(-1, 4)
        numbers = numbers[: np.flatnonzero(numbers[:, 3])[-1] + 1] if numbers[:, 3].any() else numbers[:0]
        rows, code, times, end = numbers.T
        row = np.cumsum(rows > 0) - 1
        if (row - np.cumsum(end) + end).any():  # rows do not begin and end in turn
            raise _NotPlain
        left = np.cumsum(times) - times
        rows, column, full = rows[rows > 0], left - left[rows > 0][row], code > 0
        if full.any():
            self.lay(rows, row[full], column[full], code[full], times[full])
        self.rows += int(rows.sum())
        return numbers.nbytes

    def lay(self, rows: Ints, row: Ints, column: Ints, code: Ints, times: Ints) -> None:
        """Place each text so many times; `rows` tells how often each row comes."""
        rows = rows[: row[-1] + 1]
        self.width = max(self.width, int((column + times).max()))
        self.height = self.rows + int(rows.sum())
        _check(self.width, MAX_COLUMNS, f"columns in sheet {self.name}")
        _check(self.width * self.height, self.max_cells, f"cells in sheet {self.name}")
        if times.max() > 1:
            column = np.repeat(column - np.cumsum(times) + times, times) + np.arange(times.sum())
            row, code = np.repeat(row, times), np.repeat(code, times)
        band = np.zeros((rows.size, self.width), np.int32)
        band[row, column] = code
        self.bands.append((self.rows, np.repeat(band, rows, axis=0) if rows.max() > 1 else band))

    def table(self, texts: list[str]) -> pa.Table:
        words, columns = pa.array(["", *texts], pa.string()), []
        for j in range(self.width):
            codes = np.zeros(self.height, np.int32)
            for first, band in self.bands:
                if j < band.shape[1]:
                    codes[first : first + len(band)] = band[:, j]
            used = pa.array(codes, mask=codes == 0).dictionary_encode()
            columns.append(pa.DictionaryArray.from_arrays(used.indices, words.take(used.dictionary)))
        return pa.table(columns, names=[str(j) for j in range(self.width)])
