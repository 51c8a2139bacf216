"""Shopify's Admin API on loopback, as strict as the vendor's, with faults on demand."""

import json
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from sampledata.servers.shopify.answers import Answers
from sampledata.servers.shopify.cost import Bucket, actual_cost

SCOPES = (
    "read_orders", "read_all_orders", "read_returns", "read_products", "read_customers", "read_inventory",
    "read_locations",
)  # fmt: skip
_DAY = timedelta(days=1)


@dataclass
class Fault:
    """What a request gets instead of its answer, or with no body half of its answer; `cut` breaks it off."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = b"{}"
    cut: bool = False


@dataclass
class Server:
    """The API of a shop for an app with a fixed `token`, or a `client` (id, secret) that gets one for a day.

    `now` is its clock. `fault` tells what is wrong with a request, by its number; `before` is called with it
    first, and `change` may change an answer. `asked` has the queries' names and variables.
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

    def give_token(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        """A token for a day, for the app's id and secret."""
        given = tuple(form.get(name, [""])[0] for name in ("client_id", "client_secret"))
        if form.get("grant_type") != ["client_credentials"] or given != self.client:
            return 400, {"error": "application_cannot_be_found"}
        token = f"shpat_{secrets.token_hex(16)}"
        self.tokens[token] = self.now() + _DAY
        return 200, {
            "access_token": token,
            "scope": ",".join(sorted(self.answers.scopes)),
            "expires_in": 86399,
        }

    def answer(self, body: dict[str, Any], token: str | None) -> tuple[int, Any]:
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

    def handle(self, path: str, body: bytes, token: str | None) -> tuple[int, bytes, dict[str, str], bool]:
        """Status, body, headers of the answer to a request, and whether it breaks off."""
        if path == "/admin/oauth/access_token":
            status, value = self.give_token(parse_qs(body.decode()))
            return status, json.dumps(value).encode(), {}, False
        if not re.fullmatch(r"/admin/api/\d{4}-\d\d/graphql\.json", path):
            return 404, b'{"errors": "Not Found"}', {}, False
        asked = json.loads(body)
        with self._lock:
            name = re.match(r"query (\w+)", asked["query"])
            self.asked.append((name[1] if name else "", asked.get("variables") or {}))
            number = len(self.asked)
        self.before(number)
        fault = self.fault(number)
        if fault and fault.body is not None:
            return fault.status, fault.body, fault.headers, fault.cut
        with self._lock:
            status, value = self.answer(asked, token)
        content = json.dumps(self.change(number, value)).encode()
        return status, content, {"X-Shopify-API-Version": self.version}, bool(fault)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


class _Listening(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients may be killed in the middle of an answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(server: Server) -> Iterator[Server]:
    """Answer on a free port of loopback; `server.url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one packet, else the client waits for the second one.
        wbufsize = 1 << 20

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = self.headers.get("X-Shopify-Access-Token")
            status, content, headers, cut = server.handle(self.path, body, token)
            self.send_response_only(status)
            headers = {"Date": format_datetime(server.now(), usegmt=True), **headers}
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

        def log_message(self, *_: Any) -> None:
            pass

    listening = _Listening(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
