"""A Prefect server with a home and a port of its own, for benches that run the real flows."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

from flows.cli.prefect_launcher import QUIET

PATIENCE = 120  # seconds


def quiet(home: Path) -> dict[str, str]:
    """An environment with a Prefect home of its own, that speaks to nobody outside."""
    return QUIET | {"PREFECT_HOME": str(home)}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def standing(home: Path) -> Iterator[dict[str, str]]:
    """The environment of clients of a server that stands until the end of the block."""
    port, environment = free_port(), quiet(home)
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=os.environ | environment, stdout=out, stderr=out, cwd=home, start_new_session=True)
    try:
        _wait(server, f"http://127.0.0.1:{port}/api/health", log)
        yield environment | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(PATIENCE * 2):
        with contextlib.suppress(OSError), urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        if server.poll() is not None:
            break
        time.sleep(0.5)
    raise RuntimeError(f"Prefect's server did not start: {log.read_text(encoding='utf-8', errors='replace')[-500:]}")
