"""Partitions of the raw store and the lake between a working copy and its store (flows/storage/data_dir.py).

A partition is there when its manifest is: it is put last, after all data, and data are never written again while it stands. Here
a partition may be known by its manifest alone; its data come when somebody needs them. On a plain folder all this does nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.common.atomic_files import new_folder, read_json, sha256_of, write_json, write_text
from flows.storage.data_dir import open_store
from flows.storage.lake import RECORD
from flows.storage.object_store import Object, Store, StoreError
from flows.storage.raw_store import MANIFEST

MANIFESTS = {"raw": MANIFEST, "lake": RECORD}
ADDRESSES = "raw/addresses.json"  # a file that is rewritten whole, by whoever runs
SEEN = ".seen"  # in a working copy: of each small object, the version that was last pulled or pushed, and its sha256


class Corrupt(StoreError):
    """What the store holds is not what its manifest says."""


def fetch_manifests(data_dir: Path, *rooms: str, is_run: bool = True) -> None:
    """Know every partition that the store has: pull manifests that are not here, or that were rewritten since.

    is_run: whoever holds the store also pushes what a run that died here has left, whole, and the store lacks.
    """
    there = open_store(data_dir)
    if there is None:
        return
    for room in rooms or MANIFESTS:
        objects = there.objects(room)
        manifests = {name: found for name, found in objects.items() if _is_manifest(name)}
        if ADDRESSES in objects:
            manifests[ADDRESSES] = objects[ADDRESSES]
        news = [
            name
            for name, found in manifests.items()
            if _seen(there, name).get("version") != found.version or not (data_dir / name).exists()
        ]
        for name, data in there.read_all(news).items():
            _accept_manifest(there, name, data, manifests[name])
        for path in sorted((data_dir / room).glob(f"*/[!.]*/{MANIFESTS[room]}")) if is_run else ():
            if (name := _name(there, path)) not in manifests:
                _reconcile(there, path.parent, name)
            else:
                push(data_dir, path.parent)


def fetch_manifest(data_dir: Path, *folders: Path, anew: bool = False) -> None:
    """Have the manifests of some partitions here, if the store has them; `anew` also those that may have been rewritten."""
    there = open_store(data_dir)
    if there is None:
        return
    for folder in folders:
        manifest = _manifest(there, folder)
        if not anew and manifest.exists():
            continue
        name = _name(there, manifest)
        found, data = there.info(name), there.read(name)
        if found is not None and data is not None:
            _accept_manifest(there, name, data, found)


def push(data_dir: Path, folder: Path) -> None:
    """Put a partition into the store: its data unless they are there, its manifest last, and only if it says something new."""
    there = open_store(data_dir)
    if there is None:
        return
    manifest = _manifest(there, folder)
    name, data = _name(there, manifest), manifest.read_bytes()
    if _seen(there, name).get("sha256") == _sha256(data):
        return
    held = there.read(name)
    if held is not None and _is_other_data(held, data):  # a population file that is read under another year
        there.remove(name)
        held = None
    if held is None:
        for path in _data(folder):
            there.push(_name(there, path), path)
    _note(there, name, data, there.write(name, data))


def push_addresses(data_dir: Path) -> None:
    """Put what is known of the addresses of files (flows/sources/catalogue.py) into the store, if it has changed."""
    there = open_store(data_dir)
    if there is None or not (data_dir / ADDRESSES).exists():
        return
    data = (data_dir / ADDRESSES).read_bytes()
    if _seen(there, ADDRESSES).get("sha256") != _sha256(data):
        _note(there, ADDRESSES, data, there.write(ADDRESSES, data))


def download(data_dir: Path, *folders: Path) -> None:
    """Have the data of partitions here that may be known by their manifests alone. Raises Corrupt; then they are not kept."""
    there = open_store(data_dir)
    if there is None:
        return
    for folder in folders:
        if not _data(folder):
            _download(there, folder, there.objects(_name(there, folder)))


def download_lake(data_dir: Path, wanted: Callable[[Path], bool] = lambda _: True) -> None:
    """Have the data here of all partitions of the lake, or of those whose folders are wanted."""
    there = open_store(data_dir)
    if there is None:
        return
    lacking = [
        path.parent
        for path in sorted((data_dir / "lake").glob(f"*/[!.]*/{RECORD}"))
        if wanted(path.parent) and not _data(path.parent)
    ]
    objects = there.objects("lake") if lacking else {}
    for folder in lacking:
        prefix = f"{_name(there, folder)}/"
        _download(there, folder, {name: found for name, found in objects.items() if name.startswith(prefix)})


def _download(there: Store, folder: Path, objects: dict[str, Object]) -> None:
    manifest = _manifest(there, folder)
    with new_folder(folder) as aside:
        for name, found in objects.items():
            if (last := name.rpartition("/")[2]) != manifest.name and not last.startswith("."):
                there.pull(name, aside / last, found.size)
        shutil.copyfile(manifest, aside / manifest.name)
        _check(there, folder, aside)
        if not _data(folder):  # else somebody else has brought them meanwhile
            shutil.rmtree(folder)


def _check(there: Store, folder: Path, aside: Path) -> None:
    name = _name(there, folder)
    if not _data(aside):
        raise Corrupt(f"{there.address}/{name}: expected data beside its manifest, found none.")
    if not name.startswith("raw/"):
        return
    said = read_json(aside / MANIFEST)
    file = aside / Path(str(said["file_name"])).name
    found = sha256_of(file) if file.exists() else "no such file"
    if found != said["sha256"]:
        raise Corrupt(
            f"{there.address}/{name}/{file.name}: expected the bytes of sha256 {said['sha256'][:16]}…, as its manifest "
            f"says, found {found[:16]}: it is not used. Remove that folder from the store, and it is fetched again."
        )


def _accept_manifest(there: Store, name: str, data: bytes, found: Object) -> None:
    """A manifest of the store, in the place of what was here."""
    path = there.here / name
    if path.exists() and _is_other_data(path.read_bytes(), data):
        shutil.rmtree(path.parent)
    write_text(path, data.decode("utf-8"))
    _note(there, name, data, found)


def _reconcile(there: Store, folder: Path, name: str) -> None:
    """A partition that is here and not in the store: push it; but a mere manifest goes, as it went there."""
    (there.here / SEEN / name).unlink(missing_ok=True)
    if _data(folder):
        push(there.here, folder)
    else:
        shutil.rmtree(folder)


def _is_manifest(name: str) -> bool:
    room, _, _ = name.partition("/")
    parts = name.split("/")
    return len(parts) == 4 and parts[3] == MANIFESTS[room] and not any(part.startswith(".") for part in parts)


def _is_other_data(one: bytes, other: bytes) -> bool:
    """Whether two records are of different rows: what a record tells of dates and origins may change over the same rows."""
    records = [json.loads(one), json.loads(other)]
    return any("rows" in record for record in records) and len({(r["rows"], r.get("covers")) for r in records}) > 1


def _manifest(there: Store, folder: Path) -> Path:
    return folder / MANIFESTS[folder.relative_to(there.here).parts[0]]


def _data(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[!.]*") if path.name not in MANIFESTS.values())


def _name(there: Store, path: Path) -> str:
    return path.relative_to(there.here).as_posix()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _seen(there: Store, name: str) -> dict[str, Any]:
    path = there.here / SEEN / name
    return dict(read_json(path)) if path.exists() else {}


def _note(there: Store, name: str, data: bytes, found: Object) -> None:
    write_json(there.here / SEEN / name, {"version": found.version, "sha256": _sha256(data)})
