"""Single objects of a store are whole or not there, and what goes wrong is told in one sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest
from pytest_httpserver import HTTPServer
from s3fs import S3FileSystem

from flows.settings import data_store
from flows.storage.data_store import LocalStore, StoredFile
from flows.storage.object_store import ObjectStore, StoreError
from flows.storage.remote_store import RemoteStore
from tests.services.object_store.conftest import ENDPOINT, Hosts
from transforms.errors import UsageError


def test_an_object_is_there_as_it_was_written(hosts: Hosts, tmp_path: Path) -> None:
    there = hosts.objects
    assert there.list("raw") == {} and there.read("raw/a/b") is None and there.info("raw/a/b") is None
    first = there.write("raw/a/b", b"one")
    assert there.read("raw/a/b") == b"one" and there.list("raw") == {"raw/a/b": first}
    second = there.write("raw/a/b", b"two")
    assert (first.size, second.size) == (3, 3) and first.version != second.version == there.list("")["raw/a/b"].version
    (tmp_path / "file").write_bytes(b"x" * 1000)
    assert there.upload("raw/a/c", tmp_path / "file").size == 1000
    there.download("raw/a/c", tmp_path / "again", 1000)
    assert (tmp_path / "again").read_bytes() == b"x" * 1000
    assert there.read_all(["raw/a/b", "raw/a/c"]) == {"raw/a/b": b"two", "raw/a/c": b"x" * 1000} and there.read_all([]) == {}
    there.remove("raw/a/b")
    there.remove("raw/a/b")
    assert list(there.list("raw")) == ["raw/a/c"]


def test_only_one_of_many_creates_an_object(hosts: Hosts) -> None:
    won = race(hosts.address, [(f"host {number}".encode(), None) for number in range(8)])
    assert won == [hosts.objects.read("one")]


def test_an_object_is_replaced_only_where_what_was_read_still_stands(hosts: Hosts) -> None:
    there = hosts.objects
    assert not there.replace("one", b"b", b"a") and there.read("one") is None
    assert there.replace("one", b"a", None) and not there.replace("one", b"b", None)
    assert there.replace("one", b"b", b"a") and not there.replace("one", b"c", b"a")
    assert there.read("one") == b"b"


def test_of_many_that_replace_an_object_at_once_one_wins(bucket: str) -> None:
    ObjectStore(bucket).write("one", b"before")
    won = race(bucket, [(f"host {number}".encode(), b"before") for number in range(8)])
    assert won == [ObjectStore(bucket).read("one")]


def race(address: str, hosts: list[tuple[bytes, bytes | None]]) -> list[bytes]:
    """Many replace an object at once, each (its bytes, what it has read); gives the bytes of those that were told they did."""
    won: list[bytes] = []
    start = threading.Barrier(len(hosts))

    def replace(data: bytes, before: bytes | None) -> None:
        there = ObjectStore(address)
        start.wait()
        if there.replace("one", data, before):
            won.append(data)

    threads = [threading.Thread(target=replace, args=host) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_who_was_overtaken_on_a_server_without_conditions_does_not_win(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = ObjectStore(bucket)
    put = there._fs.pipe_file
    monkeypatch.setattr(there._fs, "pipe_file", lambda path, _data, **_conditions: put(path, b"of the last"))
    assert not there.replace("a", b"of the first", None)


def test_what_fails_half_way_is_never_seen(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = hosts.objects
    there.write("a", b"old")
    (tmp_path / "file").write_bytes(b"new")
    fs = there._fs

    def half(_: str, target: str) -> None:
        if not hosts.address.startswith("s3"):
            fs.pipe_file(target, b"n")
        raise OSError("the line was cut")

    monkeypatch.setattr(fs, "put_file", half)
    with pytest.raises(StoreError, match="the line was cut"):
        there.upload("a", tmp_path / "file")
    assert there.read("a") == b"old" and list(there.list("")) == ["a"]
    assert not [path for path in fs.find(there._root) if path.endswith(".part")]


def test_a_size_that_is_not_right_is_told(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = hosts.objects
    there.write("a", b"1234")
    with pytest.raises(StoreError, match=r"/a: expected 5 bytes, found 4 when it was downloaded: run the command again\.$"):
        there.download("a", tmp_path / "a", 5)
    (tmp_path / "file").write_bytes(b"12345")
    monkeypatch.setattr(ObjectStore, "info", lambda self, name: StoredFile(4, "", 0))  # noqa: ARG005
    with pytest.raises(StoreError, match=r"/b: expected the 5 bytes that were uploaded, found 4 bytes: run the command again\.$"):
        there.upload("b", tmp_path / "file")


# ---------------------------------------------------------------- addresses
def test_a_path_is_worked_on_itself_and_an_address_in_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_store("data") == data_store(Path("data")) == LocalStore(Path("data"))
    assert LocalStore(tmp_path).address == str(tmp_path) and LocalStore(tmp_path).nested("demo") == LocalStore(tmp_path / "demo")
    monkeypatch.setenv("CRIME_RATES_CACHE_DIR", str(tmp_path))
    copies = {data_store(f"s3://bucket/{name}").folder for name in ("a b", "a-b", "a/b")}
    assert len(copies) == 3 and all(copy.parent == tmp_path and copy.name.startswith("s3-bucket-a-b-") for copy in copies)
    one = data_store("s3://bucket/a/")
    assert one.folder == data_store("s3://bucket/a").folder and one.address == str(one) == "s3://bucket/a"
    assert (
        one.nested("demo").address == "s3://bucket/a/demo"
        and one.nested("demo").folder == data_store("s3://bucket/a/demo").folder
    )
    with pytest.raises(UsageError, match="^expected an address such as s3://bucket/prefix, found s3://$"):
        data_store("s3://")
    monkeypatch.delenv("CRIME_RATES_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert data_store("s3://bucket/a").folder.parent == tmp_path / "xdg/crime-rates"


def test_no_command_imports_fsspec_before_there_is_an_address() -> None:
    code = "import sys, flows.cli.main, flows.pipeline.update; print([m for m in ('s3fs', 'botocore') if m in sys.modules])"
    early = (
        "import sys, flows.cli.main; print([m for m in ('fsspec', 's3fs', 'botocore', 'duckdb', 'prefect') if m in sys.modules])"
    )
    for program in (code, early):
        assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_heard_by_either_name(name: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "eu-west-2")
    store = data_store(bucket)
    assert isinstance(store, RemoteStore)
    store.read("a")
    assert store._objects._fs._s3.meta.region_name == "eu-west-2"


@pytest.mark.parametrize("name", [ENDPOINT, "AWS_ENDPOINT_URL"])
def test_an_s3_compatible_server_is_found_by_either_name(
    name: str, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT)
    monkeypatch.setenv(name, aws)
    S3FileSystem.clear_instance_cache()
    assert ObjectStore(bucket).write("a", b"1").size == 1


# ---------------------------------------------------------------- errors, as sentences
def said_by(there: ObjectStore) -> set[str]:
    """What each way to ask says."""
    said = set()
    for ask in (
        lambda: there.read("a"),
        lambda: there.list("raw"),
        lambda: there.write("a", b"1"),
        lambda: there.replace("a", b"1", None),
    ):
        with pytest.raises(StoreError) as error:
            ask()
        said.add(str(error.value))
    return said


def test_a_bucket_that_is_not_there(aws: str) -> None:  # noqa: ARG001
    assert said_by(ObjectStore("s3://nobody-s/data")) == {
        "s3://nobody-s/data: expected a bucket that exists, found none of that name."
    }


def test_no_credentials(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    S3FileSystem.clear_instance_cache()
    assert said_by(ObjectStore(bucket)) == {
        f"{bucket}: expected credentials, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, "
        "found none that suffice (Unable to locate credentials)."
    }


def test_no_connection(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreError, match=rf"^{bucket}: expected a store that answers, found no connection \(.*127.0.0.1:9/"):
        ObjectStore(bucket).read("a")


def test_access_denied(aws: str, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    refusal = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    httpserver.expect_request(re.compile("/.*")).respond_with_data(refusal, status=403, content_type="application/xml")
    monkeypatch.setenv(ENDPOINT, httpserver.url_for(""))
    said = "s3://closed/data: expected to be let in, found that access is denied ({})."  # a HEAD has no body to tell more
    assert said_by(ObjectStore("s3://closed/data")) <= {said.format(word) for word in ("Access Denied", "Forbidden")}


def test_the_extra_that_s3_needs_is_named(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)  # what was imported before
    [said] = said_by(ObjectStore(bucket))
    assert said.startswith(f'{bucket} needs the extra [s3]: pip install "crime-rates[s3]" (')


def test_an_address_of_nothing() -> None:
    with pytest.raises(StoreError, match=r"^nothing://a: Protocol not known: nothing$"):
        ObjectStore("nothing://a").read("a")


def test_commands_tell_errors_in_one_sentence(bucket: str, tmp_path: Path) -> None:
    command = str(Path(sys.executable).with_name("crime-rates"))
    nothing = "holds no published database"
    environment = os.environ | {"CRIME_RATES_CACHE_DIR": str(tmp_path)}
    for words, said in (
        (
            ["status", "--data-dir", "s3://nobody-s/data"],
            "crime-rates: s3://nobody-s/data: expected a bucket that exists, found none of that name.\n",
        ),
        (
            ["table", "2015-16-H1", "--data-dir", bucket],
            f"crime-rates: {bucket} {nothing} yet: run `crime-rates update` (or `crime-rates demo`) first.\n",
        ),
        (["rollback", "--data-dir", bucket], f"crime-rates: {bucket} {nothing}, so there is nothing to roll back.\n"),
    ):
        done = subprocess.run([command, *words], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
    done = subprocess.run([command, "status", "--data-dir", "s3://"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "expected an address such as s3://bucket/prefix, found s3://" in done.stderr


def test_a_bucket_is_not_made_by_writing_to_it(aws: str) -> None:
    with pytest.raises(StoreError):
        ObjectStore("s3://nobody-s/data").write("a/b", b"1")
    listed = boto3.client("s3", region_name="us-east-1", endpoint_url=aws).list_buckets()["Buckets"]
    assert "nobody-s" not in [bucket["Name"] for bucket in listed]
