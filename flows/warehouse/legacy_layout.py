"""What is published in a data folder of before published.json, which is taken over at the first run.

Then crime_rates.duckdb led to the build that readers saw, or a file CURRENT named it (in an object store CURRENT held all there
was to know); builds were published in the order of their modification times, 0 meaning never; a marker lay beside what was rolled
back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from flows.storage.data_store import DataStore

FOLDER, LINK, CURRENT, MARKER = "warehouse", "crime_rates.duckdb", "CURRENT", ".rolled_back"

LegacyLayout = tuple[str, tuple[str, ...], tuple[str, ...]]
"""The published build, those that are kept (the last published first), and those that were rolled back: file names."""


def read_legacy_layout(store: DataStore) -> LegacyLayout | None:
    """What an old data folder says of its builds, or None where nothing is published in it."""
    pointer = store.read(f"{FOLDER}/{CURRENT}")
    if pointer is not None and pointer.startswith(b"{"):
        values = json.loads(pointer)
        return values["current"], tuple(values["kept"]), tuple(values.get("rolled_back", ()))
    files = {name.removeprefix(f"{FOLDER}/"): found for name, found in store.list(FOLDER).items()}
    link = store.folder / FOLDER / LINK
    if LINK in files:
        current = link.readlink().name if link.is_symlink() else LINK  # a copy that follows links makes it a plain file
    elif pointer is not None and (current := pointer.decode().strip()) in files:
        pass
    else:
        return None
    builds = [name for name in files if name.startswith("crime_rates-") and name.endswith(".duckdb") and files[name].modified > 0]
    builds.sort(key=lambda name: (files[name].modified, name), reverse=True)
    rolled_back = sorted(name.removesuffix(MARKER) for name in files if name.endswith(MARKER))
    return current, tuple(builds), tuple(rolled_back)


def remove_legacy_layout(store: DataStore, files: Iterable[str]) -> None:
    """Remove, of these files of the store, what published.json has replaced; the link stays."""
    names = [name for name in files if name == f"{FOLDER}/{CURRENT}" or name.endswith(MARKER)]
    for name in names:
        store.remove(name)
