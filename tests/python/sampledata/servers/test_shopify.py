"""The shop on loopback is as strict as the vendor's API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from graphql import parse, validate

from ingestion.connectors.shopify.documents import read_documents
from sampledata.servers.shopify import SCOPES, Answers, Server, Shop, serve
from sampledata.servers.shopify.cost import Bucket
from sampledata.servers.shopify.objects import Line, Order

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ORDERS = "query Q($n: Int!, $after: String, $q: String) { orders(first: $n, after: $after, query: $q, \
sortKey: UPDATED_AT) { nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }"


@pytest.fixture
def server() -> Iterator[Server]:
    """A shop with five orders, a minute apart, and a clock that stands still."""
    shop = Shop()
    for number in range(1, 6):
        shop.put("orders", Order(number, NOON + timedelta(minutes=number), [Line(Decimal(1))]).object())
    answers = Answers(shop, set(SCOPES))
    with serve(Server(answers, token="t", bucket=Bucket(clock=lambda: 0), now=lambda: NOON)) as server:
        yield server


def ask(server: Server, query: str, token: str = "t", **variables: Any) -> Any:
    """The answer to a query."""
    response = requests.post(
        f"{server.url}/admin/api/2026-10/graphql.json",
        json={"query": query, "variables": variables},
        headers={"X-Shopify-Access-Token": token},
        timeout=10,
    )
    assert response.headers.get("Date")
    return response.json()


def ids(answer: Any) -> list[str]:
    return [node["id"][-1] for node in answer["data"]["orders"]["nodes"]]


def code(answer: Any) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


def test_a_time_without_quotes_is_a_day(server: Server) -> None:
    assert ids(ask(server, ORDERS, n=9, q="updated_at:>='2026-11-30T12:03:00Z'")) == ["3", "4", "5"]
    assert ids(ask(server, ORDERS, n=9, q="updated_at:>=2026-11-30T12:03:00Z")) == list("12345")


def test_an_unknown_filter_is_ignored_with_a_warning(server: Server) -> None:
    answer = ask(server, ORDERS, n=9, q="changed_at:>='2026-11-30T12:03:00Z'")
    assert ids(answer) == list("12345")
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "changed_at"


def test_a_cursor_belongs_to_its_query_and_process(server: Server) -> None:
    page = ask(server, ORDERS, n=2)
    cursor = page["data"]["orders"]["pageInfo"]["endCursor"]
    assert ids(ask(server, ORDERS, n=2, after=cursor)) == ["3", "4"]
    assert code(ask(server, ORDERS, n=2, after=cursor, q="created_at:>2020-01-01")) == "BAD_REQUEST"
    server.answers = Answers(server.answers.shop, set(SCOPES))
    assert code(ask(server, ORDERS, n=2, after=cursor)) == "BAD_REQUEST"


def test_sizes_costs_and_points_have_limits(server: Server) -> None:
    assert code(ask(server, ORDERS, n=251)) == "BAD_REQUEST"
    assert code(ask(server, "{ orders { nodes { id } pageInfo { hasNextPage } } }")) == "BAD_REQUEST"
    page, variables = read_documents("orders").page, {"first": 250, "size": 100, "inner": 50}
    assert code(ask(server, page, **variables)) == "MAX_COST_EXCEEDED"
    cost = ask(server, ORDERS, n=100)["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (102, 7)
    assert cost["throttleStatus"] == {
        "maximumAvailable": 2000,
        "currentlyAvailable": 1993,
        "restoreRate": 100,
    }
    server.bucket.take(1950)
    answer = ask(server, ORDERS, n=100)
    assert code(answer) == "THROTTLED" and "data" not in answer
    assert answer["extensions"]["cost"]["actualQueryCost"] is None


def test_tokens_scopes_and_fields_are_checked(server: Server) -> None:
    assert "Invalid API key" in ask(server, ORDERS, token="x", n=1)["errors"]
    server.answers.scopes.discard("read_orders")
    assert code(ask(server, ORDERS, n=1)) == "ACCESS_DENIED"
    assert code(ask(server, "{ shop { iban } }")) == "undefinedField"


def test_lists_without_a_key_are_in_the_order_of_their_numbers(server: Server) -> None:
    server.answers.shop.put("orders", Order(1, NOON + timedelta(hours=1), []).object())
    assert ids(ask(server, ORDERS, n=9)) == ["2", "3", "4", "5", "1"]
    assert ids(ask(server, ORDERS.replace("sortKey: UPDATED_AT", ""), n=9)) == list("12345")


@pytest.mark.parametrize("name", ["orders", "products", "customers", "inventory_levels", "product_deletions"])
def test_the_queries_are_of_the_schema(server: Server, name: str) -> None:
    documents = read_documents(name)
    for text in filter(None, (documents.page, documents.count)):
        assert validate(server.answers.schema, parse(text)) == []
