"""One polite HTTP session for all services: paced, with bounded retries, and with errors in plain sentences.

Retries and redirects live here and nowhere else in `flows/sources`; retrying a whole task is Prefect's. Every request is charged
to a budget (`budget`), and only addresses on the list are asked (`addresses`), also by a redirect. Files that are kept go through
`flows.sources.download`, which uses `Client.open`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self
from urllib.parse import urljoin

import requests
import urllib3

from flows.sources.addresses import AllowList
from flows.sources.budget import Budget, Limits
from flows.sources.content_check import describe
from flows.sources.errors import (
    TRANSIENT_STATUSES,
    AddressError,
    BudgetError,
    ContentError,
    GivenUpError,
    IncompleteError,
    SourceError,
    StatusError,
    UnreachableError,
    is_transient,
)
from flows.sources.guarded_connections import Guard, GuardedAdapter
from transforms.errors import quoted

PRODUCT = "crime-rates/0.1"
MAX_ANSWER = 16 << 20  # bytes of an answer that is held in memory, unpacked; the largest one has 1 MB
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_FAILING = 3  # addresses of a service that fail one after the other; then it is asked no more


def user_agent(contact: str | None) -> str:
    """`crime-rates/0.1 (+contact)`: who asks, and whom a service may write to (an address or a page)."""
    return f"{PRODUCT} (+{contact})" if contact else PRODUCT


class Client:
    """One `requests.Session` with a pace, a budget and bounded retries. Usable as a context manager, and from threads.

    agent: the User-Agent, see `user_agent`. allowed: which addresses may be asked. limits: of time and bytes, for the life of the
    client and for each request. per_second: requests a second at most (retries wait longer by themselves). timeout: seconds to
    connect, and between two reads. attempts: tries a request, the first included. backoff: seconds before the second try,
    doubled for each one after it, at most `longest_wait`; a longer Retry-After is an error at once. `clock` and `sleep`
    can be replaced in tests.
    """

    def __init__(
        self,
        agent: str = PRODUCT,
        *,
        allowed: AllowList | None = None,
        limits: Limits | None = None,
        per_second: float = 3.0,
        timeout: tuple[float, float] = (10.0, 60.0),
        attempts: int = 5,
        backoff: float = 1.0,
        longest_wait: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the session; nothing is asked yet."""
        self.limits, self.backoff, self.longest_wait, self.sleep = limits or Limits(), backoff, longest_wait, sleep
        self._allowed, self._attempts = allowed or AllowList(), attempts
        self._gap, self._timeout, self._clock = 1.0 / per_second, timeout, clock
        self._next, self._turn = float("-inf"), threading.Lock()
        run = " that a run may take"
        self._run = Budget("", "", self.limits.run_seconds, self.limits.run_bytes, clock, what=run)
        self._failing: dict[str, set[str]] = {}
        self._guard = Guard(self._allowed, self.limits)
        self._session = _Session()
        self._session.headers["User-Agent"] = agent
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, GuardedAdapter(self._guard))
        # its messages quote whole addresses, of a webhook too; what matters in them is said in our errors
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    @contextmanager
    def budget(self, service: str, url: str, *, seconds: float, most: int) -> Iterator[Budget]:
        """A budget for all that it takes to have one answer or file of a service: requests, retries, waits and bodies.

        Raises GivenUpError when several addresses of the service have failed one after the other. What the block raises is
        remembered for that.
        """
        failing = self._failing.setdefault(service, set())
        if len(failing - {url}) >= MAX_FAILING:
            raise GivenUpError(service, url, "a service that answers", f"that its last {len(failing - {url})} answers failed")
        try:
            yield Budget(service, url, seconds, most, self._clock, within=self._run)
        except SourceError as error:
            if is_transient(error) or isinstance(error, BudgetError):
                failing.add(url)
            raise
        failing.clear()

    def open(
        self,
        url: str,
        *,
        budget: Budget,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
    ) -> requests.Response:
        """The answer to one GET, its body unread; the caller closes it (it is a context manager).

        Redirects are followed, at most five, and their bodies never read. Raises AddressError for an address that may not be
        asked, `UnreachableError` without an answer, `StatusError` for a status outside `accept`, BudgetError when
        the budget is spent.
        """
        service = budget.service
        try:
            target = requests.Request("GET", url, params=dict(params or {})).prepare().url or url
        except requests.RequestException:
            target = url  # of which the list says what is wrong
        came_from = ""
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask("GET", target, budget, came_from, headers=dict(headers or {}))
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or location is None:
                if response.status_code not in accept:
                    response.close()
                    raise _status_error(service, target, response, accept)
                return response
            response.close()  # with the connection: a redirect's body may have no end
            came_from = target
            try:
                target = urljoin(target, location)
            except ValueError as error:  # http://[
                found = f"a redirect to {quoted(location, 300)}"
                raise AddressError(service, target, "an http or https address", found) from error
        raise AddressError(service, url, f"an answer within {MAX_REDIRECTS} redirects", "redirects without end")

    def post_json(self, url: str, value: object, *, budget: Budget) -> None:
        """POST a value as JSON. The answer's body is left unread, and no redirect is followed; errors as those of `open`."""
        with self._ask("POST", url, budget, json=value) as response:
            if not response.ok or response.status_code in REDIRECTS:
                found = f"{response.status_code} {response.reason or ''}".strip()
                raise StatusError(budget.service, budget.url, "a status of success", found, response.status_code)

    def get_bytes(self, url: str, *, service: str, params: Mapping[str, str] | None = None) -> bytes:
        """The body of an answer of status 200, whole and unpacked; for answers of a few megabytes, held in memory.

        Raises the errors of `open`, `IncompleteError` for a body cut short, `ContentError` for one that is too large,
        however small it was packed.
        """
        body = bytearray()
        with (
            self.budget(service, url, seconds=self.limits.answer_seconds, most=2 * MAX_ANSWER) as budget,
            self.open(url, budget=budget, params=params) as response,
        ):
            try:
                for block in response.iter_content(1 << 16):
                    body += block
                    if len(body) > MAX_ANSWER:
                        raise ContentError(service, url, f"at most {MAX_ANSWER:,} bytes", "more")
            except requests.RequestException as error:
                budget.remaining()
                raise IncompleteError(service, response.url, "a whole answer", f"one cut short ({reason(error)})") from None
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

    def _ask(self, method: str, url: str, budget: Budget, by: str = "", **request: Any) -> requests.Response:  # noqa: ANN401
        """The answer of one address, which may be a redirect; retried where that may help. `by` is who redirects to it."""
        shown = url if method == "GET" else budget.url
        origin = self._allowed.check(url, service=budget.service, by=by)
        self._guard.enter(budget, origin)
        wait, failure = 0.0, None
        for attempt in range(self._attempts):
            if attempt:
                budget.wait(max(wait, min(self.backoff * 2 ** (attempt - 1), self.longest_wait)), self.sleep)
            self._wait_for_turn()
            connect, read = self._timeout
            try:
                response = self._session.request(
                    method,
                    url,
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(connect, budget.remaining()), read),
                    auth=self._allowed.credentials.get(origin),
                    **request,
                )
            except ValueError as error:  # an address that is none after all, such as http://a..b
                found = f"that there can be none ({type(error).__name__})"
                raise AddressError(budget.service, shown, "an address with a host", found) from None
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:  # they quote addresses
                budget.remaining()
                wait, failure = 0.0, UnreachableError(budget.service, shown, "an answer", reason(error))
                continue
            if response.status_code in TRANSIENT_STATUSES and attempt + 1 < self._attempts:
                wait, failure = _retry_after(response), None
                if wait <= self.longest_wait:
                    response.close()
                    continue
            return response
        raise failure or UnreachableError(budget.service, shown, "an answer", "none")

    def _wait_for_turn(self) -> None:
        with self._turn:
            if (wait := self._next - self._clock()) > 0:
                self.sleep(wait)
            self._next = max(self._next, self._clock()) + self._gap


class _Session(requests.Session):
    """A session that sees no redirects: requests reads the whole body of one before it follows, or even declines to."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002, requests calls it so
        return None


def join(base_url: str, path: str) -> str:
    """A service's base address and a path as one address, with exactly one slash between them."""
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def reason(error: BaseException) -> str:
    """The innermost cause of a requests or urllib3 error in a few words (their own texts run over lines)."""
    inner = error
    while isinstance(deeper := getattr(inner, "reason", None) or next(iter(inner.args), None), BaseException):
        inner = deeper
    if "Timeout" in type(inner).__name__:
        return "no answer in time"
    return str(inner.args[0] if inner.args else type(inner).__name__).rsplit(": ", 1)[-1]


def _retry_after(response: requests.Response) -> float:
    """Seconds that a busy server asks to wait; 0 where it does not say, or says nothing that can be understood."""
    try:
        return float(urllib3.Retry().get_retry_after(response.raw) or 0)
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return 0.0


def _status_error(service: str, url: str, response: requests.Response, accept: Collection[int]) -> SourceError:
    found = f"{response.status_code} {response.reason or ''}".strip()
    if after := response.headers.get("Retry-After"):
        found += f", asking to wait for {after}" + (" seconds" if after.isdigit() else "")
    expected = f"an answer of status {' or '.join(str(status) for status in accept)}"
    return StatusError(service, url, expected, found, response.status_code)
