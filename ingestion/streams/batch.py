"""A batch of a stream: usable records, and the silver tables as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from ingestion.streams.tables import StreamTable
from ingestion.streams.upsert import Transaction

KIND, REASON = "_kind", "_reason"
"""Columns of records: what a record is about, and why it cannot be used, else null."""

# Comparing with more periods takes longer than reading the files that they would leave out.
_MOST_PERIODS = 48
_NOW = timedelta()


class Period(NamedTuple):
    """From when to when, both inclusive, in microseconds since 1970."""

    first: int
    last: int


@dataclass(frozen=True)
class Batch:
    """Usable records, when those of a kind have their `time`, and the tables that follow them by name."""

    records: DataFrame
    periods: Mapping[str, Sequence[Period]]
    tables: Mapping[str, StreamTable]
    transaction: Transaction

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of the records."""
        return frozenset(self.periods)

    def of(self, kind: str) -> DataFrame:
        """Records of a kind."""
        return self.records.where(F.col(KIND) == kind)

    def table(self, name: str) -> DataFrame:
        """A silver table."""
        return self.records.sparkSession.table(self.tables[name].silver)

    def near(self, column: str, kind: str, before: timedelta = _NOW, after: timedelta = _NOW) -> Column:
        """Whether a timestamp is that of a record of a kind, or at most so much before or after.

        It is a simple condition, hour by hour, by which files can be left out; a clock that is far ahead
        adds an hour and widens nothing.
        """
        earlier, later = (length // timedelta(microseconds=1) for length in (before, after))
        conditions = [
            F.col(column).between(_literal(first - earlier), _literal(last + later))
            for first, last in self.periods.get(kind, ())
        ]
        return reduce(Column.__or__, conditions) if conditions else F.lit(False)


def joined(periods: Iterable[Period]) -> list[Period]:
    """The periods in their order, or one around them where they are many."""
    ordered = sorted(periods)
    if len(ordered) > _MOST_PERIODS:
        return [Period(ordered[0].first, max(period.last for period in ordered))]
    return ordered


def _literal(micros: int) -> Column:
    return F.timestamp_micros(F.lit(micros))
