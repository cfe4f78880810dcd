"""Makes what the contract declares: runs the models, writes each table in its stored order, and holds the finished file to both.

Every model is one select, and the contract says whether a table, a view or a macro is made of it. So a model that is missing,
that makes something else, or that nobody declared stops the build; nothing here reads SQL to find out what it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.warehouse.writer import Writer, create_macro, create_view
from sql import CORE_SCHEMA, SCHEMAS, Model, contract, quoted, read_models
from sql.schema import Table
from transforms.errors import CrimeRatesError

FOLDERS = tuple(SCHEMAS)
Value = str | int | bool | None


class ModelError(CrimeRatesError):
    """A model does not make what sql/contract.py declares: a fault of the program, and not of the data."""


class TableMaker:
    """Runs models in a work database, and hands each published table to the writer as <schema>.<table>.parquet in `folder`.

    `rows_made` holds, for each of them, how many rows it has.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, writer: Writer) -> None:
        """Take over a work database that has the schemas of the models."""
        self._con, self._folder, self._writer = con, folder, writer
        self._tables = {table.name: table for table in contract.TABLES}
        self._macros = {macro.name: macro for macro in (*contract.MACROS, *contract.CORE_MACROS)}
        self.rows_made: dict[str, int] = {}

    def run_models(self, *folders: str) -> None:
        """Run the models of folders of sql/. Raises ModelError; a DuckDB error has a note that names the model."""
        for model in read_models(*folders):
            try:
                self.run_model(model)
            except duckdb.Error as error:
                error.add_note(f"in {model.path}")
                raise

    def run_model(self, model: Model) -> None:
        """Make what one model stands for. A public table is not held as a table: later models and the checks read its file."""
        require_select(self._con, model)
        schema = SCHEMAS[model.folder]
        name = f"{schema}.{model.name}"
        if model.name in self._macros:
            self._con.execute(create_macro(self._macros[model.name], model))
        elif schema == "main" and model.name in self._tables:
            self._make_public_table(self._tables[model.name], model)
        elif schema == "main":
            self._con.execute(create_view(model))
        else:
            self._con.execute(f"create table {name} as\n{model.query}")
            if schema == CORE_SCHEMA:
                self._write(name, name, contract.CORE_ORDERS.get(model.name, ("all",)))

    def write_rows(self, name: str, rows: Sequence[Sequence[Value]]) -> None:
        """Write a public table that no model makes, from rows with its columns in order."""
        table = self._tables[name]
        self._con.execute(table.create_statement("main"))
        names = [column.name for column in table.columns]
        records = [dict(zip(names, row, strict=True)) for row in rows]
        self._con.from_arrow(pa.Table.from_pylist(records, schema=table.arrow_schema())).insert_into(f"main.{name}")
        self._write(f"main.{name}", f"main.{name}", table.order)

    def _make_public_table(self, table: Table, model: Model) -> None:
        found = [(row[0], row[1]) for row in self._con.execute(f"describe {model.query}").fetchall()]
        declared = [(column.name, column.type) for column in table.columns]
        if found != declared:
            raise ModelError(
                f"{model.path}: expected the columns of {table.name} in sql/contract.py, "
                f"found {_describe_difference(found, declared)}."
            )
        file = self._write(f"main.{table.name}", f"(\n{model.query}\n)", table.order)
        self._con.execute(f"create view main.{table.name} as from read_parquet({file}, hive_partitioning = false)")

    def _write(self, name: str, source: str, order: Sequence[str]) -> str:
        """Write a table to its file in its order; returns the file's name as an SQL literal."""
        file = quoted(str(self._folder / f"{name}.parquet"))
        [(rows,)] = self._con.execute(
            f"copy (from {source} order by {', '.join(order)}) to {file} (compression lz4_raw)"
        ).fetchall()
        self.rows_made[name] = rows
        self._writer.add(name)
        return file


def require_select(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Raise ModelError unless the model is one select. DuckDB's own parser says what it is."""
    found = ", ".join(statement.type.name for statement in con.extract_statements(model.query)) or "no statement"
    if found != "SELECT":
        raise ModelError(f"{model.path}: expected one select, of which the build makes {model.name}; found {found}.")


def check_models(models: Sequence[Model]) -> None:
    """Raise ModelError unless the models make each object of the contract once, and no other public one."""
    public = {model.name for model in models if SCHEMAS[model.folder] == "main"}
    core = {model.name for model in models if SCHEMAS[model.folder] == CORE_SCHEMA}
    declared = {one.name for one in (*contract.TABLES, *contract.VIEWS, *contract.MACROS)} - {*contract.UNMODELLED}
    helpers = {macro.name for macro in contract.CORE_MACROS}
    made = [f"{SCHEMAS[model.folder]}.{model.name}" for model in models]
    faults = [
        *(f"no model makes {name}, which sql/contract.py declares" for name in sorted((declared - public) | (helpers - core))),
        *(f"sql/30_public makes {name}, which sql/contract.py does not declare" for name in sorted(public - declared)),
        *(f"two models make {name}" for name in sorted({name for name in made if made.count(name) > 1})),
    ]
    if faults:
        raise ModelError(f"The models do not make what the contract declares: {'; '.join(faults)}.")


def check_finished(database: Path, rows_made: Mapping[str, int]) -> None:
    """Raise ModelError unless a finished file holds what was made, row for row in number, and what the contract declares.

    `rows_made` is schema and name of each table → its rows; a table of the contract that is not among them was never made.
    """
    expected = {name: f"a table of {rows:,} rows" for name, rows in rows_made.items()}
    expected |= {f"main.{table.name}": "a table" for table in contract.TABLES if f"main.{table.name}" not in rows_made}
    expected |= {f"main.{view.name}": "a view" for view in contract.VIEWS}
    expected |= {f"main.{macro.name}": "a macro" for macro in contract.MACROS}
    expected |= {f"{CORE_SCHEMA}.{macro.name}": "a macro" for macro in contract.CORE_MACROS}
    with duckdb.connect(str(database), read_only=True) as con:
        found = _list_objects(con)
    if faults := [
        f"{name}: expected {expected.get(name, 'nothing')}, found {found.get(name, 'nothing')}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]:
        raise ModelError(f"{database.name} does not hold what was made: {'; '.join(faults)}.")


def _list_objects(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Each table, view and macro of the open database → what it is, in words."""
    tables = con.execute("select schema_name || '.' || table_name from duckdb_tables() where not internal").fetchall()
    others = con.execute(
        "select schema_name || '.' || view_name, 'a view' from duckdb_views() where not internal "
        "union all select schema_name || '.' || function_name, 'a macro' from duckdb_functions() "
        "where not internal and database_name = current_database()"
    ).fetchall()
    counted = {name: con.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in tables}
    return {name: f"a table of {rows:,} rows" for name, rows in counted.items()} | dict(others)


def _describe_difference(found: list[tuple[str, str]], declared: list[tuple[str, str]]) -> str:
    """The first column that differs, in words."""
    for number, (is_there, wanted) in enumerate(zip(found, declared, strict=False), start=1):
        if is_there != wanted:
            return f"{' '.join(is_there)} as column {number}, not {' '.join(wanted)}"
    return f"{len(found)} columns, not {len(declared)}"
