"""No server can hold a run: not by sending little for long, much for ever, or nothing but trouble. Every wait has an end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path

import pytest

from flows.sources.addresses import AllowList
from flows.sources.budget import Limits
from flows.sources.download import download
from flows.sources.errors import BudgetError, GivenUpError, SourceError, StatusError, UnreachableError, is_transient
from flows.sources.http_client import Client
from tests.support.raw_server import RawServer, answer, serve

HEAD = b"HTTP/1.1 200 OK\r\n"
SHORT = Limits(answer_seconds=0.3, file_seconds=0.3)


def drip(start: bytes, piece: bytes, pause: float = 0.01) -> Iterator[bytes]:
    """The start at once, then small pieces without end."""
    yield start
    while True:
        time.sleep(pause)
        yield piece


@contextmanager
def hurried(server: RawServer, limits: Limits = SHORT, attempts: int = 5, backoff: float = 0.01) -> Iterator[Client]:
    allowed = AllowList.of(server.url)
    with Client(allowed=allowed, limits=limits, per_second=10_000, timeout=(2, 2), attempts=attempts, backoff=backoff) as client:
        yield client


ENDLESS: dict[str, Iterable[bytes]] = {
    "a body of a few bytes a second": drip(HEAD + b"Content-Length: 99999\r\n\r\n", b"x"),
    "a body in chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a header letter by letter": drip(HEAD + b"X-Long: ", b"x"),
    "the status line letter by letter": drip(b"HTTP/1.1 200 ", b"O"),
    "100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_that_drips_ends_with_its_time(pieces: Iterable[bytes], tmp_path: Path) -> None:
    with serve(lambda _: pieces) as server, hurried(server) as client:
        began = time.monotonic()
        with pytest.raises(
            BudgetError, match=r"expected an answer within 0\.3 seconds; found none that was whole by then"
        ) as error:
            download(client, f"{server.url}/x.csv", tmp_path, "x.csv", service="ONS")
        assert time.monotonic() - began < 1
    assert not is_transient(error.value)  # to try again would take as long


def test_a_server_that_says_nothing_is_not_waited_for_beyond_the_time_of_the_file() -> None:
    with serve(lambda _: drip(b"", b"", pause=0.1)) as server, hurried(server) as client:
        began = time.monotonic()
        with pytest.raises(BudgetError, match=r"within 0\.3 seconds"):
            client.get_bytes(f"{server.url}/x", service="Nomis")
        assert time.monotonic() - began < 1


def test_a_server_that_is_busy_without_end_takes_no_more_than_the_time_of_the_file() -> None:
    with serve(lambda _: [answer(b"", status="503 Busy")]) as server, hurried(server, attempts=10_000) as client:
        with pytest.raises(BudgetError, match=r"within 0\.3 seconds; found a server that stays busy for longer"):
            client.get_bytes(f"{server.url}/x", service="Nomis")
        assert len(server.asked) < 20


def test_a_server_that_asks_to_wait_again_and_again_is_not_obeyed_beyond_the_time_of_the_file() -> None:
    with serve(lambda _: [answer(b"", "Retry-After: 50", status="429 Slow down")]) as server, hurried(server) as client:
        with pytest.raises(BudgetError, match="a server that stays busy"):
            client.get_bytes(f"{server.url}/x", service="Nomis")
        assert len(server.asked) == 1


def test_an_average_of_less_than_is_bearable_ends_an_answer_before_its_time() -> None:
    limits = Limits(patience=0.2, slowest=100_000)
    pieces = drip(HEAD + b"Content-Length: 9999999\r\n\r\n", b"x" * 50)
    with (
        serve(lambda _: pieces) as server,
        hurried(server, limits) as client,
        pytest.raises(BudgetError, match=r"expected at least 100,000 bytes a second; found \d,\d\d\d"),
    ):
        client.get_bytes(f"{server.url}/x", service="Nomis")


def test_100_continue_as_fast_as_can_be_is_too_much() -> None:
    with serve(lambda _: repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)) as server, hurried(server, Limits()) as client:
        with pytest.raises(BudgetError, match="at most 1,048,576 bytes before the body of an answer; found more"):
            client.get_bytes(f"{server.url}/x", service="Nomis")
        assert server.sent < 20_000_000


def test_a_file_has_its_bytes_over_all_attempts(tmp_path: Path) -> None:
    """A server that ignores Range and cuts each answer would be read from the start again and again."""
    cut = HEAD + b"Content-Length: 9999999\r\n\r\n" + b"a,b\r\n" * 20_000
    with serve(lambda _: [cut]) as server, hurried(server, Limits(file_bytes=250_000)) as client:
        with pytest.raises(BudgetError, match="expected at most 250,000 bytes; found more"):
            download(client, f"{server.url}/x.csv", tmp_path, "x.csv", service="ONS")
        assert len(server.asked) == 3


def test_a_listed_size_bounds_a_file_that_tells_none(tmp_path: Path) -> None:
    pieces = chain([HEAD + b"\r\n"], repeat(b"a,b\r\n" * 10_000))
    with serve(lambda _: pieces) as server, hurried(server, Limits()) as client:
        with pytest.raises(SourceError, match="expected 1,000 bytes, as listed; found more"):
            download(client, f"{server.url}/x.csv", tmp_path, "x.csv", service="ONS", expected_size=1000)
        assert server.sent < 20_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_run_has_its_bytes_over_all_files() -> None:
    with serve(lambda _: [answer(bytes(10_000))]) as server, hurried(server, Limits(run_bytes=25_000)) as client:
        for _ in range(2):
            client.get_bytes(f"{server.url}/x", service="Nomis")
        with pytest.raises(BudgetError, match="expected at most 25,000 bytes that a run may take; found more"):
            client.get_bytes(f"{server.url}/x", service="ONS")


def test_a_run_has_its_time_over_all_files() -> None:
    now = [0.0]
    with (
        serve(lambda _: [answer(b"{}")]) as server,
        Client(allowed=AllowList.of(server.url), limits=Limits(run_seconds=60), clock=lambda: now[0]) as client,
    ):
        assert client.get_json(f"{server.url}/x", service="Nomis") == {}
        now[0] = 61
        with pytest.raises(BudgetError, match="Nomis, .*: expected all answers within 60 seconds that a run may take"):
            client.get_json(f"{server.url}/x", service="Nomis")


def test_a_redirect_is_followed_without_a_look_at_its_body() -> None:
    def script(head: bytes) -> Iterable[bytes]:
        if b"GET /new " in head:
            return [answer(b"{}")]
        return chain([b"HTTP/1.1 302 Found\r\nLocation: /new\r\n\r\n"], repeat(bytes(100_000)))

    with serve(script) as server, hurried(server) as client:
        assert client.get_json(f"{server.url}/old", service="Nomis") == {}
        assert server.asked == ["GET /old HTTP/1.1", "GET /new HTTP/1.1"]
        assert server.sent < 20_000_000  # what fits between two sockets, and no more


def test_a_service_of_which_several_files_failed_is_asked_no_more() -> None:
    def script(head: bytes) -> Iterable[bytes]:
        return [answer(b"{}")] if b"GET /good" in head else [answer(b"", status="503 Busy")]

    with serve(script) as server, hurried(server, Limits(), attempts=1) as client:
        for name in ("one", "two", "three"):
            with pytest.raises(StatusError):
                client.get_bytes(f"{server.url}/{name}", service="ONS")
        with pytest.raises(GivenUpError, match="expected a service that answers; found that its last 3 answers failed") as error:
            client.get_bytes(f"{server.url}/four", service="ONS")
        assert len(server.asked) == 3 and not is_transient(error.value)
        assert client.get_json(f"{server.url}/good", service="Nomis") == {}


def test_a_service_that_recovers_is_asked_again() -> None:
    def script(head: bytes) -> Iterable[bytes]:
        return [answer(b"{}")] if b"GET /good" in head else [b""]

    with serve(script) as server, hurried(server, Limits(), attempts=1) as client:
        for name in ("one", "two", "good", "three", "four", "good"):
            if name == "good":
                assert client.get_json(f"{server.url}/good", service="ONS") == {}
            else:
                with pytest.raises(UnreachableError):
                    client.get_bytes(f"{server.url}/{name}", service="ONS")
