"""An API on loopback that lists records in pages, as many APIs do; it fails on demand."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from sampledata.servers import Call, Fault, Reply

Row = dict[str, Any]


@dataclass
class Api:
    """The `rows` by `updated_at` and `id`, for who has the `key`; `paging` is cursor, page or link.

    `before` is called with the number of each request, `faults` are answered instead, `change` changes what
    is answered.
    """

    key: str
    rows: list[Row] = field(default_factory=list)
    paging: str = "cursor"
    most: int = 100
    faults: dict[int, Fault] = field(default_factory=dict)
    before: Callable[[int], None] = lambda number: None
    change: Callable[[int, dict[str, Any]], Any] = lambda number, answer: answer
    asked: list[dict[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def time(self) -> datetime:
        """The time of its clock."""
        return datetime.now(UTC)

    def answer(self, call: Call) -> Reply | Fault:
        """Answer a request."""
        with self._lock:
            self.asked.append(call.query)
            number = len(self.asked)
        self.before(number)
        date = {"Date": format_datetime(self.time(), usegmt=True)}
        if fault := self.faults.get(number):
            return Fault(fault.status, date | fault.headers, fault.body, fault.cut)
        if call.headers.get("authorization") != f"Bearer {self.key}":
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
            link = f"?{urlencode(query | {'cursor': following})}"
            return {"data": page}, {"Link": f'<{link}>; rel="next"'} if following else {}
        return {"data": page, "next_cursor": following}, {}
