"""Visits to the online shop: those that end in an order, and the many that do not."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from sampledata.company.assortment import Assortment
from sampledata.company.model import Click, Order, Person
from sampledata.sampling import Streams, pick

Kind = Literal["page_view", "product_view", "add_to_cart", "checkout", "purchase"]
Step = tuple[Kind, str | None, str]
"""What is done, with which product, on which page."""

_VISITS_PER_ORDER = 9
_KNOWN_SHARE, _LOGGED_IN_SHARE, _LOGIN_AT_CHECKOUT_SHARE = 0.5, 0.4, 0.5
_LATE_SHARE, _REPEATED_SHARE = 0.01, 0.005
LATEST = timedelta(days=3)
"""How late a click may be sent."""
# After which step people leave without an order.
_LEAVE_AFTER: list[float] = [40, 40, 14, 6]
_DEVICES = ["mobile", "desktop", "tablet"]
_BY_DEVICE: list[float] = [60, 33, 7]
_REFERRERS = [None, "https://www.google.com/", "https://www.instagram.com/", "newsletter"]
_BY_REFERRER: list[float] = [45, 35, 12, 8]
_LONGEST_PAUSE = 240


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit: who comes, and what they do; an account is known from the login on."""

    person: Person | None
    has_account: bool
    steps: list[Step]
    end: datetime
    """When its last step is done."""


def clicks_of_day(
    streams: Streams, day: datetime, orders: list[Order], people: Sequence[Person], assortment: Assortment
) -> list[Click]:
    """Return the clicks of all visits of a day, with the orders placed on it, in any order.

    `people` are those who had registered by then. Some clicks are sent late, and some twice: the browser
    did not hear that they had arrived.
    """
    rng = streams.of("company.visits", day.toordinal())
    visits = [_buying(order) for order in orders if not order.is_test]
    visits += _browsing(rng, day, _VISITS_PER_ORDER * len(orders), people, assortment)
    clicks = list(_clicks(rng, visits))
    late, repeated = (rng.random(len(clicks)) < share for share in (_LATE_SHARE, _REPEATED_SHARE))
    delays = rng.uniform(0.1, 1, len(clicks)) * LATEST.total_seconds()
    for place in np.flatnonzero(late).tolist():
        delay = timedelta(seconds=round(delays[place]))
        clicks[place] = replace(clicks[place], sent_at=clicks[place].at + delay)
    again = [clicks[place] for place in np.flatnonzero(repeated).tolist()]
    return clicks + [replace(click, sent_at=click.sent_at + timedelta(minutes=1)) for click in again]


def _buying(order: Order) -> Visit:
    """Return the visit that ends with an order, whose number the last page tells."""
    items = [line.article.item(order.placed_at) for line in order.lines]
    steps: list[Step] = [("page_view", None, "/")]
    steps += [("product_view", item, "/products") for item in items]
    steps += [("add_to_cart", item, "/products") for item in items]
    steps += [("checkout", None, "/checkout"), ("purchase", None, f"/thank-you?order={order.number + 1000}")]
    return Visit(order.person, not order.is_guest, steps, order.placed_at)


def _browsing(
    rng: np.random.Generator, day: datetime, visits: int, people: Sequence[Person], assortment: Assortment
) -> Iterator[Visit]:
    """Yield visits that end before an order."""
    steps_done = (1 + pick(rng, _LEAVE_AFTER, visits)).tolist()
    articles = rng.integers(0, len(assortment.articles), visits).tolist()
    seconds = (rng.triangular(0, 19, 24, visits) * 3600).tolist()
    visitors = rng.integers(0, len(people), visits).tolist()
    known, has_account = (rng.random(visits) < share for share in (_KNOWN_SHARE, _LOGGED_IN_SHARE))
    columns = zip(steps_done, articles, seconds, visitors, known.tolist(), has_account.tolist(), strict=True)
    for done, place, second, visitor, is_known, logs_in in columns:
        end = day + timedelta(seconds=round(second))
        item = assortment.articles[place].item(end)
        steps: list[Step] = [("page_view", None, "/"), ("product_view", item, "/products")]
        steps += [("add_to_cart", item, "/products"), ("checkout", None, "/checkout")]
        yield Visit(people[visitor] if is_known else None, is_known and logs_in, steps[:done], end)


def _clicks(rng: np.random.Generator, visits: list[Visit]) -> Iterator[Click]:
    """Yield the clicks of visits; a person always comes with the same browser."""
    size = len(visits)
    sessions = rng.integers(0, 2**63, size).tolist()
    at_checkout = (rng.random(size) < _LOGIN_AT_CHECKOUT_SHARE).tolist()
    devices = pick(rng, _BY_DEVICE, size).tolist()
    referrers = pick(rng, _BY_REFERRER, size).tolist()
    pauses = iter(rng.integers(5, _LONGEST_PAUSE, sum(len(visit.steps) for visit in visits)).tolist())
    drawn = zip(visits, sessions, at_checkout, devices, referrers, strict=True)
    for visit, number, logs_in_late, device, referrer in drawn:
        session = f"{number:016x}"
        person = visit.person
        account = str(person.number) if person and visit.has_account else None
        seconds = [0, *itertools.accumulate(itertools.islice(pauses, len(visit.steps)))]
        for place, (kind, product, page) in enumerate(visit.steps):
            at = visit.end - timedelta(seconds=seconds[-2] - seconds[place])
            yield Click(
                f"{session}{place:04x}",
                at,
                at,
                account if not logs_in_late or kind in ("checkout", "purchase") else None,
                f"browser-{person.number}" if person else f"browser-{session[:12]}",
                session,
                kind,
                product,
                page,
                _REFERRERS[referrer] if place == 0 else None,
                _DEVICES[device],
            )
