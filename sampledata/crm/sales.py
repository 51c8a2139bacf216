"""The CRM's sales lines: orders of several products, by day; later deliveries correct some."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.catalogue import Catalogue
from sampledata.customers import FIRST_ID, Customers
from sampledata.sampling import (
    DateArray,
    FloatArray,
    IntArray,
    Marks,
    Streams,
    blocks,
    mark,
    pick,
    pick_below,
    sizes_of,
)
from sampledata.timeline import DAYS_OF_HISTORY, days_of

_LINES_AT_SCALE_1 = 60_000
_LINES_AT_LEAST = 100
_NEW_LINES_RATE = 0.01
_CORRECTED_RATE = 0.0005
_FIRST_ORDER_NUMBER = 43_697
_ORDERS_BY_LINES = [0.350, 0.295, 0.212, 0.113, 0.025, 0.004, 0.0007, 0.0003]
_QUANTITIES = [0.96, 0.03, 0.01]
_GROWTH_PER_DAY = 40 ** (1 / DAYS_OF_HISTORY)
_CUSTOMER_SPREAD = 0.8
_DAYS_TO_SHIP, _DAYS_TO_DUE = 7, 12

_DEFECTS = {
    "order_date_zero": 2.8e-4,
    "order_date_garbled": 3.3e-5,
    "price_null": 1.2e-4,
    "price_negative": 8.3e-5,
    "sales_null": 1.3e-4,
    "sales_zero": 3.3e-5,
    "sales_negative": 5e-5,
    "sales_other": 6.6e-5,
    "sales_of_one": 1e-4,
}
_NO_DEFECTS = Marks({})


class Lines(NamedTuple):
    """Sales lines by column: order number, product and customer row, order day, quantity."""

    order: IntArray
    product: IntArray
    customer: IntArray
    day: DateArray
    quantity: IntArray

    def at(self, rows: IntArray) -> "Lines":
        """Return some of the lines, by their place among these."""
        return Lines(
            self.order[rows],
            self.product[rows],
            self.customer[rows],
            self.day[rows],
            self.quantity[rows],
        )


@dataclass(frozen=True)
class OrderBook:
    """The new orders of one delivery, known by their place in it."""

    catalogue: Catalogue
    customers: Customers
    lines_per_order: IntArray
    first_number: int
    product_weights: FloatArray
    customer_weights: FloatArray
    """Cumulative, by customer row."""

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "OrderBook":
        """Return the orders that a delivery adds at this scale."""
        catalogue = Catalogue.of(streams, scale)
        customers = Customers.of(streams, scale, delivery)
        earlier = [len(_lines_per_order(streams, scale, n)) for n in range(1, delivery)]
        product_weights = catalogue.popularity.copy()
        product_weights[catalogue.removed(delivery)] = 0
        return cls(
            catalogue,
            customers,
            _lines_per_order(streams, scale, delivery),
            _FIRST_ORDER_NUMBER + sum(earlier),
            product_weights,
            _customer_weights(customers),
        )

    @property
    def delivery(self) -> int:
        """The number of the delivery."""
        return self.customers.delivery

    @property
    def line_count(self) -> int:
        """The number of lines of all orders."""
        return int(self.lines_per_order.sum())

    def blocks(self) -> Iterator[range]:
        """Split the orders into ranges of places."""
        return blocks(len(self.lines_per_order))

    def lines(self, block: range) -> Lines:
        """Return the lines of a block of orders, as they should have been sent."""
        rng = self.customers.streams.of("crm.sales_details", self.delivery, block.start)
        day = self._days(block)
        tops = self.customer_weights[self.customers.created_before(day) - 1]
        customer = pick_below(rng, self.customer_weights, tops)
        size = self.lines_per_order[block.start : block.stop]
        order = np.repeat(np.arange(len(block)), size)
        product = _distinct_products(rng, order, self.product_weights)
        quantity = 1 + pick(rng, _QUANTITIES, len(order))
        number = self.first_number + block.start + order
        return Lines(number, product, customer[order], day[order], quantity)

    def _days(self, block: range) -> DateArray:
        places = np.arange(block.start, block.stop) / len(self.lines_per_order)
        return days_of(self.delivery, places, _GROWTH_PER_DAY)


def sales_details(streams: Streams, scale: float, delivery: int) -> Iterator[pa.Table]:
    """Yield sales_details: the first delivery with its defects, later ones with corrections."""
    book = OrderBook.of(streams, scale, delivery)
    if delivery > 1:
        yield from (_table(book.lines(block), book.catalogue) for block in book.blocks())
        yield _corrections(OrderBook.of(streams, scale, delivery - 1), scale, delivery)
        return
    defects = mark(streams.of("crm.sales_details.defects"), book.line_count, _DEFECTS)
    lines_before = 0
    for block in book.blocks():
        lines = book.lines(block)
        rows = range(lines_before, lines_before + len(lines.order))
        yield _table(lines, book.catalogue, defects, rows)
        lines_before = rows.stop


def _line_count(scale: float, delivery: int) -> int:
    lines = _LINES_AT_SCALE_1 * scale
    if delivery == 1:
        return max(_LINES_AT_LEAST, round(lines))
    return max(1, round(_NEW_LINES_RATE * lines))


def _lines_per_order(streams: Streams, scale: float, delivery: int) -> IntArray:
    rng = streams.of("crm.sales_details.orders", delivery)
    return sizes_of(rng, _ORDERS_BY_LINES, _line_count(scale, delivery))


def _customer_weights(customers: Customers) -> FloatArray:
    """Return the cumulative weights of customers: some buy far more often than others."""
    rng = customers.streams.of("crm.sales_details.customers")
    weights = rng.lognormal(0, _CUSTOMER_SPREAD, customers.count)
    weights[customers.removed] = 0
    return np.cumsum(weights)


def _distinct_products(rng: np.random.Generator, order: IntArray, weights: FloatArray) -> IntArray:
    """Draw a product per line, again where an order already has it."""
    product = pick(rng, weights, len(order))
    while True:
        _, firsts = np.unique(order * len(weights) + product, return_index=True)
        again = np.ones(len(order), bool)
        again[firsts] = False
        if not again.any():
            return product
        product[again] = pick(rng, weights, int(again.sum()))


def _corrections(book: OrderBook, scale: float, delivery: int) -> pa.Table:
    """Return lines of the delivery before, from its last orders, with another quantity."""
    *_, last_block = book.blocks()
    lines = book.lines(last_block)
    count = max(1, round(_CORRECTED_RATE * _line_count(scale, 1)))
    rng = book.customers.streams.of("crm.sales_details.corrections", delivery)
    chosen = np.sort(rng.choice(len(lines.order), min(count, len(lines.order)), replace=False))
    wrong = lines.at(chosen)
    # Two more, as some damaged lines were already sent with one more.
    return _table(wrong._replace(quantity=wrong.quantity + 2), book.catalogue)


def _table(
    lines: Lines, catalogue: Catalogue, defects: Marks = _NO_DEFECTS, rows: range = range(0)
) -> pa.Table:
    """Return lines as sent, damaged where `defects` marks `rows`, their place in the table."""
    order_date = _yyyymmdd(lines.day)
    price = catalogue.price[lines.product]
    quantity = lines.quantity.copy()
    # Prices go missing where there is more than one to divide the sales by.
    quantity[defects.at("price_null", rows)] += 1
    sales = quantity * price

    order_date[defects.at("order_date_zero", rows)] = 0
    garbled = defects.at("order_date_garbled", rows)
    order_date[garbled] = order_date[garbled] % 100_000
    sales[defects.at("sales_zero", rows)] = 0
    sales[defects.at("sales_negative", rows)] *= -1
    sales[defects.at("sales_other", rows)] += 7
    one = defects.at("sales_of_one", rows)
    quantity[one] += 1
    sales[one] = price[one]
    price[defects.at("price_negative", rows)] *= -1

    numbers = pa.array(lines.order).cast(pa.string())
    return pa.table(
        {
            "sls_ord_num": pc.binary_join_element_wise("SO", numbers, ""),
            "sls_prd_key": pa.array(catalogue.numbers).take(pa.array(lines.product)),
            "sls_cust_id": lines.customer + FIRST_ID,
            "sls_order_dt": order_date,
            "sls_ship_dt": _yyyymmdd(lines.day + _DAYS_TO_SHIP),
            "sls_due_dt": _yyyymmdd(lines.day + _DAYS_TO_DUE),
            "sls_sales": _lacking(sales, defects.at("sales_null", rows)),
            "sls_quantity": quantity,
            "sls_price": _lacking(price, defects.at("price_null", rows)),
        }
    )


def _lacking(values: IntArray, rows: IntArray) -> pa.Array:
    missing = np.zeros(len(values), bool)
    missing[rows] = True
    return pa.array(values, mask=missing)


def _yyyymmdd(days: DateArray) -> IntArray:
    """Return days as whole numbers, such as 20240131."""
    months = days.astype("datetime64[M]")
    year, month = np.divmod(months.astype(np.int64), 12)
    day_of_month = (days - months).astype(np.int64) + 1
    number: IntArray = (year + 1970) * 10_000 + (month + 1) * 100 + day_of_month
    return number
