"""A fork does the work under limits; however it ends, its server goes on, and the parent hears of it in one sentence."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from flows.common.fork_server import ForkServers, WorkLimits
from flows.common.subprocesses import SubprocessFailed

MODULE = "tests.support.fork_answers"


@pytest.fixture(scope="module")
def servers() -> Iterator[ForkServers]:
    with ForkServers(MODULE, WorkLimits(memory=400 << 20, seconds=1)) as servers:
        yield servers


def is_there(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_each_request_has_a_fork_of_its_own_and_all_have_one_server(servers: ForkServers) -> None:
    first, second = servers.ask({"do": "change a variable"}), servers.ask({"do": "nothing"})
    assert first["pid"] != second["pid"] and first["parent"] == second["parent"] != os.getpid()
    assert (first["kept"], second["kept"]) == (1, 0)


@pytest.mark.parametrize(
    ("do", "says"),
    [
        ("fill memory", "expected a file that is read within 0.391 GB of memory, found one that takes more"),
        ("spin", "expected a file that is read within 1 seconds, found one that takes longer"),
        ("abort", "expected a file that is read within 0.391 GB of memory, found one that takes more"),
        ("be killed", "its process was ended (signal 9)"),
        ("exit", "its process ended without an answer (exit status 3)"),
        ("refuse", "expected this, found that."),
        ("fail", "This is a fault of crime-rates, not of your input: ZeroDivisionError: a fault."),
    ],
)
def test_what_ends_a_fork_is_said_and_the_server_goes_on(servers: ForkServers, do: str, says: str) -> None:
    before = servers.ask({"do": "nothing"})["parent"]
    with pytest.raises(SubprocessFailed) as error:
        servers.ask({"do": do})
    assert str(error.value) == says
    assert servers.ask({"do": "nothing"})["parent"] == before


def test_a_fault_has_its_traceback_as_notes(servers: ForkServers) -> None:
    with pytest.raises(SubprocessFailed) as error:
        servers.ask({"do": "fail"})
    assert any("fork_answers.py" in note for note in error.value.__notes__)


def test_an_answer_may_be_longer_than_a_pipe_holds_but_not_endless(servers: ForkServers) -> None:
    assert len(servers.ask({"do": "answer at length", "length": "500000"})["text"]) == 500_000
    with pytest.raises(SubprocessFailed, match="an answer that is too long"):
        servers.ask({"do": "answer at length", "length": "2000000"})


def test_a_server_that_is_gone_is_replaced(servers: ForkServers) -> None:
    server = servers.ask({"do": "nothing"})["parent"]
    os.kill(server, 9)
    while is_there(server) and servers._idle[0].is_alive:
        time.sleep(0.01)
    assert servers.ask({"do": "nothing"})["parent"] != server


def test_threads_have_servers_of_their_own_and_nothing_is_left_of_them() -> None:
    with ForkServers(MODULE, WorkLimits()) as servers, ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        sleeping = pool.submit(servers.ask, {"do": "sleep"})
        other = servers.ask({"do": "nothing"})
        assert not sleeping.done()
        servers.close()
        with pytest.raises(SubprocessFailed):
            sleeping.result(10)
        assert time.monotonic() - began < 20
    assert not is_there(other["parent"])
