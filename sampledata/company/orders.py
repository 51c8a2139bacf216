"""The orders of the online shop, with what is paid, sent and returned for them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from sampledata.company.assortment import WAREHOUSES, Assortment
from sampledata.company.model import (
    ZERO,
    Line,
    Order,
    Parcel,
    Payment,
    Person,
    Refund,
    cents,
    order_name,
    rounded,
)
from sampledata.company.parcels import CARRIERS, parcel
from sampledata.sampling import (
    BLOCK_ROWS,
    DateArray,
    FloatArray,
    IntArray,
    Marks,
    Streams,
    mark,
    pick,
    pick_below,
    scatter,
)
from sampledata.timeline import DAYS_OF_HISTORY, days_of, midnight

Columns = dict[str, list[Any]]

_AT_SCALE_1, _AT_LEAST = 5_000, 150
_NEW_RATE, _NEW_AT_LEAST = 0.014, 10
_GROWTH_PER_DAY = 4 ** (1 / DAYS_OF_HISTORY)
_SPREAD_OF_PEOPLE = 1.0
_LINES: list[float] = [55, 27, 12, 6]
_QUANTITIES: list[float] = [86, 10, 3, 1]
_BY_WAREHOUSE: list[float] = [50, 30, 20]
_SHARES = {"guest": 0.15, "discounted": 0.12, "by_stripe": 0.8, "refunded": 0.06, "capitals": 0.03}
_SHARES |= {"disputed": 0.01}
_DISCOUNT_PERCENT, _TAX_PERCENT = 10, Decimal("6.25")
_SHIPPING, _FREE_FROM = cents(695), cents(7500)
# Currency, units for a dollar, decimals, share.
_CURRENCIES = [("USD", "1", 2, 93), ("EUR", "0.92", 2, 3), ("GBP", "0.79", 2, 2), ("JPY", "151.2", 0, 1)]
_CURRENCIES += [("KWD", "0.307", 3, 1)]
_RATES = {code: (Decimal(rate), decimals) for code, rate, decimals, _ in _CURRENCIES}
_UNKNOWN_CURRENCY = "XXX"
_DEFECTS = {
    "test": 0.004,
    "unpaid": 0.01,
    "lost_reference": 0.004,
    "unknown_currency": 0.001,
    "lost_parcel": 0.004,
    "wrong_clock": 0.003,
}
_STRAY_RATE = 0.003
_UNTIL_DISPUTED = timedelta(days=9, hours=5)
_PARCEL_CODE_BITS = 40

LONGEST = timedelta(days=45)
"""From an order to the last that happens to it, at most."""


@dataclass(frozen=True)
class OrderBook:
    """The orders that are placed in the time of one delivery, in the order of time."""

    streams: Streams
    scale: float
    delivery: int
    people: list[Person]
    assortment: Assortment

    @property
    def count(self) -> int:
        """The number of orders."""
        return _count(self.scale, self.delivery)

    @cached_property
    def _first_number(self) -> int:
        return 1 + sum(_count(self.scale, number) for number in range(1, self.delivery))

    def orders(self, since: datetime) -> Iterator[Order]:
        """Yield the orders from a time on, with everything that will ever happen to them."""
        for start in range(0, self.count, BLOCK_ROWS):
            block = range(start, min(start + BLOCK_ROWS, self.count))
            if midnight(self._days(block, self.count)[-1]) + timedelta(days=1) <= since:
                continue
            columns = self._columns(block)
            for place, placed_at in enumerate(columns["placed_at"]):
                if placed_at >= since:
                    yield self._order(self._first_number + start + place, place, columns)

    def stray_payments(self) -> Iterator[Payment]:
        """Yield payments that belong to no order: somebody paid by a link."""
        count = max(1, round(_STRAY_RATE * self.count))
        rng = self.streams.of("company.stray_payments", self.delivery)
        placed = self._placed(rng, range(count), count)
        people = rng.integers(0, len(self.people), count).tolist()
        amounts = rng.integers(1_000, 20_000, count).tolist()
        for place, (at, person, amount) in enumerate(zip(placed.tolist(), people, amounts, strict=True)):
            email = self.people[person].email
            id = f"stray_{self.delivery}_{place}"
            yield Payment(id, "stripe", _utc(at), cents(amount), "USD", email, None)

    @cached_property
    def _defects(self) -> Marks:
        return mark(self.streams.of("company.orders.defects", self.delivery), self.count, _DEFECTS)

    @cached_property
    def _weights(self) -> FloatArray:
        """The cumulative weights of people: some buy far more often than others."""
        rng = self.streams.of("company.orders.people")
        return np.cumsum(rng.lognormal(0, _SPREAD_OF_PEOPLE, len(self.people)))

    @cached_property
    def _registered(self) -> IntArray:
        return np.array([round(person.registered_at.timestamp()) for person in self.people])

    def _placed(self, rng: np.random.Generator, block: range, count: int) -> IntArray:
        """Return times in epoch seconds, in order; most orders are placed in the evening."""
        days = self._days(block, count)
        seconds = rng.triangular(0, 19, 24, len(block)) * 3600
        placed: IntArray = days.astype("datetime64[s]").astype(np.int64) + seconds.astype(np.int64)
        return np.sort(placed)

    def _days(self, block: range, count: int) -> DateArray:
        return days_of(self.delivery, np.arange(block.start, block.stop) / count, _GROWTH_PER_DAY)

    def _columns(self, block: range) -> Columns:
        """Return what is drawn for the orders of a block, and for their lines as lists of lists."""
        rng = self.streams.of("company.orders", self.delivery, block.start)
        size = len(block)
        placed = self._placed(rng, block, self.count)
        known = np.maximum(1, np.searchsorted(self._registered, placed))
        lines = 1 + pick(rng, _LINES, size)
        ends = [0, *np.cumsum(lines).tolist()]
        articles = pick(rng, self.assortment.popularity.tolist(), int(lines.sum()))
        quantities = 1 + pick(rng, _QUANTITIES, len(articles))
        drawn = {
            "placed_at": [_utc(seconds) for seconds in placed.tolist()],
            "person": pick_below(rng, self._weights, self._weights[known - 1]).tolist(),
            "articles": _split(articles, ends),
            "quantities": _split(quantities, ends),
            "currency": pick(rng, [float(share) for *_, share in _CURRENCIES], size).tolist(),
            "warehouse": pick(rng, _BY_WAREHOUSE, size).tolist(),
            "carrier": rng.integers(0, len(CARRIERS), size).tolist(),
            "hours_to_ship": (4 + np.minimum(rng.exponential(18, size), 90)).tolist(),
            "hours_on_the_way": (20 + rng.gamma(3, 18, size)).tolist(),
            "days_to_return": rng.uniform(2, 16, size).tolist(),
            "chance": rng.random(size).tolist(),
        }
        numbers = self._first_number + np.arange(block.start, block.stop)
        drawn["parcel_code"] = scatter(numbers, _PARCEL_CODE_BITS).tolist()
        drawn |= {name: (rng.random(size) < share).tolist() for name, share in _SHARES.items()}
        for kind in _DEFECTS:
            marked = np.zeros(size, bool)
            marked[self._defects.at(kind, block)] = True
            drawn[kind] = marked.tolist()
        return drawn

    def _order(self, number: int, place: int, columns: Columns) -> Order:
        drawn = {name: values[place] for name, values in columns.items()}
        person = self.people[drawn["person"]]
        email = person.email.upper() if drawn["capitals"] else person.email
        lines = tuple(self._lines(drawn))
        is_test = drawn["test"]
        goods = sum((line.price * line.quantity for line in lines), ZERO)
        is_sent = not all(line.article.product.is_gift_card for line in lines)
        shipping = _SHIPPING if is_sent and goods < _FREE_FROM else ZERO
        warehouse = WAREHOUSES[drawn["warehouse"]]
        sent = parcel(number, person, warehouse, drawn) if is_sent and not is_test else None
        total = sum((line.total for line in lines), shipping)
        currency, rate, _, _ = _CURRENCIES[drawn["currency"]]
        payment = None if drawn["unpaid"] or is_test else _payment(number, email, total, drawn)
        return Order(
            number,
            drawn["placed_at"],
            person,
            email,
            drawn["guest"],
            is_test,
            lines,
            shipping,
            currency,
            Decimal(rate),
            warehouse,
            payment,
            sent,
            tuple(_refunds(lines, sent, payment, drawn)),
        )

    def _lines(self, drawn: dict[str, Any]) -> Iterator[Line]:
        for place, quantity in zip(drawn["articles"], drawn["quantities"], strict=True):
            article = self.assortment.articles[place]
            goods = article.variant.price * quantity
            is_gift_card = article.product.is_gift_card
            discount = goods * _DISCOUNT_PERCENT / 100 if drawn["discounted"] and not is_gift_card else ZERO
            tax = ZERO if is_gift_card else (goods - rounded(discount)) * _TAX_PERCENT / 100
            sku = article.variant.sku_at(drawn["placed_at"])
            yield Line(article, sku, quantity, article.variant.price, rounded(discount), rounded(tax))


def in_currency(amount: Decimal, currency: str) -> Decimal:
    """What a customer pays in a currency for an amount of dollars, rounded to its least unit."""
    rate, decimals = _RATES[currency]
    return rounded(amount * rate, decimals)


def digits_of(currency: str) -> int:
    """How many digits of an amount are no whole units of its currency."""
    return _RATES[currency][1]


def in_least_units(amount: Decimal, currency: str) -> int:
    """An amount of a currency in its least unit, such as cents."""
    return int(amount.scaleb(digits_of(currency)))


def _count(scale: float, delivery: int) -> int:
    first = max(_AT_LEAST, round(_AT_SCALE_1 * scale))
    return first if delivery == 1 else max(_NEW_AT_LEAST, round(_NEW_RATE * first))


def _payment(number: int, email: str, total: Decimal, drawn: dict[str, Any]) -> Payment:
    currency = _CURRENCIES[drawn["currency"]][0]
    unknown = drawn["unknown_currency"]
    by_stripe, at = drawn["by_stripe"] and not unknown, drawn["placed_at"] + timedelta(seconds=3)
    is_disputed = by_stripe and drawn["disputed"] and not drawn["refunded"]
    return Payment(
        f"{number:08}",
        "stripe" if by_stripe else "transactions",
        at,
        total if unknown else in_currency(total, currency),
        _UNKNOWN_CURRENCY if unknown else currency,
        email,
        None if drawn["lost_reference"] else order_name(number),
        at + _UNTIL_DISPUTED if is_disputed else None,
    )


def _refunds(
    lines: tuple[Line, ...], sent: Parcel | None, payment: Payment | None, drawn: dict[str, Any]
) -> Iterator[Refund]:
    """Yield the return of pieces of the first line, where the order is one of those that are returned."""
    line = lines[0]
    if (
        not (drawn["refunded"] and payment and sent and sent.delivered_at)
        or line.article.product.is_gift_card
    ):
        return
    quantity = 1 + int(drawn["chance"] * line.quantity)
    at = sent.delivered_at + timedelta(days=drawn["days_to_return"])
    yield Refund(at.replace(microsecond=0), 0, quantity, rounded(line.total * quantity / line.quantity))


def _split(values: IntArray, ends: list[int]) -> list[list[int]]:
    every = values.tolist()
    return [every[start:end] for start, end in itertools.pairwise(ends)]


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
