"""Which database readers see now."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from flows.common.atomic_files import fsync, write_text
from flows.storage.data_dir import open_store

LINK = "crime_rates.duckdb"
POINTER = "CURRENT"
NO_SYMLINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


def published(data_dir: Path) -> Path | None:
    """The database that readers see now, by its own name, or None. Pulled first where the data folder lies in a store."""
    there = open_store(data_dir)
    if there is None:
        return current_build(data_dir / "warehouse")
    from flows.warehouse import remote

    return remote.pull_published(there)


def current_build(warehouse: Path) -> Path | None:
    link, pointer = warehouse / LINK, warehouse / POINTER
    if link.exists():  # a plain file where the folder was copied by something that follows links
        return link.resolve()
    if pointer.exists():
        named = warehouse / pointer.read_text(encoding="utf-8").strip()
        return named.resolve() if named.is_file() else None
    return None


def point_at(target: Path) -> None:
    warehouse = target.parent
    target.with_name(f"{target.name}.wal").unlink(missing_ok=True)  # DuckDB would replay it into what readers see
    aside = warehouse / f".{LINK}.{os.getpid()}.part"
    aside.unlink(missing_ok=True)
    try:
        aside.symlink_to(target.name)
    except OSError as error:
        if error.errno not in NO_SYMLINKS:
            raise
        write_text(warehouse / POINTER, f"{target.name}\n")
    else:
        aside.replace(warehouse / LINK)
        (warehouse / POINTER).unlink(missing_ok=True)
    fsync(warehouse)
    os.utime(target)
