"""What the forks of a test do: a module for `ForkServers`."""

from __future__ import annotations

import os
import signal
import time

from transforms.errors import UsageError

KEPT: list[bytes] = []


def prepare() -> None:
    """Nothing to load."""


def answer(request: dict[str, str]) -> dict[str, object]:
    """Do what is asked; a request that knows nothing of this fills memory."""
    match request.get("do", "fill memory"):
        case "fill memory":
            while True:
                KEPT.append(b"x" * 10_000_000)
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(60)
        case "abort":
            os.abort()
        case "be killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "refuse":
            raise UsageError("expected this, found that.")
        case "fail":
            raise ZeroDivisionError("a fault")
        case "answer at length":
            return {"text": "x" * int(request["length"])}
        case "change a variable":
            KEPT.append(b"x")
    return {"pid": os.getpid(), "parent": os.getppid(), "kept": len(KEPT)}
