"""An account at Stripe on loopback: lists, single objects, events, and what is created by POST.

It enforces what a connector relies on: the key, the version, at most 100 objects a page, pages by
`starting_after` and `ending_before`, windows of `created`, events of 30 days. It fails on demand.
"""

import re
import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count
from typing import Any

from sampledata.servers import Call, Fault, Reply
from sampledata.servers.stripe_objects import CREATED, Object, event

DAY = 86_400
_KEPT_EVENTS = 30 * DAY
_MOST = 100
_PART = re.compile(r"\[([^]]*)]")


@dataclass
class _List:
    """Objects of a path, in the order in which they were created."""

    objects: dict[str, Object] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def put(self, made: Object) -> None:
        if made["id"] not in self.objects:
            place = bisect_right(self.times, made["created"])
            self.times.insert(place, made["created"])
            self.ids.insert(place, made["id"])
        self.objects[made["id"]] = made

    def delete(self, id: str) -> None:
        place = self.place(id)
        del self.objects[id], self.times[place], self.ids[place]

    def place(self, id: str) -> int:
        """Where an object is."""
        return self.ids.index(id, bisect_left(self.times, self.objects[id]["created"]))


@dataclass
class Account:
    """An account, filled by `put`; `now` is its clock in epoch seconds.

    `before` is called with the number of each request, `faults` are answered instead, `change` changes what
    is answered. `served` is the version of the answers, null for the one that is asked for.
    """

    key: str = "sk_test_sample"
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    faults: dict[int, Fault] = field(default_factory=dict)
    before: Callable[[int], None] = lambda number: None
    change: Callable[[int, Object], Any] = lambda number, value: value
    served: str | None = None
    livemode: bool = False
    asked: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin empty."""
        self._lists: dict[str, _List] = defaultdict(_List)
        self._deleted: dict[str, Object] = {}
        self._created: dict[str, Object] = {}
        self._numbers = count(1)
        self._lock = threading.RLock()

    def put(self, path: str, made: Object, told: str | None = None, at: int | None = None) -> None:
        """Add or replace an object of a list such as `charges`; `told` is the type of its event."""
        with self._lock:
            self._lists[path].put(made)
            self.tell(told, made, at)

    def delete(self, path: str, id: str, told: str | None = None) -> None:
        """Delete an object, of which only that is left to be had."""
        with self._lock:
            made = self._lists[path].objects[id]
            self._lists[path].delete(id)
            self._deleted[id] = {"id": id, "object": made["object"], "deleted": True}
            self.tell(told, made)

    def tell(self, told: str | None, about: Object, at: int | None = None) -> None:
        """Add an event; none where there is no type."""
        if told:
            number = next(self._numbers)
            happened = int(self.now()) if at is None else at
            self._lists["events"].put(event(f"evt_{number:08}", happened, told, about))

    def objects(self, path: str) -> list[Object]:
        """All objects of a list, as they are."""
        return list(self._lists[path].objects.values())

    def answer(self, call: Call) -> Reply | Fault:
        """Answer a request."""
        with self._lock:
            self.asked.append(call)
            number = len(self.asked)
        self.before(number)
        if fault := self.faults.get(number):
            dated = {"Date": self._date()} | fault.headers
            return Fault(fault.status, dated, fault.body, fault.cut)
        with self._lock:
            status, value = self._answer(call)
        asked_version = call.headers.get("stripe-version", "2011-01-01")
        headers = {"Date": self._date(), "Stripe-Version": self.served or asked_version}
        return Reply(status, headers, self.change(number, value) if status == 200 else value)

    def _date(self) -> str:
        return format_datetime(datetime.fromtimestamp(self.now(), UTC), usegmt=True)

    def _answer(self, call: Call) -> tuple[int, Object]:
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "invalid_request_error", f"Invalid API Key provided: {self.key[:8]}***")
        path = call.path.removeprefix("/v1/")
        if call.method == "POST":
            return 200, self._create(path, call)
        if path in CREATED:
            return self._listed(path, call.query)
        parent, _, id = path.rpartition("/")
        made = self._lists[parent].objects.get(id) or self._deleted.get(id)
        if parent not in CREATED or not made:
            return _missing(id, "id")
        return 200, _expanded(made, call.query, "")

    def _listed(self, path: str, query: dict[str, str]) -> tuple[int, Object]:
        limit = int(query.get("limit", 10))
        if not 1 <= limit <= _MOST:
            return _error(400, "invalid_request_error", "limit has to be between 1 and 100", "limit")
        listed = self._lists[path]
        oldest = max(int(query.get("created[gte]", 0)), int(query.get("created[gt]", -1)) + 1)
        if path == "events":
            oldest = max(oldest, int(self.now()) - _KEPT_EVENTS)
        low, high = bisect_left(listed.times, oldest), len(listed.times)
        if newest := query.get("created[lte]"):
            high = bisect_right(listed.times, int(newest))
        for cursor in ("starting_after", "ending_before"):
            if (id := query.get(cursor)) and id not in listed.objects:
                return _missing(id, cursor)
        if before := query.get("ending_before"):
            low = max(low, listed.place(before) + 1)
        if after := query.get("starting_after"):
            high = min(high, listed.place(after))
        types = {value for name, value in query.items() if name.startswith("types[")}
        ids = [id for id in listed.ids[low:high] if not types or listed.objects[id]["type"] in types]
        page = ids[:limit] if before else ids[-limit:]
        data = [_expanded(listed.objects[id], query, "data.") for id in reversed(page)]
        return 200, {
            "object": "list", "url": f"/v1/{path}", "has_more": len(ids) > len(page), "data": data,
        }  # fmt: skip

    def _create(self, path: str, call: Call) -> Object:
        """Create what a form says, once for an idempotency key."""
        key = call.headers.get("idempotency-key", "")
        if not key or key not in self._created:
            kind, prefix = CREATED[path]
            id = f"{prefix}_{next(self._numbers):014}"
            made = {"id": id, "object": kind, "created": int(self.now()), "livemode": self.livemode}
            self._created[key] = made | _nested(call.form)
            self.put(path, self._created[key], f"{kind}.created")
        return self._created[key]


def _expanded(made: Object, query: dict[str, str], prefix: str) -> Object:
    """An object without the parts that come only where they are asked for."""
    asked = {value.removeprefix(prefix) for name, value in query.items() if name.startswith("expand[")}
    return {name: value for name, value in made.items() if name != "line_items" or name in asked}


def _nested(form: dict[str, str]) -> Object:
    """A form such as `metadata[seed]=1` as an object."""
    made: Object = {}
    for name, value in form.items():
        *path, last = [name.partition("[")[0], *_PART.findall(name)]
        place = made
        for part in path:
            place = place.setdefault(part, {})
        # What is noted is text.
        place[last] = int(value) if value.isdecimal() and "metadata" not in path else value
    return made


def _missing(id: str, parameter: str) -> tuple[int, Object]:
    status, value = _error(404, "invalid_request_error", f"No such object: '{id}'", parameter)
    value["error"]["code"] = "resource_missing"
    return status, value


def _error(status: int, kind: str, message: str, parameter: str | None = None) -> tuple[int, Object]:
    return status, {"error": {"type": kind, "message": message, "param": parameter}}
