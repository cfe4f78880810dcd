"""Errors of the services: one short hierarchy; each error carries fields, and its text is one plain sentence."""

from __future__ import annotations

from transforms.errors import CrimeRatesError, display_text, without_secrets

TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})  # of a busy or failing server, which may soon recover


class SourceError(CrimeRatesError):
    """A service did not give what was asked of it.

    `service` names it for people ("GOV.UK"), `url` is the address asked, `expected` and `found` complete the sentence.
    All arguments are positional strings, so that the error survives pickling.
    """

    def __init__(self, service: str, url: str, expected: str, found: str) -> None:
        """Take the parts of the sentence; what is secret in an address is left out."""
        url, expected, found = without_secrets(url), without_secrets(expected), without_secrets(found)
        super().__init__(service, url, expected, found)
        self.service, self.url, self.expected, self.found = service, url, expected, found

    def __str__(self) -> str:
        """One sentence: the service, the address, what was expected, what was found."""
        expected, found = display_text(self.expected, 400), display_text(self.found, 1000)
        return f"{self.service}, {display_text(self.url, 400)}: expected {expected}; found {found}"


class UnreachableError(SourceError):
    """No answer at all: no connection, no such host, a time-out."""


class AddressError(SourceError):
    """An address that may not be asked: not http(s), not on the list, in a private network, or redirects without end."""


class BudgetError(SourceError):
    """An answer that took more time or more bytes than it, or the whole run, may take. To try again would take as much."""


class GivenUpError(SourceError):
    """A service that was not asked, because several of its answers have failed one after the other in this run."""


class StatusError(SourceError):
    """An answer with another HTTP status than the one expected, after the retries."""

    def __init__(self, service: str, url: str, expected: str, found: str, status: int = 0) -> None:
        """`status` is the HTTP status of the answer."""
        super().__init__(service, url, expected, found)
        self.args = (*self.args, status)
        self.status = status


class IncompleteError(SourceError):
    """Half an answer: a body cut short, a size that does not fit, a page that is missing or comes twice."""


class ContentError(SourceError):
    """A whole answer that is not what it should be: an HTML page for a workbook, a column that is not there."""


def is_transient(error: object) -> bool:
    """Whether trying again may help: there was no connection, the server was busy, or the body was cut short."""
    is_busy = isinstance(error, StatusError) and error.status in TRANSIENT_STATUSES
    return is_busy or isinstance(error, UnreachableError | IncompleteError)
