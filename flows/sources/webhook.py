"""The webhook of the settings: one POST of JSON that says how a run ended."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import urlsplit

import requests

from flows.sources.errors import StatusError, UnreachableError
from flows.sources.http_client import reason

SERVICE = "The webhook"
TIMEOUT = 10  # seconds


class WebhookMessage(TypedDict):
    """What is posted: `text` is for people (Slack and Teams print it), the rest is for programs."""

    text: str
    command: str  # update, backfill
    state: str  # completed, unchanged, partial, failed
    started: str  # UTC, ISO 8601
    failed: list[str]  # names of files


def post_message(url: str, message: WebhookMessage) -> None:
    """Post a message. Raises UnreachableError without an answer, StatusError for one that is not of success.

    Errors name only the host: the rest of a webhook's address is a secret.
    """
    host = urlsplit(url).hostname or "no host"
    try:
        answer = requests.post(url, json=message, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise UnreachableError(SERVICE, host, "an answer", reason(error)) from None  # the cause quotes the address
    if not answer.ok:
        raise StatusError(SERVICE, host, "a status of success", str(answer.status_code), answer.status_code)
