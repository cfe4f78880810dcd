"""A release of the Home Office force (prc-pfa) or partnership (prc-csp) table → the canonical offence table.

Every layout since 2002/03 comes out as the rows of `COUNTS`. Names stay as published: which area a name means is
decided later, by period; but a name that nobody knows is refused here, where file, sheet and row can still be told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import PublishedFileError, quoted
from transforms.headers import Header, find_header
from transforms.notes import Notes, read_notes
from transforms.offence_codes import KnownCodes
from transforms.offence_repeats import find_doubts
from transforms.periods import FinancialYear, PeriodError, parse_quarter_number
from transforms.readers.workbooks import Sheet, read_workbook


class _CellError(Exception):
    """A cell does not hold what its column does; `str()` says what was expected."""


COUNTS = pa.schema(
    (
        pa.field("release_id", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),  # csp or pfa
        pa.field("financial_year", pa.string(), nullable=False),  # 2015/16
        pa.field("quarter", pa.int8(), nullable=False),  # 1 to 4
        pa.field("force_name", pa.string(), nullable=False),
        pa.field("area_name", pa.string(), nullable=False),  # the partnership's name, or the force's again
        pa.field("offence_code", pa.string(), nullable=False),
        pa.field("offence_name", pa.string(), nullable=False),
        pa.field("offence_group", pa.string(), nullable=False),
        pa.field("offence_subgroup", pa.string(), nullable=False),
        pa.field("offences", pa.int64()),  # null where the release says N/a
        pa.field("file_name", pa.string(), nullable=False),
        pa.field("sheet", pa.string(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),  # as a spreadsheet numbers it
    )
)

IntArray = npt.NDArray[np.integer]
IsKnownArea = Callable[[str, str], bool]  # (level, published name) -> is it an area that the reference tables know


@dataclass
class ReleaseReader:
    """Reads the files of one release year by year; after `years()` the rest of what it says is here too."""

    release_id: str
    files: Sequence[Path]
    is_known: IsKnownArea
    codes: KnownCodes = field(default_factory=KnownCodes)
    level: str | None = None
    notes: Notes = field(default_factory=Notes)
    doubts: list[str] = field(default_factory=list)  # a sentence each: what is read, and may be wrong

    def years(self) -> Iterator[tuple[FinancialYear, pa.Table]]:
        """Yield (financial year, rows in the `COUNTS` schema, sorted), one sheet at a time.

        Raises PublishedFileError at the first cell that the layout does not allow.
        """
        seen: dict[FinancialYear, str] = {}
        for path in self.files:
            for sheet in read_workbook(path):
                header = find_header(sheet)
                if header is None:
                    self.notes.add(read_notes(sheet))
                    continue
                level = "csp" if "area_name" in header.columns else "pfa"
                if self.level not in (None, level):
                    raise PublishedFileError(
                        sheet.file, f"a {self.level} table in every sheet", f"a {level} table", sheet=sheet.name
                    )
                self.level = level
                table = _normalise(self.release_id, level, sheet, header, self.is_known, self.codes)
                for name in pc.unique(table["financial_year"]):
                    year = FinancialYear.parse(str(name))
                    where = f"{path.name}, sheet {sheet.name}"
                    if year in seen:
                        raise PublishedFileError(
                            sheet.file, f"{year} in one sheet only", f"it in {seen[year]} too", sheet=sheet.name
                        )
                    seen[year] = where
                    of_year = table.filter(pc.equal(table["financial_year"], name))
                    self.doubts += find_doubts(of_year)
                    yield year, of_year
                del sheet, table  # before the next sheet is read, which is as large
        if not seen:
            first = self.files[0].name if self.files else self.release_id
            raise PublishedFileError(first, "a sheet of offences by force or partnership", "none with a header row")


def _normalise(
    release_id: str, level: str, sheet: Sheet, header: Header, is_known: IsKnownArea, known_codes: KnownCodes
) -> pa.Table:
    body = sheet.cells.slice(header.index + 1)
    places = dict(header.columns)
    if level == "pfa":
        places["area_name"] = places["force_name"]
    filled = {column: body.column(place).is_valid().to_numpy() for column, place in places.items()}
    has_figures = filled["quarter"] | filled["offence_code"] | filled["offences"]  # else blank, or a note below them
    damaged = np.flatnonzero(~has_figures & filled["financial_year"] & filled["area_name"])
    if len(damaged):
        raise PublishedFileError(
            sheet.file,
            "a quarter, an offence code and a count",
            "three empty cells",
            sheet.name,
            int(damaged[0]) + header.index + 2,
        )
    rows = np.flatnonzero(has_figures).astype(np.int32)
    if len(rows) == 0:
        raise PublishedFileError(sheet.file, "rows of figures below the header", "none", sheet=sheet.name)
    figures = body.take(rows)
    _refuse_cells_without_header(sheet, header, figures, rows)
    cells = _Cells(sheet, header.index, figures, places, rows)

    def area(kind: str, what: str) -> Callable[[str], str]:
        def known(text: str) -> str:
            if not is_known(kind, name := _name(text)):
                raise _CellError(f"a known {what}")
            return name

        return known

    def code(text: str) -> str:
        found = text.strip()
        if fault := known_codes.find_fault(found) if found else "an offence code":
            raise _CellError(fault)
        return found

    force = area("pfa", "police force")
    texts = {
        "financial_year": cells.texts("financial_year", _year),
        "force_name": cells.texts("force_name", force),
        "area_name": cells.texts("area_name", area("csp", "partnership (CSP)") if level == "csp" else force),
        "offence_code": cells.texts("offence_code", code),
        "offence_name": cells.texts("offence_name", _name),
        "offence_group": cells.texts("offence_group", _name),
        "offence_subgroup": cells.texts("offence_subgroup", _name),
    }
    _refuse_eaten_codes(cells, texts["offence_code"], texts["offence_name"], known_codes)
    quarters = cells.numbers("quarter", _quarter)
    counts = cells.numbers("offences", _count)
    order = np.lexsort(
        (
            rows,
            texts["offence_code"].codes,
            texts["area_name"].codes,
            texts["force_name"].codes,
            quarters,
            texts["financial_year"].codes,
        )
    )  # the last key is the first to sort by
    columns: dict[str, pa.Array[Any]] = {name: text.take(order) for name, text in texts.items()}
    for name, value in {"release_id": release_id, "level": level, "file_name": sheet.file, "sheet": sheet.name}.items():
        columns[name] = pa.DictionaryArray.from_arrays(np.zeros(len(order), np.int32), pa.array([value]))
    columns["quarter"] = pa.array(quarters[order], pa.int8())
    columns["offences"] = pa.array(counts[order], pa.int64(), mask=counts[order] == _NOT_KNOWN)
    columns["row"] = pa.array((rows + header.index + 2)[order], pa.int32())
    schema = pa.schema([f if f.name in ("quarter", "offences", "row") else f.with_type(_TEXT) for f in COUNTS])
    return pa.Table.from_arrays([columns[f.name] for f in schema], schema=schema)


def _refuse_cells_without_header(sheet: Sheet, header: Header, figures: pa.Table, rows: IntArray) -> None:
    """A row longer than the header was cut in the wrong place (a comma without quotes); its count is not its count."""
    for place, cells in enumerate(figures.columns):
        if place not in header.columns.values() and cells.null_count < len(cells):
            first = int(np.flatnonzero(cells.is_valid().to_numpy())[0])
            raise PublishedFileError(
                sheet.file,
                "figures under the header only",
                f"{quoted(cells[first].as_py())} in column {place + 1}",
                sheet.name,
                int(rows[first]) + header.index + 2,
            )


_WHOLE_NUMBER = re.compile(r"-?(\d{1,9}|\d{1,3}(,\d{3}){1,2})(\.0+)?", re.ASCII)  # of which a million can be summed


def _refuse_eaten_codes(cells: _Cells, codes: _Texts, names: _Texts, known_codes: KnownCodes) -> None:
    """A spreadsheet that takes 4.10 for a number leaves 4.1, which is another offence; the description tells."""
    pairs = codes.codes.astype(np.int64) * len(names.values) + names.codes
    values, firsts = np.unique(pairs, return_index=True)
    for value, first in zip(values.tolist(), firsts.tolist(), strict=True):
        code, name = codes.values[value // len(names.values)], names.values[value % len(names.values)]
        if eaten := known_codes.find_eaten(code, name):
            raise cells.error("offence_code", first, f'the code "{eaten}" of {quoted(name)}', quoted(code))


_TEXT = pa.dictionary(pa.int32(), pa.string())
_NOT_KNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True)
class _Texts:
    """A text column as places in its sorted distinct values, so that sorting is by number."""

    codes: IntArray
    values: list[str]

    def take(self, order: IntArray) -> pa.Array[Any]:
        codes = pa.array(self.codes[order], pa.int32())
        return pa.DictionaryArray.from_arrays(codes, pa.array(self.values, pa.string()))


@dataclass(frozen=True)
class _Cells:
    """The cells of a sheet's data rows. Parses each distinct text once, and knows in which row a bad one stands."""

    sheet: Sheet
    header_index: int
    body: pa.Table
    places: dict[str, int]
    rows: IntArray  # of the body, before blank rows were set aside

    def texts(self, column: str, parse: Callable[[str], str]) -> _Texts:
        codes, parsed = self._parse(column, parse)
        values = sorted(set(parsed))
        rank = {value: i for i, value in enumerate(values)}
        return _Texts(np.array([rank[value] for value in parsed], np.int32)[codes], values)

    def numbers(self, column: str, parse: Callable[[str], int]) -> IntArray:
        codes, parsed = self._parse(column, parse)
        return np.array(parsed, np.int64)[codes]

    def _parse(self, column: str, parse: Callable[[str], Any]) -> tuple[IntArray, list[Any]]:
        cells: Any = pa.concat_arrays(self.body.column(self.places[column]).chunks)
        if not pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_encode()
        texts = [*cells.dictionary.to_pylist(), ""]
        filled = pc.fill_null(cells.indices, len(texts) - 1).to_numpy(zero_copy_only=False)
        used, codes = np.unique(filled, return_inverse=True)
        parsed = []
        for place, which in enumerate(used):
            try:
                parsed.append(parse(_without_invisible(texts[which] or "")))
            except _CellError as error:
                first = int(np.flatnonzero(codes == place)[0])
                raise self.error(column, first, str(error), quoted(texts[which])) from error
        return codes, parsed

    def error(self, column: str, place: int, expected: str, found: str) -> PublishedFileError:
        """A fault in a cell of one of our columns, in the row that stands at a place."""
        published = str(self.sheet.row(self.header_index)[self.places[column]]).strip()
        row = int(self.rows[place]) + self.header_index + 2
        return PublishedFileError(self.sheet.file, expected, found, self.sheet.name, row, published)


def _without_invisible(text: str) -> str:
    """A text without characters that nobody sees, such as blanks of no width and byte-order marks."""
    return text if text.isascii() else "".join(c for c in text if unicodedata.category(c) != "Cf")


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise _CellError("a name")
    return name


def _year(text: str) -> str:
    try:
        return str(FinancialYear.parse(text))
    except PeriodError as error:
        raise _CellError("a financial year such as 2015/16") from error


def _quarter(text: str) -> int:
    try:
        return parse_quarter_number(text)
    except PeriodError as error:
        raise _CellError("a quarter 1 to 4") from error


def _count(text: str) -> int:
    """A whole number, which may be negative (it corrects an earlier quarter); N/a is not known, and not nought."""
    cell = text.strip()
    if cell.casefold() == "n/a":
        return int(_NOT_KNOWN)
    if not _WHOLE_NUMBER.fullmatch(cell):
        raise _CellError("a whole number or N/a")
    return int(cell.partition(".")[0].replace(",", ""))
