"""How a run is stopped from outside: by Ctrl-C, by a service manager, by a terminal that closes.

Python ends at once at SIGTERM and SIGHUP, without putting anything on record. Here they raise an error as Ctrl-C does.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import FrameType

from flows.common.errors import Stopped
from flows.common.subprocesses import end_children

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
GRACE_SECONDS = 4.0  # for a run to put its end on record: after a fifth second nothing of it is left


@contextmanager
def stoppable(grace_seconds: float = GRACE_SECONDS) -> Iterator[None]:
    """While the block runs, the first of SIGNALS raises Stopped in it, and is the error that it ends with.

    A block that has not ended `grace_seconds` later ends with the process, and so do its children. Further signals change
    nothing, and a signal that is ignored already (by `nohup`) stays so. To be called in the main thread.
    """
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if received:
            return
        received.append(number)
        deadline = Timer(grace_seconds, _end_process, [128 + number])
        deadline.daemon = True
        deadline.start()
        raise Stopped(number)

    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    except BaseException as error:
        if received and not isinstance(error, Stopped):  # DuckDB, for one, puts an error of its own in its place
            raise Stopped(received[0]) from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_process(exit_status: int) -> None:
    end_children()
    os._exit(exit_status)
