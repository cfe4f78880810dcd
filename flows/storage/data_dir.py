"""How a person names a data store: by a path, or by an fsspec address such as s3://bucket/prefix (it contains ://)."""

from __future__ import annotations

from pathlib import Path

from flows.storage.data_store import DataStore, LocalStore


def open_store(place: str | Path, cache_dir: Path, region: str | None = None) -> DataStore:
    """The store that a path or an address names; nothing is made and nobody is asked yet.

    cache_dir: below it lie the working copies of addresses. region: of S3, where botocore does not find one itself.
    Raises UsageError for an address that names no place.
    """
    if not (isinstance(place, str) and "://" in place):
        return LocalStore(Path(place))
    from flows.storage.remote_store import RemoteStore  # only here: commands on a plain folder start sooner without

    return RemoteStore.at(place, cache_dir, region)
