"""The formats in which answers are written, and rows as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from flows.common.sanitize import escape_csv_cell, sanitize_text
from sql.rows import RankedRate


class TextFormat(StrEnum):
    """The formats of every answer."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


class TableFormat(StrEnum):
    """The formats of a ranked table; PARQUET and XLSX are bytes, the others text."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    PARQUET = "parquet"
    XLSX = "xlsx"


def csv_text(rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None, line_end: str = "\n") -> str:
    """All columns of the rows (or those named), unrounded, with a header; cells that could run as formulas are escaped.

    `line_end` ends each row; line breaks within a cell stay as they are.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or (list(rows[0]) if rows else []), lineterminator=line_end)
    writer.writeheader()
    writer.writerows(
        {name: escape_csv_cell(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows
    )
    return out.getvalue()


def parquet_bytes(rows: Sequence[RankedRate]) -> bytes:
    """Rows of `ranked_rates` as a Parquet file; there may be none."""
    import pyarrow as pa  # slow to import, and needed for this format only
    import pyarrow.parquet as pq

    from sql.contract import RANKED_RATES

    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=RANKED_RATES.arrow_schema()), sink, compression="zstd")
    return bytes(sink.getvalue())


def json_text(value: object) -> str:
    """A value as JSON, dates in ISO form. Characters that would steer a terminal are written as JSON escapes."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=_jsonable) + "\n"
    if sanitize_text(text) == text:
        return text
    return "".join(c if sanitize_text(c) == c else json.dumps(c)[1:-1] for c in text)


def _jsonable(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot print a {type(value).__name__} as JSON")
