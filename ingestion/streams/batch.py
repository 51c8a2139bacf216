"""A batch of a stream: usable records, and the silver tables as they are now."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple, Protocol

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from ingestion.streams.tables import StreamTable
from ingestion.streams.upsert import changes

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
class Source:
    """A bronze table that is followed, and the kinds of record that it has.

    `records` adds to its rows their `_kind`, their `_reason`, their `time` and what silver tables need.
    Rows that are equal in `unique` are copies of one.
    """

    table: str
    kinds: frozenset[str]
    records: Callable[[DataFrame], DataFrame]
    unique: tuple[str, ...] = ()


class Tables(Protocol):
    """Tables by `schema.name`, as a batch reads and writes them."""

    def read(self, name: str) -> DataFrame:
        """The rows of a table as they are when asked for."""

    def keep(self, rows: DataFrame) -> DataFrame:
        """The rows, computed once."""

    def append(self, name: str, rows: DataFrame) -> None:
        """Append rows."""

    def apply(self, table: StreamTable, todo: DataFrame, where: Column | None) -> bool:
        """Change a silver table in one commit as `_change` of the rows says; whether a row was replaced.

        `where` is true for the rows to be replaced and deleted, in the table as `t`.
        """


@dataclass(frozen=True)
class Change:
    """Rows for a silver table, and `stale` ones, of which it has the keys and should not.

    `where` is a condition on `t`, the table, that holds for all rows with these keys: other files are not
    read.
    """

    rows: DataFrame
    where: Column | None = None
    stale: DataFrame | None = None


class Merged(NamedTuple):
    """Rows that were merged into a table, and whether they replaced some, or may have done so before."""

    rows: DataFrame
    replaced: bool


@dataclass
class Batch:
    """Usable records, when those of a kind have their `time`, and the silver tables by name.

    With `may_be_written`, a run that was killed may have written them, to all tables or to some. `merged` is
    what was merged into the tables that were written already.
    """

    records: DataFrame
    periods: Mapping[str, Sequence[Period]]
    silver: Mapping[str, StreamTable]
    tables: Tables
    may_be_written: bool
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
        return self.tables.read(self.silver[name].silver)

    def keep(self, rows: DataFrame) -> DataFrame:
        """The rows, computed once, as who uses them more often needs them."""
        return self.tables.keep(rows)

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


@dataclass(frozen=True)
class Stream:
    """A silver table: the kinds of record `after` which it is written, and its `change` by a batch, if any.

    Of rows with one key the greatest by `order` counts; without one, they replace what differs.
    """

    table: str
    after: frozenset[str]
    change: Callable[[Batch], Change | None]
    order: tuple[str, ...] = ()

    def write(self, batch: Batch) -> None:
        """Write what a batch brings for the table.

        Queries may run side by side: each has written what it brings to other tables before it looks at
        theirs, so whichever writes this one second sees what both brought.
        """
        table = batch.silver[self.table]
        with table.lock:
            if (change := self.change(batch)) is None:
                return
            stored = batch.table(self.table).alias("t")
            stored = stored if change.where is None else stored.where(change.where)
            rows = change.rows.select(*table.keys, *table.values)
            todo = changes(table, rows, stored, self.order, change.stale)
            replaced = batch.tables.apply(table, todo, change.where)
            batch.merged[self.table] = Merged(rows, replaced or batch.may_be_written)


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


def hour_of(time: str) -> Column:
    """Hours since 1970."""
    return F.floor(F.unix_micros(time) / 3_600_000_000)


def periods_by_hour(rows: DataFrame, first: str, last: str) -> list[Period]:
    """From when to when `rows` last, those that begin in the same hour together."""
    hours = rows.groupBy(hour_of(first)).agg(
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
    return reduce(or_, conditions) if conditions else F.lit(False)


def _literal(micros: int) -> Column:
    return F.timestamp_micros(F.lit(micros))
