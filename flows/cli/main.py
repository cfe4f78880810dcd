"""The console script: it reads the command line, runs a command, and ends with an exit status; errors are one sentence.

Commands belong to pipeline_commands.py and query_commands.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from flows.cli.table_command import parse_plain_table, write_table
from flows.common.errors import Stopped, describe_error, is_expected, is_interrupt
from flows.common.sanitize import sanitize_text
from flows.settings import data_store, default_data_dir

STOPPED = "Stopped. What is published stands."


def main() -> None:
    """Run the command of the command line: errors are one sentence on standard error, with --debug a traceback."""
    words = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(words) < len(sys.argv) - 1
    try:
        _run(words)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a reader such as `head` has closed its end
    except Stopped as stopped:
        _fail(STOPPED, stopped.exit_status)
    except KeyboardInterrupt:
        _fail(STOPPED, 130)
    except Exception as error:  # noqa: BLE001, the last handler: it prints the error and sets the exit status
        if is_interrupt(error):
            _fail(STOPPED, 130)
        if debug:
            raise
        _fail(_sentence(error), 1)


def _run(words: Sequence[str]) -> None:
    """Run the command; a plain `table` call runs without the library that parses commands, so that it starts faster."""
    if (plain := parse_plain_table(words)) is not None:
        request, data_dir = plain
        write_table(data_store(data_dir or default_data_dir()), request)
        return
    from cyclopts import CycloptsError

    from flows.cli import pipeline_commands, query_commands  # noqa: F401, importing them registers their commands
    from flows.cli.app import app

    try:
        app(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _fail(f"{' '.join(str(error).split())} See crime-rates --help.", 2)


def _sentence(error: Exception) -> str:
    if is_expected(error):
        return describe_error(error)
    from pydantic import ValidationError  # slow to import, so only when something is wrong

    if isinstance(error, ValidationError) and error.title == "Settings":
        each = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}, found {str(e['input'])!r}" for e in error.errors()]
        return f"{'; '.join(each)}. Settings are CRIME_RATES_… in the environment."
    return f"{describe_error(error)} Run the command again with --debug to see where."


def _fail(message: str, code: int) -> None:
    sys.stderr.write(f"crime-rates: {sanitize_text(message)}\n")
    sys.exit(code)
