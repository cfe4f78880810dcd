"""A sheet's cells in their places: from the operations that `odf_cells.py` notes to columns of text; and the bounds of a book."""

from __future__ import annotations

from dataclasses import dataclass

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
