"""What `crime-rates table` does, without the library that parses commands: importing it takes longer than the query.

`query_commands` declares the command for everybody; `parse_plain_table` reads the plain calls itself, so that they start faster.
Both make a `TableRequest`, and one function answers it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from flows.queries.levels import AreaBasis, Level
from flows.rendering.formats import TableFormat
from transforms.errors import UsageError

if TYPE_CHECKING:
    from flows.queries.ranked_table import RankedTable
    from flows.storage.data_store import DataStore
    from sql.rows import RankedRate

PLAIN_OPTIONS = ("--offence", "--level", "--area", "--top", "--format", "--data-dir")


@dataclass(frozen=True)
class TableRequest:
    """The ranked table that is asked for, as the options of the command give it."""

    half_year: str
    offence: str = "total"
    level: Level = Level.CSP
    top: int | None = None
    area: str | None = None
    as_of: date | None = None
    area_basis: AreaBasis = AreaBasis.PUBLISHED
    population_year: int | None = None
    population_vintage: date | None = None
    format: TableFormat = TableFormat.TEXT


def write_table(store: DataStore, request: TableRequest) -> None:
    """Write the table to standard output. Raises CrimeRatesError where there is no such table, or no terminal for its bytes."""
    from flows.queries import connection, ranked_table
    from flows.rendering import ranked_table_text
    from transforms.periods import HalfYear

    half_year = HalfYear.parse(request.half_year)
    basis = ranked_table.TableBasis(request.as_of, request.population_year, request.population_vintage, request.area_basis)
    with connection.connect(store) as con:
        table = ranked_table.fetch_ranked_table(con, half_year, request.level, request.offence, basis)
        area_name = ranked_table.find_area_in_table(con, table, request.area) if request.area is not None else None
    rows = table.select(request.top, area_name)
    if request.format in (TableFormat.PARQUET, TableFormat.XLSX):
        _write_bytes(table, rows, request.format)
    else:
        sys.stdout.write(ranked_table_text.render(table, rows, request.format))


def parse_plain_table(words: Sequence[str]) -> tuple[TableRequest, str | None] | None:
    """The request of `table HALF_YEAR` with PLAIN_OPTIONS, each once and as `--option VALUE`, and the data folder if named.

    None for everything else, and for every value that may be wrong: the full parser then reads it, or says what is wrong.
    """
    if len(words) < 2 or words[0] != "table" or len(words) % 2:
        return None
    half_year, options, values = words[1], words[2::2], words[3::2]
    given = dict(zip(options, values, strict=True))
    if len(given) < len(options) or not set(given) <= set(PLAIN_OPTIONS):
        return None
    if any(not value or value.startswith("-") for value in (half_year, *values)):
        return None
    level, top, form = given.get("--level", "csp"), given.get("--top"), given.get("--format", "text")
    if (
        level not in list(Level)
        or form not in list(TableFormat)
        or (top is not None and not re.fullmatch("[1-9][0-9]{0,8}", top))
    ):
        return None
    request = TableRequest(
        half_year,
        offence=given.get("--offence", "total"),
        level=Level(level),
        top=int(top) if top is not None else None,
        area=given.get("--area"),
        format=TableFormat(form),
    )
    return request, given.get("--data-dir")


def _write_bytes(table: RankedTable, rows: Sequence[RankedRate], format: TableFormat) -> None:
    if sys.stdout.isatty():
        raise UsageError(f"--format {format} writes bytes: send standard output to a file.")
    if format is TableFormat.PARQUET:
        from flows.rendering import formats

        sys.stdout.buffer.write(formats.parquet_bytes(rows))
    else:
        from flows.rendering import xlsx

        sys.stdout.buffer.write(xlsx.xlsx_bytes(table, rows))
