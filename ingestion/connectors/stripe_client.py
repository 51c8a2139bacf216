"""Requests to Stripe: one version of its API, its rate, and its word on what to repeat."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import SecretStr
from requests import PreparedRequest
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError
from urllib3.response import BaseHTTPResponse

from ingestion.connectors.bucket import Bucket
from ingestion.connectors.http import Answer, ask
from ingestion.connectors.session import PoliteRetry, session
from ingestion.connectors.stream import ExtractError, Traffic

VERSION = "2026-10-28.endive"
URL = "https://api.stripe.com"
MOST = 100

# Four fifths of what Stripe allows an endpoint, and a sandbox as a whole.
RATE = 20

_KEY = re.compile(r"(sk|rk)_[A-Za-z0-9_]+")

Object = dict[str, Any]


@dataclass(frozen=True)
class Listed:
    """A page of a list, newest first; `settled_until` as the server's clock tells it (UTC)."""

    objects: list[Object]
    has_more: bool
    settled_until: datetime


class StripeClient:
    """Asks Stripe with the setting STRIPE_API_KEY, at STRIPE_API_URL where that is set.

    Raises:
        ExtractError: a setting is none.
    """

    def __init__(
        self, settings: Mapping[str, SecretStr], traffic: Traffic, bucket: Bucket | None = None
    ) -> None:
        self._traffic, self._bucket = traffic, bucket or Bucket(RATE)
        url = settings.get("STRIPE_API_URL", SecretStr(URL)).get_secret_value()
        if urlsplit(url).scheme not in ("https", "http"):
            raise ExtractError("STRIPE_API_URL is no address: write it as https://host")
        self._url = f"{url.rstrip('/')}/v1/"
        key = settings["STRIPE_API_KEY"].get_secret_value()
        if not _KEY.fullmatch(key):
            raise ExtractError("STRIPE_API_KEY is no secret key: it begins with rk_, or with sk_")

        def authorize(request: PreparedRequest) -> PreparedRequest:
            request.headers.update({"Authorization": f"Bearer {key}", "Stripe-Version": VERSION})
            return request

        self._session = session(traffic, kind=_StripeRetry)
        self._session.auth = authorize

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Object:
        """Ask for an object.

        Raises:
            HttpError: Stripe refuses.
            ExtractError: it does not answer, or in another version.
        """
        return _object(self._ask("GET", path, params=parameters))

    def post(self, path: str, form: Mapping[str, str], idempotency_key: str) -> Object:
        """Create an object; once for a key, however often it is asked for.

        Raises:
            As `get`.
        """
        answer = self._ask("POST", path, form=form, headers={"Idempotency-Key": idempotency_key})
        return _object(answer)

    def list(self, path: str, parameters: Mapping[str, str]) -> Listed:
        """Ask for a page of a list.

        Raises:
            As `get`.
        """
        answer = self._ask("GET", path, params={"limit": str(MOST), **parameters})
        data, has_more = (_object(answer).get(name) for name in ("data", "has_more"))
        if not isinstance(data, list) or not isinstance(has_more, bool):
            raise ExtractError(
                f"{path}: the answer has no list 'data' with 'has_more', but {answer.text[:80]}"
            )
        if has_more and not data:
            raise ExtractError(
                f"{path}: the page is empty, but promises more: the rest would be missed. Try again later"
            )
        return Listed(data, has_more, answer.settled_until)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, path: str, **sent: Any) -> Answer:
        self._traffic.seconds_waited += self._bucket.take()
        answer = ask(self._session, self._traffic, method, self._url + path, **sent)
        served = answer.headers.get("Stripe-Version", VERSION)
        if served != VERSION:
            raise ExtractError(
                f"Stripe answered in version {served}, {VERSION} was asked for: objects would have "
                "another shape. Update this project"
            )
        return answer


class _StripeRetry(PoliteRetry):
    """Repeats what Stripe says, else what another attempt may change."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether an answer may be repeated; `increment` sees its headers and decides."""
        return status_code >= 400

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: Any = None,
    ) -> Self:
        """Count another attempt, or give up."""
        if response is not None and not _is_repeated(response):
            raise MaxRetryError(_pool, url)  # type: ignore[arg-type]
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _is_repeated(response: BaseHTTPResponse) -> bool:
    said = response.headers.get("Stripe-Should-Retry")
    if said in ("true", "false"):
        return said == "true"
    return response.status in (409, 429) or response.status >= 500


def _object(answer: Answer) -> Object:
    if not isinstance(answer.value, dict):
        raise ExtractError(f"the answer is no object but {answer.text[:80]}: try again later")
    return answer.value
