"""What the XML of an OpenDocument spreadsheet says: its sheets, and the text of each cell in its place.

What a cell says follows ODF 1.3 (part 3, 19.385 `office:value-type` and its neighbours); how it is printed follows
fastexcel: `36`, not `36.0`. How the bytes of the XML get here, and how that is made fast, is in `ods.py`.

A `Book` listens to expat. Inside a sheet it notes *operations* (`OP`), four numbers each, for a `Grid` to carry out:

    begin   a row begins, which comes so many times (0: none begins)
    code    the text of a cell, by its number in `Book.texts` (0: the cell is empty)
    times   so many cells of this text follow each other (0: no cell)
    end     1: the row ends

    <table:table-row> <table:table-cell …>8Q</…> <table:table-cell repeated="9"/> </table:table-row>
    1 0 0 0           0 5 1 0                    0 0 9 0                          0 0 0 1
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from xml.parsers import expat

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MAX_CELLS = 1 << 26  # of a book, counting the empty ones up to the last row and column of each sheet
MAX_COLUMNS = 1 << 14  # what Excel and LibreOffice can hold
MAX_SHEETS = 1 << 10
MAX_CELL = 1 << 20  # characters of a cell; Excel can hold 32,767
MAX_TEXTS = 1 << 27  # characters of the different texts of a book
MAX_TOKEN = 1 << 24  # bytes of a tag
MAX_DEPTH = 256  # tags in each other

OP = struct.Struct("<4i")  # begin, code, times, end
Ints = npt.NDArray[np.signedinteger]


@dataclass(frozen=True)
class OdsSheet:
    """Row i of `cells` is the sheet's row i + 1, column "j" its column j + 1; null where a cell is empty or blank.

    Every column is text, held as a dictionary. Empty rows and columns are cut after the last value, never before it.
    """

    name: str
    cells: pa.Table


class OdsUnsure(Exception):  # noqa: N818
    """The book uses something that this reader does not vouch for."""


class OdsBroken(Exception):  # noqa: N818
    """The file is not a readable spreadsheet, or is larger than allowed."""


class NotPlain(Exception):  # noqa: N818
    """The fast pass of `ods.py` must not go on."""


def check(found: int, most: int, what: str) -> None:
    if found > most:
        raise OdsBroken(f"more than {most:,} {what} (at least {found:,})")


# ---------------------------------------------------------------- the words of ODF, as expat spells them
_OFFICE, _TABLE, _TEXT = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0 " for name in ("office", "table", "text"))
_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_SPREADSHEET, _SHEET, _ROW, _PARAGRAPH = _OFFICE + "spreadsheet", _TABLE + "table", _TABLE + "table-row", _TEXT + "p"
_CELLS = {_TABLE + "table-cell", _TABLE + "covered-table-cell"}
_GROUPS = {_TABLE + "table-row-group", _TABLE + "table-header-rows", _TABLE + "table-rows"}
_RUNS = {_PARAGRAPH, _TEXT + "span", _TEXT + "a", _TEXT + "sheet-name"}
# Blanks that are meant stand as characters that no XML holds, until those that merely lie in the file are looked at
_BLANKS = {_TEXT + "s": "\0", _TEXT + "tab": "\1", _TEXT + "line-break": "\2", _PARAGRAPH: "\2"}
_MEANT = str.maketrans("\0\1\2", " \t\n")
_SHOWN = _RUNS | set(_BLANKS)
# Which tags are looked at inside which; all others are passed over with what they hold
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


def _text(attributes: dict[str, str], shown: str) -> str:
    """What a cell says, by its attributes and the text it shows: "" for an empty one. ValueError if it is not sure."""
    error = attributes.get(_CALCEXT + "value-type") == "error"
    kind = "error" if error else attributes.get(_OFFICE + "value-type", "")
    if not (kind or shown):
        return ""
    numeric = kind in ("float", "percentage", "currency")
    value = attributes.get(_OFFICE + ("value" if numeric else f"{kind}-value"))
    if kind == "string" and value is None and not re.search(r"[\t\n\r]", shown):  # readers differ on raw line ends
        return shown.translate(_MEANT)
    if value is not None and (form := _FORMS.get("float" if numeric else kind)) and form.fullmatch(value):
        return f"{float(value):.9f}".rstrip("0").rstrip(".") if numeric else value
    raise ValueError(f"a cell of type {kind or 'none'} with value {value!r} shows {shown!r}")


def _count(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "1")
    if not re.fullmatch("0*[1-9][0-9]{0,8}", value):
        raise OdsBroken(f"{name.split()[-1]} {value!r} instead of a number from 1 on")
    return int(value)


# ---------------------------------------------------------------- from tags to operations
class Book:
    """Hears from expat what stands in content.xml. Feed it bytes, then take the sheets that came to an end.

    After the first `doubt` there are no more sheets to take, but the bounds still hold to the end of the book: whoever
    reads it instead has none.
    """

    def __init__(self, wanted: Callable[[str], bool], max_cells: int) -> None:
        self.wanted, self.max_cells = wanted, max_cells
        self.grid, self.sheets, self.begun = Grid("", 0, 0), list[OdsSheet](), 0
        self.ops = bytearray()  # of the open sheet, not yet in its grid
        self.texts: dict[str, int] = {}  # text -> code
        self.doubt: OdsUnsure | None = None
        self.is_spreadsheet = self.in_unwanted = False  # seen such a tag; inside a sheet that is not wanted
        self._prefixes: dict[str | None, str] = {"office": _OFFICE[:-1], "table": _TABLE[:-1], "text": _TEXT[:-1]}
        self._inside = [""]  # the open tags that are looked at,
        self._skipped = 0  # and how many open ones inside them are not
        self._cell: dict[str, str] = {}  # the attributes of the open cell
        self._shown: list[str] = []  # and its text
        self._shown_size = self._texts_size = self._fed = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._show

    @property
    def in_rows(self) -> bool:
        """Whether a row may start here."""
        return not self._skipped and _ROW in _INSIDE.get(self._inside[-1], ())

    def feed(self, data: bytes) -> None:
        self._parser.Parse(data)
        self._fed += len(data)
        check(self._fed - self._parser.CurrentByteIndex, MAX_TOKEN + len(data), "bytes in a tag")

    def take_sheets(self) -> list[OdsSheet]:
        """The sheets that ended since the last call."""
        if len(self.ops) > OP.size * MAX_COLUMNS:
            del self.ops[: self.grid.add(bytes(self.ops))]
        check(len(self.ops) // OP.size, 2 * MAX_COLUMNS, f"cells in a row of sheet {self.grid.name}")
        taken, self.sheets = self.sheets, []
        return taken

    def finish(self) -> None:
        """Nothing more comes. Raises ExpatError, OdsBroken or OdsUnsure when this was not a book, whole and clear."""
        self._parser.Parse(b"", True)
        if not self.is_spreadsheet:
            raise OdsBroken("content.xml holds no spreadsheet")
        if self.doubt:
            raise self.doubt

    def _unsure(self, what: str) -> None:
        self.doubt = self.doubt or OdsUnsure(what)

    def _declare(self, prefix: str | None, uri: str) -> None:
        if not self._skipped and self._prefixes.setdefault(prefix, uri) != uri:
            self._unsure(f"content.xml gives the prefix {prefix} another meaning: {uri}")  # one piece, two meanings

    def _doctype(self, *_: object) -> None:
        raise OdsBroken("content.xml declares a document type, which no spreadsheet needs and which can hide a bomb")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        check(len(self._inside) + self._skipped, MAX_DEPTH, "tags in each other")
        parent = self._inside[-1]
        if self._skipped or name not in _INSIDE.get(parent, ()):
            if not self._skipped and parent in _CELLS | _SHOWN and (name == _SHEET or name.startswith(_TEXT)):
                self._unsure(f"sheet {self.grid.name}: a cell holds a {name.split()[-1]}")
            self._skipped += 1  # columns, shapes, annotations, settings …
            return
        if name == _SHEET:
            self.begun += 1
            check(self.begun, MAX_SHEETS, "sheets")
            cells_before = self.grid.cells_before + self.grid.size
            self.grid = Grid(attributes.get(_TABLE + "name", ""), cells_before, self.max_cells)
            self.in_unwanted = not self.wanted(self.grid.name)
            if self.in_unwanted:
                self._skipped = 1
                return
        elif name == _ROW:
            self.ops += OP.pack(_count(attributes, _TABLE + "number-rows-repeated"), 0, 0, 0)
        elif name in _CELLS:
            self._cell, self._shown, self._shown_size = attributes, [], 0
        self.is_spreadsheet |= name == _SPREADSHEET
        self._inside.append(name)
        if name in _BLANKS:
            self._show(_BLANKS[name] * min(_count(attributes, _TEXT + "c"), MAX_CELL + 1))

    def _end(self, _: str) -> None:
        if self._skipped:
            self._skipped -= 1
            self.in_unwanted &= self._skipped > 0
            return
        name = self._inside.pop()
        if name in _CELLS:
            self.ops += OP.pack(0, self._code(), _count(self._cell, _TABLE + "number-columns-repeated"), 0)
        elif name == _ROW:
            self.ops += OP.pack(0, 0, 0, 1)
        elif name == _SHEET:
            if self.grid.add(bytes(self.ops)) < len(self.ops):
                raise NotPlain
            self.ops.clear()
            if not self.doubt:
                self.sheets.append(OdsSheet(self.grid.name, self.grid.table(list(self.texts))))

    def _show(self, text: str) -> None:
        if not self._skipped and self._inside[-1] in _SHOWN:
            self._shown.append(text)
            self._shown_size += len(text)
            check(self._shown_size, MAX_CELL, f"characters in a cell of sheet {self.grid.name}")
        elif not self._skipped and self._inside[-1] in _CELLS and text.strip():
            self._unsure(f"sheet {self.grid.name}: a cell holds text outside a paragraph")

    def _code(self) -> int:
        """The code of the text of the cell that ends here; 0 if it is blank."""
        try:
            text = _text(self._cell, "".join(self._shown).removeprefix(_BLANKS[_PARAGRAPH]))
        except ValueError as error:
            self._unsure(f"sheet {self.grid.name}: {error}")
            text = "?"
        if not text.strip():
            return 0
        if text not in self.texts:
            self._texts_size += len(text)
            check(self._texts_size, MAX_TEXTS, "characters of different texts")
            self.texts[text] = len(self.texts) + 1
        return self.texts[text]


# ---------------------------------------------------------------- from operations to columns
class Grid:
    """The codes of a sheet's texts in their places, in bands of whole rows; rows without a text take no room."""

    def __init__(self, name: str, cells_before: int, max_cells: int) -> None:
        self.name, self.cells_before, self.max_cells = name, cells_before, max_cells  # those of earlier sheets
        self.bands: list[tuple[int, Ints]] = []  # first row, codes
        self.rows = self.height = self.width = 0  # rows so far; rows and columns up to the last value

    @property
    def size(self) -> int:
        return self.width * self.height

    def add(self, ops: bytes) -> int:
        """Lay out the whole rows of some operations; how many bytes those were."""
        numbers = np.frombuffer(ops, "<i4").reshape(-1, 4)
        numbers = numbers[: np.flatnonzero(numbers[:, 3])[-1] + 1] if numbers[:, 3].any() else numbers[:0]
        begin, code, times, end = numbers.T
        row = np.cumsum(begin > 0) - 1  # of each operation
        if (row - np.cumsum(end) + end).any():  # rows do not begin and end in turn
            raise NotPlain
        repeats = begin[begin > 0]  # of each row
        left = np.cumsum(times) - times  # cells before each operation, in all rows,
        column, full = left - left[begin > 0][row], code > 0  # and in its own row
        if full.any():
            self._lay(repeats, row[full], column[full], code[full], times[full])
        self.rows += int(repeats.sum())
        return numbers.nbytes

    def _lay(self, repeats: Ints, row: Ints, column: Ints, code: Ints, times: Ints) -> None:
        """Place each text so many times, from its row and column on."""
        repeats = repeats[: row[-1] + 1]
        self.width = max(self.width, int((column + times).max()))
        self.height = self.rows + int(repeats.sum())
        check(self.width, MAX_COLUMNS, f"columns in sheet {self.name}")
        check(self.cells_before + self.size, self.max_cells, f"cells up to sheet {self.name}")
        if times.max() > 1:
            column = np.repeat(column - np.cumsum(times) + times, times) + np.arange(times.sum())
            row, code = np.repeat(row, times), np.repeat(code, times)
        band = np.zeros((repeats.size, self.width), np.int32)
        band[row, column] = code
        self.bands.append((self.rows, np.repeat(band, repeats, axis=0) if repeats.max() > 1 else band))

    def table(self, texts: list[str]) -> pa.Table:
        words, columns, size = pa.array(["", *texts], pa.string()), [], 0
        for j in range(self.width):
            codes = np.zeros(self.height, np.int32)
            for first, band in self.bands:
                if j < band.shape[1]:
                    codes[first : first + len(band)] = band[:, j]
            used = pa.array(codes, mask=codes == 0).dictionary_encode()
            own = words.take(used.dictionary)
            size += own.nbytes  # a long text that stands in every column is held as often
            check(size, MAX_TEXTS, f"bytes of text in the columns of sheet {self.name}")
            columns.append(pa.DictionaryArray.from_arrays(used.indices, own))
        return pa.table(columns, names=[str(j) for j in range(self.width)])
