"""Requests to an API, bounded in time and size, and their answers as JSON."""

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests

from ingestion.connectors.session import REPEATS, http_time
from ingestion.connectors.stream import ExtractError, Traffic
from ingestion.errors import shape_of, without_contacts

# Seconds to connect, and between two pieces of an answer.
TIMEOUT = (10, 60)
# What a server has changed last may not be in its lists yet.
SETTLING = timedelta(seconds=60)

# Answers that are cut off, or are no JSON though the server says that all is well, are asked for again.
READS = 4
_MOST_BYTES = 256 << 20
_MOST_SECONDS = 300


class HttpError(ExtractError):
    """The server refused a request with `status`; `body` is its answer."""

    def __init__(self, message: str, status: int, body: str) -> None:
        super().__init__(message)
        self.status, self.body = status, body


@dataclass(frozen=True)
class Answer:
    """A JSON answer: its text and value, its headers and links, and the server's time (UTC).

    Numbers with a fraction lose in `value` what a float cannot hold.
    """

    text: str
    value: Any
    headers: Mapping[str, str]
    links: Mapping[str, Mapping[str, str]]
    served_at: datetime

    @property
    def settled_until(self) -> datetime:
        """Up to when the server's lists are complete."""
        return self.served_at - SETTLING


def ask(
    opened: requests.Session,
    traffic: Traffic,
    method: str,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    body: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    reads: int = READS,
) -> Answer:
    """Send a request, `body` as JSON or a `form`, and read the answer; so many times where it is cut off.

    Raises:
        HttpError: the server refused it.
        ExtractError: it does not answer, or not with JSON.
    """
    problem = ""
    for attempt in range(reads):
        if attempt:
            traffic.retries += 1
            wait(traffic, random.uniform(0, 2**attempt / 2))
        traffic.requests += 1
        try:
            response = opened.request(
                method, url, params=params, json=body, data=form, headers=headers,
                timeout=TIMEOUT, stream=True, allow_redirects=False,
            )  # fmt: skip
        except requests.exceptions.RequestException as error:
            # Without the query, which may hold secrets.
            cause = getattr(error.args[0], "reason", error) if error.args else error
            raise ExtractError(f"{_place(url)} does not answer ({cause}): check its address") from None
        try:
            with response:
                content = _read(response)
        except requests.exceptions.RequestException as error:
            problem = f"the answer was cut off ({error})"
            continue
        if not 200 <= response.status_code < 300:
            text = content.decode(errors="replace")
            raise HttpError(_refusal(response, url, text), response.status_code, text)
        try:
            text = content.decode("utf-8-sig")
            return Answer(text, json.loads(text), response.headers, response.links, _served_at(response))
        except ValueError:
            kind = response.headers.get("Content-Type", "no type")
            looks = shape_of(content[:80].decode(errors="replace"))
            problem = f"the answer is no JSON but {kind}, and begins with {looks!r}"
    raise ExtractError(f"{_place(url)}: {problem}, {reads} times: check the address, or try again later")


def wait(traffic: Traffic, seconds: float) -> None:
    """Wait, and count it."""
    time.sleep(seconds)
    traffic.seconds_waited += seconds


def _read(response: requests.Response) -> bytes:
    """The answer's bytes.

    Raises:
        ExtractError: it does not end.
    """
    given_up, pieces, size = time.monotonic() + _MOST_SECONDS, [], 0
    for piece in response.iter_content(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_BYTES or time.monotonic() > given_up:
            raise ExtractError(f"the answer does not end: {size:,} bytes so far. Ask for smaller pages")
    return b"".join(pieces)


def _refusal(response: requests.Response, url: str, text: str) -> str:
    hints = {
        401: "check the key in the settings",
        403: "the key may not read this: give it the right to, or use another",
        404: "check address and resource",
        429: f"it still is, after {REPEATS} repetitions: try again later, or ask for fewer",
    }
    status = response.status_code
    hint = hints.get(status, "try again later" if status >= 500 else "check the resource and its options")
    return f"{_place(url)} answered {status} {response.reason} ({without_contacts(text[:200])!r}): {hint}"


def _served_at(response: requests.Response) -> datetime:
    served_at = http_time(response.headers.get("Date", ""))
    if served_at is None:
        raise ExtractError("the answer has no Date: without the server's time, changes would be missed")
    return served_at


def _place(url: str) -> str:
    """A URL without its query, which may hold secrets."""
    return url.partition("?")[0]
