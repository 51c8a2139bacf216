"""A batch of a stream: usable records, and the silver tables as they are now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from ingestion.streams.tables import StreamTable
from ingestion.streams.upsert import Transaction

KIND, REASON = "_kind", "_reason"
"""Columns of records: what a record is about, and why it cannot be used, else null."""

# Comparing with more periods takes longer than reading the files that they would leave out.
_MOST_PERIODS = 48
_NOW = timedelta()
_Period = tuple[int, int]


@dataclass
class Batch:
    """Usable records of some kinds, each with its `time`, and the tables that follow them by name."""

    records: DataFrame
    kinds: frozenset[str]
    tables: Mapping[str, StreamTable]
    transaction: Transaction
    _periods: dict[str, Sequence[_Period]] = field(default_factory=dict)

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
        if kind not in self._periods:
            self._periods[kind] = _periods(self.of(kind)) if kind in self.kinds else []
        earlier, later = (length // timedelta(microseconds=1) for length in (before, after))
        conditions = [
            F.col(column).between(_literal(first - earlier), _literal(last + later))
            for first, last in self._periods[kind]
        ]
        return reduce(Column.__or__, conditions) if conditions else F.lit(False)


def _periods(records: DataFrame) -> list[_Period]:
    micros = F.unix_micros("time")
    hours = (
        records.groupBy(F.date_trunc("hour", "time").alias("hour"))
        .agg(F.min(micros).alias("first"), F.max(micros).alias("last"))
        .orderBy("hour")
        .collect()
    )
    if len(hours) > _MOST_PERIODS:
        return [(hours[0]["first"], hours[-1]["last"])]
    return [(hour["first"], hour["last"]) for hour in hours]


def _literal(micros: int) -> Column:
    return F.timestamp_micros(F.lit(micros))
