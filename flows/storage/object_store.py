"""The objects below an fsspec address, single ones, each whole or not there; and what goes wrong with them in one sentence.

S3 needs the extra [s3]. It is reached as botocore's environment says: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
or AWS_PROFILE; AWS_DEFAULT_REGION, or the region that is handed in; for S3-compatible servers AWS_ENDPOINT_URL_S3 or
AWS_ENDPOINT_URL; AWS_CA_BUNDLE. Why fsspec: docs/decisions/0006-object-store.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

from flows.storage.data_store import StoredFile
from transforms.errors import CrimeRatesError

S3 = {"s3", "s3a"}
WHOLE_PUTS = S3 | {"gs", "gcs", "abfs", "abfss", "az", "adl", "oss"}  # a PUT is seen whole or not at all; no folders
ERROR_NAMES = {  # of botocore, and of what lies beneath it
    "credentials": {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"},
    "connection": {"EndpointConnectionError", "ConnectionError", "HTTPClientError", "TimeoutError"},
}
CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict"}  # what S3 says when a condition of a PUT does not hold


class StoreError(CrimeRatesError):
    """The store could not do what was asked of it; one sentence."""


class CorruptPartition(StoreError):
    """What the store holds is not what its manifest says."""


@dataclass(frozen=True)
class ObjectStore:
    """The objects below an address, by their names: paths relative to it. All methods raise StoreError."""

    address: str
    region: str | None = None

    def list(self, under: str) -> dict[str, StoredFile]:
        """Name → object, of everything below a folder; empty where there is no such folder."""
        with self._translated_errors():
            found = self._fs.find(self._path(under), detail=True)
        prefix = f"{self._root}/"
        return {
            path.removeprefix(prefix): _stored_file(info)
            for path, info in found.items()
            if not path.endswith(".part") and path.startswith(prefix)
        }

    def info(self, name: str) -> StoredFile | None:
        """An object's size, version and date, or None where there is none."""
        with self._translated_errors():
            try:
                return _stored_file(self._fs.info(self._path(name)))
            except FileNotFoundError as error:
                _check_bucket(error)
                return None

    def read(self, name: str) -> bytes | None:
        """The bytes of a small object that is not empty, or None where there is none."""
        with self._translated_errors():
            try:
                return bytes(self._fs.cat_file(self._path(name), start=0))  # without start s3fs asks for its size first
            except FileNotFoundError as error:
                _check_bucket(error)
                return None

    def read_all(self, names: Sequence[str]) -> dict[str, bytes]:
        """Name → bytes of several small objects that are there, many at a time where the store allows it."""
        if not names:
            return {}
        with self._translated_errors():
            found = self._fs.cat([self._path(name) for name in names])
        return {path.removeprefix(f"{self._root}/"): data for path, data in found.items()}

    def write(self, name: str, data: bytes) -> StoredFile:
        """Put a small object in the place of what was there: others see the old or the new whole."""
        with self._translated_errors(), self._partial(name) as target:
            self._fs.pipe_file(target, data)
        return self._check_size(name, len(data))

    def replace(self, name: str, data: bytes, before: bytes | None) -> bool:
        """Put a small object where `before` stands, or where nothing does (None); False if something else stands there by now.

        In one step where the store has conditional writes (S3) or can create a file that must not be there; to replace a file
        on a plain file system takes two.
        """
        found = self.info(name)
        if (self.read(name) if found is not None else None) != before:
            return False
        with self._translated_errors():
            try:
                if self._scheme in S3:
                    condition = {"IfNoneMatch": "*"} if found is None else {"IfMatch": found.version}
                    self._fs.pipe_file(self._path(name), data, **condition)
                elif before is None:
                    self._create(name, data)
                else:
                    with self._partial(name) as target:
                        self._fs.pipe_file(target, data)
            except FileExistsError:
                return False
            except OSError as error:
                if _error_code(error) in CONFLICTS:
                    return False
                raise
        return self.read(name) == data  # a server that knows no conditions lets the last one win

    def upload(self, name: str, path: Path) -> StoredFile:
        """Put a file in the place of an object, and make sure that it arrived whole."""
        with self._translated_errors(), self._partial(name) as target:
            self._fs.put_file(str(path), target)
        return self._check_size(name, path.stat().st_size)

    def download(self, name: str, path: Path, size: int) -> None:
        """Copy an object into a file that nobody sees yet. Raises StoreError unless it has the size that it is known by."""
        with self._translated_errors():
            self._fs.get_file(self._path(name), str(path))
        if (found := path.stat().st_size) != size:
            raise StoreError(
                f"{self.address}/{name}: expected {size:,} bytes, found {found:,} when it was downloaded: run the command again."
            )

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens where there is none."""
        with self._translated_errors():
            try:
                self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                return

    # ------------------------------------------------------------ the file system
    @cached_property
    def _connection(self) -> tuple[Any, str]:
        """The file system, and the address as paths in it begin."""
        try:
            from fsspec.core import url_to_fs  # type: ignore[import-untyped]

            options = {"client_kwargs": {"region_name": self.region}} if self.region and self._scheme in S3 else {}
            with self._translated_errors():
                fs, root = url_to_fs(self.address, use_listings_cache=False, **options)
        except ImportError as error:
            needs = 'the extra [s3]: pip install "crime-rates[s3]"' if self._scheme in S3 else "a package more"
            raise StoreError(f"{self.address} needs {needs} ({' '.join(str(error).split())}).") from error
        return fs, root.rstrip("/")

    @property
    def _fs(self) -> Any:  # noqa: ANN401, fsspec is untyped
        return self._connection[0]

    @property
    def _root(self) -> str:
        return self._connection[1]

    @property
    def _scheme(self) -> str:
        return self.address.partition("://")[0]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _create(self, name: str, data: bytes) -> None:
        """Put a small file where there is none, on a file system. Raises FileExistsError."""
        if self._scheme in WHOLE_PUTS:
            self._fs.pipe_file(self._path(name), data, mode="create")
            return
        self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
        with self._fs.open(self._path(name), "xb") as file:
            file.write(data)

    @contextmanager
    def _partial(self, name: str) -> Iterator[str]:
        """Where to write what becomes the object: there at once in an object store, elsewhere beside it and then moved."""
        path = self._path(name)
        if self._scheme in WHOLE_PUTS:
            yield path
            return
        folder, _, last = path.rpartition("/")
        partial = f"{folder}/.{last}.{token_hex(4)}.part"
        self._fs.makedirs(folder, exist_ok=True)
        try:
            yield partial
            self._fs.mv(partial, path)
        except BaseException:
            if self._fs.exists(partial):
                self._fs.rm_file(partial)
            raise

    def _check_size(self, name: str, size: int) -> StoredFile:
        found = self.info(name)
        if found is None or found.size != size:
            raise StoreError(
                f"{self.address}/{name}: expected the {size:,} bytes that were uploaded, found "
                f"{'nothing' if found is None else f'{found.size:,} bytes'}: run the command again."
            )
        return found

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Errors of file systems, botocore's among them, as one sentence."""
        try:
            yield
        except (StoreError, FileExistsError, ImportError):
            raise
        except Exception as error:
            if (sentence := self._describe(error)) is None:
                raise
            raise StoreError(sentence) from error

    def _describe(self, error: Exception) -> str | None:
        """An error in one sentence; None for one that is a fault of the program."""
        names = {kind.__name__ for kind in type(error).__mro__}
        message = " ".join(str(error).split())
        if names & ERROR_NAMES["credentials"]:
            return (
                f"{self.address}: expected credentials, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
                f"environment, found none that suffice ({message})."
            )
        if _error_code(error) == "NoSuchBucket":
            return f"{self.address}: expected a bucket that exists, found none of that name."
        if isinstance(error, PermissionError):
            return f"{self.address}: expected to be let in, found that access is denied ({message})."
        if names & ERROR_NAMES["connection"]:
            return f"{self.address}: expected a store that answers, found no connection ({message})."
        return f"{self.address}: {message}" if isinstance(error, OSError | ValueError) or _error_code(error) else None


def _stored_file(info: dict[str, Any]) -> StoredFile:
    when = info.get("LastModified") or info.get("mtime") or info.get("created") or 0
    modified = when.timestamp() if isinstance(when, datetime) else float(when)
    version = info.get("ETag") or f"{info['size']} {modified} {info.get('ino', '')}"
    return StoredFile(int(info["size"]), str(version), modified)


def _error_code(error: BaseException) -> str:
    """What S3 calls an error; s3fs keeps botocore's error as the cause of its own."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _check_bucket(error: FileNotFoundError) -> None:
    """Raise the error again unless it is of an object: one that is not there is an answer, a bucket that is not there is none."""
    if _error_code(error) == "NoSuchBucket":
        raise error
