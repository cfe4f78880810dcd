"""A child of the tests: it does what its request says."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from flows.common.subprocesses import answer_parent
from transforms.errors import UsageError


def answer(request: dict[str, Any]) -> Any:
    if "add" in request:
        return {"sum": sum(request["add"])}
    if "sleep" in request:
        print("asleep", flush=True)
        time.sleep(request["sleep"])
    if "variable" in request:
        return os.environ.get(request["variable"])
    if request["raise"] == "UsageError":
        raise UsageError("expected this,\nfound that.")
    if request["raise"] == "KeyError":
        raise KeyError("x")
    if request["raise"] == "SIGKILL":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(request["raise"], os.strerror(request["raise"]))


if __name__ == "__main__":
    answer_parent(answer)
