"""Sessions of `requests` that wait and ask again where that may help."""

import email.utils
import random
import time
from datetime import UTC, datetime
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from ingestion.connectors.stream import Traffic

REPEATS = 8

_REPEATED = (429, 500, 502, 503, 504)
_LONGEST_WAIT = 300


class PoliteRetry(Retry):
    """Waits as a server asks for, else twice as long each time, at random up to that; counts both."""

    traffic = Traffic()

    def new(self, **changed: Any) -> Self:
        """The same after another attempt."""
        again = super().new(**changed)
        again.traffic = self.traffic
        return again

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait before the next attempt."""
        self.traffic.requests += 1
        self.traffic.retries += 1
        started = time.monotonic()
        super().sleep(response)
        self.traffic.seconds_waited += time.monotonic() - started

    def get_backoff_time(self) -> float:
        """How long to wait where the server does not say."""
        attempts = len(self.history)
        return random.uniform(0, min(self.backoff_max, self.backoff_factor * 2**attempts))

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """How long the server says to wait, by its own clock."""
        asked = response.headers.get("Retry-After", "")
        at, now = (http_time(text) for text in (asked, response.headers.get("Date", "")))
        if at and now:
            return min(max((at - now).total_seconds(), 0), self.retry_after_max)
        return super().get_retry_after(response)


def session(
    traffic: Traffic, backoff: float = 0.5, kind: type[PoliteRetry] = PoliteRetry, repeats: int = REPEATS
) -> requests.Session:
    """A session of `requests` that repeats what fails for now, as `kind` says, so many times.

    It repeats POST, too: connectors only read, and what is created has an idempotency key, or no `repeats`.
    """
    retry = kind(
        total=repeats,
        # A wrong address does not get better.
        connect=3,
        status_forcelist=_REPEATED,
        allowed_methods=None,
        backoff_factor=backoff,
        backoff_max=60,
        retry_after_max=_LONGEST_WAIT,
        raise_on_status=False,
    )
    retry.traffic = traffic
    opened = requests.Session()
    # Without this, a password of ~/.netrc would take the place of the key.
    opened.auth = lambda request: request
    for scheme in ("https://", "http://"):
        opened.mount(scheme, HTTPAdapter(max_retries=retry))
    return opened


def http_time(text: str) -> datetime | None:
    """The time of a header, UTC; null where it is none."""
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
