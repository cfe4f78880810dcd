"""A server on this machine for as long as it is asked, and a browser before it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120.0  # seconds until a server has to answer


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def serving(command: list[str], address: str, log: Path, **env: str) -> Iterator[None]:
    """A server, from its first answer on; it is ended at the end."""
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
    try:
        until = time.monotonic() + PATIENCE
        while not answers(address):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"ServerError: it did not come up; see {log.name}")
            time.sleep(0.3)
        yield
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def browse(**order: object) -> str:
    """What a page shows in Chromium; see browser.mjs."""
    done = subprocess.run(["node", os.environ["BI_BROWSER"], json.dumps(order)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"BrowserError: {done.stderr.strip().splitlines()[-1:] or 'no word'}")
    return str(json.loads(done.stdout)["text"])
