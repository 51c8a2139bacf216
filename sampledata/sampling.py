"""Repeatable randomness: streams, weighted picks, scattered numbers, rows marked for treatment."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLOCK_ROWS = 100_000
GOLDEN_RATIO = (5**0.5 - 1) / 2

BoolArray = npt.NDArray[np.bool_]
DateArray = npt.NDArray[np.datetime64]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Streams:
    """Independent random streams, each fixed by the seed and its name."""

    seed: int

    def of(self, name: str, *parts: int) -> np.random.Generator:
        """Return the stream called `name`, such as "crm.cust_info", or one numbered part of it."""
        address = "/".join(map(str, (self.seed, name, *parts)))
        digest = hashlib.sha256(address.encode()).digest()
        return np.random.default_rng(int.from_bytes(digest))


@dataclass(frozen=True)
class Marks:
    """Sorted row numbers of a table, by the kind of treatment that the rows get."""

    rows: Mapping[str, IntArray]

    def at(self, kind: str, block: range) -> IntArray:
        """Return the marked rows of a block, counted from its start; none for an unknown kind."""
        rows = self.rows.get(kind, np.empty(0, np.int64))
        low, high = np.searchsorted(rows, (block.start, block.stop))
        return rows[low:high] - block.start


def mark(rng: np.random.Generator, rows: int, rates: Mapping[str, float]) -> Marks:
    """Mark the share `rates[kind]` of a table's rows, at least one each, no row for two kinds."""
    counts = [max(1, round(rate * rows)) for rate in rates.values()]
    chosen = np.split(rng.choice(rows, sum(counts), replace=False), np.cumsum(counts)[:-1])
    return Marks({kind: np.sort(part) for kind, part in zip(rates, chosen, strict=True)})


def blocks(rows: int) -> Iterator[range]:
    """Split row numbers into nearly equal ranges of at most BLOCK_ROWS, to bound memory."""
    edges = np.linspace(0, rows, -(-rows // BLOCK_ROWS) + 1).astype(int).tolist()
    return (range(start, stop) for start, stop in itertools.pairwise(edges))


def pick(rng: np.random.Generator, weights: FloatArray | list[float], size: int) -> IntArray:
    """Draw `size` indexes of `weights`, each as often as its weight says."""
    cumulative = np.cumsum(weights)
    return pick_below(rng, cumulative, np.full(size, cumulative[-1]))


def pick_below(rng: np.random.Generator, cumulative: FloatArray, tops: FloatArray) -> IntArray:
    """Draw one index per top: weighted, of those whose cumulative weight is within the top."""
    points = rng.random(len(tops)) * tops
    return np.searchsorted(cumulative, points, side="right").astype(np.int64)


def sizes_of(rng: np.random.Generator, weights: list[float], total: int) -> IntArray:
    """Draw sizes that add up to `total`: size n as often as the n-th weight says."""
    sizes = 1 + pick(rng, weights, total)
    until = np.cumsum(sizes)
    last = int(np.searchsorted(until, total))
    sizes[last] -= until[last] - total
    return sizes[: last + 1]


def scatter(numbers: IntArray, bits: int) -> IntArray:
    """Map whole numbers below 2**bits to others below it, far from their neighbours, each to its own."""
    size = 1 << bits
    # Multiplying by an odd number is one-to-one; the golden ratio spreads evenly.
    step = int(GOLDEN_RATIO * size) | 1
    scattered: IntArray = numbers * step % size
    return scattered
