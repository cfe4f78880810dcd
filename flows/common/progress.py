"""What a person sees of a run: bars on a terminal, plain lines with the time of day in a log. Both on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = "crime_rates"


def report_step(message: str, done: int, of: int) -> None:
    """Say that a step of a run is done: `done` steps of `of`."""
    logging.getLogger(LOGGER).info(message, extra={"done": done, "of": of})


@contextmanager
def display() -> Iterator[None]:
    """Show the messages of a run while it lasts."""
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        with Progress(*columns, console=Console(stderr=True)) as bars:
            bar = bars.add_task("starting", total=None)

            class Bars(logging.Handler):
                def emit(self, record: logging.LogRecord) -> None:
                    if hasattr(record, "of"):
                        bars.update(
                            bar, completed=record.__dict__["done"], total=record.__dict__["of"], description=record.getMessage()
                        )
                    else:
                        bars.console.print(record.getMessage(), markup=False, highlight=False)

            with _handled(logger, Bars()):
                yield
    else:
        lines = logging.StreamHandler(sys.stderr)
        lines.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
        with _handled(logger, lines):
            yield


@contextmanager
def _handled(logger: logging.Logger, handler: logging.Handler) -> Iterator[None]:
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
