"""Shopify: what changed lands once, whole and in order, however the shop changes meanwhile."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.connectors import plan
from ingestion.connectors.extract import Request
from ingestion.connectors.shopify import connector
from ingestion.connectors.stream import Stream
from sampledata.servers import Fault
from sampledata.servers.shopify import CUT_OFF, objects
from sampledata.servers.shopify.objects import Address, Currency, Line, Order
from tests.python.sleep import replace_sleep

from .shopify import CLIENT, NOON, TABLES, TOKEN, Store, open_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty shop, and time that passes at once."""
    with open_store(tmp_path / "landing") as opened:
        replace_sleep(monkeypatch, opened.clock.sleep)
        yield opened


def test_orders_land_once_in_the_order_of_their_changes(store: Store) -> None:
    store.add(23)
    extraction = store.done()
    assert store.numbers() == list(range(1, 24))
    assert extraction.window.until == NOON - timedelta(seconds=60)
    assert extraction.notes == ()


def test_a_second_pull_without_changes_writes_no_file_and_costs_one_request_a_stream(store: Store) -> None:
    store.server.most_cost = 1000
    store.add(9, store.now - timedelta(minutes=2))
    at = store.now - timedelta(minutes=2)
    store.shop.put("products", objects.product(1, at, "Bar", [objects.variant(1, at, Decimal(5), "B")]))
    store.shop.put("customers", objects.customer(1, at, "a@example.com", Address()))
    store.shop.put("locations", objects.location(1, "Shop", [objects.level(1, 1, at, 5, "B")]))
    store.shop.put("events", objects.deletion(1, at, 9))
    assert [extraction.error for extraction in store.extract(*TABLES.values())] == [None] * 5
    files = {name: store.files(name) for name in TABLES}
    assert all(files.values())
    store.clock.seconds += 60
    asked = store.asked()
    assert [extraction.records for extraction in store.extract(*TABLES.values())] == [0] * 5
    assert {name: store.files(name) for name in TABLES} == files
    names = [name for name, _ in store.server.asked[asked:]]
    assert names == ["Access", "Orders", "Products", "Customers", "InventoryLevels", "ProductDeletions"]


def test_old_orders_that_change_arrive(store: Store) -> None:
    store.add(20)
    store.done()
    store.clock.seconds += 3600
    order = next(o for o in store.shop.since("orders", ("", 0)) if o["id"].endswith("/3"))
    store.shop.put("orders", objects.refund(order, store.now - timedelta(minutes=20), {0: 1}))
    assert store.done().records == 1
    (changed,) = store.landed()[20:]
    assert changed["refunds"][0]["refundLineItems"][0]["lineItem"] == {"id": "gid://shopify/LineItem/3000"}
    assert changed["agreements"][1]["sales"][0]["totalAmount"]["shopMoney"]["amount"] == "-10.00"


def test_orders_that_change_between_pages_push_none_out(store: Store) -> None:
    store.add(40)

    def change(number: int) -> None:
        if number == 6:
            store.put(2, NOON - timedelta(minutes=5))
            store.put(39, NOON - timedelta(minutes=5))

    store.server.before = change
    store.done()
    assert sorted({*store.numbers()}) == list(range(1, 41))
    assert store.numbers()[-2:] == [2, 39]


def test_equal_times_go_on_across_pages_and_a_restart(store: Store) -> None:
    store.add(8)
    store.add(17, NOON - timedelta(hours=1), step=0)
    store.server.fault = lambda number: Fault(403) if number == 5 else None
    assert "403" in store.error()
    landed = len(store.landed())
    assert 0 < landed < 25
    store.server.fault = lambda number: None
    store.done()
    assert sorted(store.numbers()) == list(range(1, 26))


def test_lists_longer_than_a_page_are_continued(store: Store) -> None:
    at = NOON - timedelta(hours=1)
    many = Order(1, at, [Line(Decimal("1.00"))] * 61, shipping=Decimal("2.00")).object()
    store.shop.put("orders", objects.refund(many, at, {n: 1 for n in range(45)}))
    variants = [objects.variant(n, at, Decimal(n), None) for n in range(1, 301)]
    store.shop.put("products", objects.product(1, at, "Band", variants))
    levels = [objects.level(n, 1, at, n, None) for n in range(1, 401)]
    store.shop.put("locations", objects.location(1, "A", levels), objects.location(2, "B", levels[:3]))
    for extraction in store.extract(*TABLES.values()):
        assert extraction.error is None
    (order,) = store.landed()
    assert len({line["id"] for line in order["lineItems"]}) == 61
    assert len({line["id"] for line in order["refunds"][0]["refundLineItems"]}) == 45
    placed, refunded = order["agreements"]
    assert len({sale["id"] for sale in placed["sales"]}) == 62
    assert len({sale["id"] for sale in refunded["sales"]}) == 45
    total = sum(Decimal(sale["totalAmount"]["shopMoney"]["amount"]) for sale in placed["sales"])
    assert total == Decimal(order["totalPriceSet"]["shopMoney"]["amount"])
    (product,) = store.landed("products")
    assert len({variant["id"] for variant in product["variants"]}) == 300
    places = [level["locationId"][-1] for level in store.landed("inventory_levels")]
    assert (places.count("1"), places.count("2")) == (400, 3)


def test_changed_levels_of_many_items_are_continued(store: Store) -> None:
    at = NOON - timedelta(hours=1)
    store.shop.put(
        "locations", objects.location(1, "A", [objects.level(n, 1, at, 0, None) for n in range(90)])
    )
    store.done(TABLES["inventory_levels"])
    store.clock.seconds += 7200
    later = [
        objects.level(n, 1, store.now - timedelta(minutes=9) if n < 60 else at, 7, None) for n in range(90)
    ]
    store.shop.put("locations", objects.location(1, "A", later))
    assert store.done(TABLES["inventory_levels"]).records == 60
    assert len(store.landed("inventory_levels")) == 150


def test_many_agreements_are_continued_with_their_sales(store: Store) -> None:
    at = NOON - timedelta(hours=1)
    order = Order(1, at, [Line(Decimal("1.00"))] * 30).object()
    for _ in range(24):
        order = objects.refund(order, at, {n: 1 for n in range(12)})
    store.shop.put("orders", order)
    store.done()
    (landed,) = store.landed()
    assert landed["agreements"] == [
        {name: agreement[name] for name in ("id", "happenedAt", "reason")} | {"sales": agreement["sales"]}
        for agreement in order["agreements"]
    ]


def test_an_order_that_changes_while_its_lists_are_read_lands_whole_later(store: Store) -> None:
    store.add(4, lines=1)
    store.put(3, NOON - timedelta(minutes=30), lines=50)

    def change(number: int) -> None:
        if store.server.asked[-1][0] == "More" and store.now == NOON:
            store.put(3, NOON - timedelta(seconds=10), lines=51)

    store.server.before = change
    store.done()
    assert 3 not in store.numbers()
    store.clock.seconds += 600
    store.server.before = lambda number: None
    store.done()
    orders = {number: order for number, order in zip(store.numbers(), store.landed(), strict=True)}
    assert len(orders) == len(store.numbers()) == 4
    assert len(orders[3]["lineItems"]) == len(orders[3]["agreements"][0]["sales"]) == 51


def test_more_objects_than_shopify_lists(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.server.answers.most, limit = 30, 20
    monkeypatch.setattr(connector, "_ANEW", limit)
    store.add(40)
    store.add(12, NOON - timedelta(minutes=50), step=0)
    store.add(25, NOON - timedelta(minutes=40))
    store.done()
    assert store.numbers() == list(range(1, 78))


def test_the_limit_is_an_error_where_all_changed_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.server.answers.most = 30
    monkeypatch.setattr(connector, "_ANEW", 20)
    store.add(60, step=0)
    assert "Pagination is limited to 30 objects" in store.error()


def test_shops_of_other_currencies_and_odd_orders(store: Store) -> None:
    at = NOON - timedelta(hours=1)
    yen = Currency("JPY", "KWD", Decimal("0.002"), digits=3)
    for order in (
        Order(1, at, [Line(Decimal(1200))], currency=yen),
        Order(2, at, [Line(Decimal("0.00"), is_gift_card=True)], tip=Decimal("3.00")),
        Order(3, at, [], changes={"test": True}),
    ):
        store.shop.put("orders", order.object())
    store.done()
    first, second, third = store.landed()
    assert first["totalPriceSet"]["presentmentMoney"] == {"amount": "2.400", "currencyCode": "KWD"}
    assert [sale["lineType"] for sale in second["agreements"][0]["sales"]] == ["GIFT_CARD", "TIP"]
    assert second["customer"] is None and third["test"] and third["lineItems"] == []


def test_points_are_waited_for_before_asking(store: Store) -> None:
    store.server.bucket.most = store.server.bucket._left = 400
    store.server.bucket.rate = 50
    store.add(60)
    store.done()
    assert store.numbers() == list(range(1, 61))
    assert store.clock.waited and max(store.clock.waited) < 10


def test_throttling_in_spite_of_that_is_waited_out(store: Store) -> None:
    store.add(20)
    bucket = store.server.bucket

    def spend(number: int) -> None:
        if number in (4, 6):
            bucket.take(bucket.most - 5)
            bucket._left = 5

    store.server.before = spend
    extraction = store.done()
    assert extraction.traffic.retries == 2 and extraction.traffic.seconds_waited > 0
    assert store.numbers() == list(range(1, 21))


def test_errors_every_few_calls_lose_nothing(store: Store) -> None:
    busy = b'{"errors": [{"message": "busy", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}'
    faults = [
        Fault(502), Fault(200, body=b"<html>maintenance"), Fault(200, body=busy), CUT_OFF,
        Fault(429, {"Retry-After": "2"}), Fault(429), Fault(503),
    ]  # fmt: skip
    store.server.fault = lambda number: faults[number // 3 % len(faults)] if number % 3 == 0 else None
    store.add(120)
    extraction = store.done()
    assert store.numbers() == list(range(1, 121))
    assert extraction.traffic.retries >= 7


def test_a_token_of_a_day_is_renewed_in_mid_run(store: Store) -> None:
    store.fixed = False
    store.add(30)

    def expire(number: int) -> None:
        if number == 6:
            store.clock.seconds += 86400

    store.server.before = expire
    store.done()
    assert sorted(store.numbers()) == list(range(1, 31))
    assert len(store.server.tokens) == 2


def test_dry_run_tells_cost_and_minutes(store: Store) -> None:
    store.server.bucket.most = store.server.bucket._left = 400
    store.server.bucket.rate = 1
    store.add(120)
    (planned,) = plan.plan([Stream(TABLES["orders"])], store.settings, str(store.landing), Request())
    assert planned.estimate.startswith("120 orders, about ") and "points a second" in planned.estimate
    assert store.files() == []


def test_deleted_products_are_known(store: Store) -> None:
    store.shop.put("events", objects.deletion(1, NOON - timedelta(hours=1), 77))
    store.shop.put("events", objects.deletion(2, NOON - timedelta(hours=1), 78) | {"action": "create"})
    store.done(TABLES["product_deletions"])
    (event,) = store.landed("product_deletions")
    assert event["subjectId"] == "gid://shopify/Product/77"


@pytest.mark.parametrize("days", [1, -1])
def test_the_clock_of_this_machine_does_not_matter(store: Store, days: int) -> None:
    store.clock.seconds += days * 86400
    store.add(3)
    assert store.done().window.until == store.now - timedelta(seconds=60)


def test_secrets_are_found_nowhere(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.add(6)
    with caplog.at_level(logging.DEBUG):
        store.done()
        store.server.fault = lambda number: Fault(403, body=f"denied: {TOKEN}".encode())
        told = store.error()
        store.fixed = False
        store.server.fault = lambda number: None
        store.clock.seconds += 3600
        store.done()
        # The server tells all that it knows.
        store.server.fault = lambda number: Fault(
            403, body=" ".join([*CLIENT, *store.server.tokens]).encode()
        )
        store.server.tokens.clear()
        told += store.error()
    assert told.count("***") == 4
    for secret in (TOKEN, *CLIENT, *store.server.tokens):
        assert secret not in told and secret not in caplog.text
        assert all(secret not in file.read_text() for file in store.landing.rglob("*.json"))
