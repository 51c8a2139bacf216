"""An API on loopback that lists records in pages, counts what it is asked, and fails on demand."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Row = dict[str, Any]
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = "canary-5f1d"


@dataclass
class Fault:
    """What a request gets instead of its page: a status, headers and a body, cut off before its end."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cut: bool = False


@dataclass
class Api:
    """The rows of `/transactions`; `now` is its clock. `before` is called with the number of each request."""

    rows: list[Row] = field(default_factory=list)
    now: datetime = NOON
    paging: str = "cursor"
    most: int = 100
    faults: dict[int, Fault] = field(default_factory=dict)
    before: Callable[[int], None] = lambda number: None
    # Changes what is answered.
    change: Callable[[int, dict[str, Any]], Any] = lambda number, answer: answer
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, count: int, at: datetime | None = None, step: float = 1) -> None:
        """Add rows whose times end at `at`, or a while ago, `step` seconds apart."""
        at = at or self.now - timedelta(hours=1)
        for number in range(count):
            identity = len(self.rows) + 1
            self.put(identity, at - timedelta(seconds=step * (count - 1 - number)))

    def put(self, identity: int, at: datetime, **values: Any) -> None:
        """Add or change a row."""
        self.rows = [row for row in self.rows if row["id"] != identity]
        self.rows.append(
            {"id": identity, "amount": 10.10, "updated_at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"} | values
        )

    def answer(self, query: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """The body and headers of a page."""
        since = query.get("updated_since", "")
        size = min(int(query.get("limit", 100)), self.most)
        rows = sorted(self.rows, key=lambda row: (row["updated_at"], row["id"]))
        rows = [row for row in rows if row["updated_at"] >= since]
        if self.paging == "page":
            start = (int(query.get("page", 1)) - 1) * size
            return {"data": rows[start : start + size]}, {}
        if after := query.get("cursor"):
            time, identity = after.split("|")
            rows = [row for row in rows if (row["updated_at"], row["id"]) > (time, type(row["id"])(identity))]
        page = rows[:size]
        following = f"{page[-1]['updated_at']}|{page[-1]['id']}" if len(rows) > size else None
        if self.paging == "link":
            link = f"/transactions?{urlencode(query | {'cursor': following})}"
            return {"data": page}, {"Link": f'<{link}>; rel="next"'} if following else {}
        return {"data": page, "next_cursor": following}, {}


@contextmanager
def serve(api: Api) -> Iterator[Api]:
    """Answer on a free port; `api.url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one packet, else the client waits for the second one.
        wbufsize = 1 << 20

        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            with api._lock:
                api.asked.append(query)
                number = len(api.asked)
            api.before(number)
            if fault := api.faults.get(number):
                self.reply(fault.status, fault.body, fault.headers, fault.cut)
            elif self.headers.get("Authorization") != f"Bearer {KEY}":
                self.reply(401, b'{"error": "unauthorized"}', {})
            else:
                with api._lock:
                    body, headers = api.answer(query)
                self.reply(200, json.dumps(api.change(number, body)).encode(), headers)

        def reply(self, status: int, body: bytes, headers: dict[str, str], cut: bool = False) -> None:
            self.send_response_only(status)
            for name, value in ({"Date": format_datetime(api.now, usegmt=True)} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
