"""One file as a service sends it: whole with its record, unchanged, of another size, or not a file at all."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.common.file_names import FileNameError
from flows.sources.download import DownloadedFile, NotModified, download
from flows.sources.errors import ContentError, IncompleteError, StatusError
from flows.sources.http_client import Client
from tests.support.shelf import Shelf, fetch

PUBLISHED = datetime(2026, 7, 23, 8, 30, tzinfo=UTC)


def test_a_file_arrives_with_its_record(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
    got = fetch(client, address, tmp_path / "new", expected_size=len(shelf.body))
    assert got.path == tmp_path / "new/table.ods.part"
    assert got.path.read_bytes() == shelf.body
    assert got == DownloadedFile(
        got.path,
        tmp_path / "new/table.ods.part.json",
        "table.ods",
        address,
        hashlib.sha256(shelf.body).hexdigest(),
        len(shelf.body),
        '"one"',
        PUBLISHED,
        shelf.content_type,
    )


def test_an_unchanged_file_costs_one_small_request(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
    got = download(client, address, tmp_path, "table.ods", service="GOV.UK", etag='"one"', last_modified=PUBLISHED)
    assert got == NotModified(address, '"one"', PUBLISHED)
    assert (shelf.answered, list(tmp_path.iterdir())) == ([304], [])
    assert shelf.asked[0].headers["If-Modified-Since"] == shelf.modified


def test_new_bytes_at_the_same_address_are_fetched(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
    assert fetch(client, address, tmp_path, etag='"of last quarter"').etag == shelf.etag


def test_a_content_length_that_promises_too_much(client: Client, httpserver: HTTPServer, workbook: bytes, tmp_path: Path) -> None:
    wrong = Response([workbook], headers={"Content-Length": str(len(workbook) + 9)})
    httpserver.expect_request("/x").respond_with_response(wrong)
    with pytest.raises(IncompleteError, match=rf"expected {len(workbook) + 9:,} bytes; found {len(workbook):,}"):
        fetch(client, httpserver.url_for("/x"), tmp_path)


def test_a_content_length_that_promises_too_little(
    client: Client, httpserver: HTTPServer, workbook: bytes, tmp_path: Path
) -> None:
    wrong = Response([workbook], headers={"Content-Length": str(len(workbook) - 9)})
    httpserver.expect_request("/x").respond_with_response(wrong)
    with pytest.raises(ContentError, match="cut before its end"):
        fetch(client, httpserver.url_for("/x"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_size_other_than_the_listed_one_is_refused_before_it_is_read(
    client: Client, shelf: Shelf, address: str, tmp_path: Path
) -> None:
    with pytest.raises(IncompleteError, match=rf"expected 50,000,000 bytes, as listed; found {len(shelf.body):,}"):
        fetch(client, address, tmp_path, expected_size=50_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_size_other_than_the_listed_one_shows_at_the_end_if_the_server_does_not_tell(
    client: Client, httpserver: HTTPServer, workbook: bytes, tmp_path: Path
) -> None:
    httpserver.expect_request("/x").respond_with_handler(lambda _: Response(iter([workbook])))
    with pytest.raises(IncompleteError, match=rf"expected {len(workbook) + 1:,} bytes, as listed"):
        fetch(client, httpserver.url_for("/x"), tmp_path, expected_size=len(workbook) + 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/vnd.oasis.opendocument.spreadsheet"])
def test_an_html_page_in_place_of_a_workbook(
    client: Client, shelf: Shelf, address: str, tmp_path: Path, content_type: str
) -> None:
    shelf.body, shelf.content_type = b"<!doctype html><title>Service unavailable</title>" + b" " * 900, content_type
    with pytest.raises(ContentError, match="found an HTML page titled 'Service unavailable'"):
        fetch(client, address, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_leaves_nothing(client: Client, httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/gone.ods").respond_with_data("gone", 404)
    with pytest.raises(StatusError, match="404"):
        fetch(client, httpserver.url_for("/gone.ods"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x.ods", "/tmp/x.ods", "x\0.ods", "", ".x.ods", "x.exe"])
def test_a_name_that_leaves_the_folder_is_refused_before_anything_is_asked(
    client: Client, shelf: Shelf, address: str, tmp_path: Path, name: str
) -> None:
    with pytest.raises(FileNameError):
        download(client, address, tmp_path / "raw", name, service="GOV.UK")
    assert (shelf.asked, list(tmp_path.rglob("*"))) == ([], [])


def test_a_server_that_packs_although_asked_not_to(client: Client, httpserver: HTTPServer, tmp_path: Path) -> None:
    text = b"a,b\n1,2\n" * 1000
    packed = Response(gzip.compress(text), headers={"Content-Encoding": "gzip", "ETag": '"z"'})
    httpserver.expect_request("/x.csv").respond_with_response(packed)
    got = download(client, httpserver.url_for("/x.csv"), tmp_path, "x.csv", service="ONS", expected_size=len(text))
    assert isinstance(got, DownloadedFile) and got.path.read_bytes() == text


def test_memory_does_not_grow_with_the_file(httpserver: HTTPServer, tmp_path: Path) -> None:
    block, blocks = b"South Worcester,36\n" * 1000, 1000

    def handler(_: Request) -> Response:
        return Response(repeat(block, blocks), headers={"Content-Length": str(len(block) * blocks)})

    httpserver.expect_request("/big.csv").respond_with_handler(handler)
    script = (
        "import sys, pathlib, tracemalloc; from flows.sources.http_client import Client\n"
        "from flows.sources.addresses import AllowList\n"
        "from flows.sources.download import download\n"
        "tracemalloc.start()\n"
        "client = Client(allowed=AllowList.of(sys.argv[1]))\n"
        "got = download(client, sys.argv[1], pathlib.Path(sys.argv[2]), 'big.csv', service='ONS')\n"
        "print(got.size, tracemalloc.get_traced_memory()[1])"
    )  # in a process of its own, because the server drains connections with a buffer of 10 MB
    url = httpserver.url_for("/big.csv")
    ran = subprocess.run([sys.executable, "-c", script, url, str(tmp_path)], capture_output=True, text=True, check=True)
    size, peak = (int(word) for word in ran.stdout.split())
    assert size == 19_000_000
    assert peak < 2_000_000
