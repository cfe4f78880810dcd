"""The command `crime-rates` on a stage set of Prefect: `python -m tools.chaos.stage update …`.

Everything of ours is real: the commands, the flows, the lock, the run log. Only Prefect is not: its decorators call the
functions as they stand, so that a run starts in half a second in place of three, and a hundred can be killed in minutes.

CHAOS_DATA names the data folder. Each change that Python is about to make in it is a line of the file CHAOS_STEPS;
CHAOS_KILL_AT=n kills the process before its n-th change; CHAOS_FULL_AT=n tells it from the n-th on that the disk is full.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from types import ModuleType
from typing import Any

CHANGES = {"os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "os.utime", "os.chmod", "os.truncate"}
NEEDS_ROOM = {"open", "os.symlink", "os.mkdir"}
SHORT = 0.05  # seconds that wait in the place of minutes


class State:
    """The end of a run or of a task: what it gave, or the error that it raised."""

    def __init__(self, *, data: Any = None, message: str = "") -> None:
        self.data, self.message = data, message

    def result(self, raise_on_failure: bool = True) -> Any:
        if raise_on_failure and isinstance(self.data, BaseException):
            raise self.data
        return self.data


class Task:
    """A function that tries again, as Prefect's tasks do, but soon."""

    pool = ThreadPoolExecutor(2)

    def __init__(self, function: Callable[..., Any], retries: int = 0, condition: Any = None) -> None:
        self.function, self.retries, self.condition = function, retries, condition

    def with_options(self, *, retries: int) -> Task:
        return Task(self.function, retries, self.condition)

    def submit(self, *words: Any) -> Future[Any]:
        return self.pool.submit(self, *words)

    def __call__(self, *words: Any) -> Any:
        for turn in range(self.retries + 1):
            try:
                return self.function(*words)
            except Exception as error:
                if turn == self.retries or not self.condition(None, None, State(data=error)):
                    raise
            time.sleep(SHORT)
        return None


def task(function: Any = None, *, retries: int = 0, retry_condition_fn: Any = None, **_: Any) -> Any:
    return Task(function, retries, retry_condition_fn) if function else lambda f: Task(f, retries, retry_condition_fn)


def flow(**_: Any) -> Any:
    def decorated(function: Any) -> Any:
        def run(*words: Any, return_state: bool = True) -> State:
            try:
                state: State = function(*words)
            except Exception as error:  # noqa: BLE001, as Prefect: the error is the result of the run
                state = State(data=error)
            return state if return_state else state.result()

        return run

    return decorated


def set_up() -> None:
    """Put modules in Prefect's place; only what flows/ imports is there."""

    def none(*_: Any, **__: Any) -> None:
        return None

    for name, values in {
        "prefect": {"flow": flow, "task": task, "Task": Task},
        "prefect.artifacts": {"create_markdown_artifact": none, "create_table_artifact": none},
        "prefect.cache_policies": {"NO_CACHE": None},
        "prefect.client": {},
        "prefect.client.schemas": {},
        "prefect.client.schemas.objects": {"State": State, "TaskRun": object},
        "prefect.futures": {"PrefectFuture": Future},
        "prefect.settings": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": None, "temporary_settings": nullcontext},
        "prefect.states": {"Completed": State, "Failed": State},
        "prefect.task_runners": {"ThreadPoolTaskRunner": none},
    }.items():
        module = ModuleType(name)
        module.__dict__.update(values)
        sys.modules[name] = module


def hurry() -> None:
    """Let the HTTP client wait for fractions of a second where it waits for minutes."""
    from flows.sources import catalogue
    from flows.sources.addresses import AllowList
    from flows.sources.http_client import Client, user_agent

    catalogue.open_client = lambda settings: Client(  # type: ignore[assignment]
        user_agent(settings.contact or None),
        allowed=AllowList.from_settings(settings),
        per_second=10_000,
        timeout=(0.5, 0.5),
        attempts=3,
        backoff=0.01,
        longest_wait=2,
    )


def ask_no_room() -> None:
    """Let a build begin on whatever disk there is, so that it can be seen to fill in the middle of one."""
    from flows.warehouse import build

    def enough(*_: Any) -> None:
        return None

    build.check_room = enough


class Witness:
    """Sees each change in the data folder before Python makes it, writes it down, and strikes when its turn has come."""

    def __init__(self, data: str, steps: str, kill_at: int, full_at: int) -> None:
        self.data, self.kill_at, self.full_at, self.count = data, kill_at, full_at, 0
        self.file = os.open(steps, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = words
            if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                return
        elif event in CHANGES:
            path = words[1] if event in ("os.rename", "os.symlink") else words[0]
            if event in ("os.remove", "os.rmdir") and words[1] != -1:
                path = f"{self.data}/…/{path}"  # relative to a folder that rmtree has opened
        else:
            return
        path = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if not path.startswith(self.data):
            return
        self.count += 1
        os.write(self.file, f"{event} {path.removeprefix(self.data)}\n".encode())
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.count >= self.full_at and event in NEEDS_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def main() -> None:
    set_up()
    hurry()
    ask_no_room()
    from flows.cli.main import main as command

    env = os.environ
    if "CHAOS_STEPS" in env:
        never = sys.maxsize
        sys.addaudithook(
            Witness(
                env["CHAOS_DATA"], env["CHAOS_STEPS"], int(env.get("CHAOS_KILL_AT", never)), int(env.get("CHAOS_FULL_AT", never))
            )
        )
    command()


if __name__ == "__main__":
    main()
