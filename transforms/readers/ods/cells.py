"""What the XML of an OpenDocument spreadsheet says: its sheets, and the text of each cell in its place.

What a cell says follows ODF 1.3 (part 3, 19.385 `office:value-type` and its neighbours); how it is printed follows
fastexcel: `36`, not `36.0`. How the bytes of the XML get here, and how that is made fast, is in `reader.py`.

A `ContentParser` handles expat's events. Inside a sheet it notes *operations* (`OP`), four numbers each, for a `Grid` to
carry out:

    begin   a row begins, which is repeated so many times (0: none begins)
    code    the text of a cell, by its number in `ContentParser.texts` (0: the cell is empty)
    times   so many cells with this text follow each other (0: no cell)
    end     1: the row ends

    <table:table-row> <table:table-cell …>8Q</…> <table:table-cell repeated="9"/> </table:table-row>
    1 0 0 0           0 5 1 0                    0 0 9 0                          0 0 0 1
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from xml.parsers import expat

from transforms.readers.ods.grid import Grid, OdsSheet
from transforms.readers.ods.limits import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_DEPTH,
    MAX_SHEETS,
    MAX_TEXTS,
    MAX_TOKEN,
    NeedsFullParse,
    OdsError,
    OdsUnsupported,
    check_limit,
)

LINK_CACHE_STYLE = (
    "ta_extref"  # of LibreOffice's hidden sheets that keep cells of another file (sc/source/filter/xml/xmlexprt.cxx)
)
OP = struct.Struct("<4i")  # begin, code, times, end


# ---------------------------------------------------------------- the names of ODF, as expat spells them
_OFFICE, _TABLE, _TEXT = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0 " for name in ("office", "table", "text"))
_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_SPREADSHEET, _SHEET, _ROW, _PARAGRAPH = _OFFICE + "spreadsheet", _TABLE + "table", _TABLE + "table-row", _TEXT + "p"
_CELLS = {_TABLE + "table-cell", _TABLE + "covered-table-cell"}
_GROUPS = {_TABLE + "table-row-group", _TABLE + "table-header-rows", _TABLE + "table-rows"}
_RUNS = {_PARAGRAPH, _TEXT + "span", _TEXT + "a", _TEXT + "sheet-name"}
# Blanks that a cell asks for are kept as characters that no XML can hold, apart from raw ones, which readers differ on
_BLANKS = {_TEXT + "s": "\0", _TEXT + "tab": "\1", _TEXT + "line-break": "\2", _PARAGRAPH: "\2"}
_BLANK_CHARACTERS = str.maketrans("\0\1\2", " \t\n")
_DISPLAYED = _RUNS | set(_BLANKS)
# Which tags are read inside which; all others are skipped with what they hold
_CHILDREN: dict[str, set[str]] = {
    "": {_OFFICE + "document-content"},
    _OFFICE + "document-content": {_OFFICE + "body"},
    _OFFICE + "body": {_SPREADSHEET},
    _SPREADSHEET: {_SHEET},
    **dict.fromkeys({_SHEET} | _GROUPS, {_ROW} | _GROUPS),
    _ROW: _CELLS,
    **dict.fromkeys(_CELLS, {_PARAGRAPH}),
    **dict.fromkeys(_RUNS, _DISPLAYED - {_PARAGRAPH}),
}
_FORMS = {
    "string": re.compile(r".*", re.DOTALL),
    "float": re.compile(r"[+-]?([0-9]{1,99}\.?[0-9]*|\.[0-9]+)([eE](-[0-9]{1,3}|\+?[0-9]{1,2}))?"),
    "boolean": re.compile("true|false"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?"),
}


def _cell_text(attributes: dict[str, str], displayed: str) -> str:
    """What a cell says, by its attributes and the text it displays: "" for an empty one. ValueError if that is not certain."""
    error = attributes.get(_CALCEXT + "value-type") == "error"
    kind = "error" if error else attributes.get(_OFFICE + "value-type", "")
    if not (kind or displayed):
        return ""
    numeric = kind in ("float", "percentage", "currency")
    value = attributes.get(_OFFICE + ("value" if numeric else f"{kind}-value"))
    if kind == "string" and value is None and not re.search(r"[\t\n\r]", displayed):  # readers differ on raw line ends
        return displayed.translate(_BLANK_CHARACTERS)
    if value is not None and (form := _FORMS.get("float" if numeric else kind)) and form.fullmatch(value):
        return f"{float(value):.9f}".rstrip("0").rstrip(".") if numeric else value
    raise ValueError(f"a cell of type {kind or 'none'} with value {value!r} shows {displayed!r}")


def _repeat_count(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "1")
    if not re.fullmatch("0*[1-9][0-9]{0,8}", value):
        raise OdsError(f"{name.split()[-1]} {value!r} instead of a number from 1 on")
    return int(value)


# ---------------------------------------------------------------- from tags to operations
class ContentParser:
    """Parses content.xml with expat. Feed it bytes, then take the sheets that came to an end.

    After the first `unsupported` feature there are no more sheets to take, but the limits are still checked to the end of
    the file, because the reader that takes over has none.
    """

    def __init__(self, wanted: Callable[[str], bool], max_cells: int) -> None:
        """`wanted` says of a sheet's name whether to read it; `max_cells` is for all wanted sheets together."""
        self.wanted, self.max_cells = wanted, max_cells
        self.grid, self.sheets, self.begun = Grid("", 0, 0), list[OdsSheet](), 0
        self.ops = bytearray()  # of the open sheet, not yet in its grid
        self.texts: dict[str, int] = {}  # text -> code
        self.unsupported: OdsUnsupported | None = None  # the first unsupported feature
        self.is_spreadsheet = self.in_unwanted = False  # seen such a tag; inside a sheet that is not wanted
        self._prefixes: dict[str | None, str] = {"office": _OFFICE[:-1], "table": _TABLE[:-1], "text": _TEXT[:-1]}
        self._open = [""]  # the open tags that are read,
        self._skipped = 0  # and how many open tags inside them are skipped
        self._cell: dict[str, str] = {}  # the attributes of the open cell
        self._displayed: list[str] = []  # and its text
        self._displayed_size = self._texts_size = self._fed = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartNamespaceDeclHandler = self._declare
        parser.XmlDeclHandler = self._encoding
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text

    @property
    def in_rows(self) -> bool:
        """Whether a row may start here."""
        return not self._skipped and _ROW in _CHILDREN.get(self._open[-1], ())

    def feed(self, data: bytes) -> None:
        """Parse some more bytes. Raises ExpatError and OdsError."""
        self._parser.Parse(data)
        self._fed += len(data)
        check_limit(self._fed - self._parser.CurrentByteIndex, MAX_TOKEN + len(data), "bytes in a tag")

    def take_sheets(self) -> list[OdsSheet]:
        """The sheets that ended since the last call. Raises OdsError beyond the limits."""
        if len(self.ops) > OP.size * MAX_COLUMNS:
            del self.ops[: self.grid.add(bytes(self.ops))]
        check_limit(len(self.ops) // OP.size, 2 * MAX_COLUMNS, f"cells in a row of sheet {self.grid.name}")
        taken, self.sheets = self.sheets, []
        return taken

    def finish(self) -> None:
        """End the file. Raises ExpatError or OdsError if it was not a whole spreadsheet, OdsUnsupported for `unsupported`."""
        self._parser.Parse(b"", True)
        if not self.is_spreadsheet:
            raise OdsError("content.xml holds no spreadsheet")
        if self.unsupported:
            raise self.unsupported

    def code_of(self, text: str) -> int:
        """The code of a text that is not blank. Raises OdsError for too much text."""
        if text not in self.texts:
            self._texts_size += len(text)
            check_limit(self._texts_size, MAX_TEXTS, "characters of different texts")
            self.texts[text] = len(self.texts) + 1
        return self.texts[text]

    def _note_unsupported(self, what: str) -> None:
        self.unsupported = self.unsupported or OdsUnsupported(what)

    def _declare(self, prefix: str | None, uri: str) -> None:
        if not self._skipped and self._prefixes.setdefault(prefix, uri) != uri:
            self._note_unsupported(f"content.xml gives the prefix {prefix} another meaning: {uri}")  # one piece, two meanings

    def _encoding(self, _: str, encoding: str | None, __: int) -> None:
        if (encoding or "UTF-8").upper() not in ("UTF-8", "UTF-16", "ISO-8859-1", "US-ASCII"):  # what expat knows by itself
            raise OdsError(f"content.xml in the encoding {encoding}, which no spreadsheet needs")

    def _doctype(self, *_: object) -> None:
        raise OdsError("content.xml declares a document type, which no spreadsheet needs and which can hide a bomb")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        check_limit(len(self._open) + self._skipped, MAX_DEPTH, "tags in each other")
        parent = self._open[-1]
        if self._skipped or name not in _CHILDREN.get(parent, ()):
            if not self._skipped and parent in _CELLS | _DISPLAYED and (name == _SHEET or name.startswith(_TEXT)):
                self._note_unsupported(f"sheet {self.grid.name}: a cell holds a {name.split()[-1]}")
            self._skipped += 1  # columns, shapes, annotations, settings …
            return
        if name == _SHEET:
            self.begun += 1
            check_limit(self.begun, MAX_SHEETS, "sheets")
            cells_before = self.grid.cells_before + self.grid.size
            self.grid = Grid(attributes.get(_TABLE + "name", ""), cells_before, self.max_cells)
            is_link_cache = attributes.get(_TABLE + "style-name") == LINK_CACHE_STYLE
            self.in_unwanted = is_link_cache or not self.wanted(self.grid.name)
            if self.in_unwanted:
                self._skipped = 1
                return
        elif name == _ROW:
            self.ops += OP.pack(_repeat_count(attributes, _TABLE + "number-rows-repeated"), 0, 0, 0)
        elif name in _CELLS:
            self._cell, self._displayed, self._displayed_size = attributes, [], 0
        self.is_spreadsheet |= name == _SPREADSHEET
        self._open.append(name)
        if name in _BLANKS:
            self._add_text(_BLANKS[name] * min(_repeat_count(attributes, _TEXT + "c"), MAX_CELL + 1))

    def _end(self, _: str) -> None:
        if self._skipped:
            self._skipped -= 1
            self.in_unwanted &= self._skipped > 0
            return
        name = self._open.pop()
        if name in _CELLS:
            self.ops += OP.pack(0, self._code(), _repeat_count(self._cell, _TABLE + "number-columns-repeated"), 0)
        elif name == _ROW:
            self.ops += OP.pack(0, 0, 0, 1)
        elif name == _SHEET:
            if self.grid.add(bytes(self.ops)) < len(self.ops):
                raise NeedsFullParse
            self.ops.clear()
            if not self.unsupported:
                self.sheets.append(OdsSheet(self.grid.name, self.grid.to_table(list(self.texts))))

    def _add_text(self, text: str) -> None:
        if not self._skipped and self._open[-1] in _DISPLAYED:
            self._displayed.append(text)
            self._displayed_size += len(text)
            check_limit(self._displayed_size, MAX_CELL, f"characters in a cell of sheet {self.grid.name}")
        elif not self._skipped and self._open[-1] in _CELLS and text.strip():
            self._note_unsupported(f"sheet {self.grid.name}: a cell holds text outside a paragraph")

    def _code(self) -> int:
        """The code of the text of the cell that ends now; 0 if it is blank."""
        try:
            text = _cell_text(self._cell, "".join(self._displayed).removeprefix(_BLANKS[_PARAGRAPH]))
        except ValueError as error:
            self._note_unsupported(f"sheet {self.grid.name}: {error}")
            text = "?"
        return self.code_of(text) if text.strip() else 0
