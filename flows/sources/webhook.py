"""The webhook of the settings: one POST of JSON that says how a run ended."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import urlsplit

from flows.sources.addresses import AllowList, without_credentials
from flows.sources.budget import Limits
from flows.sources.errors import AddressError
from flows.sources.http_client import Client

SERVICE = "The webhook"
SECONDS = 10.0  # from the first try to connect to the head of the answer
MOST_BYTES = 1 << 20


class WebhookMessage(TypedDict):
    """What is posted: `text` is for people (Slack and Teams print it), the rest is for programs."""

    text: str
    command: str  # update, backfill
    state: str  # of RunState: partial, failed, busy; completed or unchanged where there are warnings
    started: str  # UTC, ISO 8601
    failed: list[str]  # names of files
    warnings: list[str]


def post_message(url: str, message: WebhookMessage) -> None:
    """Post a message, in SECONDS at most. Raises UnreachableError or BudgetError without an answer, AddressError for an address
    that is none, StatusError for an answer that is not of success.

    Errors name only the host: the rest of a webhook's address is a secret.
    """
    try:
        host, allowed = urlsplit(url).hostname or "no host", AllowList.of(url)
    except ValueError:
        raise AddressError(SERVICE, "CRIME_RATES_WEBHOOK_URL", "an http or https address", "none") from None
    with (
        Client(allowed=allowed, limits=Limits(), attempts=1, timeout=(SECONDS, SECONDS)) as client,
        client.budget(SERVICE, host, seconds=SECONDS, most=MOST_BYTES) as budget,
    ):
        client.post_json(without_credentials(url), message, budget=budget)
