"""A complete extract: rows that are added, change and go from delivery to delivery."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from sampledata.sampling import IntArray, Marks, Streams, blocks, mark

Value = TypeVar("Value", bound=np.generic)

_NEW_RATE = 0.004
_CHANGE_RATES = {"removed": 0.001, "changed": 0.005}


@dataclass(frozen=True)
class Extract:
    """All rows ever, known by their row number, as one delivery sees them."""

    streams: Streams
    name: str
    first: int
    """The number of rows of the first delivery."""
    delivery: int

    @property
    def count(self) -> int:
        """The number of rows up to this delivery, with those removed."""
        return self.first + (self.delivery - 1) * self._new

    def blocks(self) -> Iterator[range]:
        """Split the rows into ranges that are the same in every delivery, but for new rows."""
        yield from blocks(self.first)
        for start in range(self.first, self.count, self._new):
            yield range(start, start + self._new)

    def drawn(
        self, what: str, draw: Callable[[np.random.Generator, int], npt.NDArray[Value]]
    ) -> npt.NDArray[Value]:
        """Return a random value per row, the same in every delivery, as `draw(stream, rows)` says."""
        streams = (self.streams.of(f"{self.name}.{what}", block.start) for block in self.blocks())
        return np.concatenate(
            [draw(rng, len(block)) for rng, block in zip(streams, self.blocks(), strict=True)]
        )

    def marks(self, what: str, rates: Mapping[str, float]) -> Marks:
        """Mark rows of the first delivery, the same in every delivery; see `mark`."""
        return mark(self.streams.of(f"{self.name}.{what}.marks"), self.first, rates)

    @cached_property
    def changes(self) -> list[Marks]:
        """The rows "removed" and "changed" in each delivery from the second to this one."""
        numbers = range(2, self.delivery + 1)
        return [
            mark(self.streams.of(f"{self.name}.changes", number), self.first, _CHANGE_RATES)
            for number in numbers
        ]

    @cached_property
    def present(self) -> IntArray:
        """The sorted rows that this delivery holds; those removed stay away."""
        removed = [change.rows["removed"] for change in self.changes]
        return np.setdiff1d(np.arange(self.count), np.concatenate([np.empty(0, np.int64), *removed]))

    @property
    def id_bits(self) -> int:
        """How many bits the scattered numbers of the rows need, with room for as many again."""
        return max(11, (2 * self.first).bit_length())

    @property
    def _new(self) -> int:
        return max(1, round(_NEW_RATE * self.first))
