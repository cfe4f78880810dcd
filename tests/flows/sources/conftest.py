"""A client in a hurry, and a real local HTTP server with a file on it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from flows.sources.addresses import AllowList
from flows.sources.http_client import Client
from tests.support.shelf import Shelf


@pytest.fixture
def allowed(httpserver: HTTPServer) -> AllowList:
    """The public services, and the local server in their place."""
    return AllowList.of(httpserver.url_for(""), "http://127.0.0.1:1")


@pytest.fixture
def client(allowed: AllowList) -> Iterator[Client]:
    with Client(
        "crime-rates/0.1 (+tests)", allowed=allowed, per_second=10_000, timeout=(2, 2), attempts=3, backoff=0.001
    ) as client:
        yield client


@pytest.fixture
def workbook() -> bytes:
    """About 300 kB in the outer shape of an ODS: a ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("content.xml", bytes(i * i % 251 for i in range(300_000)))
    return out.getvalue()


@pytest.fixture
def shelf(httpserver: HTTPServer, workbook: bytes) -> Shelf:
    shelf = Shelf(workbook)
    httpserver.expect_request("/media/0a/table.ods").respond_with_handler(shelf)
    return shelf


@pytest.fixture
def address(httpserver: HTTPServer) -> str:
    return httpserver.url_for("/media/0a/table.ods")
