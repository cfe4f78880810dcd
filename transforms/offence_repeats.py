"""Rows of one sheet that stand there more than once, and codes that bear two descriptions side by side.

Repeated keys are summed, for a release may give several rows to one key (an earlier one of 2017/18 has four homicide rows a
quarter). What is certainly wrong is refused here; what is doubtful is said in a sentence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import PublishedFileError
from transforms.offence_codes import fold

IntArray = npt.NDArray[np.integer]
KEY = ("quarter", "force_name", "area_name", "offence_code")
MANY = 100  # one row in so many that is there twice is no slip
MERGED = "/"  # in the code of several offences together, which may have a row each


def find_doubts(table: pa.Table) -> list[str]:
    """A sentence for each kind of doubtful rows of one financial year, sorted as the `COUNTS` schema says.

    Raises PublishedFileError when rows with a count stand there twice in more than a slip, or a code has two descriptions in most
    areas: each is counted, and every figure would be too high.
    """
    doubts = _find_repeats(table)
    doubts += _find_descriptions(table)
    return doubts


def _find_repeats(table: pa.Table) -> list[str]:
    places = _repeated_places(table)
    if len(places) == 0:
        return []
    keys: dict[tuple[object, ...], list[tuple[int, object, str]]] = defaultdict(list)
    rows = table.take(places).to_pylist()
    for row in rows:
        keys[tuple(row[name] for name in KEY)].append((row["row"], row["offences"], fold(row["offence_name"])))
    twice = {key: found for key, found in keys.items() if _is_doubled(found)}
    varied = {key[3] for key, found in keys.items() if any(count for _, count, _ in found) and not _is_doubled(found)}
    twice = {key: found for key, found in twice.items() if not (MERGED in str(key[3]) and key[3] in varied)}
    others = {key: found for key, found in keys.items() if key not in twice and MERGED not in str(key[3]) and _any_count(found)}
    sheet, file = rows[0]["sheet"], rows[0]["file_name"]
    doubts = []
    if twice:
        surplus = sum(len(found) - len({(count, name) for _, count, name in found}) for found in twice.values())
        (quarter, _, area, code), found = next(iter(twice.items()))
        lines = ", ".join(str(row) for row, _, _ in found[:4])
        of_whom = f"{code} in {area}, quarter {quarter}, in rows {lines}"
        if surplus * MANY >= table.num_rows:
            said = f"rows that stand there again: {surplus:,}, such as {of_whom}"
            raise PublishedFileError(file, "each row once", said, sheet, found[1][0])
        doubts.append(f"{file}, sheet {sheet}: rows that stand there again, and are summed: {surplus:,}, such as {of_whom}")
    if others:
        (quarter, _, area, code), found = next(iter(others.items()))
        lines = ", ".join(str(row) for row, _, _ in found[:4])
        doubts.append(
            f"{file}, sheet {sheet}: counts in several rows, which are summed: {len(others):,}, "
            f"such as {code} in {area}, quarter {quarter}, in rows {lines}"
        )
    return doubts


def _repeated_places(table: pa.Table) -> IntArray:
    """Places of the rows that share a key with the row before or after; the table is sorted by key."""
    same = np.ones(max(table.num_rows - 1, 0), bool)
    for name in KEY:
        values, _ = _dictionary(table[name])
        same &= values[1:] == values[:-1]
    return np.flatnonzero(np.concatenate([same, [False]]) | np.concatenate([[False], same]))


def _any_count(found: list[tuple[int, object, str]]) -> bool:
    return any(count for _, count, _ in found)


def _is_doubled(found: list[tuple[int, object, str]]) -> bool:
    """Whether every row of a key stands there twice (or three times), and counts something."""
    times = Counter((count, name) for _, count, name in found)
    return _any_count(found) and gcd(*times.values()) > 1


def _find_descriptions(table: pa.Table) -> list[str]:
    """Codes with two descriptions in one quarter."""
    quarters = table["quarter"].to_numpy()
    codes, code_names = _dictionary(table["offence_code"])
    texts, descriptions = _dictionary(table["offence_name"])
    pairs = (quarters.astype(np.int64) * len(code_names) + codes) * len(descriptions) + texts
    values, firsts, times = np.unique(pairs, return_index=True, return_counts=True)
    found: dict[tuple[int, str], dict[str, tuple[int, int]]] = defaultdict(dict)  # → description → (places, a row)
    for value, first, count in zip(values.tolist(), firsts.tolist(), times.tolist(), strict=True):
        key = value // len(descriptions) // len(code_names), code_names[value // len(descriptions) % len(code_names)]
        name = fold(descriptions[value % len(descriptions)])
        before, row = found[key].get(name, (0, int(table["row"][first].as_py())))
        found[key][name] = (before + count, row)
    sheet, file = table["sheet"][0].as_py(), table["file_name"][0].as_py()
    doubts = []
    for (quarter, code), by_name in sorted(found.items()):
        if len(by_name) == 1:
            continue
        (first_name, (most, _)), (second_name, (fewer, row)) = sorted(by_name.items(), key=lambda item: -item[1][0])[:2]
        if fewer > 1 and fewer * 2 >= most:
            said = f'"{first_name}" and "{second_name}" in quarter {quarter}'
            raise PublishedFileError(file, f"one description of the code {code}", said, sheet, row)
        doubts.append(
            f'{file}, sheet {sheet}, row {row}: {code} is called "{second_name}" here and "{first_name}" in {most:,} other rows, '
            f"and is counted under its code"
        )
    return doubts


def _dictionary(column: pa.ChunkedArray[Any]) -> tuple[IntArray, list[Any]]:
    """The places of a column's values in the list of them."""
    encoded: Any = column.combine_chunks()
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
