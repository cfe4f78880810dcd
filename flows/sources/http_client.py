"""One polite HTTP session for all services: paced, with bounded retries, and with errors in plain sentences.

Retries live here and nowhere else in `flows/sources` (urllib3's `Retry`, on connections and on 429 and 5xx); retrying a
whole task is Prefect's. Files that are kept go through `flows.sources.download`, which uses `Client.open`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Self, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ResponseError

from flows.sources.content_check import describe
from flows.sources.errors import TRANSIENT_STATUSES, ContentError, IncompleteError, SourceError, StatusError, UnreachableError

PRODUCT = "crime-rates/0.1"
MAX_ANSWER = 64 << 20  # bytes of an answer that is held in memory; the largest one has 1 MB


def user_agent(contact: str | None) -> str:
    """`crime-rates/0.1 (+contact)`: who asks, and whom a service may write to (an address or a page)."""
    return f"{PRODUCT} (+{contact})" if contact else PRODUCT


class _BoundedRetry(urllib3.Retry):
    """Retry that honours a Retry-After up to `backoff_max`, and beyond it gives up at once rather than ask too soon."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: urllib3.BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and (self.get_retry_after(response) or 0) > self.backoff_max:
            raise MaxRetryError(
                cast(ConnectionPool, _pool), url, ResponseError("asked to wait too long")
            )  # the pool then returns the answer
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def get_backoff_time(self) -> float:
        return max(self.backoff_factor, super().get_backoff_time())  # urllib3 alone would repeat at once the first time


class Client:
    """One `requests.Session` with a pace, time-outs and bounded retries. Usable as a context manager, and from threads.

    agent: the User-Agent, see `user_agent`. per_second: requests a second at most (retries wait longer by themselves).
    timeout: seconds to connect, and between two reads. attempts: tries a request, the first included. backoff: seconds
    before the second try, doubled for each one after it, at most `longest_wait`; a longer Retry-After is an error at
    once. `clock` and `sleep` serve the pace and can be replaced in tests.
    """

    def __init__(
        self,
        agent: str = PRODUCT,
        *,
        per_second: float = 3.0,
        timeout: tuple[float, float] = (10.0, 60.0),
        attempts: int = 5,
        backoff: float = 1.0,
        longest_wait: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the session; nothing is asked yet."""
        self.backoff, self.longest_wait, self.sleep = backoff, longest_wait, sleep
        self._gap, self._timeout, self._clock = 1.0 / per_second, timeout, clock
        self._next, self._turn = float("-inf"), threading.Lock()
        retry = _BoundedRetry(
            total=attempts - 1,
            status_forcelist=TRANSIENT_STATUSES,
            allowed_methods=frozenset({"GET"}),
            backoff_factor=backoff,
            backoff_max=longest_wait,
            raise_on_status=False,
        )
        self._session = requests.Session()
        self._session.headers["User-Agent"] = agent
        self._session.max_redirects = 5
        self._session.mount("http://", HTTPAdapter(max_retries=retry))
        self._session.mount("https://", HTTPAdapter(max_retries=retry))

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def open(
        self,
        url: str,
        *,
        service: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
        stream: bool = True,
    ) -> requests.Response:
        """The answer to one GET, its body unread if `stream`; the caller closes it (it is a context manager).

        Raises `UnreachableError` without an answer, `IncompleteError` for a body cut short (unless `stream`),
        `StatusError` for a status outside `accept`.
        """
        asked = requests.Request("GET", url, params=dict(params or {}))
        try:
            full = asked.prepare().url or url
        except requests.RequestException:
            full = url
        if not full.startswith(("http://", "https://")):
            raise UnreachableError(service, url, "an http or https address", repr(url))
        self._wait_for_turn()
        try:
            response = self._session.get(full, headers=dict(headers or {}), stream=stream, timeout=self._timeout)
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise IncompleteError(service, full, "a whole answer", f"one cut short ({reason(error)})") from error
        except requests.RequestException as error:
            raise UnreachableError(service, full, "an answer", reason(error)) from error
        if response.status_code not in accept:
            response.close()
            raise _status_error(service, full, response, accept)
        return response

    def get_bytes(self, url: str, *, service: str, params: Mapping[str, str] | None = None) -> bytes:
        """The body of an answer of status 200, whole and unpacked; for answers of a few megabytes, held in memory.

        Raises `ContentError` for a larger one, however small it was packed.
        """
        body = bytearray()
        with self.open(url, service=service, params=params) as response:
            try:
                for block in response.iter_content(1 << 16):
                    body += block
                    if len(body) > MAX_ANSWER:
                        raise ContentError(service, url, f"at most {MAX_ANSWER:,} bytes", "more")
            except requests.RequestException as error:
                raise IncompleteError(service, response.url, "a whole answer", f"one cut short ({reason(error)})") from error
        return bytes(body)

    def get_text(self, url: str, *, service: str, params: Mapping[str, str] | None = None) -> str:
        """The body as text: UTF-8 with or without a byte-order mark, which every service here sends."""
        body = self.get_bytes(url, service=service, params=params)
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ContentError(service, url, "text in UTF-8", f"a byte that is not, at {error.start:,}") from error

    def get_json(self, url: str, *, service: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The body as a JSON object; `ContentError` says what came instead."""
        body = self.get_bytes(url, service=service, params=params)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ContentError(service, url, "a JSON object", describe(body[:512])) from error
        if not isinstance(value, dict):
            raise ContentError(service, url, "a JSON object", f"a JSON {type(value).__name__}")
        return value

    def _wait_for_turn(self) -> None:
        with self._turn:
            if (wait := self._next - self._clock()) > 0:
                self.sleep(wait)
            self._next = max(self._next, self._clock()) + self._gap


def join(base_url: str, path: str) -> str:
    """A service's base address and a path as one address, with exactly one slash between them."""
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def reason(error: BaseException) -> str:
    """The innermost cause of a requests or urllib3 error in a few words (their own texts run over lines)."""
    if isinstance(error, requests.TooManyRedirects):
        return "redirects without end"
    inner = error
    while isinstance(deeper := getattr(inner, "reason", None) or next(iter(inner.args), None), BaseException):
        inner = deeper
    if "Timeout" in type(inner).__name__:
        return "no answer in time"
    return str(inner.args[0] if inner.args else type(inner).__name__).rsplit(": ", 1)[-1]


def _status_error(service: str, url: str, response: requests.Response, accept: Collection[int]) -> SourceError:
    found = f"{response.status_code} {response.reason or ''}".strip()
    if after := response.headers.get("Retry-After"):
        found += f", asking to wait for {after}" + (" seconds" if after.isdigit() else "")
    expected = f"an answer of status {' or '.join(str(status) for status in accept)}"
    return StatusError(service, url, expected, found, response.status_code)
