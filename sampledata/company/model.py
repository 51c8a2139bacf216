"""What the online business consists of. Amounts are in the shop's currency, US dollars; times are UTC."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from sampledata.places import City

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who registered in the shop, and the ids by which other systems know the same person."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    street: str
    city: City
    postal_code: str
    registered_at: datetime
    storefront_id: str | None = None
    crm_id: int | None = None
    gym_user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A size of a product; `new_sku` is its sku from `sku_changes_at` on."""

    number: int
    title: str
    sku: str | None
    price: Decimal
    new_sku: str | None = None
    sku_changes_at: datetime | None = None

    def sku_at(self, time: datetime) -> str | None:
        """The sku at a time; null or empty for a variant that has none."""
        changed = self.sku_changes_at is not None and time >= self.sku_changes_at
        return self.new_sku if changed else self.sku


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold, in one or several variants; a gift card has no stock and no parcel."""

    number: int
    title: str
    category: str
    variants: tuple[Variant, ...]
    is_gift_card: bool = False


class Article(NamedTuple):
    """A variant with its product: what a line, a click and a stock level are about."""

    product: Product
    variant: Variant

    def item(self, time: datetime) -> str:
        """What a system without ids calls it: its sku, else its titles."""
        return self.variant.sku_at(time) or f"{self.product.title}|{self.variant.title}"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A location with stock; it exports its levels as `csv` or `json`."""

    id: int
    city: City
    exports: Literal["csv", "json"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order; discount and tax are those of the whole line."""

    article: Article
    sku: str | None
    quantity: int
    price: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """What is paid for the line."""
        return self.price * self.quantity - self.discount + self.tax


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in, in the customer's currency; `reference` is the order's name, null where lost.

    `disputed_at` is when the customer's bank took it back.
    """

    id: str
    provider: Literal["stripe", "transactions"]
    created_at: datetime
    amount: Decimal
    currency: str
    email: str
    reference: str | None
    disputed_at: datetime | None = None

    def as_of(self, time: datetime) -> "Payment":
        """The payment as it was known at a time."""
        return replace(self, disputed_at=None) if self.disputed_at and self.disputed_at >= time else self

    @property
    def changed_at(self) -> datetime:
        """When it last changed: made, or disputed."""
        return self.disputed_at or self.created_at


@dataclass(frozen=True, slots=True)
class Refund:
    """Pieces of a line, given by its place in the order, that came back, and what was paid back for them."""

    at: datetime
    line: int
    quantity: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ParcelEvent:
    """What a carrier's scanner saw, at its local time; `sent_at` is when the carrier told it."""

    id: str
    at: datetime
    sent_at: datetime
    status: str
    location: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What was sent to the customer; `delivered_at` is null where it never arrived."""

    number: int
    tracking_number: str
    carrier: str
    shipped_at: datetime
    promised_at: datetime
    delivered_at: datetime | None
    events: tuple[ParcelEvent, ...]
    is_clock_wrong: bool = False

    def as_of(self, time: datetime) -> "Parcel | None":
        """The parcel as it was known at a time; null before it was shipped."""
        if self.shipped_at >= time:
            return None
        arrived = self.delivered_at if self.delivered_at and self.delivered_at < time else None
        return replace(self, delivered_at=arrived, events=tuple(e for e in self.events if e.sent_at < time))


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `rate` is how much of the customer's `currency` is paid for a dollar."""

    number: int
    placed_at: datetime
    person: Person
    email: str
    is_guest: bool
    is_test: bool
    lines: tuple[Line, ...]
    shipping: Decimal
    currency: str
    rate: Decimal
    warehouse: Warehouse
    payment: Payment | None
    parcel: Parcel | None
    refunds: tuple[Refund, ...]

    @property
    def name(self) -> str:
        """The number that customers and other systems know it by."""
        return order_name(self.number)

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return sum((line.total for line in self.lines), self.shipping)

    def as_of(self, time: datetime) -> "Order":
        """The order as it was known at a time."""
        refunds = tuple(refund for refund in self.refunds if refund.at < time)
        parcel = self.parcel and self.parcel.as_of(time)
        payment = self.payment and self.payment.as_of(time)
        return replace(self, parcel=parcel, payment=payment, refunds=refunds)

    @property
    def changed_at(self) -> datetime:
        """When it last changed: placed, paid, shipped, delivered, refunded or disputed."""
        parcel, paid = self.parcel, [self.payment.changed_at] if self.payment else []
        shipped = [time for time in (parcel.shipped_at, parcel.delivered_at) if time] if parcel else []
        return max([self.placed_at, *paid, *shipped, *(refund.at for refund in self.refunds)])


@dataclass(frozen=True, slots=True)
class Movement:
    """Pieces that left a warehouse (below 0) or came into it; `order` is the name of the order, if any."""

    at: datetime
    warehouse: Warehouse
    article: Article
    quantity: int
    reason: Literal["sale", "return", "refill"]
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """How many pieces a warehouse can sell, as it says: below 0 where it sold more, null where silent."""

    at: datetime
    warehouse: Warehouse
    article: Article
    available: int | None


@dataclass(frozen=True, slots=True)
class Click:
    """A step of a visit to the shop; `sent_at` is when the browser got it through."""

    id: str
    at: datetime
    sent_at: datetime
    user_id: str | None
    anonymous_id: str
    session_id: str
    kind: Literal["page_view", "product_view", "add_to_cart", "checkout", "purchase"]
    product: str | None
    page: str
    referrer: str | None
    device: str


def order_name(number: int) -> str:
    """The name of an order by its number."""
    return f"#{1000 + number}"


def rounded(amount: Decimal, digits: int = 2) -> Decimal:
    """An amount with so many digits; half of the last one is rounded up."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def cents(amount: int) -> Decimal:
    """An amount of so many cents."""
    return Decimal(amount).scaleb(-2)
