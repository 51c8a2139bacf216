"""The online business: the same people, orders, parcels and pieces in all of its systems; their defects."""

import csv
import itertools
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from sampledata import generate
from sampledata.company import Company, systems
from sampledata.company.model import Order
from sampledata.company.stripe import stripe_objects
from sampledata.sampling import Streams

SOURCES = ["inventory", "clickstream", "carrier"]
SCALE = 0.25
LOGS_BEGIN = datetime(2024, 11, 20, tzinfo=UTC)
END_OF_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
# What is kept of the last minutes may be of orders that are not placed yet, or not known any more.
HOUR = timedelta(hours=1)


class Sent:
    """Files of the three sources, of all deliveries together, and the company that they tell of."""

    def __init__(self, folder: Path, scale: float = SCALE, seed: int = 0, deliveries: int = 1) -> None:
        self.paths = generate(folder, scale, seed, SOURCES, deliveries)
        self.company = Company(Streams(seed), scale, deliveries)

    @cached_property
    def levels(self) -> list[dict[str, Any]]:
        levels: list[dict[str, Any]] = []
        for path in self._of("inventory"):
            if path.suffix == ".csv":
                levels += csv.DictReader(path.open(newline=""))
            else:
                levels += _records(path)
        return levels

    @cached_property
    def clicks(self) -> list[dict[str, Any]]:
        return [click for path in self._of("clickstream") for click in _records(path)]

    @cached_property
    def scans(self) -> list[dict[str, Any]]:
        return [scan for path in self._of("carrier") for scan in _records(path)]

    @cached_property
    def orders(self) -> list[Order]:
        """The orders whose clicks are kept."""
        return list(self.company.orders(LOGS_BEGIN + HOUR))

    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.paths}

    def _of(self, source: str) -> list[Path]:
        return [path for path in self.paths if path.parent.name == source]


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return Sent(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return Sent(tmp_path_factory.mktemp("twice"), deliveries=2)


# Repeatability


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again, other = (
        Sent(tmp_path / name, 0.02, seed, deliveries=3).bytes()
        for name, seed in (("once", 3), ("again", 3), ("other", 4))
    )
    assert once == again
    assert all(other[name] != content for name, content in once.items())


def test_a_delivery_is_the_same_whatever_comes_after_it(sent: Sent, twice: Sent) -> None:
    assert sent.bytes().items() < twice.bytes().items()
    orders = list(itertools.islice(twice.company.orders(sent.company.begin), 1250))
    assert orders == list(sent.company.orders())


@pytest.mark.parametrize(("scale", "orders"), [(1e-9, 150), (0.25, 1250), (1, 5000)])
def test_orders_grow_with_the_scale(scale: float, orders: int) -> None:
    first, second = (list(Company(Streams(0), scale, delivery).orders()) for delivery in (1, 2))
    assert len(first) == orders
    assert len(second) == max(10, round(0.014 * orders))
    assert [order.number for order in first + second] == list(range(1, orders + len(second) + 1))
    placed = [order.placed_at for order in first + second]
    assert placed == sorted(placed)
    assert placed[len(first) - 1] < END_OF_FIRST <= placed[len(first)]
    assert all(order.person.registered_at <= order.placed_at for order in first + second)


# One order in all systems


def test_an_order_is_found_in_shop_payment_shipment_clicks_and_stock(sent: Sent) -> None:
    company = sent.company
    shop = {fields["order"]["number"]: fields for fields in systems.shop_orders(company)}
    charges = {f["id"]: f for path, f in stripe_objects(company) if path == "charges"}
    transactions = {fields["id"]: fields for fields in systems.transactions(company)}
    shipments = {fields["order_reference"]: fields for fields in systems.shipments(company)}
    scanned = {scan["order_reference"]: scan["tracking_number"] for scan in sent.scans}
    bought = {c["page"].partition("=")[2] for c in sent.clicks if c["event_type"] == "purchase"}
    # Clicks that are sent late come with the next delivery.
    waiting = {
        c.page.partition("=")[2] for c in Company(Streams(0), SCALE, 2).clicks() if c.at < END_OF_FIRST
    }
    moved: Counter[tuple[str | None, int]] = Counter()
    for move in (move for move in company.movements() if move.reason == "sale"):
        moved[move.order, move.article.variant.number] -= move.quantity
    last_export = max(level["timestamp"] for level in sent.levels)
    for order in (order for order in sent.orders if not order.is_test):
        assert shop[order.number]["order"]["placed_at"] == order.placed_at
        assert order.name[1:] in bought | waiting
        if order.payment and order.payment.provider == "stripe":
            charge = charges[f"ch_{order.payment.id}"]
            assert charge["created"] >= order.placed_at.timestamp()
            assert charge["metadata"].get("order_name") == order.payment.reference
        elif order.payment:
            assert transactions[f"tr_{order.payment.id}"]["order_reference"] == order.payment.reference
        if order.parcel and order.parcel.shipped_at < END_OF_FIRST - timedelta(days=2):
            assert shipments[order.name]["carrier"] == order.parcel.carrier
            assert scanned[order.name] == order.parcel.tracking_number
        if f"{order.placed_at:%Y-%m-%d %H:%M:%S}" < last_export:
            goods: Counter[tuple[str | None, int]] = Counter()
            for line in (line for line in order.lines if not line.article.product.is_gift_card):
                goods[order.name, line.article.variant.number] += line.quantity
            assert goods == {key: moved[key] for key in goods}
    assert len(sent.orders) > 50


def test_the_shop_is_paid_what_it_asks_for(sent: Sent) -> None:
    paid = [order for order in sent.company.orders() if order.payment and order.payment.currency == "USD"]
    assert all(order.payment and order.payment.amount == order.total for order in paid)
    amounts = {f["id"]: f for path, f in stripe_objects(sent.company) if path == "charges"}
    for order in sent.company.orders():
        if (charge := amounts.get(f"ch_{order.number:08}")) and order.payment:
            places = {"JPY": 0, "KWD": 3}.get(order.currency, 2)
            assert charge["amount"] == order.payment.amount * 10**places
            assert abs(order.payment.amount / order.rate - order.total) < Decimal("0.5") / order.rate
    refunds = [refund for order in sent.company.orders() for refund in order.refunds]
    assert len(refunds) == pytest.approx(0.06 * 1250, rel=0.4)


def test_the_payment_service_pays_out_what_is_left_of_the_payments(sent: Sent) -> None:
    held: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for path, fields in stripe_objects(sent.company):
        held[path][fields["id"]] = fields
    moved = held["balance_transactions"]
    assert all(moved[payout["balance_transaction"]]["net"] < 0 for payout in held["payouts"].values())
    # What is below 0 waits for the next payment.
    assert sum(entry["net"] for entry in moved.values()) <= 0
    for dispute in held["disputes"].values():
        assert held["charges"][dispute["charge"]]["disputed"]
        (taken,) = dispute["balance_transactions"]
        assert moved[taken["id"]]["source"] == dispute["id"] and moved[taken["id"]]["net"] < 0
    assert len(held["disputes"]) == sum(charge["disputed"] for charge in held["charges"].values()) > 0
    orders = {order.name: order for order in sent.company.orders()}
    for session in held["checkout/sessions"].values():
        details = session["total_details"]
        added = details["amount_shipping"] + details["amount_tax"] - details["amount_discount"]
        assert session["amount_subtotal"] + added == session["amount"]
        order = orders.get(session["client_reference_id"])
        assert order is None or len(session["line_items"]["data"]) == len(order.lines)
        intent = session["payment_intent"]
        assert (
            held["payment_intents"][intent]["amount"] == session["amount"]
            if intent
            else (session["status"] == "expired")
        )


def test_stock_falls_and_rises_with_what_moves(sent: Sent) -> None:
    told: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for level in sent.levels:
        if level["available"] not in ("", None):
            item = f"{level['product_title']}|{level['variant_title']}"
            told[int(level["location_id"]), item][level["timestamp"]] = int(level["available"])
    moves: dict[tuple[int, str], list[tuple[str, int]]] = defaultdict(list)
    for move in sent.company.movements():
        item = f"{move.article.product.title}|{move.article.variant.title}"
        moves[move.warehouse.id, item].append((f"{move.at:%Y-%m-%d %H:%M:%S}", move.quantity))
    for key, levels in told.items():
        for (before, one), (after, other) in itertools.pairwise(sorted(levels.items())):
            assert other - one == sum(quantity for at, quantity in moves[key] if before <= at < after), key
    reasons = Counter(move.reason for move in sent.company.movements())
    assert min(reasons["sale"], reasons["refill"], reasons["return"]) > 0


def test_people_are_those_of_storefront_gyms_and_crm(tmp_path: Path, sent: Sent) -> None:
    generate(tmp_path, SCALE, 0, ["storefront", "gym", "crm"])
    workbook = CalamineWorkbook.from_path(tmp_path / "storefront/Customer.xlsx")
    emails = {row[0]: row[2] for row in workbook.get_sheet_by_index(0).to_python()}
    registered = (tmp_path / "gym/registered_users/registered_users_1.csv").read_text()
    profiles = (tmp_path / "gym/kafka_multiplex/user_info_1.json").read_text()
    names = {
        int(row["cst_id"]): (row["cst_firstname"].strip(), row["cst_lastname"].strip())
        for row in csv.DictReader((tmp_path / "crm/cust_info.csv").open(newline=""))
        if row["cst_id"]
    }
    of_storefront = [person for person in sent.company.people if person.storefront_id]
    assert len(of_storefront) == 100
    assert all(emails[str(person.storefront_id)] == person.email for person in of_storefront)
    of_gyms = [person for person in sent.company.people if person.gym_user_id]
    assert len(of_gyms) == 16
    assert sum(f"\n{person.gym_user_id}," in registered for person in of_gyms) >= 15
    assert (
        sum(
            f'{person.first_name}\\", \\"last_name\\": \\"{person.last_name}' in profiles
            for person in of_gyms
        )
        > 12
    )
    of_crm = [person for person in sent.company.people if person.crm_id]
    assert len(of_crm) == 116
    assert all(names[p.crm_id or 0] == (p.first_name, p.last_name) for p in of_crm)


# Defects


def test_clicks_are_late_and_repeated(twice: Sent) -> None:
    ids = [click["event_id"] for click in twice.clicks]
    assert 0 < len(ids) - len(set(ids)) < 0.02 * len(ids)
    times = [click["event_time"] for click in twice.clicks]
    behind = [
        later for later, newest in zip(times, itertools.accumulate(times, max), strict=True) if later < newest
    ]
    assert 0.003 * len(ids) < len(behind) < 0.1 * len(ids)
    (_, second) = (path for path in twice.paths if path.parent.name == "clickstream")
    late = [click for click in _records(second) if click["event_time"] < f"{END_OF_FIRST:%Y-%m-%dT%H:%M:%SZ}"]
    assert late and all(click["event_time"] > "2024-12-28" for click in late)
    steps = Counter(click["event_type"] for click in twice.clicks)
    assert (
        steps["page_view"]
        > steps["product_view"]
        > steps["add_to_cart"]
        > steps["checkout"]
        > steps["purchase"]
    )
    known = sum(click["user_id"] is not None for click in twice.clicks)
    assert 0.05 < known / len(ids) < 0.5


def test_stock_lacks_skus_and_numbers_and_comes_twice(sent: Sent) -> None:
    levels = sent.levels
    rows = Counter(tuple(level.values()) for level in levels)
    assert 0 < sum(rows.values()) - len(rows) < 0.005 * len(levels)
    skus = [level["sku"] for level in levels if level["product_title"] != "Gift Card"]
    # CSV does not tell an empty text from nothing.
    assert {None, ""} < set(skus)
    assert 0.02 < sum(not sku for sku in skus) / len(skus) < 0.1
    changed = {sku.removesuffix("-N") for sku in skus if sku and sku.endswith("-N")}
    assert changed and changed < set(skus)
    told = [level["available"] for level in levels if level["product_title"] != "Gift Card"]
    assert 0 < sum(available in (None, "") for available in told) < 0.01 * len(told)
    assert 0 < sum(int(available or 0) < 0 for available in told) < 0.05 * len(told)
    gift_cards = [level["available"] for level in levels if level["product_title"] == "Gift Card"]
    assert set(gift_cards) == {None, ""}


def test_scans_are_repeated_late_and_in_two_notations(twice: Sent) -> None:
    ids = [scan["event_id"] for scan in twice.scans]
    assert 0 < len(ids) - len(set(ids)) < 0.03 * len(ids)
    assert 0 < sum(not scan["status"].islower() for scan in twice.scans) < 0.05 * len(ids)
    times = [datetime.fromisoformat(scan["event_time"]) for scan in twice.scans]
    assert {time.utcoffset() for time in times} == {timedelta(hours=-hours) for hours in (5, 6, 8)}
    assert (
        sum(later < newest for later, newest in zip(times, itertools.accumulate(times, max), strict=True)) > 0
    )


def test_some_orders_and_payments_lack_each_other() -> None:
    company = Company(Streams(0), 1, 1)
    orders = list(company.orders())
    rates = {
        "test": sum(order.is_test for order in orders),
        "unpaid": sum(order.payment is None and not order.is_test for order in orders),
        "lost reference": sum(bool(o.payment and o.payment.reference is None) for o in orders),
        "unknown currency": sum(bool(o.payment and o.payment.currency == "XXX") for o in orders),
        "lost parcel": sum(bool(o.parcel and o.parcel.delivered_at is None) for o in orders),
        "wrong clock": sum(bool(o.parcel and o.parcel.is_clock_wrong) for o in orders),
    }
    assert {name: count / len(orders) for name, count in rates.items()} == pytest.approx(
        {"test": 0.004, "unpaid": 0.01, "lost reference": 0.004, "unknown currency": 0.001}
        | {"lost parcel": 0.004, "wrong clock": 0.003},
        rel=0.25,
    )
    assert not any(order.payment or order.parcel for order in orders if order.is_test)
    strays = list(company.stray_payments())
    assert len(strays) == 15 and all(payment.reference is None for payment in strays)
    before = [
        row for row in systems.shipments(company) if (row["delivered_at"] or END_OF_FIRST) < row["shipped_at"]
    ]
    assert len(before) == pytest.approx(15, abs=5)
    assert {order.currency for order in orders} == {"USD", "EUR", "GBP", "JPY", "KWD"}
