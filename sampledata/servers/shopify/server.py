"""Shopify's Admin API on loopback, as strict as the vendor's, with faults on demand."""

import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from sampledata import servers
from sampledata.servers import Call, Fault, Reply
from sampledata.servers.shopify.answers import Answers
from sampledata.servers.shopify.cost import Bucket, actual_cost

SCOPES = (
    "read_orders", "read_all_orders", "read_returns", "read_products", "read_customers", "read_inventory",
    "read_locations",
)  # fmt: skip
_DAY = timedelta(days=1)


# Stands for the answer that a request would have got, cut off before its end.
CUT_OFF = Fault(cut=True)


@dataclass
class Server:
    """The API of a shop for an app with a fixed `token`, or a `client` (id, secret) that gets one for a day.

    `now` is its clock. `fault` tells what is wrong with a request, by its number: `CUT_OFF`, or what it gets
    instead of its answer; `before` is called with it first, and `change` may change an answer. `asked` has
    names and variables of the queries.
    """

    answers: Answers
    token: str | None = None
    client: tuple[str, str] | None = None
    version: str = "2026-10"
    most_cost: int = 1000
    bucket: Bucket = field(default_factory=Bucket)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    fault: Callable[[int], Fault | None] = lambda number: None
    before: Callable[[int], None] = lambda number: None
    change: Callable[[int, dict[str, Any]], Any] = lambda number, answer: answer
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    tokens: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, call: Call) -> Reply | Fault:
        """Answer a request."""
        if call.path == "/admin/oauth/access_token":
            status, value = self._give_token(call.form)
            return Reply(status, self._date(), value)
        if not re.fullmatch(r"/admin/api/\d{4}-\d\d/graphql\.json", call.path):
            return Reply(404, self._date(), {"errors": "Not Found"})
        asked = json.loads(call.body)
        with self._lock:
            name = re.match(r"(?:query|mutation) (\w+)", asked["query"])
            self.asked.append((name[1] if name else "", asked.get("variables") or {}))
            number = len(self.asked)
        self.before(number)
        fault = self.fault(number)
        if fault and fault is not CUT_OFF:
            return Fault(fault.status, self._date() | fault.headers, fault.body, fault.cut)
        with self._lock:
            status, value = self._answer(asked, call.headers.get("x-shopify-access-token"))
        headers = self._date() | {"X-Shopify-API-Version": self.version}
        return Reply(status, headers, self.change(number, value), fault is CUT_OFF)

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self.now(), usegmt=True)}

    def _give_token(self, form: dict[str, str]) -> tuple[int, Any]:
        """A token for a day, for the app's id and secret."""
        given = tuple(form.get(name, "") for name in ("client_id", "client_secret"))
        if form.get("grant_type") != "client_credentials" or given != self.client:
            return 400, {"error": "application_cannot_be_found"}
        token = f"shpat_{secrets.token_hex(16)}"
        self.tokens[token] = self.now() + _DAY
        return 200, {
            "access_token": token,
            "scope": ",".join(sorted(self.answers.scopes)),
            "expires_in": 86399,
        }

    def _answer(self, body: dict[str, Any], token: str | None) -> tuple[int, Any]:
        """Status and body of an answer to a query."""
        if token is None or (token != self.token and self.tokens.get(token, self.now()) <= self.now()):
            return 401, {"errors": "[API] Invalid API key or access token"}
        variables = body.get("variables") or {}
        document, errors = self.answers.read(body.get("query", ""))
        if document is None or errors:
            return 200, {"errors": errors}
        asked = self.answers.asked(document, variables)
        requested = asked.cost()
        if asked.wrong_sizes:
            return 200, _error("BAD_REQUEST", f"first must be 1 to 250 for {', '.join(asked.wrong_sizes)}")
        if requested > self.most_cost:
            return 200, _error(
                "MAX_COST_EXCEEDED",
                f"Query cost is {requested}, which exceeds the maximum of {self.most_cost} for a query.",
            )
        if not self.bucket.take(requested):
            return 200, _error("THROTTLED", "Throttled") | self._cost(requested, None)
        result = self.answers.execute(document, variables)
        actual = actual_cost(result.data)
        self.bucket.give_back(requested - actual)
        answer = {"data": result.data} | self._cost(requested, actual)
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        if self.answers.ignored:
            warnings = [{"field": name, "message": "Invalid search field"} for name in self.answers.ignored]
            answer["extensions"]["search"] = [{"warnings": warnings}]
        return 200, answer

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        cost = {"requestedQueryCost": requested, "actualQueryCost": actual}
        return {"extensions": {"cost": cost | {"throttleStatus": self.bucket.status}}}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


@contextmanager
def serve(server: Server) -> Iterator[Server]:
    """Answer on a free port of loopback; `server.url` says where."""
    with servers.serve(server) as server.url:
        yield server
