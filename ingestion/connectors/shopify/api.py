"""Shopify's API: keys, errors that come with status 200, and costs that are waited for."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from requests import PreparedRequest

from ingestion.connectors.http import READS, Answer, HttpError, ask, wait
from ingestion.connectors.session import REPEATS, session
from ingestion.connectors.shopify.documents import VERSION
from ingestion.connectors.stream import ExtractError, Traffic

# Points that a single query may cost.
MOST_COST = 1000

_ATTEMPTS = 8
_LONGEST_WAIT = 60


class TooExpensive(ExtractError):
    """A query costs more than Shopify answers: ask for fewer objects."""


@dataclass(frozen=True)
class Reply:
    """Data of an answer, up to when the server's lists are complete, points it might have cost, and did."""

    data: dict[str, Any]
    settled_until: datetime
    asked_for: float
    cost: float


@dataclass
class Bucket:
    """Points that may be spent now, that there are at most, and that come back each second.

    Before the first answer nothing is known of it.
    """

    available: float = 0
    most: float = 0
    rate: float = 100
    known: bool = False

    def learn(self, status: Mapping[str, float]) -> None:
        """Take over what an answer tells."""
        self.available, self.most = status["currentlyAvailable"], status["maximumAvailable"]
        self.rate, self.known = status["restoreRate"] or self.rate, True

    def seconds_until(self, cost: float) -> float:
        """How long until a query of that cost is answered."""
        return max(min(cost, self.most) - self.available, 0) / self.rate if self.known else 0


class Api:
    """The API of a shop, asked with a fixed token, or with one that lasts a day and is renewed.

    Without `repeats`, a query that got no answer is not sent again: what it makes may be there.
    """

    def __init__(self, settings: Mapping[str, SecretStr], traffic: Traffic, repeats: bool = True) -> None:
        given = {name: secret.get_secret_value() for name, secret in settings.items()}
        self._shop = _address(given["SHOPIFY_SHOP"])
        self._url = f"{self._shop}/admin/api/{VERSION}/graphql.json"
        self._token = given.get("SHOPIFY_ACCESS_TOKEN", "")
        self._client = None if self._token else (given["SHOPIFY_CLIENT_ID"], given["SHOPIFY_CLIENT_SECRET"])
        self._traffic = traffic
        self._costs: dict[str, float] = {}
        self.bucket = Bucket()
        self._repeats = repeats
        self._session = session(traffic, repeats=REPEATS if repeats else 0)
        self._session.auth = self._authorize

    def ask(self, document: str, variables: Mapping[str, Any]) -> Reply:
        """Answer a query, however long its points have to be waited for.

        Raises:
            TooExpensive: it costs more than a single query may.
            ExtractError: Shopify refuses it, or cannot answer.
        """
        problem = ""
        for attempt in range(_ATTEMPTS):
            self._wait(self.bucket.seconds_until(self._costs.get(document, 0)))
            answer = self._send({"query": document, "variables": variables})
            cost = self._learn(document, answer)
            codes = _codes(answer.value)
            if codes == ["THROTTLED"]:
                # Others may spend the same points meanwhile.
                problem = f"has no points left, though they were waited for; this query costs {cost:g}"
                self._wait(max(self.bucket.seconds_until(cost), 1))
            elif self._repeats and ("INTERNAL_SERVER_ERROR" in codes or "TIMEOUT" in codes):
                problem = "fails with an internal error"
                self._wait(random.uniform(0, min(2**attempt, _LONGEST_WAIT)))
            else:
                _refuse(answer.value)
                return Reply(answer.value["data"], answer.settled_until, self._costs.get(document, 0), cost)
            self._traffic.retries += 1
        raise ExtractError(f"Shopify {problem}, {_ATTEMPTS} times: try again later")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send(self, body: Mapping[str, Any]) -> Answer:
        """Send a query, with another token where this one has expired."""
        try:
            if not self._token:
                self._renew()
            try:
                answer = self._post(body)
            except HttpError as error:
                if error.status != 401 or not self._client:
                    raise
                self._renew()
                answer = self._post(body)
        except ExtractError as error:
            # The token of a day is in no setting, so nobody else hides it.
            if self._token:
                error.args = (str(error).replace(self._token, "***"),)
            raise
        served = answer.headers.get("X-Shopify-API-Version", VERSION)
        if served != VERSION:
            raise ExtractError(
                f"Shopify answered with version {served}, as {VERSION} is not served any more: "
                "bring the queries to a newer version"
            )
        return answer

    def _post(self, body: Mapping[str, Any]) -> Answer:
        return ask(
            self._session, self._traffic, "POST", self._url, body=body, reads=READS if self._repeats else 1
        )

    def _renew(self) -> None:
        assert self._client is not None
        identity, secret = self._client
        form = {"grant_type": "client_credentials", "client_id": identity, "client_secret": secret}
        url = f"{self._shop}/admin/oauth/access_token"
        try:
            answer = ask(self._session, self._traffic, "POST", url, form=form)
        except HttpError as error:
            if error.status not in (400, 401, 403):
                raise
            raise ExtractError(
                f"{error}: Shopify gives no token for SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET. "
                "Correct them, and see that the app is installed in the shop"
            ) from None
        self._token = answer.value["access_token"]

    def _authorize(self, request: PreparedRequest) -> PreparedRequest:
        if request.url == self._url:
            request.headers["X-Shopify-Access-Token"] = self._token
        return request

    def _learn(self, document: str, answer: Answer) -> float:
        """What a query cost, for the next time it is asked."""
        told = (answer.value.get("extensions") or {}).get("cost") if isinstance(answer.value, dict) else None
        if not told:
            return self._costs.get(document, 0)
        self.bucket.learn(told["throttleStatus"])
        self._costs[document] = told["requestedQueryCost"]
        return float(told["actualQueryCost"] or told["requestedQueryCost"])

    def _wait(self, seconds: float) -> None:
        if seconds:
            wait(self._traffic, seconds)
            self.bucket.available = min(self.bucket.available + seconds * self.bucket.rate, self.bucket.most)


def _address(shop: str) -> str:
    """The URL of a shop by its name, its domain or its URL.

    Raises:
        ExtractError: it is none, or the token would go over the network in clear text.
    """
    parts = urlsplit(shop if "://" in shop else f"https://{shop}")
    host = parts.hostname or ""
    if parts.scheme == "http" and host not in ("127.0.0.1", "localhost"):
        raise ExtractError("SHOPIFY_SHOP begins with http://, which shows the token to others: use https")
    if parts.scheme not in ("http", "https") or parts.path.strip("/") or not re.fullmatch(r"[\w.-]+", host):
        raise ExtractError("SHOPIFY_SHOP is no shop: write it as my-shop.myshopify.com")
    domain = parts.netloc if "." in host or host == "localhost" else f"{host}.myshopify.com"
    return f"{parts.scheme}://{domain}"


def _codes(value: Any) -> list[str]:
    errors = value.get("errors") if isinstance(value, dict) else None
    if not isinstance(errors, list):
        return []
    return [str((error.get("extensions") or {}).get("code", "")) for error in errors]


def _refuse(value: Any) -> None:
    """Accept an answer that is whole.

    Raises:
        TooExpensive: the query costs more than a single one may.
        ExtractError: anything else is wrong with it, also with a part of it.
    """
    if not isinstance(value, dict):
        raise ExtractError(f"the answer is no object but {type(value).__name__}: check SHOPIFY_SHOP")
    codes, errors = _codes(value), value.get("errors")
    if "MAX_COST_EXCEEDED" in codes:
        raise TooExpensive("the query costs more than Shopify answers, even for a single object")
    told = "; ".join(str(e["message"]) for e in errors) if isinstance(errors, list) else errors
    if "ACCESS_DENIED" in codes:
        raise ExtractError(f"Shopify denies access: {told}. Give the app this scope")
    if errors or not isinstance(value.get("data"), dict):
        raise ExtractError(f"Shopify refuses the query of version {VERSION}: {told or 'it gives no data'}")
    searches = (value.get("extensions") or {}).get("search") or []
    if warnings := [w for search in searches for w in search.get("warnings") or []]:
        raise ExtractError(f"Shopify ignores a filter, so rows would be wrong: {warnings}")
