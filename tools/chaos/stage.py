"""The command `crime-rates` with short waits and eyes on the disk: `python -m tools.chaos.stage update …`.

Everything is real: the commands, the flows, the lock, the run log. No Prefect server is configured, so a run starts in half a
second, and a hundred can be killed in minutes. Only waits are shorter, between two tries of a request or of a fetch.

CHAOS_DATA names the data folder. Each change that Python is about to make in it is a line of the file CHAOS_STEPS;
CHAOS_KILL_AT=n kills the process before its n-th change; CHAOS_FULL_AT=n tells it from the n-th on that the disk is full.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from dataclasses import replace
from typing import Any

CHANGES = {"os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "os.utime", "os.chmod", "os.truncate"}
NEEDS_ROOM = {"open", "os.symlink", "os.mkdir"}
SHORT = 0.05  # seconds that wait in the place of minutes


def hurry() -> None:
    """Let the HTTP client and the fetch wait for fractions of a second where they wait for minutes."""
    from flows.pipeline import update
    from flows.sources import catalogue
    from flows.sources.addresses import AllowList
    from flows.sources.http_client import Client, user_agent

    update.fetch = replace(update.fetch, waits=[SHORT] * len(update.FETCH_WAITS))
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
