"""From the operations that `cells.py` notes to a sheet's columns of text, each cell in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.readers.ods.limits import MAX_COLUMNS, MAX_TEXTS, NeedsFullParse, check_limit

IntArray = npt.NDArray[np.signedinteger]


@dataclass(frozen=True)
class OdsSheet:
    """Row i of `cells` is the sheet's row i + 1, column "j" its column j + 1; null where a cell is empty or blank.

    Every column is text, dictionary-encoded. Empty rows and columns are cut after the last value, never before it.
    """

    name: str
    cells: pa.Table


class Grid:
    """The codes of a sheet's texts in their places, in bands of whole rows; rows without a text take no memory.

    `rows` counts the rows so far, `height` and `width` the rows and columns up to the last value.
    """

    def __init__(self, name: str, cells_before: int, max_cells: int) -> None:
        """`cells_before` are those of the sheets before this one, which count towards `max_cells`."""
        self.name, self.cells_before, self.max_cells = name, cells_before, max_cells
        self.bands: list[tuple[int, IntArray]] = []  # first row, codes
        self.rows = self.height = self.width = 0

    @property
    def size(self) -> int:
        """Cells up to the last value, empty ones too."""
        return self.width * self.height

    def add(self, ops: bytes) -> int:
        """Lay out the whole rows among some operations. Returns how many bytes those were.

        Raises OdsError beyond the limits, NeedsFullParse if rows do not begin and end in turn.
        """
        numbers = np.frombuffer(ops, "<i4").reshape(-1, 4)
        numbers = numbers[: np.flatnonzero(numbers[:, 3])[-1] + 1] if numbers[:, 3].any() else numbers[:0]
        begin, code, times, end = numbers.T
        row = np.cumsum(begin > 0) - 1  # of each operation
        if (row - np.cumsum(end) + end).any():
            raise NeedsFullParse
        repeats = begin[begin > 0]  # of each row
        left = np.cumsum(times) - times  # cells before each operation, in all rows,
        column, full = left - left[begin > 0][row], code > 0  # and in its own row
        if full.any():
            self._place(repeats, row[full], column[full], code[full], times[full])
        self.rows += int(repeats.sum())
        return numbers.nbytes

    def _place(self, repeats: IntArray, row: IntArray, column: IntArray, code: IntArray, times: IntArray) -> None:
        """Put each text into so many cells, from its row and column on."""
        repeats = repeats[: row[-1] + 1]
        self.width = max(self.width, int((column + times).max()))
        self.height = self.rows + int(repeats.sum())
        check_limit(self.width, MAX_COLUMNS, f"columns in sheet {self.name}")
        check_limit(self.cells_before + self.size, self.max_cells, f"cells up to sheet {self.name}")
        if times.max() > 1:
            column = np.repeat(column - np.cumsum(times) + times, times) + np.arange(times.sum())
            row, code = np.repeat(row, times), np.repeat(code, times)
        band = np.zeros((repeats.size, self.width), np.int32)
        band[row, column] = code
        self.bands.append((self.rows, np.repeat(band, repeats, axis=0) if repeats.max() > 1 else band))

    def to_table(self, texts: list[str]) -> pa.Table:
        """The sheet's cells as columns of text; code i stands for `texts[i - 1]`. Raises OdsError for too much text."""
        all_texts, columns, size = pa.array(["", *texts], pa.string()), [], 0
        for j in range(self.width):
            codes = np.zeros(self.height, np.int32)
            for first, band in self.bands:
                if j < band.shape[1]:
                    codes[first : first + len(band)] = band[:, j]
            used = pa.array(codes, mask=codes == 0).dictionary_encode()
            own = all_texts.take(used.dictionary)
            size += own.nbytes  # a long text that stands in every column is held as often
            check_limit(size, MAX_TEXTS, f"bytes of text in the columns of sheet {self.name}")
            columns.append(pa.DictionaryArray.from_arrays(used.indices, own))
        return pa.table(columns, names=[str(j) for j in range(self.width)])
