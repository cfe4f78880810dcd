"""A writer that stands still in the midst of its commit: `python -m tests.support.lakehouse_stopper CATALOG SIGNAL`."""

from __future__ import annotations

import sys
from pathlib import Path

from flows.settings import lakehouse_access
from flows.warehouse import ducklake
from tests.support.lakehouse_writer import hold

NEXT = (
    "insert into {0} select snapshot_id + 1, now(), schema_version, next_catalog_id, next_file_id from {0} "
    "order by snapshot_id desc limit 1"
)


def main(catalog: str, signal: str) -> None:
    """Take the number of the next snapshot, as each commit does first, and hold it until SIGNAL.go is there."""
    with ducklake.connect_writable(catalog, "", lakehouse_access()) as con:
        con.execute("begin")
        con.execute(NEXT.format(f"__ducklake_metadata_{ducklake.NAME}.public.ducklake_snapshot"))
        hold(Path(signal))
        con.execute("rollback")


if __name__ == "__main__":
    main(*sys.argv[1:])
