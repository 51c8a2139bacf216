"""The storefront's order lines: an indented JSON array; later deliveries correct some lines."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.files import delivery_file, joined, write_text
from sampledata.sampling import (
    DateArray,
    FloatArray,
    IntArray,
    Marks,
    Streams,
    blocks,
    mark,
    pick,
    scatter,
    sizes_of,
)
from sampledata.storefront.customers import Customers
from sampledata.storefront.products import Products
from sampledata.timeline import DAYS_OF_HISTORY, days_of

_LINES_AT_SCALE_1 = 10_000
_LINES_AT_LEAST = 100
_NEW_LINES_RATE = 0.01
_CORRECTED_RATE = 0.0005
_GROWTH_PER_DAY = 1.6 ** (1 / DAYS_OF_HISTORY)
_ORDERS_BY_LINES: list[float] = [2538, 1220, 603, 336, 158, 70, 51, 16, 9, 3, 2, 1, 1, 1]
_QUANTITIES: list[float] = [899, 2402, 2409, 1191, 1230, 572, 606, 257, 258, 57, 34, 23, 27, 29]
_DISCOUNTS = {"0": 480, "0.2": 366, "0.7": 42, "0.8": 30, "0.3": 23, "0.4": 21, "0.6": 14, "0.1": 9}
_DISCOUNTS |= {"0.5": 7, "0.15": 5, "0.32": 3, "0.45": 1}
_DISCOUNT = np.array(list(_DISCOUNTS), float)
# Ship mode and days to ship.
_SHIPPING = {("Same Day", 0): 519, ("Same Day", 1): 24}
_SHIPPING |= {("First Class", 1): 344, ("First Class", 2): 570, ("First Class", 3): 623}
_SHIPPING |= {("Second Class", 2): 764, ("Second Class", 3): 380, ("Second Class", 4): 371}
_SHIPPING |= {("Second Class", 5): 429, ("Standard Class", 4): 2402, ("Standard Class", 5): 1740}
_SHIPPING |= {("Standard Class", 6): 1203, ("Standard Class", 7): 621}
_SHIP_MODES, _DAYS_TO_SHIP = zip(*_SHIPPING, strict=True)
_US_SHARE = 0.17
_FIRST_ORDER_NUMBER = 100_000

_SAME_PRODUCT_RATE = 3e-4
_DEFECTS = {"percent": 2.4e-3}
_NO_DEFECTS = Marks({})


class Lines(NamedTuple):
    """Order lines by column: row id, order, product row, quantity, code of the discount."""

    row_id: IntArray
    order: IntArray
    product: IntArray
    quantity: IntArray
    discount: IntArray

    def at(self, places: IntArray) -> "Lines":
        """Return some of the lines, by their place among these."""
        return Lines(*(column[places] for column in self))


@dataclass(frozen=True)
class OrderBook:
    """The new orders of one delivery, numbered by day; their lines come in any order."""

    streams: Streams
    customers: Customers
    products: Products
    delivery: int
    first_row_id: int
    number_bits: int
    customer: IntArray
    day: DateArray
    shipping: IntArray
    from_us: IntArray
    """1 for an order whose number begins with US, 0 for CA."""
    order: IntArray
    """The order of each line."""
    product: IntArray
    """The product row of each line."""

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "OrderBook":
        """Return the orders that a delivery adds at this scale."""
        customers, products = Customers.of(streams, scale, delivery), Products.of(streams, scale, delivery)
        rng = streams.of("storefront.orders", delivery)
        lines = _line_count(scale, delivery)
        sizes = sizes_of(rng, _ORDERS_BY_LINES, lines)
        order = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        product = products.present[rng.integers(0, len(products.present), lines)]
        return cls(
            streams,
            customers,
            products,
            delivery,
            first_row_id=1 + sum(_line_count(scale, number) for number in range(1, delivery)),
            # Half as many numbers as lines are enough for the orders of a year.
            number_bits=max(16, _line_count(scale, 1).bit_length() - 1),
            customer=customers.present[rng.integers(0, len(customers.present), len(sizes))],
            day=days_of(delivery, np.arange(len(sizes)) / len(sizes), _GROWTH_PER_DAY),
            shipping=pick(rng, list(_SHIPPING.values()), len(sizes)),
            from_us=(rng.random(len(sizes)) < _US_SHARE).astype(np.int64),
            order=order,
            product=_with_repeated_products(rng, order, product),
        )

    def blocks(self) -> Iterator[range]:
        """Split the lines into ranges of places."""
        return blocks(len(self.order))

    def lines(self, block: range) -> Lines:
        """Return a block of lines, as they should have been sent."""
        rng = self.streams.of("storefront.orders.lines", self.delivery, block.start)
        return Lines(
            self.first_row_id + np.arange(block.start, block.stop),
            self.order[block.start : block.stop],
            self.product[block.start : block.stop],
            1 + pick(rng, _QUANTITIES, len(block)),
            pick(rng, list(_DISCOUNTS.values()), len(block)),
        )

    def order_ids(self, order: IntArray) -> pa.Array:
        """Return order ids such as CA-2016-122581: the number is different within its year."""
        numbers = _FIRST_ORDER_NUMBER + scatter(self.first_row_id + order, self.number_bits)
        prefix = pa.array(["CA", "US"]).take(pa.array(self.from_us[order]))
        year = pa.array(self.day[order].astype("datetime64[Y]").astype(np.int64) + 1970)
        return _join(prefix, "-", year.cast(pa.string()), "-", pa.array(numbers).cast(pa.string()))


def write_orders(folder: Path, streams: Streams, scale: float, delivery: int) -> Path:
    """Write a delivery of the order lines as a JSON array and return its path."""
    records = _records(streams, scale, delivery)
    parts = itertools.chain.from_iterable((b",\n", joined(block, ",\n")) for block in records)
    next(parts)
    path = delivery_file(folder, "Order", delivery, "json")
    return write_text(path, itertools.chain([b"[\n"], parts, [b"\n]"]))


def _records(streams: Streams, scale: float, delivery: int) -> Iterator[pa.Array]:
    """Yield blocks of JSON objects: new lines, then corrections of the delivery before."""
    book = OrderBook.of(streams, scale, delivery)
    defects = mark(streams.of("storefront.orders.defects", delivery), len(book.order), _DEFECTS)
    for block in book.blocks():
        yield _json(book.lines(block), book, defects, block)
    if delivery > 1:
        before = OrderBook.of(streams, scale, delivery - 1)
        yield _json(_corrected(before, scale, delivery), before)


def _line_count(scale: float, delivery: int) -> int:
    lines = max(_LINES_AT_LEAST, round(_LINES_AT_SCALE_1 * scale))
    return lines if delivery == 1 else round(_NEW_LINES_RATE * lines)


def _with_repeated_products(rng: np.random.Generator, order: IntArray, product: IntArray) -> IntArray:
    """Give some lines the product of another line of their order, at least one if there is any."""
    by_order = np.argsort(order, kind="stable")
    second = 1 + np.flatnonzero(np.diff(order[by_order]) == 0)
    count = min(len(second), max(1, round(_SAME_PRODUCT_RATE * len(order))))
    chosen = rng.choice(second, count, replace=False)
    product[by_order[chosen]] = product[by_order[chosen - 1]]
    return product


def _corrected(book: OrderBook, scale: float, delivery: int) -> Lines:
    """Return some of the last lines of a delivery, with one piece more."""
    *_, last_block = book.blocks()
    count = min(len(last_block), max(1, round(_CORRECTED_RATE * _line_count(scale, 1))))
    rng = book.streams.of("storefront.orders.corrections", delivery)
    chosen = np.sort(rng.choice(len(last_block), count, replace=False))
    lines = book.lines(last_block).at(chosen)
    return lines._replace(quantity=lines.quantity + 1)


def _json(lines: Lines, book: OrderBook, defects: Marks = _NO_DEFECTS, block: range = range(0)) -> pa.Array:
    """Return lines as JSON objects, damaged where `defects` marks the `block` that they are."""
    day, shipping = book.day[lines.order], book.shipping[lines.order]
    list_price = book.products.price[lines.product] * lines.quantity
    price = list_price * (1 - _DISCOUNT[lines.discount])
    profit = price - list_price * book.products.cost_share[lines.product]
    customer, product = pa.array(book.customer[lines.order]), pa.array(lines.product)
    fields = {
        "Row ID": pa.array(lines.row_id).cast(pa.string()),
        "Order ID": _quoted(book.order_ids(lines.order)),
        "Order Date": _quoted(_dates(day)),
        "Ship Date": _quoted(_dates(day + np.array(_DAYS_TO_SHIP)[shipping])),
        "Ship Mode": _quoted(pa.array(_SHIP_MODES).take(pa.array(shipping))),
        "Customer ID": _quoted(book.customers.ids.take(customer)),
        "Product ID": _quoted(book.products.ids.take(product)),
        "Quantity": pa.array(lines.quantity).cast(pa.string()),
        "Price": _prices(price, defects, block),
        "Discount": pa.array(list(_DISCOUNTS)).take(pa.array(lines.discount)),
        "Profit": _number(profit),
    }
    named = [(f'    "{name}": ', value, ",\n") for name, value in fields.items()]
    *parts, _ = itertools.chain.from_iterable(named)
    return _join("  {\n", *parts, "\n  }")


def _prices(price: FloatArray, defects: Marks, block: range) -> pa.Array:
    """Return prices as numbers, or as texts that a spreadsheet made of them, in percent."""
    texts = _number(price).to_numpy(zero_copy_only=False)
    for place, row in enumerate(defects.at("percent", block).tolist()):
        # Two in three come without decimals.
        texts[row] = f'"{100 * price[row]:.{place % 3 // 2}f}%"'
    return pa.array(texts, pa.string())


def _number(values: FloatArray) -> pa.Array:
    """Return numbers as JSON, with up to four decimals."""
    # Adding zero makes zero of minus zero.
    return pa.array(values.round(4) + 0.0).cast(pa.string())


def _dates(days: DateArray) -> pa.Array:
    """Return days such as 21/8/2016."""
    different, codes = np.unique(days, return_inverse=True)
    texts = [f"{day.day}/{day.month}/{day.year}" for day in different.tolist()]
    return pa.array(texts).take(pa.array(codes))


def _quoted(texts: pa.Array) -> pa.Array:
    return _join('"', texts, '"')


def _join(*texts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*texts, "")
