"""What persons of councils can be: compared with what other files say of the same councils, and with England and Wales.

A difference of more than 5% is named by a check of the build. Here is what stops a file: a council twice or half as large as in
other files, or a whole of England and Wales that is far from what the ONS printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

import pyarrow as pa

from transforms.errors import PublishedFileError

WHOLE = 300  # councils: England and Wales had 376 in 2002 and has 318 since 2023
MOST_OFF = 0.05  # of the sum of all councils; that of mid-2020 was revised by 0.5% after the Census of 2021
FACTOR = 2  # between a council's persons in two files, in the same or neighbouring years


@dataclass(frozen=True)
class KnownPersons:
    """Persons of one council in one mid-year, and the file that says so."""

    code: str
    year: int
    persons: int
    file: str


def check_persons(file: str, table: pa.Table, known: Iterable[KnownPersons], totals: Mapping[int, int]) -> None:
    """Hold a file's persons (in the `POPULATIONS` schema) against those of other files, and against England and Wales.

    `totals` is mid-year → persons in England and Wales. Raises PublishedFileError for what cannot be.
    """
    rows = [row for row in table.to_pylist() if row["area_kind"] == "council"]
    _check_totals(file, rows, totals)
    by_council: dict[tuple[str, int], list[KnownPersons]] = {}
    for one in known:
        for year in (one.year - 1, one.year, one.year + 1):
            by_council.setdefault((one.code, year), []).append(one)
    for row in rows:
        others = by_council.get((row["area_code"], row["year"]), [])
        if not others:
            continue
        usual = median(other.persons for other in others)
        if not usual / FACTOR < row["persons"] < usual * FACTOR:
            nearest = min(others, key=lambda other: (abs(other.year - row["year"]), abs(other.persons - usual)))
            expected = (
                f"about {nearest.persons:,} persons in {row['area_name']} ({row['area_code']}) in mid-{row['year']}, "
                f"as {nearest.file} gives for mid-{nearest.year}"
            )
            raise PublishedFileError(file, expected, f"{row['persons']:,}", row["sheet"], row["row"])


def _check_totals(file: str, rows: list[dict[str, object]], totals: Mapping[int, int]) -> None:
    sums: dict[int, dict[object, int]] = {}
    for row in rows:
        sums.setdefault(int(str(row["year"])), {})[row["area_code"]] = int(str(row["persons"]))
    for year, councils in sorted(sums.items()):
        if len(councils) < WHOLE or not totals:
            continue
        nearest = min(totals, key=lambda known: abs(known - year))
        total = sum(councils.values())
        if abs(total / totals[nearest] - 1) > MOST_OFF + 0.01 * abs(nearest - year):
            expected = f"about {totals[nearest]:,} persons in England and Wales in mid-{year}, as the ONS gives for mid-{nearest}"
            raise PublishedFileError(file, expected, f"{total:,} in {len(councils)} councils")
