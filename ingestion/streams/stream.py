"""Running streams: what is new in a bronze table becomes rows of silver tables, once.

Each bronze table is read by one streaming query. Its batches are split into records that can be used
and those that go to `ops.quarantine`; then each silver table that depends on the bronze table takes
what concerns it, in the order of the declarations, so that a table may look at those before it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion import audit
from ingestion.clock import clock_of
from ingestion.contracts import SourceTable
from ingestion.errors import root_cause
from ingestion.micro_batches import MicroBatch, read_new
from ingestion.streams.batch import KIND, REASON, Batch, Period, joined
from ingestion.streams.tables import StreamTable
from ingestion.streams.upsert import CDCUpserter, Transaction, Upserter
from ingestion.times import EPOCH, from_epoch_micros, to_epoch_micros

_BYTES_PER_BATCH = "128m"
# Of so many small files one is made.
_MOST_FILES = 20


class StreamError(Exception):
    """A stream failed; the message names its bronze table and the cause."""


@dataclass(frozen=True)
class Source:
    """A bronze table that is followed.

    `records` adds to its rows their `_kind`, their `_reason`, their `time` and what silver tables need.
    Of rows that are equal in `unique` and are read within the watermark, one is used.
    """

    table: str
    records: Callable[[DataFrame], DataFrame]
    unique: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Rows for a silver table, and `stale` ones, of which it has the keys and should not.

    `where` is a condition on `t`, the table, that holds for all rows with these keys: other files are not
    read.
    """

    rows: DataFrame
    where: Column | None = None
    stale: DataFrame | None = None


@dataclass(frozen=True)
class Log:
    """The table that keeps all changes of another, and when a change deletes."""

    table: str
    is_delete: str


@dataclass(frozen=True)
class Stream:
    """A silver table: the kinds of record `after` which it is written, and its `change` by a batch, if any.

    Of rows with one key the greatest by `order` counts; without one, they replace what differs.
    """

    table: str
    after: frozenset[str]
    change: Callable[[Batch], Change | None]
    order: tuple[str, ...] = ()
    log: Log | None = None

    def write(self, batch: Batch) -> None:
        """Write what a batch brings for the table.

        Queries may run side by side: each has written what it brings to other tables before it looks at
        theirs, so whichever writes this one second sees what both brought.
        """
        table = batch.tables[self.table]
        with table.lock:
            if (change := self.change(batch)) is None:
                return
            rows = change.rows.select(*table.keys, *table.values)
            if self.log:
                log = batch.tables[self.log.table]
                CDCUpserter(table, log, self.order, self.log.is_delete).write(rows, batch.transaction)
            else:
                upserter = Upserter(table, self.order)
                merged = upserter.write(rows, batch.transaction, change.where, change.stale)
                batch.merged[self.table] = merged


@dataclass(frozen=True)
class QueryProgress:
    """What a query did: rows read, seconds taken, state kept, age in seconds of the oldest row when done."""

    source: str
    rows: int = 0
    seconds: float = 0.0
    state_rows: int = 0
    state_bytes: int = 0
    lag_seconds: float = 0.0


class Query:
    """Follows one bronze table; `tables` are the silver tables by name, and `empty` those never written.

    The `watermark`, such as "30 seconds", says how long rows are remembered to find copies of them.
    """

    def __init__(
        self,
        spark: SparkSession,
        table: SourceTable,
        source: Source,
        streams: Sequence[Stream],
        tables: Mapping[str, StreamTable],
        empty: set[str],
        checkpoints: Path,
        watermark: str,
    ) -> None:
        self.table = table
        self._spark = spark
        self._source = source
        self._streams = streams
        self._tables = tables
        self._empty = empty
        self._checkpoint = checkpoint_of(checkpoints, table)
        self._watermark = watermark
        # Gold looks for rows that are newer than its own, whichever query wrote them.
        self._clock = clock_of(checkpoints, "silver")
        self._oldest: datetime | None = None

    def run(self) -> QueryProgress:
        """Bring the silver tables up to date with everything that is in bronze now.

        Raises:
            StreamError: a batch failed; the next call takes it up again.
        """
        started, self._oldest = time.monotonic(), None
        try:
            query = read_new(self._rows(), self._checkpoint, self._write)
        except Exception as error:
            raise StreamError(f"The stream of {self.table.label} failed: {root_cause(error)}") from error
        return self._progress(query.recentProgress, time.monotonic() - started)

    def _rows(self) -> DataFrame:
        rows = self._spark.readStream.option("maxBytesPerTrigger", _BYTES_PER_BATCH).table(self.table.bronze)
        if not self._source.unique:
            return rows
        # A row too late for the watermark would be lost. None is by the time of reading; by that of arrival
        # some may be, as Delta shows a compacted file after files of rows that came later.
        read_at = F.timestamp_micros(F.lit(to_epoch_micros(self._clock.tick(EPOCH))))
        watched = rows.withColumn("_read_at", read_at).withWatermark("_read_at", self._watermark)
        return watched.dropDuplicatesWithinWatermark(list(self._source.unique)).drop("_read_at")

    def _write(self, new: MicroBatch) -> None:
        # Read once: reading a second time would find all rows among those that came before.
        records = self._source.records(new.rows).localCheckpoint()
        session = records.sparkSession
        written_at = self._clock.tick(EPOCH)
        transaction = Transaction(f"silver-{new.stream}", new.number, written_at, self._empty)
        transaction.begin(session)
        contents = _contents(records)
        self._oldest = self._oldest or contents.oldest
        if contents.has_rejected:
            self._quarantine(records, f"silver-{new.id}")
        # They are at hand and always the same: a merge need not copy them.
        session.conf.set("spark.databricks.delta.merge.materializeSource", "none")
        usable = records.where(F.col(REASON).isNull())
        batch = Batch(usable, contents.periods, self._tables, transaction)
        for place, stream in enumerate(self._streams):
            if stream.after & batch.kinds:
                # They grow by a file a batch each; compacted all in one batch, they would hold it up.
                session.conf.set("spark.databricks.delta.autoCompact.minNumFiles", str(_MOST_FILES + place))
                stream.write(batch)

    def _quarantine(self, records: DataFrame, batch_id: str) -> None:
        columns = [column.name for column in self.table.columns]
        rows = records.where(F.col(REASON).isNotNull()).select(
            F.lit(self.table.source).alias("source"),
            F.lit(self.table.name).alias("table_name"),
            "_source_file",
            F.col(REASON).alias("reason"),
            F.to_json(F.struct(*columns, "_rescued_data")).alias("record"),
            "_ingested_at",
            F.lit(batch_id).alias("_batch_id"),
        )
        rows.write.format("delta").mode("append").saveAsTable(audit.QUARANTINE)

    def _progress(self, batches: Sequence[Any], seconds: float) -> QueryProgress:
        states = [state for batch in batches[-1:] for state in batch["stateOperators"]]
        age = datetime.now(UTC) - self._oldest if self._oldest else timedelta()
        return QueryProgress(
            source=self.table.label,
            rows=sum(batch["numInputRows"] for batch in batches),
            seconds=seconds,
            state_rows=sum(state["numRowsTotal"] for state in states),
            state_bytes=sum(state["memoryUsedBytes"] for state in states),
            lag_seconds=age.total_seconds(),
        )


def checkpoint_of(checkpoints: Path, table: SourceTable) -> Path:
    """Where the query of a bronze table keeps what it has read."""
    return checkpoints / "silver" / table.identifier


class _Contents(NamedTuple):
    periods: dict[str, list[Period]]
    has_rejected: bool
    oldest: datetime | None


def _contents(records: DataFrame) -> _Contents:
    """Periods of the usable records by kind and hour, whether others were rejected, first arrival of all."""
    micros = F.unix_micros("time")
    hours = (
        records.groupBy(KIND, F.col(REASON).isNull().alias("usable"), F.date_trunc("hour", "time"))
        .agg(
            F.min(micros).alias("first"),
            F.max(micros).alias("last"),
            F.min(F.unix_micros("_ingested_at")).alias("arrived"),
        )
        # Python has no time before the year 1, to which a time zone may move the hour.
        .select(KIND, "usable", "first", "last", "arrived")
        .collect()
    )
    periods: dict[str, list[Period]] = defaultdict(list)
    for hour in hours:
        if hour["usable"]:
            found = periods[hour[KIND]]
            found += [Period(hour["first"], hour["last"])] if hour["first"] is not None else []
    return _Contents(
        {kind: joined(found) for kind, found in periods.items()},
        any(not hour["usable"] for hour in hours),
        min((from_epoch_micros(hour["arrived"]) for hour in hours), default=None),
    )
