"""A file over a connection that breaks and a server that changes its mind: what came is kept, and never mixed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.sources.errors import ContentError, IncompleteError
from flows.sources.http_client import Client
from tests.support.shelf import Shelf, fetch


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', None])
def test_a_body_cut_at_half_is_resumed(client: Client, shelf: Shelf, address: str, tmp_path: Path, etag: str | None) -> None:
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
        "import sys, pathlib; from flows.sources.http_client import Client; from flows.sources.addresses import AllowList\n"
        "from flows.sources.download import download\n"
        "client = Client(allowed=AllowList.of(sys.argv[1]))\n"
        "download(client, sys.argv[1], pathlib.Path(sys.argv[2]), 'table.ods', service='GOV.UK')"
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


def test_killed_between_the_last_byte_and_the_rename(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
    first = fetch(client, address, tmp_path)
    assert fetch(client, address, tmp_path) == first
    assert shelf.asked[1].headers["Range"] == f"bytes={len(shelf.body) - 1}-"


def test_a_server_that_ignores_range_starts_cleanly_again(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
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
def test_damaged_notes_of_a_part_start_it_again(client: Client, shelf: Shelf, address: str, tmp_path: Path, notes: str) -> None:
    (tmp_path / "table.ods.part").write_bytes(b"half of something")
    (tmp_path / "table.ods.part.json").write_text(notes)
    assert fetch(client, address, tmp_path).path.read_bytes() == shelf.body


def test_a_login_wall_does_not_cost_the_half_that_is_here(client: Client, shelf: Shelf, address: str, tmp_path: Path) -> None:
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
