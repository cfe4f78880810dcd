"""The builds that lie in data/warehouse: which one readers see, which are kept to go back to, which were rolled back.

crime_rates.duckdb is a relative symlink that is repointed in one step; where the file system has no symlinks, CURRENT holds the
name of the build instead. A build that was rolled back has a marker beside it, and no run publishes it again.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.common.atomic_files import write_text
from flows.storage.data_dir import display_name
from flows.warehouse.published import current_build, point_at, published
from transforms.errors import CrimeRatesError

ROLLED_BACK = ".rolled_back"
UNPUBLISHED = 0  # the modification time of a build until it is published; then the order of publication


class NoSuchBuild(CrimeRatesError, LookupError):
    """No build that is kept fits what was asked for."""


class DiskFull(CrimeRatesError, RuntimeError):
    """There is no room for a build; what was published stands."""


def mirror(target: Path, rolled_back: Sequence[str]) -> None:
    """Let the links of a working copy stand as in its store: the database that readers see, file names of those rolled back."""
    if current_build(target.parent) != target:
        point_at(target)
    marks = {f"{name}{ROLLED_BACK}" for name in rolled_back}
    for mark in target.parent.glob(f"*{ROLLED_BACK}"):
        if mark.name not in marks:
            mark.unlink()
    for name in marks:
        if not (target.parent / name).exists():
            write_text(target.parent / name, "rolled back\n")


def publish(target: Path, keep: int) -> bool:
    """Show readers a finished build, in one step; False when they see it already, or when it was rolled back.

    Of the older builds the newest `keep` - 1 stay, and those that a process of this machine still holds open.
    """
    if is_rolled_back(target):
        return False
    changed = current_build(target.parent) != target.resolve()
    if changed:
        point_at(target)
    _prune(target, keep)
    return changed


def roll_back(data_dir: Path, to: str | None = None) -> tuple[Path, Path]:
    """Show readers the build before the one that they see, or the one whose name holds `to`; returns (left, shown).

    Builds newer than the one shown are marked, so that the next run does not publish them again; going forward to one with
    `to` takes its mark away. Raises NoSuchBuild.
    """
    current = published(data_dir)
    if current is None:
        raise NoSuchBuild(f"{display_name(data_dir)} holds no published database, so there is nothing to roll back.")
    builds = kept(data_dir)
    older = builds[builds.index(current) + 1 :] if current in builds else builds
    fits = older[:1] if to is None else [build for build in builds if to in build.stem]
    if to is None and not older:
        raise NoSuchBuild(f"There is no older build than {current.stem} to go back to.")
    if len(fits) != 1:
        held = ", ".join(build.stem for build in builds)
        raise NoSuchBuild(f"expected one build whose name holds {to!r}, found {len(fits)}; kept, newest first: {held}.")
    target = fits[0]
    if target == current:
        raise NoSuchBuild(f"Readers see {target.stem} already.")
    for newer in builds[: builds.index(target)]:
        write_text(_marker(newer), f"rolled back to {target.name}\n")
    _marker(target).unlink(missing_ok=True)
    published_when = target.stat().st_mtime_ns
    point_at(target)
    os.utime(target, ns=(published_when, published_when))  # it keeps its place in the order
    return current, target


def kept(data_dir: Path) -> list[Path]:
    """The builds that were published and are there still, the last published first."""
    return [build for build in _newest_first(data_dir / "warehouse") if build.stat().st_mtime_ns != UNPUBLISHED]


def is_rolled_back(build: Path) -> bool:
    """Whether readers were taken off this build by hand."""
    return _marker(build).exists()


def is_open_elsewhere(build: Path) -> bool:
    """Whether another process of this machine has the database open.

    Every DuckDB client holds a shared record lock on the file; to ask who would stand in the way of an exclusive one takes
    no lock and needs no right to write. False where the system cannot tell: a reader keeps what it opened even so.
    """
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    layout = "hhqqi4x"  # struct flock: type, whence, start, length, process
    with build.open("rb") as file:
        asked = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    return bool(struct.unpack(layout, answer)[0] != fcntl.F_UNLCK)


def check_room(folder: Path, expected_bytes: int) -> None:
    """Raises DiskFull unless the disk of `folder` has room for a build."""
    free = shutil.disk_usage(folder).free
    if free < expected_bytes:
        raise DiskFull(
            f"{folder}: expected {expected_bytes / 1e6:,.0f} MB of free disk for a build, found {free / 1e6:,.0f} MB; "
            "nothing was built, and what is published stands."
        )


def _prune(target: Path, keep: int) -> None:
    others = [build for build in _newest_first(target.parent) if build != target.resolve()]
    for place, old in enumerate(others, start=1):
        if (place >= keep or old.stat().st_mtime_ns == UNPUBLISHED) and not is_open_elsewhere(old):
            old.unlink()


def _newest_first(warehouse: Path) -> list[Path]:
    return sorted(
        (build.resolve() for build in warehouse.glob("crime_rates-*.duckdb")),
        key=lambda build: (build.stat().st_mtime_ns, build.name),
        reverse=True,
    )


def _marker(build: Path) -> Path:
    return build.with_name(f"{build.name}{ROLLED_BACK}")
