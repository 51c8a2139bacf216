"""The online business as one model, from which each of its systems tells its part.

People register, visit the shop, order, pay, get parcels from warehouses, and send things back. Many are
customers of the storefront or the CRM or users of the gyms, too. An order is found in all systems, with these
exceptions and other defects, planted at small rates:

- articles: no sku, an empty one, one that changes while stock is exported;
- orders: placed as a test (these are not paid, sent or clicked, and move no stock), never paid;
- customers: guests, e-mail addresses in capitals;
- payments: without an order, with a reference that was lost, in a currency that nobody knows;
- parcels: lost on the way, delivered before they were shipped by a clock that is wrong;
- stock: below 0 where more was sold than there was, not told, a row twice;
- clicks: sent up to three days late, sent twice;
- scans of parcels: told a day late, told twice, with a status in another notation.
"""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sampledata.company.assortment import LOGS_BEGIN, WAREHOUSES, Assortment
from sampledata.company.model import (
    Article,
    Click,
    Level,
    Movement,
    Order,
    Parcel,
    ParcelEvent,
    Payment,
    Person,
)
from sampledata.company.orders import LONGEST, OrderBook
from sampledata.company.people import people
from sampledata.company.stock import StockDay, stock_days
from sampledata.company.visits import LATEST, clicks_of_day
from sampledata.sampling import Streams, mark
from sampledata.timeline import first_day, midnight

_DAY = timedelta(days=1)
_DEFECTS_OF_LEVELS = {"not_told": 0.003}


@dataclass(frozen=True)
class Company:
    """The business at a scale, up to the end of a delivery; the same streams and scale give the same one."""

    streams: Streams
    scale: float
    delivery: int

    @cached_property
    def begin(self) -> datetime:
        """When the time of the delivery begins; that of the first one begins with the first order."""
        return midnight(first_day(self.delivery))

    @cached_property
    def logged_from(self) -> datetime:
        """From when on clicks, stock and scans are of this delivery."""
        return LOGS_BEGIN if self.delivery == 1 else self.begin

    @cached_property
    def end(self) -> datetime:
        """When the time of the delivery ends."""
        return midnight(first_day(self.delivery + 1))

    @cached_property
    def people(self) -> list[Person]:
        """Everybody who registered until the end, in the order of time."""
        return people(self.streams, self.scale, self.delivery)

    @cached_property
    def assortment(self) -> Assortment:
        """The articles."""
        return Assortment.of(self.streams, self.scale)

    def orders(self, since: datetime | None = None) -> Iterator[Order]:
        """Yield the orders placed from a time on, or in this delivery, and all that will happen to them.

        `as_of` of an order tells what was known at a time.
        """
        since = self.begin if since is None else since
        for number in range(1, self.delivery + 1):
            if midnight(first_day(number + 1)) > since:
                yield from self._book(number).orders(since)

    def changed_orders(self, since: datetime | None = None) -> Iterator[Order]:
        """Yield the orders that were placed or changed in this delivery, as they were at its end.

        With `since`, those that were placed before are left out.
        """
        for order in self.orders(max(filter(None, [self.begin - LONGEST, since]))):
            known = order.as_of(self.end)
            if known.changed_at >= self.begin:
                yield known

    def stray_payments(self) -> Iterator[Payment]:
        """Yield the payments of this delivery that belong to no order."""
        return self._book(self.delivery).stray_payments()

    def scans(self) -> Iterator[tuple[Order, Parcel, ParcelEvent]]:
        """Yield what carriers told in this delivery, by order."""
        for order in self.orders(self.logged_from - LONGEST):
            for event in order.parcel.events if order.parcel else ():
                if order.parcel and self.logged_from <= event.sent_at < self.end:
                    yield order, order.parcel, event

    def movements(self) -> Iterator[Movement]:
        """Yield what moved stock from the beginning of the logs to the last export of this delivery."""
        return (movement for day in self._stock_days() for movement in day.movements)

    def levels(self) -> Iterator[Level]:
        """Yield the levels that the warehouses export in this delivery, day by day."""
        articles = self.assortment.articles
        for day in self._stock_days():
            if day.exported_at < self.logged_from:
                continue
            rng = self.streams.of("company.levels", day.exported_at.toordinal())
            not_told = set(mark(rng, day.available.size, _DEFECTS_OF_LEVELS).rows["not_told"].tolist())
            for place, warehouse in enumerate(WAREHOUSES):
                row = day.available[place].tolist()
                for number, (article, available) in enumerate(zip(articles, row, strict=True)):
                    is_told = place * len(row) + number not in not_told and _has_stock(article)
                    yield Level(day.exported_at, warehouse, article, available if is_told else None)

    def clicks(self) -> Iterator[Click]:
        """Yield the clicks that are sent in this delivery, in the order in which they are sent."""
        begin = max(LOGS_BEGIN, self.logged_from - LATEST - 2 * _DAY)
        waiting: list[Click] = []
        by_day = _by_day(self.orders(begin))
        for number in range((self.end - begin) // _DAY):
            day = begin + number * _DAY
            people = self.people[: self._registered_before(day + _DAY)]
            waiting += clicks_of_day(self.streams, day, by_day.get(day, []), people, self.assortment)
            waiting.sort(key=lambda click: (click.sent_at, click.id))
            sent = [click for click in waiting if click.sent_at < day + _DAY]
            waiting = waiting[len(sent) :]
            yield from (click for click in sent if click.sent_at >= self.logged_from)

    def _book(self, number: int) -> OrderBook:
        registered = self.people[: self._registered_before(midnight(first_day(number + 1)))]
        return OrderBook(self.streams, self.scale, number, registered, self.assortment)

    def _registered_before(self, time: datetime) -> int:
        return bisect.bisect_left(self.people, time, key=lambda person: person.registered_at)

    def _stock_days(self) -> Iterator[StockDay]:
        orders = self.orders(LOGS_BEGIN - LONGEST)
        return stock_days(self.streams, self.scale, self.assortment, orders, self.end)


def _has_stock(article: Article) -> bool:
    return not article.product.is_gift_card


def _by_day(orders: Iterator[Order]) -> dict[datetime, list[Order]]:
    by_day: dict[datetime, list[Order]] = {}
    for order in orders:
        by_day.setdefault(order.placed_at.replace(hour=0, minute=0, second=0), []).append(order)
    return by_day
