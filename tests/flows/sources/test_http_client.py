"""The session: polite, patient within bounds, plain about failure."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.sources.addresses import AllowList
from flows.sources.errors import AddressError, ContentError, IncompleteError, SourceError, StatusError, UnreachableError
from flows.sources.http_client import Client, join, user_agent


def answers(httpserver: HTTPServer, *given: Response) -> list[Request]:
    """Serve these one after the other at /x, the last for ever; the requests are collected."""
    asked: list[Request] = []
    rest: Iterator[Response] = chain(given, repeat(given[-1]))

    def handler(request: Request) -> Response:
        asked.append(request)
        return next(rest)

    httpserver.expect_request("/x").respond_with_handler(handler)
    return asked


def test_a_service_that_is_briefly_down_is_asked_again(client: Client, httpserver: HTTPServer) -> None:
    asked = answers(httpserver, Response(status=503), Response(status=503), Response('{"a": 1}'))
    assert client.get_json(httpserver.url_for("/x"), service="GOV.UK") == {"a": 1}
    assert len(asked) == 3
    assert asked[0].headers["User-Agent"] == "crime-rates/0.1 (+tests)"


def test_a_service_that_stays_down_is_an_error_with_its_status(client: Client, httpserver: HTTPServer) -> None:
    asked = answers(httpserver, Response(status=503))
    with pytest.raises(StatusError, match=r"GOV\.UK, http.*/x: expected .* 200; found 503") as caught:
        client.get_bytes(httpserver.url_for("/x"), service="GOV.UK")
    assert (caught.value.status, len(asked)) == (503, 3)


def test_retry_after_is_honoured(client: Client, httpserver: HTTPServer) -> None:
    answers(httpserver, Response(status=429, headers={"Retry-After": "1"}), Response("ok"))
    began = time.monotonic()
    assert client.get_text(httpserver.url_for("/x"), service="Nomis") == "ok"
    assert time.monotonic() - began >= 1


def test_a_retry_after_of_hours_is_reported_and_not_undercut(client: Client, httpserver: HTTPServer) -> None:
    asked = answers(httpserver, Response(status=429, headers={"Retry-After": "7200"}))
    with pytest.raises(StatusError, match="429 .*wait for 7200 seconds"):
        client.get_text(httpserver.url_for("/x"), service="Nomis")
    assert len(asked) == 1


def test_requests_keep_their_pace(allowed: AllowList, httpserver: HTTPServer) -> None:
    answers(httpserver, Response("ok"))
    now, waits = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    with Client(allowed=allowed, per_second=2, clock=lambda: now[0], sleep=sleep) as client:
        for pause in (0.1, 0.0, 9.0, 0.0):
            client.get_bytes(httpserver.url_for("/x"), service="GOV.UK")
            now[0] += pause
    assert waits == [0.4, 0.5]  # none before the first, none after nine idle seconds


def test_an_answer_cut_short_is_an_error(client: Client, httpserver: HTTPServer) -> None:
    answers(httpserver, Response(['{"a": 1'], headers={"Content-Length": "80"}))
    with pytest.raises(IncompleteError, match="cut short"):
        client.get_json(httpserver.url_for("/x"), service="GOV.UK")


def test_a_login_wall_is_named_as_what_it_is(client: Client, httpserver: HTTPServer) -> None:
    answers(httpserver, Response("<!DOCTYPE html><title>Sign in to Wi-Fi</title>"))
    with pytest.raises(ContentError, match="a JSON object; found an HTML page titled 'Sign in to Wi-Fi'"):
        client.get_json(httpserver.url_for("/x"), service="GOV.UK")


def test_redirects_without_end(client: Client, httpserver: HTTPServer) -> None:
    answers(httpserver, Response(status=302, headers={"Location": "/x"}))
    with pytest.raises(AddressError, match="redirects without end"):
        client.get_bytes(httpserver.url_for("/x"), service="ONS")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "x.ods", "http://"])
def test_only_http_addresses_are_asked(client: Client, url: str) -> None:
    with pytest.raises(AddressError, match="expected an http or https address"):
        client.get_bytes(url, service="ONS")


def test_a_redirect_to_a_local_file_is_refused(client: Client, httpserver: HTTPServer) -> None:
    answers(httpserver, Response(status=302, headers={"Location": "file:///etc/passwd"}))
    with pytest.raises(AddressError, match='a redirect to "file:///etc/passwd"'):
        client.get_bytes(httpserver.url_for("/x"), service="ONS")


def test_nobody_at_home(client: Client) -> None:
    with pytest.raises(UnreachableError, match=r"found \[Errno \d+\] Connection refused"):
        client.get_bytes("http://127.0.0.1:1/x", service="ONS")


def test_an_error_survives_the_way_between_processes() -> None:
    first = StatusError("ONS", "http://x", "200", "404", 404)
    again = pickle.loads(pickle.dumps(first))
    assert (str(again), again.status, again.found) == (str(first), 404, "404")
    assert isinstance(again, SourceError)


def test_the_user_agent_says_whom_to_write_to() -> None:
    assert user_agent("data@example.org") == "crime-rates/0.1 (+data@example.org)"
    assert user_agent(None) == "crime-rates/0.1"


def test_a_base_address_may_end_in_a_slash() -> None:
    assert join("http://x/", "/y") == join("http://x", "y") == "http://x/y"
