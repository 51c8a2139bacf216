"""Objects as a whole: lists inside of them are continued until they end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingestion.connectors.shopify.api import Api, TooExpensive
from ingestion.connectors.shopify.documents import Documents
from ingestion.connectors.stream import ExtractError

# The most that Shopify gives of a list at once. A plain list cannot be continued.
MOST = 250

Object = dict[str, Any]


class Changed(ExtractError):
    """An object was changed or deleted while its lists were read."""

    def __init__(self, root: "Root") -> None:
        super().__init__(f"{root.id} was changed while it was read: try again")


class _Owner(NamedTuple):
    """What a connection belongs to: a node, or the first entry behind `before` of its list `through`."""

    id: str
    through: str | None = None
    before: str | None = None
    entry: str | None = None


@dataclass(frozen=True)
class Root:
    """An object that a stream lists: its type and id, and when it was changed last."""

    type: str
    id: str
    updated_at: str | None = None


class Nested:
    """Reads what is missing of objects, with the documents of their stream."""

    def __init__(self, api: Api, documents: Documents) -> None:
        self._api, self._documents = api, documents

    def whole(self, root: Root, value: Object) -> Object:
        """An object with all its connections as complete lists.

        Raises:
            Changed: it was changed meanwhile; it comes again in the order of changes.
            ExtractError: a list cannot be read to its end.
        """
        return self._fields(root, _Owner(root.id), value)

    def _fields(self, root: Root, owner: _Owner, value: Object) -> Object:
        return {
            name: self._value(root, owner, name, part) if isinstance(part, dict | list) else part
            for name, part in value.items()
        }

    def _value(self, root: Root, owner: _Owner, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            if "pageInfo" in value:
                return self._list(root, owner, name, value)
            return self._fields(root, _Owner(value["id"]) if "id" in value else owner, value)
        if not isinstance(value, list):
            return value
        if len(value) >= MOST and isinstance(value[0], dict):
            raise ExtractError(
                f"{root.id} has {MOST} {name} or more, and Shopify does not tell the rest: "
                "export this object by hand, and leave it out"
            )
        return [self._value(root, owner, name, part) for part in value]

    def _list(self, root: Root, owner: _Owner, name: str, connection: Object) -> list[Any]:
        """All entries of a connection; those of `edges` are no nodes, and are found by their cursor."""
        entries, before = [], None
        for page in self._pages(root, owner, name, connection):
            for entry in page.get("nodes") or []:
                entries.append(self._value(root, owner, name, entry))
            for edge in page.get("edges") or []:
                node = edge["node"]
                place = _Owner(owner.id, name, before, node["id"])
                entries.append(self._fields(root, place, node))
                before = edge["cursor"]
        return entries

    def _pages(self, root: Root, owner: _Owner, name: str, page: Object) -> Iterator[Object]:
        yield page
        known = set[str]()
        while cursor := following(page, known):
            page = self.more(root, owner, name, cursor)
            yield page

    def more(
        self, root: Root, owner: _Owner, name: str, cursor: str, filtered: Mapping[str, Any] = {}
    ) -> Object:
        """The page of a connection behind a cursor, with the filter that it was listed with.

        Raises:
            Changed: the root was changed since it was listed.
        """
        asked = self._documents.continuation(name, root.type, owner.through)
        variables: Object = {
            "root": root.id,
            "id": owner.id,
            "before": owner.before,
            "next": None,
            **filtered,
        }
        sizes = {"size": MOST, "inner": MOST // 10, "innerNext": None} | {asked.size: MOST}
        while True:
            try:
                data = self._api.ask(asked.text, {**variables, **sizes, asked.after: cursor}).data
                break
            except TooExpensive:
                if sizes[asked.size] == 1:
                    raise
                sizes = {size: most and max(most // 2, 1) for size, most in sizes.items()}
        if data["root"] is None or root.updated_at not in (None, data["root"]["updatedAt"]):
            raise Changed(root)
        found = data["node"]
        if owner.through:
            found = next(iter(found[owner.through]["nodes"]), None)
            if found is None or found["id"] != owner.entry:
                raise Changed(root)
        page: Object = found[name]
        return page


def following(page: Object, known: set[str]) -> str | None:
    """The cursor of the page behind a page of a connection; null behind the last one.

    Raises:
        ExtractError: the page promises more, but does not tell how to get there.
    """
    if not page["pageInfo"]["hasNextPage"]:
        return None
    cursor: str | None = page["pageInfo"]["endCursor"]
    if not (page.get("nodes") or page.get("edges")):
        raise ExtractError("the page is empty, but promises more: the rest would be missed. Try again later")
    if cursor is None or cursor in known:
        raise ExtractError(f"Shopify gave the next page '{cursor}' twice: it would never end")
    known.add(cursor)
    return cursor


def owner_of(root: Root) -> _Owner:
    """The root itself as what a connection belongs to."""
    return _Owner(root.id)
