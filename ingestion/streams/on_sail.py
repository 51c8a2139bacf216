"""Streams in this process: Sail computes, delta-rs writes.

The newest `_ingested_at` that was taken from a bronze table stands in Delta's log of the silver table that is
written last, as an application transaction: it is noted when all silver tables have what they need. Whatever
is taken again after a kill changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.sail import Sail
from deltalake import CommitProperties, Transaction
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from ingestion.bronze.load_log import QUARANTINE, QUARANTINE_SCHEMA
from ingestion.contracts import SourceTable
from ingestion.streams.batch import Source
from ingestion.streams.clock import Clock
from ingestion.streams.compaction import compact
from ingestion.streams.query import Fed, NewRows
from ingestion.streams.tables import UPDATED_AT, StreamTable
from ingestion.streams.upsert import CHANGE, DELETE, INSERT, REPLACE
from ingestion.tables.local import LocalTables
from ingestion.times import to_epoch_micros

# Rows of bronze that are taken at once, if not one file has more.
_ROWS_PER_BATCH = 250_000


class SailEngine:
    """Runs streams on the tables that `sail` reads."""

    def __init__(self, sail: Sail) -> None:
        self._sail = sail
        self._storage = LocalTables(sail.folders)
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
            newest = self._newest(table.silver, UPDATED_AT)
            # Spark cuts what it notes to milliseconds.
            times.append(newest and newest + timedelta(milliseconds=1))
        self._clock = Clock(max(filter(None, times), default=None))

    def feed(
        self, table: SourceTable, source: Source, last: StreamTable, take: Callable[[NewRows], None]
    ) -> Fed:
        """Call `take` with what is new in a bronze table, some files at a time."""
        if not self._storage.exists(table.bronze):
            return Fed()
        fed, taken = 0, self._taken(table, last)
        newest = self._newest(table.bronze, "_ingested_at")
        # Known without a query, for which Sail would have to start.
        if newest and to_epoch_micros(newest) == taken:
            return Fed()
        rows, arrived = _read(self._sail, table.bronze), F.col("_ingested_at")
        for part in self._parts(rows, taken):
            with TemporaryDirectory(prefix="lakehouse-stream-") as folder:
                tables = SailTables(self._sail, self._storage, self._clock, Path(folder))
                new = rows.where(arrived.between(_literal(part.first), _literal(part.last)))
                take(NewRows(new, f"{_app(table)}-{part.last}", fed == 0 or taken == 0, tables))
            self._note(table, last, part.last)
            fed += part.rows
        return Fed(fed)

    def start_over(self, table: SourceTable, last: StreamTable) -> None:
        """Feed all of a bronze table the next time."""
        # What was taken is noted there.
        if self.exists(last):
            self._note(table, last, 0)

    def _parts(self, rows: DataFrame, taken: int | None) -> Iterator["_Part"]:
        """What arrived later than microsecond `taken`, split where files end."""
        arrived = F.col("_ingested_at")
        new = rows if taken is None else rows.where(arrived > _literal(taken))
        counts = new.groupBy(F.unix_micros(arrived).alias("arrived")).agg(F.count(F.lit(1)).alias("rows"))
        part: _Part | None = None
        for row in counts.orderBy("arrived").collect():
            if part and part.rows + row["rows"] > _ROWS_PER_BATCH:
                yield part
                part = None
            first, before = (part.first, part.rows) if part else (row["arrived"], 0)
            part = _Part(first, row["arrived"], before + row["rows"])
        if part:
            yield part

    def _newest(self, name: str, column: str) -> datetime | None:
        return delta.newest(delta.open_table(self._storage.location(name)), column)

    def _taken(self, table: SourceTable, last: StreamTable) -> int | None:
        location = self._storage.location(last.silver)
        taken: int | None = delta.open_table(location).transaction_version(_app(table))
        return taken

    def _note(self, table: SourceTable, last: StreamTable, taken: int) -> None:
        with last.lock:
            silver = delta.open_table(self._storage.location(last.silver))
            commit = CommitProperties(app_transactions=[Transaction(_app(table), taken)])
            silver.create_write_transaction([], "append", silver.schema(), commit_properties=commit)


class SailTables:
    """Tables as a batch reads and writes them; `folder` is for what it keeps until its end."""

    def __init__(self, sail: Sail, storage: LocalTables, clock: Clock, folder: Path) -> None:
        self._sail = sail
        self._storage = storage
        self._clock = clock
        self._folder = folder
        self._kept = 0

    def read(self, name: str) -> DataFrame:
        """The rows of a table as they are when asked for."""
        return _read(self._sail, name)

    def keep(self, rows: DataFrame) -> DataFrame:
        """The rows, computed once."""
        kept: DataFrame = self._sail.session.read.parquet(str(self._store(rows)))
        return kept

    def append(self, name: str, rows: DataFrame) -> None:
        """Append rows."""
        table = self._sail.stream(rows).read_all()
        if table.num_rows:
            self._storage.append(name, table)

    def apply(self, table: StreamTable, todo: DataFrame, where: Column | None) -> bool:
        """Change a silver table in one commit as `_change` of the rows says; whether a row was replaced."""
        file = self._store(todo)
        # Of all rows, but never more than the change and when it happened.
        brief = pq.read_table(file, columns=[CHANGE, *_times(table)])
        kinds = set(pc.unique(brief[CHANGE]).to_pylist())
        if not kinds:
            return False
        location = self._storage.location(table.silver)
        rows = _stamped(file, table, self._clock.tick())
        if kinds == {INSERT}:
            delta.append(location, rows)
        else:
            delta.merge(
                location, rows, table.keys, where=_range(table, brief), delete=f"s.{UPDATED_AT} is null"
            )
        compact(location, table.place)
        return REPLACE in kinds

    def _store(self, rows: DataFrame) -> Path:
        self._kept += 1
        file = self._folder / f"{self._kept}.parquet"
        batches = self._sail.stream(rows)
        with pq.ParquetWriter(file, batches.schema, compression="none") as writer:
            for batch in batches:
                writer.write_batch(batch)
        return file


class _Part(NamedTuple):
    """Rows of bronze from one `_ingested_at` to another, both inclusive, in microseconds since 1970."""

    first: int
    last: int
    rows: int


def _read(sail: Sail, name: str) -> DataFrame:
    # By `sail.table`, as by any SQL, Sail loses 100 KB of memory for ever, some twenty times a cycle.
    schema, table = name.split(".")
    sail.attach({(schema, table)})
    rows: DataFrame = sail.session.table(name)
    return rows


def _app(table: SourceTable) -> str:
    return f"stream-{table.identifier}"


def _stamped(file: Path, table: StreamTable, written_at: datetime) -> pa.RecordBatchReader:
    """Rows for a silver table; those to be deleted have no time at which they were written."""

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in pq.ParquetFile(file).iter_batches():
            stays = pc.not_equal(batch[CHANGE], DELETE)
            times = pc.if_else(stays, pa.scalar(written_at, table.columns.field(UPDATED_AT).type), None)
            columns = [times if name == UPDATED_AT else batch[name] for name in table.columns.names]
            yield pa.RecordBatch.from_arrays(columns, schema=table.columns)

    return pa.RecordBatchReader.from_batches(table.columns, batches())


def _times(table: StreamTable) -> list[str]:
    return [key for key in table.keys if pa.types.is_timestamp(table.columns.field(key).type)]


def _range(table: StreamTable, brief: pa.Table) -> str | None:
    """When the rows happened that are to be replaced or deleted: other files are left alone."""
    stored = brief.filter(pc.not_equal(brief[CHANGE], INSERT))
    conditions = []
    for name in _times(table):
        ends = pc.min_max(stored[name])
        first, last = (f"timestamp '{ends[end].as_py():%Y-%m-%dT%H:%M:%S.%fZ}'" for end in ("min", "max"))
        conditions.append(f"t.{delta.quoted(name)} between {first} and {last}")
    return " and ".join(conditions) or None


def _literal(micros: int) -> Column:
    return F.timestamp_micros(F.lit(micros))
