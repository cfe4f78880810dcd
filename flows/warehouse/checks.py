"""The checks of a build as data: the files of sql/40_checks, and what the contract promises of keys and nulls."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.common.quality_check import Check
from sql import contract, models


def run_checks(con: duckdb.DuckDBPyConnection) -> list[Check]:
    """Each file of sql/40_checks; for each public table that its key is unique, and a value wherever one is promised."""
    checks = []
    for file in models("40_checks"):
        text = file.read_text(encoding="utf-8")
        head = dict(line[3:].split(": ", 1) for line in text.splitlines() if line.startswith("-- ") and ": " in line)
        checks.append(_run_check(con, file.name.removesuffix(".sql"), head["guards"], head["required"] == "yes", text))
    for table in contract.TABLES:
        if table.name not in ("quality_checks", "data_dictionary"):
            keys = ", ".join(f'"{k}"' for k in table.key)
            checks.append(
                _run_check(
                    con,
                    f"key_of_{table.name}",
                    f"{table.name} has one row per {table.grain}",
                    True,
                    f'select {keys}, count(*) as rows from main."{table.name}" group by all having count(*) > 1',
                )
            )
            never = [f'"{c.name}"' for c in table.columns if not c.nullable]
            checks.append(
                _run_check(
                    con,
                    f"nulls_in_{table.name}",
                    f"{table.name} has a value where the contract promises one",
                    True,
                    f'select {keys} from main."{table.name}" where {" or ".join(f"{c} is null" for c in never)}',
                )
            )
    return sorted(checks, key=lambda check: check.name)


def _run_check(con: duckdb.DuckDBPyConnection, name: str, guards: str, required: bool, query: str) -> Check:
    con.execute(f"create or replace temp table broken as {query}")
    count = con.execute("select count(*) from broken").fetchall()[0][0]
    columns = [d[0] for d in con.execute("from broken order by all limit 3").description]
    examples = [
        ", ".join(
            f"{column} {value}" if column != "finding" else value
            for column, value in zip(columns, row, strict=True)
            if value is not None
        )
        for row in con.fetchall()
    ]
    return Check(name, guards, required, count, "; ".join(examples))


def checks_of(database: Path) -> list[Check]:
    """The checks that stand in a finished database."""
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.execute("select check_name, guards, required, rows_broken, examples from quality_checks").fetchall()
    return [Check(*row) for row in rows]
