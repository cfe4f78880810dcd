"""Processes of our own: a module of this package at work as a child, with JSON or one sentence of error as its answer.

A child runs the code of its parent: it starts with `-P`, so that a folder `flows/` in the working directory is never imported,
and with the folder of this package first in PYTHONPATH. Standard error is for the parent: the last line is the
sentence, the lines before it (a traceback) are shown by `--debug`. A child ends with its parent, however that ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from threading import Thread
from typing import Any
from weakref import WeakSet

from flows.common.errors import describe_error, is_expected
from flows.common.package_data import ROOT
from transforms.errors import CrimeRatesError

WATCH_SECONDS = 0.2  # between two looks of a child whether its parent is there
_children: WeakSet[subprocess.Popen[str]] = WeakSet()  # of this process, as the system would list them if it could everywhere


class SubprocessFailed(CrimeRatesError):
    """A process of ours failed or was ended from outside; `str()` is its sentence, or its exit status."""


def start_child(
    module: str, *arguments: str, add: Mapping[str, str] | None = None, drop: Collection[str] = ()
) -> subprocess.Popen[str]:
    """Start a module of this package as a process, with pipes for text. `add` and `drop` change the variables it inherits."""
    environment = {name: value for name, value in os.environ.items() if name not in drop} | dict(add or {})
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    _children.add(child)
    return child


def end_children() -> None:
    """End all children of this process at once; whoever waits for one gets SubprocessFailed."""
    for child in [*_children]:
        if child.returncode is None:
            child.kill()


def wait_for_child(child: subprocess.Popen[str], request: str | None = None) -> str:
    """Send a child the request, wait for its end and return its output. Raises SubprocessFailed when it failed."""
    output, errors = child.communicate(request)
    if child.returncode == 0:
        return output
    lines = errors.strip().splitlines()
    failed = SubprocessFailed(lines[-1] if lines else f"its process was ended (exit status {child.returncode})")
    for line in lines[:-1]:
        failed.add_note(line)
    raise failed


def ask_child(module: str, request: object, *, add: Mapping[str, str] | None = None, drop: Collection[str] = ()) -> object:
    """The answer of a module that runs `answer_parent`; request and answer are JSON values. Raises SubprocessFailed."""
    answer: object = json.loads(wait_for_child(start_child(module, add=add, drop=drop), json.dumps(request)))
    return answer


def answer_parent(answer: Callable[[Any], object]) -> None:
    """In the child: read the request, print the answer; errors are handled by `work_for_parent`."""
    work_for_parent(lambda: json.dump(answer(json.load(sys.stdin)), sys.stdout))


def work_for_parent(work: Callable[[], None]) -> None:
    """In the child: work, and end with one sentence on standard error and exit status 1 if that fails."""
    Thread(target=end_with_parent, args=[os.getppid()], daemon=True).start()
    try:
        work()
    except Exception as error:  # noqa: BLE001, the parent reports it
        if is_expected(error):
            sys.exit(" ".join(str(error).split()))
        traceback.print_exc()
        sys.exit(describe_error(error))


def end_with_parent(parent: int) -> None:
    """End this process as soon as the one that started it is gone: nobody waits for its work any more."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
