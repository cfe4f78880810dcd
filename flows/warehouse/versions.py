"""The builds that lie side by side in warehouse/: one is published, some are kept to go back to, the rest is cleared away."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.storage.data_store import DataStore, StoredFile
from flows.warehouse.legacy_layout import remove_legacy_layout
from flows.warehouse.published import (
    FILE,
    FOLDER,
    Publication,
    PublicationError,
    is_open_elsewhere,
    link,
    read_publication,
    show_in_copy,
    update_publication,
)
from transforms.errors import CrimeRatesError

LEFTOVER_SECONDS = 86_400  # seconds that a build nobody names is left alone: another run may be about to publish it


class NoSuchBuild(CrimeRatesError):
    """No build that is kept fits what was asked for."""


class DiskFull(CrimeRatesError):
    """There is no room for a build; what was published stands."""


@dataclass(frozen=True)
class Build:
    """A build that was published and is kept."""

    file_name: str
    is_rolled_back: bool

    @property
    def name(self) -> str:
        """What people call it, and give to `rollback --to`."""
        return self.file_name.removesuffix(".duckdb")


def publish(store: DataStore, database: Path, keep: int) -> bool:
    """Show readers a finished build, in one step; False when they see it already, or when it was rolled back.

    Of the older builds the newest `keep` - 1 stay, and those that a process of this host still holds open. Raises RunInProgress,
    before anybody sees anything, when another run has taken the place of this one.
    """
    before = read_publication(store)
    if before is not None and database.name in before.rolled_back:
        return False
    files = store.list(FOLDER)
    stored = files.get(f"{FOLDER}/{database.name}")
    if stored is None or stored.size != database.stat().st_size:
        store.store_file(f"{FOLDER}/{database.name}")
    now = before
    if now is None or FILE not in files or _retain_newest(now, database, keep) != now:
        now = update_publication(store, lambda now: _retain_newest(now, database, keep))
        files = store.list(FOLDER)
    link(database)
    show_in_copy(store, now)
    _prune(store, before, now, files)
    return before is None or before.current != database.name


def _retain_newest(now: Publication | None, database: Path, keep: int) -> Publication:
    """The publication in which readers see a build."""
    name = database.name
    if now is None:
        return Publication(name, (name,))
    order = now.kept if name == now.current and name in now.kept else (name, *(one for one in now.kept if one != name))
    others = [one for one in order if one != name]
    staying = {name, *others[: keep - 1], *(one for one in others[keep - 1 :] if is_open_elsewhere(database.with_name(one)))}
    return Publication(name, tuple(one for one in order if one in staying), now.rolled_back)


def roll_back(store: DataStore, to: str | None = None) -> tuple[str, str]:
    """Show readers the build before the one that they see, or the one whose name holds `to`; returns file names: (left, shown).

    No run publishes those again that are newer than the one shown; going forward to one with `to` takes that back. Raises
    NoSuchBuild.
    """
    before = check_published(store)
    builds = [build.file_name for build in kept_builds(store)]
    older = builds[builds.index(before.current) + 1 :] if before.current in builds else builds
    fits = older[:1] if to is None else [name for name in builds if to in name.removesuffix(".duckdb")]
    if to is None and not older:
        raise NoSuchBuild(f"There is no older build than {before.current.removesuffix('.duckdb')} to go back to.")
    if len(fits) != 1:
        names = ", ".join(name.removesuffix(".duckdb") for name in builds)
        raise NoSuchBuild(f"expected one build whose name holds {to!r}, found {len(fits)}; kept, newest first: {names}.")
    target = fits[0]
    if target == before.current:
        raise NoSuchBuild(f"Readers see {target.removesuffix('.duckdb')} already.")
    database = store.fetch_file(f"{FOLDER}/{target}")
    if database is None:
        raise NoSuchBuild(f"{store} does not hold {target} any more.")
    newer = builds[: builds.index(target)]
    rolled_back = (*newer, *(name for name in before.rolled_back if name not in {*newer, target}))

    def change(now: Publication | None) -> Publication:
        if now != before:
            raise PublicationError(f"{store}: another run published meanwhile, so nothing is rolled back: run the command again.")
        return Publication(target, before.kept, rolled_back)

    show_in_copy(store, update_publication(store, change))
    link(database)
    remove_legacy_layout(store, store.list(FOLDER))
    return before.current, target


def check_published(store: DataStore) -> Publication:
    """What is published. Raises NoSuchBuild where nothing is."""
    publication = read_publication(store)
    if publication is None:
        raise NoSuchBuild(f"{store} holds no published database, so there is nothing to roll back.")
    return publication


def kept_builds(store: DataStore) -> list[Build]:
    """The builds that were published and are there still, the last published first."""
    publication = read_publication(store)
    if publication is None:
        return []
    there = store.list(FOLDER)
    return [Build(name, name in publication.rolled_back) for name in publication.kept if f"{FOLDER}/{name}" in there]


def is_rolled_back(store: DataStore, database: Path) -> bool:
    """Whether readers were taken off this build by hand."""
    publication = read_publication(store)
    return publication is not None and database.name in publication.rolled_back


def check_room(folder: Path, expected_bytes: int) -> None:
    """Raises DiskFull unless the disk of `folder` has room for a build."""
    free = shutil.disk_usage(folder).free
    if free < expected_bytes:
        raise DiskFull(
            f"{folder}: expected {expected_bytes / 1e6:,.0f} MB of free disk for a build, found {free / 1e6:,.0f} MB; "
            "nothing was built, and what is published stands."
        )


def _prune(store: DataStore, before: Publication | None, now: Publication, files: Mapping[str, StoredFile]) -> None:
    """Remove builds that this publication has dropped, and leftovers of runs that died: not what another run is about to name."""
    remove_legacy_layout(store, files)
    dropped = set(before.kept if before is not None else ())
    for path, found in files.items():
        name = path.removeprefix(f"{FOLDER}/")
        if name in now.kept or not (name.startswith("crime_rates-") and name.endswith(".duckdb")):
            continue
        is_leftover = files[FILE].modified - found.modified > LEFTOVER_SECONDS
        if (name in dropped or is_leftover) and not is_open_elsewhere(store.folder / path):
            store.remove(path)
