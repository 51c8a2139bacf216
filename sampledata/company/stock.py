"""The stock of the warehouses: it falls with the sales, rises with returns, and is refilled."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sampledata.company.assortment import LOGS_BEGIN, WAREHOUSES, Assortment
from sampledata.company.model import Article, Movement, Order
from sampledata.sampling import IntArray, Streams, mark

_DAY = timedelta(days=1)
_EXPORTED_AT = timedelta(hours=22)
_REFILLED_AT = timedelta(hours=6)
_DAYS_TO_REFILL = 4
_LEAST_TARGET, _TARGET_OF_ALL = 3, 1_200
_REFILL_BELOW = 0.4
_DEFECTS = {"oversold": 0.02}
# What was oversold before the logs begin.
_OVERSOLD = -2


@dataclass(frozen=True)
class StockDay:
    """A day until its export: what moved since the last one, in the order of time, and what is there."""

    exported_at: datetime
    movements: list[Movement]
    available: IntArray
    """Pieces by place of the warehouse and of the article."""


def stock_days(
    streams: Streams, scale: float, assortment: Assortment, orders: Iterable[Order], until: datetime
) -> Iterator[StockDay]:
    """Yield the days that are exported before a time, from the first day of the logs on.

    `orders` are at least those of whom something may come back after the logs begin.
    """
    target = _target(assortment, scale)
    available = _opening(streams, target)
    moved = _moved(orders, assortment, until)
    refills: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    on_the_way = np.zeros_like(available, bool)
    days = (until - LOGS_BEGIN) // _DAY
    for day in range(days):
        begin = LOGS_BEGIN + day * _DAY
        exported_at = begin + _EXPORTED_AT + timedelta(seconds=day * 37 % 600)
        movements = moved.pop(day, [])
        for warehouse, place, quantity in refills.pop(day, []):
            article = assortment.articles[place]
            movements.append(
                Movement(begin + _REFILLED_AT, WAREHOUSES[warehouse], article, quantity, "refill")
            )
            on_the_way[warehouse, place] = False
        for movement in movements:
            available[_cell(movement, assortment)] += movement.quantity
        yield StockDay(exported_at, sorted(movements, key=lambda each: each.at), available.copy())
        short = (available < _REFILL_BELOW * target) & ~on_the_way
        for warehouse, place in np.argwhere(short).tolist():
            missing = int(target[warehouse, place] - available[warehouse, place])
            refills[day + _DAYS_TO_REFILL].append((warehouse, place, missing))
        on_the_way |= short


def _target(assortment: Assortment, scale: float) -> IntArray:
    """Return how many pieces a warehouse should have, by its place and the article's."""
    share = assortment.popularity / assortment.popularity.sum()
    target = np.maximum(_LEAST_TARGET, np.rint(share * _TARGET_OF_ALL * scale)).astype(np.int64)
    return np.tile(target, (len(WAREHOUSES), 1))


def _opening(streams: Streams, target: IntArray) -> IntArray:
    """Return the levels when the logs begin, some of them below 0."""
    rng = streams.of("company.stock.opening")
    opening = np.rint(target * rng.uniform(_REFILL_BELOW, 1, target.shape)).astype(np.int64)
    defects = mark(rng, opening.size, _DEFECTS)
    opening.reshape(-1)[defects.rows["oversold"]] = _OVERSOLD
    return opening


def _moved(orders: Iterable[Order], assortment: Assortment, until: datetime) -> dict[int, list[Movement]]:
    """Return sales and returns by the day with whose export they are known, counted from the logs' first."""
    moved = defaultdict(list)
    for order in orders:
        for movement in _movements(order):
            if LOGS_BEGIN <= movement.at < until:
                moved[_day(movement.at)].append(movement)
    return moved


def _day(time: datetime) -> int:
    day = (time - LOGS_BEGIN) // _DAY
    exported_at = LOGS_BEGIN + day * _DAY + _EXPORTED_AT + timedelta(seconds=day * 37 % 600)
    return day if time < exported_at else day + 1


def _movements(order: Order) -> Iterator[Movement]:
    """Yield what leaves the warehouse with an order, and what comes back; tests and gift cards move none."""
    lines = () if order.is_test else order.lines
    for line in lines:
        if not line.article.product.is_gift_card:
            yield Movement(order.placed_at, order.warehouse, line.article, -line.quantity, "sale", order.name)
    for refund in order.refunds:
        article = order.lines[refund.line].article
        yield Movement(refund.at, order.warehouse, article, refund.quantity, "return", order.name)


def _cell(movement: Movement, assortment: Assortment) -> tuple[int, int]:
    return WAREHOUSES.index(movement.warehouse), _place(movement.article)


def _place(article: Article) -> int:
    # Variants are numbered as the articles are.
    return article.variant.number - 1
