"""What is pushed: the customers, products and orders of the storefront, at any scale."""

from dataclasses import dataclass

import numpy as np

from sampledata.sampling import Streams
from sampledata.storefront.customers import Customers
from sampledata.storefront.orders import OrderBook
from sampledata.storefront.products import Products


@dataclass(frozen=True)
class Customer:
    """Somebody who buys."""

    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Product:
    """What is sold; the price is in cents."""

    id: str
    price: int


@dataclass(frozen=True)
class Line:
    """Pieces of a product."""

    product: Product
    quantity: int


@dataclass(frozen=True)
class Order:
    """What a customer bought at once."""

    id: str
    customer: Customer
    lines: list[Line]

    @property
    def amount(self) -> int:
        """What is paid, in cents."""
        return sum(line.product.price * line.quantity for line in self.lines)


@dataclass(frozen=True)
class Shop:
    """A shop that sells in US dollars; the same scale and seed give the same shop."""

    seed: int
    customers: list[Customer]
    products: list[Product]
    orders: list[Order]

    @classmethod
    def of(cls, scale: float, seed: int) -> "Shop":
        """The storefront at a scale; at scale 1, 800 customers and some 5,000 orders."""
        streams = Streams(seed)
        sold = Products.of(streams, scale, 1)
        cents = np.rint(sold.price * 100).astype(int).tolist()
        by_row = dict(enumerate(map(Product, sold.ids.to_pylist(), cents)))
        people = [
            Customer(id, " ".join(name.split()), email)
            for table in Customers.of(streams, scale, 1).tables()
            for id, name, email in zip(*(table.column(n).to_pylist() for n in range(3)), strict=True)
        ]
        book = OrderBook.of(streams, scale, 1)
        buyers = dict(zip(book.customers.present.tolist(), people, strict=True))
        lines: dict[int, list[Line]] = {}
        for block in book.blocks():
            found = book.lines(block)
            for order, product, quantity in zip(found.order, found.product, found.quantity, strict=True):
                lines.setdefault(int(order), []).append(Line(by_row[int(product)], int(quantity)))
        ids = book.order_ids(np.arange(len(book.customer))).to_pylist()
        orders = [Order(ids[n], buyers[int(book.customer[n])], lines[n]) for n in sorted(lines)]
        return cls(seed, people, [by_row[row] for row in sold.present.tolist()], orders)
