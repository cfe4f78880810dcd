"""An S3 server of this process, and addresses on three kinds of file systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from s3fs import S3FileSystem

from flows.settings import data_store
from flows.storage.object_store import ObjectStore
from flows.storage.remote_store import RemoteStore
from tests.support import s3_server

ENDPOINT = "AWS_ENDPOINT_URL_S3"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of a standing S3 server."""
    with s3_server.standing() as address:
        yield address


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment that leads to the server, and to nothing else; gives its address."""
    for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (s3_server.KEYS | {ENDPOINT: endpoint, "AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()  # fsspec keeps file systems by their arguments, and the environment is none
    return endpoint


@pytest.fixture
def bucket(aws: str) -> str:
    """An address in a new bucket."""
    name = f"bucket-{token_hex(4)}"
    s3_server.make_bucket(aws, name)
    return f"s3://{name}/crime rates"


@pytest.fixture(params=["s3", "file", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with nothing below it, on each kind of file system in turn."""
    if request.param == "s3":
        return str(request.getfixturevalue("bucket"))
    return f"file://{tmp_path}/stored" if request.param == "file" else f"memory://{token_hex(4)}/stored"


class Hosts:
    """Working copies of one address on several hosts."""

    def __init__(self, folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.address, self._monkeypatch = folder, address, monkeypatch

    def on(self, name: str) -> RemoteStore:
        """Be on a host, from now on; gives the store as it is opened there."""
        self._monkeypatch.setenv("CRIME_RATES_CACHE_DIR", str(self.folder / name))
        store = data_store(self.address)
        assert isinstance(store, RemoteStore)
        return store

    @property
    def objects(self) -> ObjectStore:
        """The objects themselves, for who looks into the store from outside."""
        return ObjectStore(self.address)


@pytest.fixture
def hosts(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(tmp_path / "hosts", address, monkeypatch)
