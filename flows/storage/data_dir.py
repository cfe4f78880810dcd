"""A data folder that lies in an object store: an fsspec address such as s3://bucket/prefix, worked on through a local copy.

Everything that computes works on local folders. Where CRIME_RATES_DATA_DIR is an address (it contains ://), its *working copy*
is a folder of this host, below CRIME_RATES_CACHE_DIR, else $XDG_CACHE_HOME/crime-rates, else ~/.cache/crime-rates. It can be
deleted at any time between two runs. Here are only the address and its copy; flows/storage/object_store.py has the
objects; flows/storage/sync.py moves raw files and the lake, flows/warehouse/remote.py the database, tables and run log.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from flows.common.atomic_files import read_json, write_json
from flows.storage.object_store import Store

NAME = ".store.json"  # in a working copy: the address that it is a copy of


def is_address(place: str | Path) -> bool:
    """Whether a data folder is named by an fsspec address, and not by a path."""
    return isinstance(place, str) and "://" in place


def working_copy(place: str | Path) -> Path:
    """The local folder to work in: a path is that itself; an address has a folder of its own, made when it is not there.

    Raises ValueError for an address that names no place.
    """
    if not is_address(place):
        return Path(place)
    address = str(place).rstrip("/")
    if "://" not in address:
        raise ValueError(f"expected an address such as s3://bucket/prefix, found {place}")
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", address).strip("-.")[-60:]
    folder = cache_root() / f"{readable}-{hashlib.sha256(address.encode()).hexdigest()[:10]}"
    if not (folder / NAME).exists():
        write_json(folder / NAME, {"address": address})
    return folder


def cache_root() -> Path:
    """Where working copies lie."""
    if named := os.environ.get("CRIME_RATES_CACHE_DIR"):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "crime-rates"


def open_store(data_dir: Path) -> Store | None:
    """The store that a folder is the working copy of; None of a folder that is nobody's copy."""
    name = data_dir / NAME
    return Store(read_json(name)["address"], data_dir) if name.exists() else None


def display_name(data_dir: Path) -> str:
    """A data folder as the person knows it: by its address where it has one."""
    there = open_store(data_dir)
    return str(data_dir) if there is None else there.address


def nested(data_dir: Path, name: str) -> Path:
    """A data folder within a data folder, such as the demo's: in the same store, where there is one."""
    there = open_store(data_dir)
    return data_dir / name if there is None else working_copy(f"{there.address}/{name}")
