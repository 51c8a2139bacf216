"""Shopify refuses, lies or breaks off: an error names stream, page and what to do, and nothing gets lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.connectors.shopify.nested import MOST
from sampledata.servers import Fault
from sampledata.servers.shopify import Answers, objects
from sampledata.servers.shopify.answers import SDL
from sampledata.servers.shopify.objects import gid
from tests.python.sleep import replace_sleep

from .shopify import NOON, TABLES, Store, open_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A shop with twelve orders, and time that passes at once."""
    with open_store(tmp_path / "landing") as opened:
        replace_sleep(monkeypatch, opened.clock.sleep)
        opened.add(12)
        yield opened


def test_a_wrong_token_is_told(store: Store) -> None:
    store.server.token = "another"
    told = store.error()
    assert told.startswith("shopify.orders, page 1: ") and "answered 401" in told
    assert "check the key in the settings" in told


def test_wrong_client_credentials_are_told(store: Store) -> None:
    store.fixed, store.server.client = False, ("a", "b")
    assert "gives no token for SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET" in store.error()


def test_a_token_that_is_refused_at_once_is_renewed_only_once(store: Store) -> None:
    store.fixed = False
    store.server.before = lambda number: store.server.tokens.clear()
    assert "answered 401" in store.error()
    assert store.asked() == 2


def test_a_missing_scope_is_told_before_anything_is_asked(store: Store) -> None:
    store.server.answers.scopes -= {"read_returns", "read_customers"}
    assert "the app lacks read_customers, read_returns: give it this scope" in store.error()
    assert store.asked() == 1


def test_writing_implies_reading(store: Store) -> None:
    store.server.answers.scopes.add("write_customers")
    store.done()


def test_a_scope_that_is_revoked_in_mid_run_is_told(store: Store) -> None:
    def revoke(number: int) -> None:
        if number == 4:
            store.server.answers.scopes.discard("read_orders")

    store.server.before = revoke
    told = store.error()
    assert "Shopify denies access: Access denied for orders field. Required access: `read_orders`" in told
    assert 0 < len(store.landed()) < 12


def test_orders_before_sixty_days_are_said_to_be_missing(store: Store) -> None:
    store.server.answers.scopes.discard("read_all_orders")
    (note,) = store.done().notes
    assert "Shopify shows orders of the last 60 days only" in note


def test_a_version_that_ends_soon_is_said(store: Store) -> None:
    store.clock.seconds = (datetime(2027, 8, 1, tzinfo=UTC) - NOON).total_seconds()
    (note,) = store.done().notes
    assert note == "Shopify serves version 2026-10 until 2027-10-01 only: bring the queries to a newer one"


def test_a_version_that_fell_forward_is_told(store: Store) -> None:
    store.server.version = "2027-01"
    assert "Shopify answered with version 2027-01, as 2026-10 is not served any more" in store.error()


@pytest.mark.parametrize("fault", [Fault(429), Fault(429, {"Retry-After": "1"}), Fault(503)])
def test_a_storm_ends(store: Store, fault: Fault) -> None:
    store.server.fault = lambda number: fault
    assert f"answered {fault.status}" in store.error() and store.asked() == 9


def coded(code: str) -> Fault:
    return Fault(200, body=b'{"errors": [{"message": "m", "extensions": {"code": "%s"}}]}' % code.encode())


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (coded("THROTTLED"), "has no points left, though they were waited for"),
        (coded("INTERNAL_SERVER_ERROR"), "fails with an internal error, 8 times: try again later"),
        (coded("ELSE"), "Shopify refuses the query of version 2026-10: m"),
        (Fault(200, body=b'{"data": null}'), "it gives no data"),
        (Fault(200, body=b"[]"), "the answer is no object but list: check SHOPIFY_SHOP"),
        (Fault(200, body=b"<html>"), "the answer is no JSON but"),
        (Fault(302, {"Location": "https://elsewhere.example"}), "answered 302"),
        (Fault(404), "check address and resource"),
        (Fault(402, body=b'{"errors": "Unavailable Shop"}'), "Unavailable Shop"),
    ],
)
def test_an_answer_that_is_none_is_told(store: Store, fault: Fault, told: str) -> None:
    store.server.fault = lambda number: fault if number > 3 else None
    assert told in store.error()


def test_a_query_that_is_too_expensive_even_for_one_object_is_told(store: Store) -> None:
    store.server.most_cost = 5
    assert "the query costs more than Shopify answers, even for a single object" in store.error()


def change_page(store: Store, **changed: Any) -> None:
    """Let every page of orders say something else."""

    def change(number: int, answer: dict[str, Any]) -> dict[str, Any]:
        if orders := (answer.get("data") or {}).get("orders"):
            orders["pageInfo"] |= changed.get("pageInfo", {})
            orders["nodes"] = changed.get("nodes", orders["nodes"])
        return answer

    store.server.change = change


def test_an_empty_page_that_promises_more_is_told(store: Store) -> None:
    change_page(store, pageInfo={"hasNextPage": True, "endCursor": "x"}, nodes=[])
    assert "the page is empty, but promises more" in store.error()


@pytest.mark.parametrize("cursor", [{"endCursor": "x"}, {}])
def test_the_same_page_for_ever_is_told(store: Store, cursor: dict[str, str]) -> None:
    for number in range(1, 13):
        store.put(number, NOON - timedelta(hours=1))
    store.server.answers._place = lambda *_: None  # type: ignore[method-assign]
    change_page(store, pageInfo={"hasNextPage": True} | cursor)
    assert "twice: it would never end" in store.error()


def test_a_cursor_that_is_not_heard_is_told(store: Store) -> None:
    store.server.answers._place = lambda *_: None  # type: ignore[method-assign]
    assert "page 2: record gid://shopify/Order/1 of 2026-11-30 10:59:49" in store.error()


def test_a_page_without_a_cursor_is_told(store: Store) -> None:
    change_page(store, pageInfo={"hasNextPage": True, "endCursor": None})
    assert "Shopify gave the next page 'None' twice" in store.error()


def test_a_cursor_that_the_server_forgot_stops_the_run_and_not_the_next_one(store: Store) -> None:
    def restart(number: int) -> None:
        if number == 5:
            store.server.answers._secret = "restarted"

    store.server.before = restart
    assert "Invalid cursor" in store.error()
    assert 0 < len(store.landed()) < 12
    store.done()
    assert store.numbers() == list(range(1, 13))


def test_a_field_that_is_gone_is_told(store: Store) -> None:
    gone = SDL.replace("  totalTipReceivedSet: MoneyBag!\n", "")
    store.server.answers = Answers(store.shop, store.server.answers.scopes, sdl=gone)
    told = store.error()
    assert "refuses the query of version 2026-10: Cannot query field 'totalTipReceivedSet'" in told


def test_a_filter_that_is_ignored_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.done()
    monkeypatch.setattr("sampledata.servers.shopify.search._KNOWN", {})
    store.clock.seconds += 3600
    assert "Shopify ignores a filter" in store.error()


def test_a_time_without_quotes_would_be_noticed(store: Store) -> None:
    store.done()
    store.clock.seconds += 7200
    store.put(99, store.now - timedelta(minutes=5))
    server = store.server.answers._listed

    def unquoted(name: str, arguments: dict[str, Any], place: Any) -> Any:
        query = (arguments.get("query") or "").replace("'", "")
        return server(name, arguments | {"query": query}, place)

    store.server.answers._listed = unquoted  # type: ignore[method-assign]
    assert "the server does not filter or sort by the cursor" in store.error()


@pytest.mark.parametrize("name", ["refunds", "fulfillments", "transactions"])
def test_a_plain_list_at_its_limit_is_told(store: Store, name: str) -> None:
    order = store.put(13, NOON - timedelta(minutes=30))
    if name == "transactions":
        entries = [order["transactions"][0] | {"id": gid("OrderTransaction", n)} for n in range(MOST)]
    else:
        changed = objects.refund(objects.ship(order, NOON, 1, "UPS", "1"), NOON, {0: 1})
        entries = [changed[name][0] | {"id": gid("Refund", n)} for n in range(MOST)]
    store.shop.put("orders", order | {name: entries})
    assert f"gid://shopify/Order/13 has 250 {name} or more, and Shopify does not tell" in store.error()


@pytest.mark.parametrize(
    ("shop", "told"),
    [
        ("http://shop.example", "SHOPIFY_SHOP begins with http://"),
        ("ftp://shop.example", "SHOPIFY_SHOP is no shop: write it as my-shop.myshopify.com"),
        ("my shop", "SHOPIFY_SHOP is no shop"),
        ("https://my-shop.myshopify.com/admin", "SHOPIFY_SHOP is no shop"),
    ],
)
def test_a_shop_that_is_none_is_told(store: Store, shop: str, told: str) -> None:
    store.server.url = shop
    assert told in store.error()


def test_an_unknown_resource_is_told(store: Store) -> None:
    table = TABLES["orders"].model_copy(deep=True)
    assert table.arrives.extract is not None
    table.arrives.extract.resource = "carts"
    assert "Shopify has no 'carts' here, but orders, products, " in store.error(table)


def test_a_failing_stream_stops_only_itself(store: Store) -> None:
    store.server.answers.scopes.discard("read_products")
    states = {e.stream.table.name: e.state for e in store.extract(*TABLES.values())}
    assert states["customers"] == "done" and states["products"] == states["orders"] == "failed"
