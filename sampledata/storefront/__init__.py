"""Storefront uploads: a spreadsheet of customers, a list of products, and order lines as JSON."""

from pathlib import Path

from sampledata.sampling import Streams
from sampledata.storefront.customers import Customers, write_customers
from sampledata.storefront.orders import write_orders
from sampledata.storefront.products import Products, write_products


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write one delivery of customers, products and orders, and return their paths.

    Customers and products are complete; orders after the first delivery are additions and
    corrections.
    """
    return [
        write_customers(folder, Customers.of(streams, scale, delivery)),
        write_products(folder, Products.of(streams, scale, delivery)),
        write_orders(folder, streams, scale, delivery),
    ]
