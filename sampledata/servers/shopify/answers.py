"""Answers to GraphQL queries of the Admin API, as far as `schema.graphql` goes.

The schema is a part of the vendor's, of version 2026-10.
"""

import base64
import functools
import hashlib
import itertools
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)

from sampledata.servers.shopify.changes import change
from sampledata.servers.shopify.cost import Asked
from sampledata.servers.shopify.search import parse as parse_search
from sampledata.servers.shopify.shop import Object, Shop, number_of, place_of

SDL = (Path(__file__).parent / "schema.graphql").read_text("utf-8")

# What a field needs.
_SCOPES = {
    ("QueryRoot", "orders"): "read_orders",
    ("QueryRoot", "ordersCount"): "read_orders",
    ("QueryRoot", "products"): "read_products",
    ("QueryRoot", "productsCount"): "read_products",
    ("QueryRoot", "customers"): "read_customers",
    ("QueryRoot", "customersCount"): "read_customers",
    ("QueryRoot", "locations"): "read_locations",
    ("Mutation", "customerSet"): "write_customers",
    ("Mutation", "productSet"): "write_products",
    ("Mutation", "orderCreate"): "write_orders",
    ("Order", "customer"): "read_customers",
    ("Order", "returns"): "read_returns",
    ("LineItem", "product"): "read_products",
    ("Location", "inventoryLevels"): "read_inventory",
    ("ProductVariant", "inventoryItem"): "read_inventory",
}
# What the lists are sorted by; without it, by their number.
_SORTED = {
    "orders": "UPDATED_AT",
    "products": "UPDATED_AT",
    "customers": "UPDATED_AT",
    "events": "CREATED_AT",
}
_TIMES = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt"}


class Answers:
    """Answers for an app with `scopes`; cursors are of this process, and reach over `most` objects."""

    def __init__(self, shop: Shop, scopes: set[str], most: int = 25_000, sdl: str = SDL) -> None:
        self.shop, self.scopes, self.most = shop, scopes, most
        self.schema, self._sdl = _schema(sdl), sdl
        self.ignored: list[str] = []
        self._secret = secrets.token_hex(8)

    def read(self, text: str) -> tuple[DocumentNode | None, list[dict[str, Any]]]:
        """A query, or what is wrong with it."""
        return _read(self._sdl, text)

    def asked(self, document: DocumentNode, variables: Mapping[str, Any]) -> Asked:
        """A query with what it may cost."""
        return Asked(self.schema, document, variables)

    def execute(self, document: DocumentNode, variables: dict[str, Any]) -> ExecutionResult:
        """The data of an answer, and its errors; `ignored` has the filters that were not known."""
        self.ignored = []
        return execute_sync(
            self.schema, document, variable_values=variables, field_resolver=self._field,
            type_resolver=lambda value, info, kind: value.get("__typename") or value["id"].split("/")[3],
        )  # fmt: skip

    def _field(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        parent, name = info.parent_type.name, info.field_name
        if (scope := _SCOPES.get((parent, name))) and scope not in self.scopes:
            raise GraphQLError(
                f"Access denied for {name} field. Required access: `{scope}` access scope.",
                extensions={"code": "ACCESS_DENIED"},
            )
        if parent == "QueryRoot":
            return self._root(name, arguments)
        if parent == "Mutation":
            return change(self.shop, name, arguments)
        value = source.get(name)
        if get_named_type(info.return_type).name.endswith("Connection") and isinstance(value, list):
            return self._connection(name, source["id"], enumerate(value, 1), arguments)
        if name == "quantities":
            return [quantity for quantity in value if quantity["name"] in arguments["names"]]
        return value[: arguments["first"]] if arguments.get("first") else value

    def _root(self, name: str, arguments: dict[str, Any]) -> Any:
        match name:
            case "shop":
                return self.shop.shop
            case "node":
                return self.shop.node(arguments["id"])
            case "currentAppInstallation":
                return {"accessScopes": [{"handle": scope} for scope in sorted(self.scopes)]}
        if name.endswith("Count"):
            return {"count": sum(1 for _ in self._listed(name.removesuffix("Count"), arguments, ("", 0)))}
        after = self._place(arguments, name, "")
        place = tuple(after[0]) if after else ("", 0)
        return self._connection(name, "", self._listed(name, arguments, place), arguments)

    def _listed(self, name: str, arguments: dict[str, Any], place: Any) -> Iterator[tuple[Any, Object]]:
        """Objects of a list behind a place, with their places."""
        key = arguments.get("sortKey")
        time = _TIMES[key] if key and key == _SORTED.get(name) else None
        fulfils, self.ignored = parse_search(name, arguments.get("query"))
        values = self.shop.since(name, place if time else ("", -1))
        if not time:
            values = sorted(values, key=lambda value: number_of(value["id"]))
            values = [value for value in values if number_of(value["id"]) > place[1]]
        return ((place_of(value, time), value) for value in values if fulfils(value))

    def _connection(
        self, name: str, owner: str, placed: Iterable[tuple[Any, Object]], arguments: dict[str, Any]
    ) -> Object:
        """A page of a connection: the entries behind its cursor, with their places."""
        after = self._place(arguments, name, owner)
        before = after[1] if after else 0
        if owner:
            fulfils, ignored = parse_search(name, arguments.get("query"))
            self.ignored += ignored
            placed = (each for each in placed if fulfils(each[1]) and each[0] > before)
        first = arguments["first"]
        if before + first > self.most and not owner:
            told = f"Pagination is limited to {self.most} objects"
            raise GraphQLError(told, extensions={"code": "BAD_REQUEST"})
        page = list(itertools.islice(placed, first + 1))
        edges = [
            {
                "node": value,
                "cursor": self._cursor(place, place if owner else before + number, arguments, name, owner),
            }
            for number, (place, value) in enumerate(page[:first], 1)
        ]
        return {
            "nodes": [edge["node"] for edge in edges],
            "edges": edges,
            "pageInfo": {
                "hasNextPage": len(page) > first,
                "endCursor": edges[-1]["cursor"] if edges else None,
            },
        }

    def _cursor(self, place: Any, number: int, arguments: dict[str, Any], name: str, owner: str) -> str:
        content = [place, number, self._binding(arguments, name, owner)]
        return base64.b64encode(json.dumps(content).encode()).decode()

    def _place(self, arguments: dict[str, Any], name: str, owner: str) -> tuple[Any, int] | None:
        """The place of a cursor, which must be of this process and the same query."""
        if not (cursor := arguments.get("after")):
            return None
        try:
            place, number, binding = json.loads(base64.b64decode(cursor))
        except ValueError:
            binding = None
        if binding != self._binding(arguments, name, owner):
            told = "Invalid cursor for current pagination sort."
            raise GraphQLError(told, extensions={"code": "BAD_REQUEST"})
        return place, number

    def _binding(self, arguments: dict[str, Any], name: str, owner: str) -> str:
        bound = [self._secret, name, owner, arguments.get("query"), arguments.get("sortKey")]
        return hashlib.md5(json.dumps(bound).encode()).hexdigest()


@functools.cache
def _schema(sdl: str) -> GraphQLSchema:
    return build_schema(sdl)


# Checking a query takes longer than answering it, and clients send the same ones.
@functools.cache
def _read(sdl: str, text: str) -> tuple[DocumentNode | None, list[dict[str, Any]]]:
    try:
        document = parse(text)
        errors = validate(_schema(sdl), document)
    except GraphQLError as error:
        return None, [{"message": error.message, "extensions": {"code": "syntaxError"}}]
    codes = {"Cannot query field": "undefinedField"}
    return document, [
        {"message": error.message, "extensions": {"code": codes.get(error.message[:18], "invalid")}}
        for error in errors
    ]
