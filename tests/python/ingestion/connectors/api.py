"""An API on loopback that lists records in pages, counts what it is asked, and fails on demand."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from sampledata import servers
from sampledata.servers import Call, Fault, Reply

Row = dict[str, Any]
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = "canary-5f1d"


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

    def answer(self, call: Call) -> Reply | Fault:
        """Answer a request."""
        with self._lock:
            self.asked.append(call.query)
            number = len(self.asked)
        self.before(number)
        date = {"Date": format_datetime(self.now, usegmt=True)}
        if fault := self.faults.get(number):
            return Fault(fault.status, date | fault.headers, fault.body, fault.cut)
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(401, date, {"error": "unauthorized"})
        with self._lock:
            body, headers = self.page(call.query)
        return Reply(200, date | headers, self.change(number, body))

    def page(self, query: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
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
    with servers.serve(api) as api.url:
        yield api
