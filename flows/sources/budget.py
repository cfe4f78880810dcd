"""How much time and how many bytes a request, a file and a whole run may take from servers, however they spread them.

Time-outs between two reads bound nothing: a server that sends a byte a second never lets one pass. So every read is charged to
a budget, and what goes beyond it ends with one sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flows.sources.errors import BudgetError
from transforms.errors import without_secrets

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """The bounds of one client. seconds are from the start to the last byte, with all waits and retries.

    answer: of an answer that is held in memory; file: of one file, over all attempts; run: of all that a client asks.
    slowest: bytes a second that an answer must come at on average, once it has taken `patience` seconds.
    """

    answer_seconds: float = 120
    file_seconds: float = 900
    file_bytes: int = 1000 * MEGABYTE
    run_seconds: float = 7200
    run_bytes: int = 8000 * MEGABYTE
    slowest: int = 1000
    patience: float = 60


@dataclass
class Budget:
    """What is left of the time and the bytes for something, and for the run that it is part of.

    service, url: whom errors name. All methods raise BudgetError when the budget is spent.
    """

    service: str
    url: str
    seconds: float
    bytes: int
    clock: Callable[[], float] = time.monotonic
    within: Budget | None = None
    received: int = 0
    what: str = ""
    began: float = field(init=False)

    def __post_init__(self) -> None:
        """The time runs from now on."""
        self.began, self.url = self.clock(), without_secrets(self.url)

    def remaining(self) -> float:
        """Seconds that are left, above 0."""
        left = self.seconds - (self.clock() - self.began)
        if left <= 0:
            self.fail(f"an answer within {self.seconds:,.4g} seconds{self.what}", "none that was whole by then")
        return min(left, self.within.remaining_for(self)) if self.within else left

    def remaining_for(self, part: Budget) -> float:
        """Seconds that are left for a part of this, which errors name."""
        left = self.seconds - (self.clock() - self.began)
        if left <= 0:
            part.fail(f"all answers within {self.seconds:,.4g} seconds{self.what}", "that they took longer")
        return left

    def spend(self, size: int) -> None:
        """Take bytes that have come."""
        self.received += size
        if self.received > self.bytes:
            self.fail(f"at most {self.bytes:,} bytes{self.what}", "more")
        if self.within is not None:
            self.within.received += size
            if self.within.received > self.within.bytes:
                self.fail(f"at most {self.within.bytes:,} bytes{self.within.what}", "more")

    def wait(self, seconds: float, sleep: Callable[[float], None]) -> None:
        """Sleep, unless the time is spent before the end of it."""
        if seconds >= self.remaining():
            self.fail(f"an answer within {self.seconds:,.4g} seconds{self.what}", "a server that stays busy for longer")
        sleep(seconds)

    def fail(self, expected: str, found: str) -> None:
        """Raise BudgetError."""
        raise BudgetError(self.service, self.url, expected, found)
