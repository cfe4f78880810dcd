"""Which figure is explained: one row of a ranked table, with the keys by which the helper tables know it.

What is asked about it stands in figure_counts, figure_sources, figure_context and population_breakdown; derivation puts the
answers together.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from flows.queries.connection import fetch_rows
from flows.queries.lookups import fetch_area_pieces
from flows.queries.ranked_table import RankedTable, find_area_in_table
from sql.rows import RankedRate

CURRENT = "date '9999-12-31'"  # the valid_to of what no later release has replaced


@dataclass(frozen=True)
class Figure:
    """One row of a ranked table on the default basis, areas as published."""

    table: RankedTable
    row: RankedRate
    area_key: int
    whole_name: str | None  # the area that it has become a part of since

    @property
    def area_name(self) -> str:
        """The name of the area."""
        return self.row["area_name"]

    @property
    def is_sum_of_forces(self) -> bool:
        """Whether police forces make it up: a region or a country."""
        return self.table.level in ("region", "country")

    @property
    def release_level(self) -> str:
        """The level of the releases that it comes from: csp or pfa."""
        return self.table.level.release_level

    @property
    def start_year(self) -> int:
        """The calendar year in which its financial year starts."""
        return self.table.half_year.year.start

    @property
    def quarters(self) -> list[int]:
        """The numbers of its two quarters in the financial year: 1 and 2, or 3 and 4."""
        return [quarter.number for quarter in self.table.half_year.quarters]

    @property
    def quarter_keys(self) -> list[int]:
        """The keys of its two quarters in the helper tables."""
        return [quarter.key for quarter in self.table.half_year.quarters]


def fetch_figure(con: duckdb.DuckDBPyConnection, table: RankedTable, area: str) -> Figure:
    """The row of a ranked table whose area a name, or a part of one, means. Raises NotFound where there is none."""
    name = find_area_in_table(con, table, area)
    row = next(row for row in table.rows if row["area_name"] == name)
    [key] = fetch_rows(con, "select area_key from crime_rates_core.areas where level = ? and area_name = ?", [table.level, name])
    return Figure(table, row, key["area_key"], fetch_area_pieces(con, table.level).get(name))
