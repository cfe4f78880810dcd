"""A reader on another host: `python -m tools.scale.reader DATA_DIR OUT` writes each public table to OUT/<table>.parquet.

Connects as the commands do, by the environment and the data folder alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flows.queries import connection
from flows.settings import data_store
from sql import contract, quoted


def main() -> None:
    out = Path(sys.argv[2])
    out.mkdir(parents=True)
    with connection.connect(data_store(sys.argv[1])) as con:
        for table in (*contract.TABLES, *contract.VIEWS):
            con.execute(f"copy (from {table.name}) to {quoted(str(out / f'{table.name}.parquet'))}")


if __name__ == "__main__":
    main()
