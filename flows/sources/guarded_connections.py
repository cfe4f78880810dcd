"""Connections whose every read is charged to a budget, and that speak to no private network unless the settings name it.

http.client reads status, headers and body from one stream; here that stream looks at the budget before each read. So a server
cannot hold a run by sending little for long, wherever in its answer it does: `100 Continue` without end, a header letter by
letter, a body of a byte a second.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from flows.sources.addresses import AllowList, Origin
from flows.sources.budget import Budget, Limits

MAX_HEADERS = 1 << 20  # bytes before the body, all interim answers included


class Guard(threading.local):
    """What the request that this thread makes may do: which budget it is charged to, and whom it speaks to."""

    def __init__(self, allowed: AllowList, limits: Limits) -> None:
        self.allowed, self.limits = allowed, limits
        self.budget: Budget | None = None
        self.origin: Origin | None = None

    def enter(self, budget: Budget, origin: Origin) -> None:
        """From now on this thread asks `origin`, and `budget` pays."""
        self.budget, self.origin = budget, origin

    def meter_answer(self, sock: socket.socket, *arguments: Any, **options: Any) -> http.client.HTTPResponse:  # noqa: ANN401
        """What http.client reads an answer with, charged to the budget of this thread."""
        assert self.budget is not None  # entered before anything is asked
        return _MeteredResponse(_Meter(sock, self.budget, self.limits), *arguments, **options)

    def check_peer(self, connection: HTTPConnection, sock: socket.socket) -> None:
        """Raise AddressError for a peer in a private network that is not trusted. Behind a proxy, the peer is the proxy."""
        if connection.proxy is None and self.budget is not None and self.origin is not None:
            peer = str(sock.getpeername()[0])
            self.allowed.check_peer(self.origin, peer, service=self.budget.service, url=self.budget.url)


class GuardedAdapter(HTTPAdapter):
    """An adapter of requests whose connections are guarded, those through a proxy too. It does not retry by itself."""

    def __init__(self, guard: Guard) -> None:
        self._pools = _guarded_pools(guard)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401, handed on
        """Let the pools of direct connections make guarded ones."""
        super().init_poolmanager(*arguments, **options)  # type: ignore[no-untyped-call]
        cast(Any, self).poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401, handed on
        """Let the pools of connections through a proxy make guarded ones."""
        manager = cast(Any, super()).proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _guarded_pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    """The classes of pools by scheme, which urllib3 asks for. They are made here because it hands nothing on to connections."""

    class Plain(HTTPConnection):
        response_class = guard.meter_answer  # type: ignore[assignment]

        def _new_conn(self) -> socket.socket:
            return _check(self, super()._new_conn())

    class Encrypted(HTTPSConnection):
        response_class = guard.meter_answer  # type: ignore[assignment]

        def _new_conn(self) -> socket.socket:
            return _check(self, super()._new_conn())

    def _check(connection: HTTPConnection, sock: socket.socket) -> socket.socket:
        try:
            guard.check_peer(connection, sock)
        except BaseException:
            sock.close()
            raise
        return sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


class _MeteredResponse(http.client.HTTPResponse):
    """An answer that is read through a meter."""

    def __init__(self, meter: _Meter, *arguments: Any, **options: Any) -> None:  # noqa: ANN401, handed on
        self._meter = meter
        super().__init__(cast(socket.socket, meter), *arguments, **options)

    def begin(self) -> None:
        """Read up to the body."""
        self._meter.most = MAX_HEADERS
        super().begin()
        self._meter.most = None


class _Meter(io.RawIOBase):
    """The bytes of a socket; each read waits no longer than the budget has time, and is charged to it."""

    def __init__(self, sock: socket.socket, budget: Budget, limits: Limits) -> None:
        self._sock, self._budget, self._limits = sock, budget, limits
        self._raw = cast(io.RawIOBase, sock.makefile("rb", buffering=0))  # keeps the socket open while it is read
        self._timeout, self._began, self._came = sock.gettimeout(), budget.clock(), 0
        self.most: int | None = None

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The file that http.client asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401, any buffer
        budget, limits = self._budget, self._limits
        elapsed = budget.clock() - self._began
        if elapsed > limits.patience and self._came < limits.slowest * elapsed:
            budget.fail(f"at least {limits.slowest:,} bytes a second", f"{self._came / elapsed:,.0f}")
        left = budget.remaining()
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        try:
            size = self._raw.readinto(buffer)
        except TimeoutError:
            budget.remaining()  # an error of the budget, where that was what ended the wait
            raise
        self._came += size or 0
        budget.spend(size or 0)
        if self.most is not None and self._came > self.most:
            budget.fail(f"at most {self.most:,} bytes before the body of an answer", "more")
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
