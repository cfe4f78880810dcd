"""DuckDB connections that reach only the folders that they need: for data of others, which a query reads.

Whatever a file, a name or a model holds, such a connection reads and writes nothing else on this host, asks no network, and loads
no extension.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

_CLOSED = ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions")


def seal(con: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Leave a connection only these folders, besides the database that it has open, and its settings as they are; for good.

    Only for a database that this process alone opens: DuckDB keeps one set of settings for all connections to a file.
    """
    allowed = ", ".join("'" + str(folder.absolute()).replace("'", "''") + "'" for folder in folders)
    for name in _CLOSED:
        con.execute(f"set {name} = false")
    con.execute(f"set allowed_directories = [{allowed}]")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A new folder to write databases in: this one, or one for temporary files where DuckDB cannot write in this one.

    It takes what follows a `?` in a path for options of an address, and puts the name of the log before it. The folder is gone
    at the end.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        if "?" not in str(folder.resolve()):
            yield folder
            return
        with tempfile.TemporaryDirectory(prefix="crime-rates-") as elsewhere:
            yield Path(elsewhere)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
