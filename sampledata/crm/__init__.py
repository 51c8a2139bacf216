"""CRM exports: customers, products with their cost periods, and sales lines."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.catalogue import CATEGORIES, Catalogue
from sampledata.crm.sales import sales_details
from sampledata.customers import FIRST_ID, Customers, customer_keys
from sampledata.files import delivery_file, write_csv
from sampledata.names import FEMALE_NAMES, LAST_NAMES, MALE_NAMES
from sampledata.sampling import BoolArray, IntArray, Marks, Streams, mark

_CUSTOMER_DEFECTS = {
    "blank_around_first_name": 9e-4,
    "blank_around_last_name": 1.2e-3,
    "no_marital_status": 1.6e-4,
    "sent_twice": 2.2e-4,
    "sent_three_times": 5e-5,
}
_WITHOUT_ID_RATE = 2.2e-4
_NO_GENDER_SHARE = 0.25
_SINGLE_SHARE = 0.46
_BLANKS = [("", ""), (" ", ""), ("", " "), ("", "  "), ("  ", ""), (" ", " ")]
_MARITAL_STATUS = pa.array(["M", "S", None])
_OTHER_MARITAL_STATUS = np.array([1, 0, 0])
_GENDER = pa.array(["M", "F", None])
_NOT_CODED = 2
# What the earlier rows of a customer sent more than once lack, in turn.
_MAY_LACK = ["cst_firstname", "cst_lastname", "cst_marital_status", "cst_gndr"]
_LACKING = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1]], bool)

# The source system computes the end of a period wrongly, before its start.
_DAYS_END_BEFORE_START = 1281


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write one delivery of the three CRM tables and return their paths.

    Customers and products are complete; sales after the first delivery are additions and
    corrections.
    """
    tables = {
        "cust_info": _customers(Customers.of(streams, scale, delivery)),
        "prd_info": iter([_products(Catalogue.of(streams, scale), delivery)]),
        "sales_details": sales_details(streams, scale, delivery),
    }
    return [write_csv(delivery_file(folder, name, delivery), t) for name, t in tables.items()]


def names_of(customers: Customers, block: range) -> tuple[pa.Array, pa.Array]:
    """Return first and last names of a block of customers, without blanks around them."""
    rng = customers.streams.of("crm.cust_info", block.start)
    first = _first_names(rng, customers, block, Marks({}))
    return first, _last_names(rng, customers, block, Marks({}))


def _customers(customers: Customers) -> Iterator[pa.Table]:
    """Yield cust_info: the customers by id, then rows without an id."""
    defects = mark(customers.streams.of("crm.cust_info.defects"), customers.count, _CUSTOMER_DEFECTS)
    for block in customers.blocks():
        yield _as_sent(_complete(customers, block, defects), customers, block, defects)
    yield _without_id(customers)


def _complete(customers: Customers, block: range, defects: Marks) -> pa.Table:
    """Return one row per customer of the block, as its newest row is sent."""
    rng = customers.streams.of("crm.cust_info", block.start)
    rows = np.arange(block.start, block.stop)
    return pa.table(
        {
            "cst_id": rows + FIRST_ID,
            "cst_key": customer_keys(rows, "AW"),
            "cst_firstname": _first_names(rng, customers, block, defects),
            "cst_lastname": _last_names(rng, customers, block, defects),
            "cst_marital_status": _marital_status(rng, customers, block, defects),
            "cst_gndr": _genders(rng, customers, block, defects),
            "cst_create_date": customers.created(rows),
        }
    )


def _first_names(rng: np.random.Generator, customers: Customers, block: range, defects: Marks) -> pa.Array:
    female = customers.female(block)
    codes = rng.integers(0, np.where(female, len(FEMALE_NAMES), len(MALE_NAMES)))
    codes += np.where(female, len(MALE_NAMES), 0)
    return _names(MALE_NAMES + FEMALE_NAMES, codes, defects.at("blank_around_first_name", block))


def _last_names(rng: np.random.Generator, customers: Customers, block: range, defects: Marks) -> pa.Array:
    codes = rng.integers(0, len(LAST_NAMES), len(block))
    for change in customers.changes:
        codes[change.at("last_name", block)] += 1
    codes %= len(LAST_NAMES)
    return _names(LAST_NAMES, codes, defects.at("blank_around_last_name", block))


def _names(names: list[str], codes: IntArray, blank_around: IntArray) -> pa.Array:
    blanks = np.zeros(len(codes), np.int64)
    blanks[blank_around] = 1 + np.arange(len(blank_around)) % (len(_BLANKS) - 1)
    before, after = (pa.array(side).take(pa.array(blanks)) for side in zip(*_BLANKS, strict=True))
    return pc.binary_join_element_wise(before, pa.array(names).take(pa.array(codes)), after, "")


def _marital_status(rng: np.random.Generator, customers: Customers, block: range, defects: Marks) -> pa.Array:
    codes = (rng.random(len(block)) < _SINGLE_SHARE).astype(np.int64)
    codes[defects.at("no_marital_status", block)] = _NOT_CODED
    for change in customers.changes:
        changed = change.at("marital_status", block)
        codes[changed] = _OTHER_MARITAL_STATUS[codes[changed]]
    return _MARITAL_STATUS.take(pa.array(codes))


def _genders(rng: np.random.Generator, customers: Customers, block: range, defects: Marks) -> pa.Array:
    known = rng.random(len(block)) >= _NO_GENDER_SHARE
    for kind in ("sent_twice", "sent_three_times"):
        known[defects.at(kind, block)] = True
    return _GENDER.take(pa.array(np.where(known, customers.female(block), _NOT_CODED)))


def _as_sent(table: pa.Table, customers: Customers, block: range, defects: Marks) -> pa.Table:
    """Leave out removed customers and put older, incomplete rows before those sent repeatedly."""
    copies = np.ones(len(block), np.int64)
    copies[defects.at("sent_twice", block)] = 2
    copies[defects.at("sent_three_times", block)] = 3
    copies[~customers.present(block)] = 0
    rows = np.repeat(np.arange(len(block)), copies)
    newer_rows = np.repeat(np.cumsum(copies), copies) - 1 - np.arange(len(rows))
    sent = table.take(pa.array(rows))
    days = sent["cst_create_date"].to_numpy() - newer_rows
    sent = _replaced(sent, "cst_create_date", pa.array(days))
    lacking = _LACKING[(block.start + rows + newer_rows) % len(_LACKING)]
    for column, missing in zip(_MAY_LACK, lacking.T, strict=True):
        sent = _replaced(sent, column, _without(sent[column], missing & (newer_rows > 0)))
    return sent


def _without(values: pa.ChunkedArray, missing: BoolArray) -> pa.ChunkedArray:
    return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values)


def _replaced(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _without_id(customers: Customers) -> pa.Table:
    """Return rows with a made-up key and nothing else."""
    count = max(1, round(_WITHOUT_ID_RATE * customers.count))
    rng = customers.streams.of("crm.cust_info.without_id")
    prefixes = pa.array(["TMP", "", "X0Ref", "NN"]).take(pa.array(np.arange(count) % 4))
    digits = pa.array(rng.integers(10, 100_000, count)).cast(pa.string())
    keys = pc.binary_join_element_wise(prefixes, digits, "")
    nothing = pa.nulls(count)
    return pa.table(
        {
            "cst_id": nothing.cast(pa.int64()),
            "cst_key": keys,
            **{column: nothing.cast(pa.string()) for column in _MAY_LACK},
            "cst_create_date": nothing.cast(pa.date32()),
        }
    )


def _products(catalogue: Catalogue, delivery: int) -> pa.Table:
    """Return prd_info: a row per product and cost period."""
    periods = catalogue.periods(delivery)
    product = pa.array(periods.product)
    categories = [CATEGORIES[code].id.replace("_", "-") for code in catalogue.category.tolist()]
    keys = pc.binary_join_element_wise(pa.array(categories), pa.array(catalogue.numbers), "-")
    lines = [f"{line} " if line else None for line in catalogue.lines]
    without_cost = np.isin(periods.product, catalogue.without_cost)
    end = periods.start - _DAYS_END_BEFORE_START
    return pa.table(
        {
            "prd_id": periods.product_id,
            "prd_key": keys.take(product),
            "prd_nm": pa.array(catalogue.names).take(product),
            "prd_cost": pa.array(periods.cost, mask=without_cost),
            "prd_line": pa.array(lines, pa.string()).take(product),
            "prd_start_dt": periods.start,
            "prd_end_dt": pa.array(end, mask=~periods.followed),
        }
    )
