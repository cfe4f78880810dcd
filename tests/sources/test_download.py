"""One file, over a connection that breaks and a server that changes its mind."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from shelf import Shelf
from werkzeug import Request, Response

from flows.sources.download import Fetched, NotModified, download
from flows.sources.errors import ContentError, FileNameError, IncompleteError, StatusError
from flows.sources.http import Client

PUBLISHED = datetime(2026, 7, 23, 8, 30, tzinfo=UTC)


def fetch(client: Client, url: str, folder: Path, **more: object) -> Fetched:
    got = download(client, url, folder, "table.ods", service="GOV.UK", **more)  # type: ignore[arg-type]
    assert isinstance(got, Fetched)
    return got


def test_a_file_arrives_with_its_record(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
    got = fetch(client, address, tmp_path / "new", expected_size=len(shelf.body))
    assert got.path == tmp_path / "new/table.ods.part"
    assert got.path.read_bytes() == shelf.body
    assert got == Fetched(
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


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', None])
def test_a_body_cut_at_half_is_resumed(
    client: Client, shelf: Shelf, address: str, tmp_path: Path, etag: str | None
) -> None:
    shelf.etag, shelf.cuts = etag, [len(shelf.body) // 2]
    got = fetch(client, address, tmp_path)
    assert shelf.answered == [200, 206]
    assert shelf.asked[1].headers["Range"] == f"bytes={len(shelf.body) // 2}-"
    assert shelf.asked[1].headers["If-Range"] == ('"one"' if etag == '"one"' else shelf.modified)
    assert got.sha256 == hashlib.sha256(shelf.body).hexdigest() == hashlib.sha256(got.path.read_bytes()).hexdigest()


def test_a_file_without_validators_starts_again(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
    shelf.etag, shelf.modified, shelf.cuts = None, None, [1000]
    assert fetch(client, address, tmp_path).path.read_bytes() == shelf.body
    assert shelf.answered == [200, 200]


def test_what_came_before_the_call_gave_up_is_kept_and_resumed_by_the_next(
    client: Client, shelf: Shelf, address: str, tmp_path: Path
) -> None:
    shelf.cuts = [1000] * 6
    with pytest.raises(IncompleteError, match=rf"expected {len(shelf.body):,} bytes; found 6,000 after 6 attempts"):
        fetch(client, address, tmp_path)
    got = fetch(client, address, tmp_path)
    assert shelf.asked[-1].headers["Range"] == "bytes=6000-"
    assert got.path.read_bytes() == shelf.body and got.sha256 == hashlib.sha256(shelf.body).hexdigest()


def test_a_killed_process_leaves_a_part_that_the_next_one_resumes(
    client: Client, httpserver: HTTPServer, tmp_path: Path, workbook: bytes
) -> None:
    killed, shelf = threading.Event(), Shelf(workbook)
    half = len(workbook) // 2

    def slow(request: Request) -> Response:
        if "Range" in request.headers:
            return shelf(request)

        def body() -> Iterator[bytes]:
            yield workbook[:half]
            killed.wait(20)
            yield workbook[half:]

        headers = {"Content-Length": str(len(workbook)), "ETag": '"one"', "Last-Modified": str(shelf.modified)}
        return Response(body(), headers=headers)

    httpserver.expect_request("/slow.ods").respond_with_handler(slow)
    url, part = httpserver.url_for("/slow.ods"), tmp_path / "table.ods.part"
    script = (
        "import sys, pathlib; from flows.sources.http import Client; from flows.sources.download import download\n"
        "download(Client(), sys.argv[1], pathlib.Path(sys.argv[2]), 'table.ods', service='GOV.UK')"
    )
    process = subprocess.Popen([sys.executable, "-c", script, url, str(tmp_path)])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size >= 100_000):
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -9
    came = part.stat().st_size
    killed.set()
    assert 100_000 <= came < len(workbook)
    got = fetch(client, url, tmp_path)
    assert shelf.asked[0].headers["Range"] == f"bytes={came}-"
    assert got.sha256 == hashlib.sha256(workbook).hexdigest()


def test_killed_between_the_last_byte_and_the_rename(
    client: Client, shelf: Shelf, address: str, tmp_path: Path
) -> None:
    first = fetch(client, address, tmp_path)
    assert fetch(client, address, tmp_path) == first
    assert shelf.asked[1].headers["Range"] == f"bytes={len(shelf.body) - 1}-"


def test_a_server_that_ignores_range_starts_cleanly_again(
    client: Client, shelf: Shelf, address: str, tmp_path: Path
) -> None:
    shelf.ranges, shelf.cuts = False, [5000]
    assert fetch(client, address, tmp_path).path.read_bytes() == shelf.body
    assert shelf.answered == [200, 200]


@pytest.mark.parametrize("honours_if_range", [True, False])
def test_a_file_that_changes_between_two_requests_comes_whole(
    client: Client, shelf: Shelf, address: str, tmp_path: Path, honours_if_range: bool
) -> None:
    shelf.cuts = [1000] * 6
    with pytest.raises(IncompleteError):
        fetch(client, address, tmp_path)
    revised = shelf.body[:9000] + b"revised" + shelf.body[9007:]  # of the same size
    shelf.body, shelf.etag, shelf.honours_if_range = revised, '"two"', honours_if_range
    got = fetch(client, address, tmp_path)
    assert (got.path.read_bytes(), got.etag) == (shelf.body, '"two"')
    assert shelf.answered[6:] == ([200] if honours_if_range else [206, 200])


def rest_of_another_version(shelf: Shelf, etag: str | None, request: Request) -> Response:
    """A cut first, and to the request for the rest the rest of other bytes; afterwards the file as it is."""
    response = shelf(request)
    if len(shelf.answered) == 2:
        other = bytes(byte ^ 1 for byte in shelf.body[len(shelf.body) // 2 : -500]) + shelf.body[-500:]
        headers = {"Content-Range": response.headers["Content-Range"]} | ({"ETag": etag} if etag else {})
        return Response(other, 206, headers)
    return response


def test_a_rest_that_does_not_say_of_which_version_it_is_is_not_used(
    client: Client, httpserver: HTTPServer, tmp_path: Path, workbook: bytes
) -> None:
    shelf = Shelf(workbook, cuts=[len(workbook) // 2])
    httpserver.expect_request("/two.ods").respond_with_handler(lambda request: rest_of_another_version(shelf, None, request))
    assert fetch(client, httpserver.url_for("/two.ods"), tmp_path).path.read_bytes() == workbook
    assert shelf.answered == [200, 206, 200]


def test_a_workbook_in_pieces_that_do_not_fit_is_refused_and_comes_anew(
    client: Client, httpserver: HTTPServer, tmp_path: Path, workbook: bytes
) -> None:
    shelf = Shelf(workbook, cuts=[len(workbook) // 2])
    httpserver.expect_request("/two.ods").respond_with_handler(lambda request: rest_of_another_version(shelf, '"one"', request))
    url = httpserver.url_for("/two.ods")
    with pytest.raises(IncompleteError, match="expected the rest of the file; found a rest that does not fit its beginning"):
        fetch(client, url, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert fetch(client, url, tmp_path).path.read_bytes() == workbook


def test_a_part_of_another_address_is_not_resumed(
    client: Client, shelf: Shelf, address: str, httpserver: HTTPServer, tmp_path: Path
) -> None:
    shelf.cuts = [1000] * 6
    with pytest.raises(IncompleteError):
        fetch(client, address, tmp_path)
    other = replace(shelf, asked=[], answered=[])
    httpserver.expect_request("/media/0b/table.ods").respond_with_handler(other)
    assert fetch(client, httpserver.url_for("/media/0b/table.ods"), tmp_path).path.read_bytes() == shelf.body
    assert "Range" not in other.asked[0].headers


@pytest.mark.parametrize("notes", ["", "{", "[]", '{"url": 1, "more": 2}'])
def test_damaged_notes_of_a_part_start_it_again(
    client: Client, shelf: Shelf, address: str, tmp_path: Path, notes: str
) -> None:
    (tmp_path / "table.ods.part").write_bytes(b"half of something")
    (tmp_path / "table.ods.part.json").write_text(notes)
    assert fetch(client, address, tmp_path).path.read_bytes() == shelf.body


def test_a_content_length_that_promises_too_much(
    client: Client, httpserver: HTTPServer, workbook: bytes, tmp_path: Path
) -> None:
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


def test_a_login_wall_does_not_cost_the_half_that_is_here(
    client: Client, shelf: Shelf, address: str, tmp_path: Path
) -> None:
    shelf.cuts = [1000] * 6
    with pytest.raises(IncompleteError):
        fetch(client, address, tmp_path)
    whole, wall = shelf.body, b"<html>Log in"
    shelf.body, shelf.content_type, shelf.etag, shelf.ranges = wall, "text/html", None, False
    with pytest.raises(ContentError):
        fetch(client, address, tmp_path)
    shelf.body, shelf.content_type, shelf.etag, shelf.ranges = whole, "application/zip", '"one"', True
    assert fetch(client, address, tmp_path).path.read_bytes() == whole
    assert shelf.answered[-1] == 206


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
    assert isinstance(got, Fetched) and got.path.read_bytes() == text


def test_memory_does_not_grow_with_the_file(httpserver: HTTPServer, tmp_path: Path) -> None:
    block, blocks = b"South Worcester,36\n" * 1000, 1000

    def handler(_: Request) -> Response:
        return Response(repeat(block, blocks), headers={"Content-Length": str(len(block) * blocks)})

    httpserver.expect_request("/big.csv").respond_with_handler(handler)
    script = (
        "import sys, pathlib, tracemalloc; from flows.sources.http import Client\n"
        "from flows.sources.download import download\n"
        "tracemalloc.start()\n"
        "got = download(Client(), sys.argv[1], pathlib.Path(sys.argv[2]), 'big.csv', service='ONS')\n"
        "print(got.size, tracemalloc.get_traced_memory()[1])"
    )  # in a process of its own, because the server drains connections with a buffer of 10 MB
    url = httpserver.url_for("/big.csv")
    ran = subprocess.run([sys.executable, "-c", script, url, str(tmp_path)], capture_output=True, text=True, check=True)
    size, peak = (int(word) for word in ran.stdout.split())
    assert size == 19_000_000
    assert peak < 2_000_000
