"""Merging rows into silver tables so that the order in which they come does not matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.streams.tables import UPDATED_AT, StreamTable

_IS_STALE = "_is_stale"


@dataclass(frozen=True)
class Transaction:
    """What the commits of a batch carry: Delta passes over those that a table has of a stream and batch.

    `empty` names tables to which nothing was ever written.
    """

    stream: str
    batch: int
    written_at: datetime
    empty: set[str]

    def begin(self, session: SparkSession) -> None:
        """From now on, whatever the session writes belongs to the batch; to each table it writes once."""
        session.conf.set("spark.databricks.delta.write.txnAppId", self.stream)
        session.conf.set("spark.databricks.delta.write.txnVersion", str(self.batch))


class Merged(NamedTuple):
    """Rows that were merged into a table, without `_updated_at`, and how many of its rows they replaced.

    Nobody knows what was replaced (None) when the rows had been merged before, and were not merged again.
    """

    rows: DataFrame
    replaced: int | None


class Upserter:
    """Merges rows by key.

    Of several rows with one key, the greatest by `order` counts, and where that is equal the greatest by
    the other columns. Without an order, the rows say how it is now and replace what differs.
    """

    def __init__(self, table: StreamTable, order: Sequence[str] = ()) -> None:
        self.table = table
        first = [name for name in order if name not in table.keys]
        self._values = (*first, *(name for name in table.values if name not in first))
        self._is_better = "{s} > {t}" if order else "not ({s} <=> {t})"

    def write(
        self,
        rows: DataFrame,
        transaction: Transaction,
        where: Column | None = None,
        stale: DataFrame | None = None,
    ) -> Merged:
        """Merge rows with the table's columns but `_updated_at`.

        What has the keys of `stale`, which are not those of `rows`, is deleted. `where` is a condition
        on `t`, the table, that holds for all rows with the same keys; files that cannot have such rows
        are not read.
        """
        rows = self.one_per_key(rows)
        if self.table.name in transaction.empty:
            _append(self.table, rows, transaction)
            return Merged(rows.sparkSession.table(self.table.silver).drop(UPDATED_AT), 0)
        rows = rows.withColumn(_IS_STALE, F.lit(False))
        if stale is not None:
            rows = rows.unionByName(stale.withColumn(_IS_STALE, F.lit(True)), allowMissingColumns=True)
        # A merge reads its source twice.
        rows = rows.localCheckpoint()
        merge = _merge(self.table, rows, transaction, where)
        merge = merge.whenMatchedDelete(f"s.{_IS_STALE}") if stale is not None else merge
        if self._values:
            s, t = (f"struct({', '.join(f'{side}.`{name}`' for name in self._values)})" for side in "st")
            merge = merge.whenMatchedUpdateAll(self._is_better.format(s=s, t=t))
        counts = merge.whenNotMatchedInsertAll(f"not s.{_IS_STALE}").execute().first()
        replaced = None if counts is None else int(counts["num_updated_rows"])
        return Merged(rows.where(f"not {_IS_STALE}").drop(_IS_STALE), replaced)

    def one_per_key(self, rows: DataFrame) -> DataFrame:
        """The greatest row of each key."""
        if not self._values:
            return rows.select(*self.table.keys).distinct()
        greatest = F.max(F.struct(*self._values)).alias("greatest")
        return rows.groupBy(*self.table.keys).agg(greatest).select(*self.table.keys, "greatest.*")


class CDCUpserter:
    """Keeps the newest row per key of a table of changes, unless that row says that the key was deleted.

    `order` tells the newest and `is_delete` is a condition on a row.
    """

    def __init__(
        self, table: StreamTable, changes: StreamTable, order: Sequence[str], is_delete: str
    ) -> None:
        self.table = table
        self._changes = Upserter(changes, order)
        self._newest = Upserter(table, order)
        self._is_delete = is_delete

    def write(self, rows: DataFrame, transaction: Transaction) -> None:
        """Merge changes, in whatever order they come, into the table of changes and the newest rows."""
        self._changes.write(rows, transaction)
        keys = list(self.table.keys)
        known = rows.sparkSession.table(self._changes.table.silver).drop(UPDATED_AT)
        newest = self._newest.one_per_key(known.join(rows.select(keys).distinct(), keys, "left_semi"))
        newest = newest.withColumn("is_delete", F.expr(self._is_delete))
        if self.table.name in transaction.empty:
            _append(self.table, newest.where("not is_delete").drop("is_delete"), transaction)
            return
        merge = _merge(self.table, newest, transaction)
        columns = {name: f"s.`{name}`" for name in self.table.columns}
        merge = merge.whenMatchedDelete("s.is_delete").whenMatchedUpdate(set=dict(columns))
        merge.whenNotMatchedInsert("not s.is_delete", values=dict(columns)).execute()


def _append(table: StreamTable, rows: DataFrame, transaction: Transaction) -> None:
    # Should it fail, nobody knows whether the table has the rows.
    transaction.empty.remove(table.name)
    stamped = rows.withColumn(UPDATED_AT, F.lit(transaction.written_at))
    stamped.write.format("delta").mode("append").saveAsTable(table.silver)


def _merge(
    table: StreamTable,
    rows: DataFrame,
    transaction: Transaction,
    where: Column | None = None,
) -> DeltaMergeBuilder:
    on = F.expr(" and ".join(f"t.`{key}` = s.`{key}`" for key in table.keys))
    stamped = rows.withColumn(UPDATED_AT, F.lit(transaction.written_at)).alias("s")
    target = DeltaTable.forName(rows.sparkSession, table.silver).alias("t")
    return target.merge(stamped, on if where is None else on & where)
