"""The customers that CRM and ERP have in common: keys, and what becomes of them over time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.sampling import (
    BoolArray,
    DateArray,
    IntArray,
    Marks,
    Streams,
    blocks,
    mark,
)

FIRST_ID = 11_000
FIRST_CREATED = np.datetime64("2021-01-01")
DAYS_OF_GROWTH = 1461

_AT_SCALE_1 = 18_484
_CHANGE_RATES = {"removed": 0.0005, "marital_status": 0.005, "last_name": 0.005}
# Deliveries that follow each other change different customers: each takes the next of this many
# interleaved shares, so that no change undoes or hides one of the delivery before.
_SHARES = 4


@dataclass(frozen=True)
class Customers:
    """All customers ever, known by their row number, as one delivery sees them."""

    streams: Streams
    count: int
    delivery: int

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "Customers":
        """Return the customers at this scale, at least 40 of them."""
        return cls(streams, max(40, round(_AT_SCALE_1 * scale)), delivery)

    def blocks(self) -> Iterator[range]:
        """Split the customers into ranges of row numbers."""
        return blocks(self.count)

    def female(self, block: range) -> BoolArray:
        """Tell which customers of a block are women, whatever the systems have recorded."""
        rng = self.streams.of("customers.gender", block.start)
        return rng.random(len(block)) < 0.49

    @cached_property
    def changes(self) -> list[Marks]:
        """The rows that changed, by kind, in each delivery from the second to this one."""
        return [self._changes_of(number) for number in range(2, self.delivery + 1)]

    @cached_property
    def removed(self) -> IntArray:
        """The sorted rows missing from this delivery.

        Half of those removed by a delivery stay away, the others return with the next one.
        """
        by_delivery = [change.rows["removed"] for change in self.changes]
        staying_away = [rows[: len(rows) // 2] for rows in by_delivery[:-1]]
        missing = np.concatenate([np.empty(0, np.int64), *staying_away, *by_delivery[-1:]])
        return np.unique(missing)

    def present(self, block: range) -> BoolArray:
        """Tell which customers of a block this delivery holds."""
        held = np.ones(len(block), bool)
        held[Marks({"removed": self.removed}).at("removed", block)] = False
        return held

    def created(self, rows: IntArray) -> DateArray:
        """Return the days on which customers were created: evenly over four years."""
        return FIRST_CREATED + rows * DAYS_OF_GROWTH // self.count

    def created_before(self, days: DateArray) -> IntArray:
        """Return how many customers existed before each day, at least one."""
        age = (days - FIRST_CREATED).astype(np.int64)
        return np.clip(age * self.count // DAYS_OF_GROWTH, 1, self.count)

    def _changes_of(self, number: int) -> Marks:
        share = mark(
            self.streams.of("customers.changes", number),
            self.count // _SHARES,
            {kind: rate * _SHARES for kind, rate in _CHANGE_RATES.items()},
        )
        return Marks({k: rows * _SHARES + number % _SHARES for k, rows in share.rows.items()})


def customer_keys(rows: IntArray, prefix: str | pa.Array) -> pa.Array:
    """Return the customers' keys as text: a prefix and the id in eight digits."""
    digits = pc.utf8_lpad(pa.array(rows + FIRST_ID).cast(pa.string()), 8, "0")
    return pc.binary_join_element_wise(prefix, digits, "")
