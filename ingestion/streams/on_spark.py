"""Streams as Structured Streaming of Spark: a checkpoint says what was read, a watermark finds copies."""

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbt.adapters.lakehouse.folders import Folders
from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.bronze.load_log import QUARANTINE, QUARANTINE_SCHEMA
from ingestion.contracts import SourceTable
from ingestion.streams.batch import Source
from ingestion.streams.clock import Clock
from ingestion.streams.compaction import compact
from ingestion.streams.micro_batches import MicroBatch, read_new
from ingestion.streams.query import Fed, NewRows
from ingestion.streams.tables import UPDATED_AT, StreamTable
from ingestion.streams.upsert import CHANGE, DELETE, INSERT, REPLACE
from ingestion.tables import Tables
from ingestion.times import from_epoch_micros, to_epoch_micros

_BYTES_PER_BATCH = "128m"


class SparkEngine:
    """Runs streams on the tables that `spark` knows by name or, with `folders`, on those that lie there.

    `storage` creates tables; `checkpoints` is a folder of streams' checkpoints. The `watermark`, such as
    "30 seconds", says how long rows are remembered to find copies of them.
    """

    def __init__(
        self,
        spark: SparkSession,
        storage: Tables,
        checkpoints: Path,
        watermark: str,
        folders: Folders | None = None,
    ) -> None:
        self._spark = spark
        self._storage = storage
        self._checkpoints = checkpoints
        self._watermark = watermark
        self._folders = folders
        self._clock = Clock()

    @property
    def written_to(self) -> datetime | None:
        """When a silver table was last written; null when none ever was."""
        return self._clock.last

    def exists(self, table: StreamTable) -> bool:
        """Whether a silver table is there."""
        return self._storage.exists(table.silver)

    def create(self, tables: Iterable[StreamTable]) -> None:
        """Create the silver tables that are missing, and `ops.quarantine`."""
        self._storage.create(QUARANTINE, QUARANTINE_SCHEMA)
        times = []
        for table in tables:
            self._storage.create(table.silver, table.columns, properties=table.properties)
            newest = F.unix_micros(F.max(UPDATED_AT)).alias("newest")
            row = self._spark.table(_address(table.silver, self._folders)).select(newest).head()
            times += [from_epoch_micros(row["newest"])] if row and row["newest"] is not None else []
        self._clock = Clock(max(times, default=None))

    def feed(
        self, table: SourceTable, source: Source, last: StreamTable, take: Callable[[NewRows], None]
    ) -> Fed:
        """Call `take` with what the checkpoint does not know of a bronze table, a micro-batch at a time."""
        if not self._storage.exists(table.bronze):
            return Fed()

        def write(new: MicroBatch) -> None:
            tables = SparkTables(new.rows.sparkSession, self._clock, self._folders)
            take(NewRows(new.rows, new.id, new.may_be_written, tables))

        query = read_new(self._rows(table, source), self._checkpoint(table), write)
        return _fed(query.recentProgress)

    def start_over(self, table: SourceTable, last: StreamTable) -> None:
        """Feed all of a bronze table the next time."""
        shutil.rmtree(self._checkpoint(table), ignore_errors=True)

    def _rows(self, table: SourceTable, source: Source) -> DataFrame:
        reader = self._spark.readStream.option("maxBytesPerTrigger", _BYTES_PER_BATCH)
        if self._folders:
            rows = reader.format("delta").load(self._folders.location(*table.bronze.split(".")))
        else:
            rows = reader.table(table.bronze)
        if not source.unique:
            return rows
        # A row too late for the watermark would be lost. None is by the time of reading; by that of arrival
        # some may be, as Delta shows a compacted file after files of rows that came later.
        read_at = F.timestamp_micros(F.lit(to_epoch_micros(datetime.now(UTC))))
        watched = rows.withColumn("_read_at", read_at).withWatermark("_read_at", self._watermark)
        return watched.dropDuplicatesWithinWatermark(list(source.unique)).drop("_read_at")

    def _checkpoint(self, table: SourceTable) -> Path:
        return self._checkpoints / "silver" / table.identifier


class SparkTables:
    """Tables as a batch reads and writes them."""

    def __init__(self, spark: SparkSession, clock: Clock, folders: Folders | None) -> None:
        self._spark = spark
        self._clock = clock
        self._folders = folders

    def read(self, name: str) -> DataFrame:
        """The rows of a table as they are when asked for."""
        return self._spark.table(_address(name, self._folders))

    def keep(self, rows: DataFrame) -> DataFrame:
        """The rows, computed once."""
        return rows.localCheckpoint()

    def append(self, name: str, rows: DataFrame) -> None:
        """Append rows."""
        rows.writeTo(_address(name, self._folders)).append()

    def apply(self, table: StreamTable, todo: DataFrame, where: Column | None) -> bool:
        """Change a silver table in one commit as `_change` of the rows says; whether a row was replaced."""
        todo = self.keep(todo)
        kinds = {row[CHANGE] for row in todo.select(CHANGE).distinct().collect()}
        if not kinds:
            return False
        written_at = F.timestamp_micros(F.lit(to_epoch_micros(self._clock.tick())))
        rows = todo.withColumn(UPDATED_AT, written_at)
        if kinds == {INSERT}:
            self.append(table.silver, rows.select(*table.columns.names))
        else:
            self._merge(table, rows, where)
        if self._folders:
            compact(self._folders.location(*table.silver.split(".")), table.place)
        return REPLACE in kinds

    def _merge(self, table: StreamTable, rows: DataFrame, where: Column | None) -> None:
        same = F.expr(" and ".join(f"t.`{key}` = s.`{key}`" for key in table.keys))
        silver = DeltaTable.forName(self._spark, _address(table.silver, self._folders)).alias("t")
        merge = silver.merge(rows.alias("s"), same if where is None else same & where)
        columns: dict[str, str | Column] = {name: f"s.`{name}`" for name in table.columns.names}
        merge = merge.whenMatchedDelete(f"s.{CHANGE} = '{DELETE}'")
        merge.whenMatchedUpdate(set=columns).whenNotMatchedInsert(values=columns).execute()


def _address(name: str, folders: Folders | None) -> str:
    """How Spark knows a table."""
    return f"delta.`{folders.location(*name.split('.'))}`" if folders else name


def _fed(batches: Iterable[Any]) -> Fed:
    batches = list(batches)
    states = [state for batch in batches[-1:] for state in batch["stateOperators"]]
    return Fed(
        rows=sum(batch["numInputRows"] for batch in batches),
        state_rows=sum(state["numRowsTotal"] for state in states),
        state_bytes=sum(state["memoryUsedBytes"] for state in states),
    )
