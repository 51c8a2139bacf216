"""What changed in a shop, in the order of its changes, each object whole."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from ingestion.connectors.shopify.api import MOST_COST, Api, Reply, TooExpensive
from ingestion.connectors.shopify.documents import VERSION, Documents, read_documents
from ingestion.connectors.shopify.nested import MOST, Changed, Nested, Object, Root, following, owner_of
from ingestion.connectors.stream import Connector, ExtractError, Page, Position, Record, Stream, Window

# Shopify lists 25,000 objects of a query and no more. Before, it is asked anew from the last one on.
_ANEW = 10_000
# Entries of a list inside of an object, before it is continued: most orders have fewer lines.
_SIZE = 10
# How far orders reach back without the scope read_all_orders.
_RECENT = timedelta(days=60)


@dataclass(frozen=True)
class _Resource:
    """A list of the API: field, type of its objects, scopes, how many to ask for at first, and a filter."""

    field: str
    type: str
    scopes: frozenset[str]
    first: int
    filter: str = ""
    time: str = "updated_at"


_RESOURCES = {
    "orders": _Resource(
        "orders", "Order", frozenset({"read_orders", "read_returns", "read_products", "read_customers"}), 10
    ),
    "products": _Resource("products", "Product", frozenset({"read_products", "read_inventory"}), 25),
    "customers": _Resource("customers", "Customer", frozenset({"read_customers"}), 50),
    "inventory_levels": _Resource(
        "locations", "Location", frozenset({"read_inventory", "read_locations", "read_products"}), 10
    ),
    "product_deletions": _Resource(
        "events", "Event", frozenset({"read_products"}), MOST, "action:destroy AND subject_type:PRODUCT",
        "created_at",
    ),
}  # fmt: skip


class Shopify(Connector):
    """A shop that takes SHOPIFY_ACCESS_TOKEN, or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET."""

    def __init__(self, settings: Mapping[str, SecretStr]) -> None:
        super().__init__()
        self._api = Api(settings, self.traffic)
        self._scopes: frozenset[str] | None = None

    def pages(self, stream: Stream, window: Window, position: Position | None) -> Iterator[Page]:
        """Pages in the order of changes until one reaches behind the window's end, or the last one."""
        resource, documents = self._open(stream, window)
        if resource.type == "Location":
            return self._levels(stream, resource, documents, window, position)
        return _Walk(self._api, stream, resource, documents, window, position).pages()

    def estimate(self, stream: Stream, window: Window) -> str:
        """How many objects changed, and what they cost, by the cost of a few."""
        resource, documents = self._open(stream, window)
        if documents.count is None:
            return ""
        filtered = {"filter": _filter(resource, window.since)}
        (counted,) = self._api.ask(documents.count, filtered).data.values()
        sample = self._api.ask(documents.page, _variables(5) | filtered)
        objects = max(len(sample.data[resource.field]["nodes"]), 1)
        cost = counted["count"] * sample.cost / objects
        minutes = max(cost - self._api.bucket.available, 0) / self._api.bucket.rate / 60
        return (
            f"{counted['count']:,} {resource.field}, about {cost:,.0f} points: "
            f"{minutes:,.0f} minutes at {self._api.bucket.rate:,.0f} points a second"
        )

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _open(self, stream: Stream, window: Window) -> tuple[_Resource, Documents]:
        """A stream's resource, when the app may read it.

        Raises:
            ExtractError: there is no such resource, or a scope is missing.
        """
        name = stream.declared.resource
        if not (resource := _RESOURCES.get(name)):
            raise ExtractError(f"Shopify has no '{name}' here, but {', '.join(_RESOURCES)}")
        shared = read_documents("shared")
        if self._scopes is None:
            reply = self._api.ask(shared.whole(shared.queries["Access"]), {})
            granted = reply.data["currentAppInstallation"]["accessScopes"]
            self._scopes = frozenset(scope["handle"].replace("write_", "read_", 1) for scope in granted)
            if note := _end_of_version(reply.settled_until):
                self.notes.append(note)
        if missing := sorted(resource.scopes - self._scopes):
            raise ExtractError(
                f"the app lacks {', '.join(missing)}: give it this scope, and install it again"
            )
        if resource.type == "Order" and "read_all_orders" not in self._scopes and _reaches_back(window):
            self.notes.append(
                f"without the scope read_all_orders, Shopify shows orders of the last {_RECENT.days} days "
                "only: ask for it, and extract with --full"
            )
        return resource, read_documents(name)

    def _levels(
        self,
        stream: Stream,
        resource: _Resource,
        documents: Documents,
        window: Window,
        position: Position | None,
    ) -> Iterator[Page]:
        """Inventory levels that changed, location by location; a location is begun anew where one stopped."""
        nested, lists = Nested(self._api, documents), _Lists(self._api, resource, documents)
        until, reached = window.until, _number(position.key[-1]) if position else 0
        after, known = None, set[str]()
        while True:
            reply = lists.page(window.since, after)
            until = until or reply.settled_until
            records: list[Record] = []
            for location in reply.data["locations"]["nodes"]:
                if _number(location["id"]) < reached:
                    continue
                root, page, seen = Root("Location", location["id"]), location["inventoryLevels"], set[str]()
                while True:
                    placed = [level | {"locationId": root.id} for level in page["nodes"]]
                    records += [_record(stream, level, None) for level in placed]
                    if not (cursor := following(page, seen)):
                        break
                    yield Page(records, until)
                    records = []
                    filtered = {"filter": _filter(resource, window.since)}
                    page = nested.more(root, owner_of(root), "inventoryLevels", cursor, filtered)
            yield Page(records, until)
            if not (after := following(reply.data["locations"], known)):
                return


class _Lists:
    """Pages of a list, as large as Shopify allows for their cost."""

    def __init__(self, api: Api, resource: _Resource, documents: Documents) -> None:
        self._api, self._resource, self._documents = api, resource, documents
        self._first, self._size, self._most = resource.first, _SIZE, MOST

    def page(self, since: datetime | None, after: str | None) -> Reply:
        """The page behind a cursor, of what changed since a time.

        Raises:
            TooExpensive: even a single object is.
        """
        filtered = {"filter": _filter(self._resource, since), "after": after}
        while True:
            variables = _variables(self._first) | {"size": self._size} | filtered
            try:
                reply = self._api.ask(self._documents.page, variables)
            except TooExpensive:
                if self._first == self._size == 1:
                    raise
                if self._first == 1:
                    self._size //= 2
                self._first = self._most = max(self._first // 2, 1)
            else:
                if 2 * reply.asked_for <= MOST_COST:
                    self._first = min(2 * self._first, self._most)
                return reply


class _Walk:
    """The objects of a list from a time on, in the order of their changes."""

    def __init__(
        self,
        api: Api,
        stream: Stream,
        resource: _Resource,
        documents: Documents,
        window: Window,
        position: Position | None,
    ) -> None:
        self._stream, self._resource = stream, resource
        self._lists, self._nested = _Lists(api, resource, documents), Nested(api, documents)
        self._since = position.cursor if position else window.since
        self._until = window.until
        # The newest objects, which come again when the query is asked anew.
        self._newest: tuple[datetime | None, set[str]] = (None, set())

    def pages(self) -> Iterator[Page]:
        """Pages until one reaches behind the window's end, or the last one.

        Raises:
            ExtractError: the list cannot be read to its end.
        """
        after, known, listed = None, set[str](), 0
        while True:
            reply = self._lists.page(self._since, after)
            self._until = self._until or reply.settled_until
            connection = reply.data[self._resource.field]
            times = [_time(node[_camel(self._resource.time)]) for node in connection["nodes"]]
            yield Page(list(self._records(reply)), self._until)
            after = following(connection, known)
            if after is None or times[-1] > self._until:
                return
            listed += len(times)
            if listed >= _ANEW and (self._since is None or times[-1] > self._since):
                self._since, after, known, listed = times[-1], None, set(), 0

    def _records(self, reply: Reply) -> Iterator[Record]:
        for node in reply.data[self._resource.field]["nodes"]:
            time = _time(node[_camel(self._resource.time)])
            if time != self._newest[0]:
                self._newest = time, set()
            elif node["id"] in self._newest[1]:
                continue
            self._newest[1].add(node["id"])
            try:
                root = Root(self._resource.type, node["id"], node.get("updatedAt"))
                yield _record(self._stream, self._nested.whole(root, node), reply)
            except Changed:
                # It has moved behind all others, and comes whole in this window or the next one.
                continue


def _record(stream: Stream, value: Object, reply: Reply | None) -> Record:
    """An object as it lands, with what its page tells of the shop."""
    if reply and "shop" in reply.data:
        value = value | {"shop": reply.data["shop"]}
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return stream.record(line, value)


def _variables(first: int) -> dict[str, Any]:
    return {"first": first, "after": None, "size": _SIZE, "next": None, "inner": _SIZE, "innerNext": None}


def _filter(resource: _Resource, since: datetime | None) -> str | None:
    """What narrows a list down. Of a time without quotes, Shopify would take the day."""
    parts = [resource.filter] if resource.filter else []
    if since:
        parts.append(f"{resource.time}:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'")
    return " AND ".join(parts) or None


def _reaches_back(window: Window) -> bool:
    return window.since is None or window.since < datetime.now(UTC) - _RECENT


def _end_of_version(now: datetime) -> str | None:
    """What to say in time when Shopify will serve this version no more."""
    year, month = map(int, VERSION.split("-"))
    served_until = datetime(year + 1, month, 1, tzinfo=UTC)
    if now < served_until - timedelta(days=90):
        return None
    ends = f"{served_until:%Y-%m-%d}"
    return f"Shopify serves version {VERSION} until {ends} only: bring the queries to a newer one"


def _number(gid: str) -> int:
    """The number in an id such as gid://shopify/Location/5."""
    found = re.search(r"/(\d+)(?:\?|$)", gid)
    return int(found[1]) if found else 0


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _camel(name: str) -> str:
    head, _, tail = name.partition("_")
    return head + tail.capitalize()
