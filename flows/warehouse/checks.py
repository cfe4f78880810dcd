"""The checks of a build as data: the models of sql/40_checks, and what the contract promises of keys and nulls.

What a broken check leads to is not decided here: build.py refuses to publish, and the run summary tells of warnings.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.common.quality_check import Check
from sql import contract, read_models


def run_checks(con: duckdb.DuckDBPyConnection) -> list[Check]:
    """Each model of sql/40_checks; for each public table that its key is unique, and a value wherever one is promised."""
    checks = []
    for model in read_models("40_checks"):
        lines = model.query.splitlines()
        head = dict(line[3:].split(": ", 1) for line in lines if line.startswith("-- ") and ": " in line)
        checks.append(_run_check(con, model.name, head["guards"], head["required"] == "yes", model.query))
    for table in (*contract.TABLES, *contract.WIDE_VIEWS):
        if table.name in contract.UNMODELLED:
            continue
        keys = ", ".join(f'"{column}"' for column in table.key)
        if table in contract.TABLES:  # the keys of views follow from those of the tables that they join
            doubled = f'select {keys}, count(*) as rows from main."{table.name}" group by all having count(*) > 1'
            checks.append(_run_check(con, f"key_of_{table.name}", f"{table.name} has one row per {table.grain}", True, doubled))
        lacking = " or ".join(f'"{column.name}" is null' for column in table.columns if not column.nullable)
        empty = f'select {keys} from main."{table.name}" where {lacking}'
        guards = f"{table.name} has a value where the contract promises one"
        checks.append(_run_check(con, f"nulls_in_{table.name}", guards, True, empty))
    return sorted(checks, key=lambda check: check.name)


def _run_check(con: duckdb.DuckDBPyConnection, name: str, guards: str, required: bool, query: str) -> Check:
    """Count the rows that break a check, and put the first three into words; a column `finding` speaks for itself."""
    result = con.execute(f"select *, count(*) over () as rows_broken from (\n{query}\n) order by all limit 3")
    columns = [column[0] for column in result.description[:-1]]
    rows = result.fetchall()
    examples = [
        ", ".join(
            f"{column} {value}" if column != "finding" else value
            for column, value in zip(columns, row[:-1], strict=True)
            if value is not None
        )
        for row in rows
    ]
    return Check(name, guards, required, rows[0][-1] if rows else 0, "; ".join(examples))


def read_checks(database: Path) -> list[Check]:
    """The checks that stand in a finished database, in the order of their names."""
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.execute("select check_name, guards, required, rows_broken, examples from quality_checks").fetchall()
    return [Check(*row) for row in rows]
