"""What readers on any host see of a store: the published database, the tables, the run log (flows/storage/data_dir.py).

The object warehouse/CURRENT names the database that readers see, and the older ones that are kept to go back to. It is written
last, when all that it names is there: a reader finds the old database or the new one, whole.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flows.storage import lease
from flows.storage.data_dir import open_store
from flows.storage.object_store import Store, StoreError
from flows.warehouse import table_export, versions

CURRENT = "warehouse/CURRENT"
INCOMING = ".incoming"  # in a working copy: databases that are being pulled
PUSHES = 8
TRIES = 3  # a reader that is overtaken by two publications may find that what it was told of is gone


@dataclass(frozen=True)
class Pointer:
    """What CURRENT says: file names of databases; `kept` with the last published first."""

    current: str
    kept: list[str]
    rolled_back: list[str] = field(default_factory=list)


def read_pointer(there: Store) -> Pointer | None:
    """What readers are to see, or None as long as nothing is published."""
    data = there.read(CURRENT)
    return None if data is None else Pointer(**json.loads(data))


def pull_published(there: Store) -> Path | None:
    """The database that readers see now, pulled unless it is here; the working copy points at it too."""
    for _ in range(TRIES):
        now = read_pointer(there)
        if now is None:
            return None
        if pull_build(there, now.current):
            return _mirror(there, now)
    raise StoreError(f"{there.address}: expected {now.current if now else 'a database'}, as {CURRENT} says, found none.")


def pull_build(there: Store, name: str) -> bool:
    """Have a database here; False when the store does not have it."""
    target = there.here / "warehouse" / name
    if target.exists():
        return True
    found = there.info(f"warehouse/{name}")
    if found is None:
        return False
    aside = there.here / INCOMING / f"{name}.{os.getpid()}"
    aside.parent.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        there.pull(f"warehouse/{name}", aside, found.size)
        os.utime(aside, ns=(versions.UNPUBLISHED, versions.UNPUBLISHED))
        aside.chmod(0o444)
        aside.rename(target)
    finally:
        aside.unlink(missing_ok=True)
    return True


def publish(there: Store, database: Path, keep: int) -> bool:
    """Show readers on all hosts a finished build; False when they see it already, or when it was rolled back.

    Raises lease.StoreBusy, before anybody sees anything, when another run has taken the place of this one.
    """
    before = read_pointer(there)
    if versions.is_rolled_back(database) or (before is not None and before.current == database.name):
        return False
    name = f"warehouse/{database.name}"
    there_already = there.info(name)
    if there_already is None or there_already.size != database.stat().st_size:
        there.push(name, database)
    older = [build for build in before.kept if build != database.name] if before is not None else []
    _write_pointer(
        there, Pointer(database.name, [database.name, *older][:keep], before.rolled_back if before is not None else [])
    )
    versions.publish(database, keep)
    return True


def roll_back(data_dir: Path, to: str | None) -> tuple[Path, Path]:
    """builds.roll_back, for readers on all hosts where the data folder lies in a store; returns (left, shown)."""
    there = open_store(data_dir)
    now = read_pointer(there) if there is not None else None
    if there is None or now is None:
        return versions.roll_back(data_dir, to)
    pull_published(there)  # first, because what the working copy is pointed at counts as published just now
    for age, name in enumerate(now.kept):
        if pull_build(there, name):
            when = 1_000_000_000 * (1_000_000 - age)  # any time will do that puts them in order
            os.utime(there.here / "warehouse" / name, ns=(when, when))
    left, target = versions.roll_back(data_dir, to)
    names = dict.fromkeys([*now.rolled_back, *now.kept])
    marked = [name for name in names if versions.is_rolled_back(there.here / "warehouse" / name)]
    _write_pointer(there, Pointer(target.name, now.kept, marked))
    return left, target


def export(data_dir: Path, database: Path) -> int:
    """Write the tables (flows/warehouse/table_export.py), and push those that changed, the stamp last; returns how many pairs."""
    there = open_store(data_dir)
    folder = data_dir / "tables"
    if there is None:
        return table_export.export(database, folder)
    name = f"tables/{table_export.STAMP}"
    before = _rows(there.read(name))
    if before["database"] == database.name:
        return 0
    table_export.export(database, folder)
    stamp = (folder / table_export.STAMP).read_bytes()
    changed = [pair for pair, value in _rows(stamp)["rows"].items() if before["rows"].get(pair) != value]
    files = [f"{pair}{suffix}" for pair in changed for suffix in (".csv", ".parquet")]
    with ThreadPoolExecutor(PUSHES) as pool:  # small files: the store's answers are what takes time
        for _ in pool.map(lambda file: there.push(f"tables/{file}", folder / file), files):
            pass
    there.write(name, stamp)
    return len(changed)


def _rows(stamp: bytes | None) -> dict[str, Any]:
    return {"database": "", "rows": {}} if stamp is None else dict(json.loads(stamp))


def _write_pointer(there: Store, now: Pointer) -> None:
    lease.check_still_held(there)
    there.write(CURRENT, json.dumps(asdict(now), indent=1).encode())
    for name in there.objects("warehouse"):
        if name.endswith(".duckdb") and name.removeprefix("warehouse/") not in {now.current, *now.kept}:
            there.remove(name)


def _mirror(there: Store, now: Pointer) -> Path:
    """The working copy's own link, and marks of what was rolled back, as CURRENT has them; what it does not keep goes."""
    target = (there.here / "warehouse" / now.current).resolve()
    versions.mirror(target, now.rolled_back)
    for build in versions.kept(there.here):
        if build != target and build.name not in now.kept and not versions.is_open_elsewhere(build):
            build.unlink()
    return target
