"""A server that answers byte for byte what a test says, in pieces and with pauses: no HTTP library stands in between."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

Script = Callable[[bytes], Iterable[bytes]]
"""From the head of a request to the pieces of its answer; a script that sleeps between pieces drips."""


class RawServer:
    """Answers each connection with the pieces of a script.

    `url` is the base address, `asked` are the request lines, `sent` the bytes sent so far.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._stopped = threading.Event()
        self.asked: list[str] = []
        self.sent = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more."""
        self._stopped.set()
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            self.asked.append(head.split(b"\r\n")[0].decode())
            for piece in self._script(head):
                if self._stopped.is_set():
                    return
                connection.sendall(piece)
                self.sent += len(piece)


@contextmanager
def serve(script: Script) -> Iterator[RawServer]:
    """A server that runs for the length of the block."""
    server = RawServer(script)
    try:
        yield server
    finally:
        server.stop()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
