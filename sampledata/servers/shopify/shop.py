"""What a shop holds: objects in the shape of the API, with plain lists where that has connections."""

import bisect
import threading
from collections.abc import Iterable, Iterator
from typing import Any

Object = dict[str, Any]


class Shop:
    """Orders, products, customers, locations and events of a shop, by the number in their id.

    An object has the fields of the type of its id, `gid://shopify/Order/1`; `objects.py` makes them.
    Locations have `inventoryLevels`. Objects may be put again at any time, with a later `updatedAt`.
    """

    def __init__(
        self, timezone: str = "America/New_York", currency: str = "USD", is_for_development: bool = False
    ) -> None:
        plan = {"partnerDevelopment": is_for_development}
        self.shop: Object = {"ianaTimezone": timezone, "currencyCode": currency, "plan": plan}
        self._lists = {name: _Sorted(time) for name, time in _TIMES.items()}
        self._nodes: dict[str, Object] = {}
        self._lock = threading.RLock()

    def put(self, name: str, *objects: Object) -> None:
        """Add or change objects of `orders`, `products`, `customers`, `locations` or `events`."""
        with self._lock:
            for value in objects:
                self._lists[name].put(value)
                # What is named inside of an object may be that object itself, in short.
                self._nodes |= {node["id"]: node for node in reversed([*_nodes(value)])}

    def remove(self, name: str, identity: str) -> None:
        """Delete an object without a trace."""
        with self._lock:
            self._lists[name].remove(identity)
            self._nodes.pop(identity, None)

    def node(self, identity: str) -> Object | None:
        """An object by its id."""
        return self._nodes.get(identity)

    def since(self, name: str, place: tuple[str, int]) -> list[Object]:
        """Objects of a list behind a place, in the order of time (ISO 8601, UTC) and number."""
        with self._lock:
            return self._lists[name].since(place)


# By what the lists are sorted.
_TIMES = {
    "orders": "updatedAt",
    "products": "updatedAt",
    "customers": "updatedAt",
    "events": "createdAt",
    "locations": None,
}


class _Sorted:
    """Objects in the order of a time and of their number; or of their number alone."""

    def __init__(self, time: str | None) -> None:
        self._time = time
        self._places: list[tuple[str, int]] = []
        self._objects: dict[tuple[str, int], Object] = {}
        self._known: dict[str, tuple[str, int]] = {}

    def put(self, value: Object) -> None:
        self.remove(value["id"])
        place = place_of(value, self._time)
        bisect.insort(self._places, place)
        self._objects[place] = value
        self._known[value["id"]] = place

    def remove(self, identity: str) -> None:
        if place := self._known.pop(identity, None):
            self._places.remove(place)
            del self._objects[place]

    def since(self, place: tuple[str, int]) -> list[Object]:
        start = bisect.bisect_right(self._places, place)
        return [self._objects[place] for place in self._places[start:]]


def place_of(value: Object, time: str | None) -> tuple[str, int]:
    """What an object is sorted by."""
    return (value[time] if time else "", number_of(value["id"]))


def number_of(identity: str) -> int:
    """The number in an id."""
    return int(identity.rsplit("/", 1)[1].partition("?")[0])


def _nodes(value: Any) -> Iterator[Object]:
    """An object and all in it that have an id and fields of their own."""
    parts: Iterable[Any] = ()
    if isinstance(value, dict):
        if "id" in value and len(value) > 1:
            yield value
        parts = value.values()
    elif isinstance(value, list):
        parts = value
    for part in parts:
        yield from _nodes(part)
