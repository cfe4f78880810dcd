"""What no service should say, and what may be said all the same: each oddity is one sentence about that service alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from flows.settings import Settings
from flows.sources import catalogue, govuk, nomis
from flows.sources.addresses import AllowList
from flows.sources.download import DownloadedFile, download
from flows.sources.errors import ContentError, SourceError
from flows.sources.http_client import Client
from flows.storage.data_store import LocalStore
from tests.flows.sources.test_govuk import ASSETS, CSP, PFA, page
from tests.support.raw_server import answer, serve


def test_more_attachments_than_any_page_has(client: Client, httpserver: HTTPServer) -> None:
    many = [CSP, PFA, *(CSP | {"url": f"{ASSETS}/{n}/prc-csp-x.ods"} for n in range(1000))]
    with pytest.raises(ContentError, match="expected at most 1,000 attachments; found 1,002"):
        govuk.discover(client, page(httpserver, many))


@pytest.mark.parametrize("scheme", ["https", "ftp"])
def test_an_attachment_with_a_password_in_its_address_is_not_fetched(client: Client, httpserver: HTTPServer, scheme: str) -> None:
    bad = CSP | {"url": f"{scheme}://user:s3cret@host/prc-csp-x.ods"}
    found = govuk.discover(client, page(httpserver, [CSP, PFA, bad]))
    assert len(found.attachments) == 2
    [problem] = found.problems
    assert problem.endswith(f'expected an http(s) address without a user; found "{scheme}://host/prc-csp-x.ods"')


@pytest.mark.parametrize(
    "piece", ["<a ", "<a href='", "<!--", "<", "<a href=x.ods>", "</a", "&#", "<![", '<a href="x.ods">' + "<" * 99]
)
def test_a_page_that_is_made_to_be_slow_to_read_is_not(client: Client, httpserver: HTTPServer, piece: str) -> None:
    httpserver.expect_request(f"/api/content{govuk.PAGE}").respond_with_json({"details": {}})
    httpserver.expect_request(govuk.PAGE).respond_with_data(piece * (4_800_000 // len(piece)))
    began = time.process_time()
    with pytest.raises(ContentError, match="expected a Community Safety Partnership or Police Force Area table on the page"):
        govuk.discover(client, httpserver.url_for(""))
    assert time.process_time() - began < 2


def test_a_field_longer_than_csv_allows(client: Client, httpserver: HTTPServer) -> None:
    header = "DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,OBS_VALUE,RECORD_COUNT\n"
    for text in (f"{header}2014,{'x' * 131_073},E07000235,5,1\n", f'DATE_NAME,"{"x" * 131_073}"\n'):
        httpserver.clear()
        httpserver.expect_request(nomis.PATH).respond_with_data(text)
        with pytest.raises(ContentError, match=r"comma-separated values; found something else \(field larger than field limit"):
            nomis.populations(client, httpserver.url_for(""), [2014])


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -0100", "Thu, 99 Foo 99999", "\x80"])
def test_a_date_that_no_calendar_has_is_no_date(tmp_path: Path, date: str) -> None:
    body = answer(b"a,b\n1,2\n", f"Last-Modified: {date}").decode("latin-1").encode("latin-1", "replace")
    with serve(lambda _: [body]) as server, client_of(server.url) as asker:
        got = download(asker, f"{server.url}/x.csv", tmp_path, "x.csv", service="ONS")
    assert isinstance(got, DownloadedFile) and got.last_modified is None


@pytest.mark.parametrize(
    "wait", ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -0100", "-5", "1e9", "9" * 400, "soon", ""]
)
def test_an_odd_wait_is_refused_or_passed_over(wait: str) -> None:
    busy = answer(b"", f"Retry-After: {wait}", status="503 Busy")
    with serve(lambda _: [busy]) as server, client_of(server.url) as asker, pytest.raises(SourceError, match="found 503"):
        asker.get_bytes(f"{server.url}/x", service="ONS")


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\x00\xff" * 2000,
        b"HTTP/1.1 200\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 99999999999999999999 OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; expires=Fri, 31 Dec 99999 23:59:59 GMT\r\nContent-Length: 2\r\n\r\n[]",
    ],
)
def test_an_answer_that_is_hardly_http_is_a_sentence(raw: bytes) -> None:
    with serve(lambda _: [raw]) as server, client_of(server.url) as asker, pytest.raises(SourceError) as error:
        asker.get_json(f"{server.url}/x", service="ONS")
    assert str(error.value).startswith(f"ONS, {server.url}/x: expected ")
    assert str(error.value).isprintable()


def test_a_fault_over_one_service_leaves_the_others_alone(
    client: Client, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(govuk, "discover", break_down)
    base = httpserver.url_for("").rstrip("/")
    settings = Settings(LocalStore(tmp_path), govuk_url=base, nomis_url=base, geoportal_url=base, ons_url=base)
    listing = catalogue.discover(settings, client)
    [failed] = listing.failed
    assert {file.service for file in listing.files} == {"Nomis", "ONS", "ONS Open Geography"}
    assert failed.name == "GOV.UK" and failed.message.startswith("This is a fault of crime-rates")


def client_of(url: str) -> Client:
    return Client(allowed=AllowList.of(url), per_second=10_000, timeout=(2, 2), attempts=2, backoff=0.001)
