"""A batch of a stream: usable records, and the silver tables as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from ingestion.streams.tables import StreamTable
from ingestion.streams.upsert import Merged, Transaction

KIND, REASON = "_kind", "_reason"
"""Columns of records: what a record is about, and why it cannot be used, else null."""

# Comparing with more periods takes longer than reading the files that they would leave out.
_MOST_PERIODS = 48
_NOW = timedelta()


class Period(NamedTuple):
    """From when to when, both inclusive, in microseconds since 1970."""

    first: int
    last: int


@dataclass
class Batch:
    """Usable records, when those of a kind have their `time`, and the tables that follow them by name.

    `merged` is what was merged into the tables that were written already.
    """

    records: DataFrame
    periods: Mapping[str, Sequence[Period]]
    tables: Mapping[str, StreamTable]
    transaction: Transaction
    merged: dict[str, Merged] = field(default_factory=dict)

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
        """Whether a timestamp is that of a record of a kind, or at most so much before or after."""
        return during(self.periods.get(kind, ()), column, before, after)

    def under_way(self, first: str, last: str, kind: str) -> Column:
        """Whether something from one timestamp to another lasts while a record of a kind has its time."""
        conditions = [
            (F.col(first) <= _literal(period.last)) & (F.col(last) >= _literal(period.first))
            for period in self.periods.get(kind, ())
        ]
        return _any(conditions)


def during(
    periods: Sequence[Period], column: str, before: timedelta = _NOW, after: timedelta = _NOW
) -> Column:
    """Whether a timestamp is in one of the periods, or at most so much before or after.

    It is a simple condition by which files can be left out.
    """
    earlier, later = (length // timedelta(microseconds=1) for length in (before, after))
    conditions = [
        F.col(column).between(_literal(first - earlier), _literal(last + later)) for first, last in periods
    ]
    return _any(conditions)


def periods_by_hour(rows: DataFrame, first: str, last: str) -> list[Period]:
    """From when to when `rows` last, those that begin in the same hour together."""
    hours = rows.groupBy(F.date_trunc("hour", first)).agg(
        F.min(F.unix_micros(first)).alias("first"), F.max(F.unix_micros(last)).alias("last")
    )
    return joined(Period(hour["first"], hour["last"]) for hour in hours.select("first", "last").collect())


def joined(periods: Iterable[Period]) -> list[Period]:
    """The periods in their order, or one around them where they are many.

    Hour by hour, a clock that is far ahead adds an hour and widens nothing.
    """
    ordered = sorted(periods)
    if len(ordered) > _MOST_PERIODS:
        return [Period(ordered[0].first, max(period.last for period in ordered))]
    return ordered


def _any(conditions: Sequence[Column]) -> Column:
    return reduce(Column.__or__, conditions) if conditions else F.lit(False)


def _literal(micros: int) -> Column:
    return F.timestamp_micros(F.lit(micros))
