"""Kinds of errors: how one is described to a person; whether it is an interrupt, a full disk or a fault of the program."""

from __future__ import annotations

import errno
import os

from transforms.errors import CrimeRatesError, without_secrets

DISK_FULL_MESSAGES = (
    os.strerror(errno.ENOSPC),
    os.strerror(errno.EDQUOT),
    "max_temp_directory_size",
)  # the last when DuckDB cannot spill
MACHINE_ERRORS = {errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class Stopped(KeyboardInterrupt):
    """A signal has stopped the work; `exit_status` says which, as a shell reports it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"it was stopped by signal {number}")
        self.exit_status = 128 + number


def is_disk_full(error: BaseException) -> bool:
    """Whether an error comes of a full disk, be it of the system or of DuckDB."""
    by_number = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return by_number or any(message in str(error) for message in DISK_FULL_MESSAGES)


def is_interrupt(error: BaseException) -> bool:
    """Whether a person or the system stopped the work; DuckDB has two words of its own for it."""
    by_duckdb = type(error).__name__ == "InterruptException" or str(error) == "Query interrupted"
    return not isinstance(error, Exception) or by_duckdb


def is_expected(error: BaseException) -> bool:
    """Whether a person can act on an error: it is one of ours, or names a file or a fault of the machine.

    Any other is a fault of the program.
    """
    of_machine = isinstance(error, OSError) and (error.filename is not None or error.errno in MACHINE_ERRORS)
    return isinstance(error, CrimeRatesError) or of_machine or is_disk_full(error)


def describe_error(error: BaseException) -> str:
    """What went wrong, in one sentence without secrets; a fault of the program says that it is one."""
    return without_secrets(_describe(error))


def _describe(error: BaseException) -> str:
    if is_interrupt(error):
        return "it was stopped before its end; what is published stands."
    if is_disk_full(error):
        where = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        return f"{where}the disk is full. What is published stands; make room, then run the command again."
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) and error.filename:
        return f"{error.filename}: expected a place that can be written to, found that it cannot ({os.strerror(error.errno)})."
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}."
    sentence = " ".join(str(error).split())
    if is_expected(error):
        return sentence
    return f"This is a fault of crime-rates, not of your input: {f'{type(error).__name__}: {sentence}'.rstrip(': .')}."
