"""Processes that do dangerous work under limits of memory and time, and start in a hundredth of a second.

A Python with our libraries takes half a second to start. So one such process stays, and forks itself for each piece of work: the
fork is limited, does the work and ends; whatever it does, the server and its parent go on. Requests and answers are JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Self

from flows.common.errors import describe_error, is_expected
from flows.common.subprocesses import SubprocessFailed, end_with_parent, start_child, wait_for_child, work_for_parent

MAX_MEMORY = 4 << 30  # bytes of address space; the largest release published is read within 2
MAX_SECONDS = 300  # of processor; the largest release published takes 8
MAX_ANSWER = 1 << 20  # bytes
OUT_OF_MEMORY = 77  # exit status of a fork
PR_SET_PDEATHSIG = 1  # of prctl(2)


@dataclass(frozen=True)
class WorkLimits:
    """What one piece of work may take. memory: bytes of address space. seconds: of processor, and twice as many by the clock."""

    memory: int = MAX_MEMORY
    seconds: int = MAX_SECONDS


class ForkServer:
    """A process that runs `module`.`prepare()` once, and `answer(request)` in a fork of its own for each request."""

    def __init__(self, module: str, limits: WorkLimits, variables: Mapping[str, str]) -> None:
        self._process = start_child("flows.common.fork_server", module, str(limits.memory), str(limits.seconds), add=variables)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, request: object) -> Any:  # noqa: ANN401, a JSON value
        """The answer of a fork. Raises SubprocessFailed with its sentence, or with what ended it."""
        assert self._process.stdin is not None and self._process.stdout is not None  # pipes, as asked for
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line.endswith("\n"):
            wait_for_child(self._process)  # raises, with what it said last
            raise SubprocessFailed("its process ended without an answer")
        answer = json.loads(line)
        if "error" in answer:
            failed = SubprocessFailed(answer["error"])
            for note in answer["notes"]:
                failed.add_note(note)
            raise failed
        return answer["answer"]

    def close(self) -> None:
        """End it, and its fork; a thread that waits for an answer is told so."""
        self._process.kill()
        self._process.wait()


class ForkServers:
    """Fork servers for several threads: each borrows one that is idle, or starts one. A context manager: all end with it."""

    def __init__(self, module: str, limits: WorkLimits | None = None, variables: Mapping[str, str] | None = None) -> None:
        self._module, self._limits, self._variables = module, limits or WorkLimits(), variables or {}
        self._servers: list[ForkServer] = []
        self._idle: list[ForkServer] = []
        self._lock = Lock()

    def ask(self, request: object) -> Any:  # noqa: ANN401, a JSON value
        """The answer to a request. Raises SubprocessFailed."""
        with self._borrow() as server:
            return server.ask(request)

    @contextmanager
    def _borrow(self) -> Iterator[ForkServer]:
        with self._lock:
            server = self._idle.pop() if self._idle else None
        if server is None or not server.is_alive:
            server = ForkServer(self._module, self._limits, self._variables)
            with self._lock:
                self._servers.append(server)
        try:
            yield server
        finally:
            with self._lock:
                self._idle.append(server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all of them, also those at work: whoever waits for one gets SubprocessFailed."""
        with self._lock:
            servers, self._servers, self._idle = self._servers, [], []
        for server in servers:
            server.close()


# ---------------------------------------------------------------- the server
def _serve(name: str, memory: int, seconds: int) -> None:
    module = importlib.import_module(name)
    module.prepare()
    for line in sys.stdin:
        sys.stdout.write(_answer_in_fork(module.answer, json.loads(line), memory, seconds) + "\n")
        sys.stdout.flush()


def _answer_in_fork(answer: Callable[[Any], object], request: object, memory: int, seconds: int) -> str:
    """The line of a fork, or one that says what ended it."""
    reading, writing = os.pipe()
    server, child = os.getpid(), os.fork()
    if child == 0:
        status = 1
        os.close(reading)
        with suppress(BaseException):
            _die_with(server)
            _limit_process(memory, seconds)
            line = _work(answer, request).encode()
            os.write(writing, line)  # returns when all of it was read at the other end
            status = 0 if line else OUT_OF_MEMORY
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        line = pipe.read(MAX_ANSWER + 1)
    _, status = os.waitpid(child, 0)
    if len(line) > MAX_ANSWER:
        return json.dumps({"error": "its process gave an answer that is too long", "notes": []})
    return line.decode() if line else json.dumps({"error": _explain_end(status, memory, seconds), "notes": []})


def _die_with(server: int) -> None:
    """Let this fork end when its server is gone: nobody waits for the answer any more. At once on Linux, else soon."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    Thread(target=end_with_parent, args=[server], daemon=True).start()


def _work(answer: Callable[[Any], object], request: object) -> str:
    try:
        return json.dumps({"answer": answer(request)})
    except MemoryError:
        return ""
    except Exception as error:  # noqa: BLE001, the parent reports it
        if "can't start new thread" in str(error):  # for want of memory for its stack
            return ""
        notes = [] if is_expected(error) else traceback.format_exc().splitlines()
        return json.dumps({"error": describe_error(error), "notes": notes})


def _explain_end(status: int, memory: int, seconds: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if -code in (signal.SIGXCPU, signal.SIGALRM):
        return f"expected a file that is read within {seconds:,} seconds, found one that takes longer"
    if code == OUT_OF_MEMORY or -code == signal.SIGABRT:  # Python says that there is none, C++ aborts
        return f"expected a file that is read within {memory / (1 << 30):.3g} GB of memory, found one that takes more"
    return f"its process was ended (signal {-code})" if code < 0 else f"its process ended without an answer (exit status {code})"


def _limit_process(memory: int, seconds: int) -> None:
    """Limit this process, where the system can."""
    from transforms.readers.calamine import limit_process  # here, because it imports calamine, which only a fork needs

    signal.alarm(2 * seconds)  # also of waits without end: Python can wait so for a thread that found no memory to start
    limit_process(memory, seconds)


if __name__ == "__main__":
    work_for_parent(lambda: _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
