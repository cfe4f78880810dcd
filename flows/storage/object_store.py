"""The objects below an fsspec address, single ones, each whole or not there; and what goes wrong with them in one sentence.

S3 needs the extra [s3]. It is reached as botocore's environment says: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
or AWS_PROFILE; AWS_DEFAULT_REGION, or AWS_REGION, which botocore does not hear by itself; for S3-compatible servers
AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL; AWS_CA_BUNDLE.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

from transforms.errors import CrimeRatesError

OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss"}  # a PUT is seen whole or not at all; no folders
SIGNS = {  # names of botocore's errors, and of those beneath it
    "credentials": ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
    "connection": ("EndpointConnectionError", "ConnectionError", "HTTPClientError", "TimeoutError"),
}


class StoreError(CrimeRatesError, OSError):
    """The store could not do what was asked of it; one sentence."""


@dataclass(frozen=True)
class Object:
    """An object of a store; `version` differs whenever its bytes were written again."""

    size: int  # bytes
    version: str
    modified: float  # seconds, by the store's own clock


@dataclass(frozen=True)
class Store:
    """The objects below an address, by their names: paths relative to it. `here` is its working copy. All raise StoreError."""

    address: str
    here: Path

    def objects(self, under: str) -> dict[str, Object]:
        """Name → object, of everything below a folder; empty where there is no such folder."""
        fs, root = self._there
        with self._told():
            found = fs.find(f"{root}/{under}", detail=True)
        return {
            path.removeprefix(f"{root}/"): _object(info)
            for path, info in found.items()
            if not path.endswith(".part") and path.startswith(f"{root}/")
        }

    def info(self, name: str) -> Object | None:
        fs, root = self._there
        with self._told():
            try:
                return _object(fs.info(f"{root}/{name}"))
            except FileNotFoundError as error:
                _same_bucket(error)
                return None

    def read(self, name: str) -> bytes | None:
        """The bytes of a small object that is not empty, or None where there is none."""
        fs, root = self._there
        with self._told():
            try:
                return fs.cat_file(f"{root}/{name}", start=0)  # type: ignore[no-any-return]  # else s3fs asks for its size first
            except FileNotFoundError as error:
                _same_bucket(error)
                return None

    def read_all(self, names: Sequence[str]) -> dict[str, bytes]:
        """Name → bytes of several small objects that are there, many at a time where the store allows it."""
        if not names:
            return {}
        fs, root = self._there
        with self._told():
            found = fs.cat([f"{root}/{name}" for name in names])
        return {path.removeprefix(f"{root}/"): data for path, data in found.items()}

    def write(self, name: str, data: bytes) -> Object:
        """Put a small object in the place of what was there: others see the old or the new whole."""
        fs, root = self._there
        with self._told(), self._aside(name) as target:
            fs.pipe_file(target, data)
        return self._checked(name, len(data))

    def create(self, name: str, data: bytes) -> bool:
        """Put a small object where there is none, in one step; False when somebody else's is there."""
        fs, root = self._there
        with self._told():
            try:
                if self._is_object_store:
                    fs.pipe_file(f"{root}/{name}", data, mode="create")
                else:
                    fs.makedirs(fs._parent(f"{root}/{name}"), exist_ok=True)
                    with fs.open(f"{root}/{name}", "xb") as file:
                        file.write(data)
            except FileExistsError:
                return False
        return self.read(name) == data  # a server that knows no conditions lets the last one win

    def push(self, name: str, path: Path) -> Object:
        """Upload a file, and make sure that it arrived whole."""
        fs, root = self._there
        with self._told(), self._aside(name) as target:
            fs.put_file(str(path), target)
        return self._checked(name, path.stat().st_size)

    def pull(self, name: str, path: Path, size: int | None = None) -> None:
        """Download an object into a file that nobody sees yet. Raises StoreError unless it has the size that it is known by."""
        fs, root = self._there
        with self._told():
            fs.get_file(f"{root}/{name}", str(path))
        if size is not None and path.stat().st_size != size:
            raise StoreError(
                f"{self.address}/{name}: expected {size:,} bytes, found {path.stat().st_size:,} when it was "
                "downloaded: run the command again."
            )

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens where there is none."""
        fs, root = self._there
        with self._told():
            try:
                fs.rm_file(f"{root}/{name}")
            except FileNotFoundError:
                return

    @cached_property
    def _there(self) -> tuple[Any, str]:
        """The file system, and the address as paths in it begin."""
        try:
            from fsspec.core import url_to_fs  # type: ignore[import-untyped]

            with self._told():
                fs, root = url_to_fs(self.address, use_listings_cache=False, **self._options)
        except ImportError as error:
            needs = 'the extra [s3]: pip install "crime-rates[s3]"' if self.address.startswith("s3") else "a package more"
            raise StoreError(f"{self.address} needs {needs} ({' '.join(str(error).split())}).") from error
        return fs, root.rstrip("/")

    @property
    def _options(self) -> dict[str, Any]:
        region = os.environ.get("AWS_REGION")
        if not self.address.startswith("s3") or region is None or "AWS_DEFAULT_REGION" in os.environ:
            return {}
        return {"client_kwargs": {"region_name": region}}

    @property
    def _is_object_store(self) -> bool:
        return self.address.partition("://")[0] in OBJECT_STORES

    @contextmanager
    def _aside(self, name: str) -> Iterator[str]:
        """Where to write what becomes the object: there at once in an object store, elsewhere beside it and then moved."""
        fs, root = self._there
        if self._is_object_store:
            yield f"{root}/{name}"
            return
        folder, _, last = f"{root}/{name}".rpartition("/")
        aside = f"{folder}/.{last}.{token_hex(4)}.part"
        fs.makedirs(folder, exist_ok=True)
        try:
            yield aside
            fs.mv(aside, f"{root}/{name}")
        except BaseException:
            if fs.exists(aside):
                fs.rm_file(aside)
            raise

    def _checked(self, name: str, size: int) -> Object:
        found = self.info(name)
        if found is None or found.size != size:
            raise StoreError(
                f"{self.address}/{name}: expected the {size:,} bytes that were uploaded, found "
                f"{'nothing' if found is None else f'{found.size:,} bytes'}: run the command again."
            )
        return found

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of file systems, botocore's among them, as one sentence."""
        try:
            yield
        except (StoreError, FileExistsError, ImportError):
            raise
        except Exception as error:
            if (sentence := self._sentence(error)) is None:
                raise
            raise StoreError(sentence) from error

    def _sentence(self, error: Exception) -> str | None:
        names = {kind.__name__ for kind in type(error).__mro__}
        said = " ".join(str(error).split())
        if names & set(SIGNS["credentials"]):
            return (
                f"{self.address}: expected credentials, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
                f"environment, found none that suffice ({said})."
            )
        if _code(error) == "NoSuchBucket":
            return f"{self.address}: expected a bucket that exists, found none of that name."
        if isinstance(error, PermissionError):
            return f"{self.address}: expected to be let in, found that access is denied ({said})."
        if names & set(SIGNS["connection"]):
            return f"{self.address}: expected a store that answers, found no connection ({said})."
        return f"{self.address}: {said}" if isinstance(error, OSError | ValueError) or _code(error) else None


def _object(info: dict[str, Any]) -> Object:
    when = info.get("LastModified") or info.get("mtime") or info.get("created") or 0
    modified = when.timestamp() if isinstance(when, datetime) else float(when)
    return Object(int(info["size"]), str(info.get("ETag") or f"{info['size']} {modified} {info.get('ino', '')}"), modified)


def _code(error: BaseException) -> str:
    """What S3 calls an error; s3fs keeps botocore's error as the cause of its own."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _same_bucket(error: FileNotFoundError) -> None:
    """An object that is not there is an answer, a bucket that is not there is none."""
    if _code(error) == "NoSuchBucket":
        raise error
