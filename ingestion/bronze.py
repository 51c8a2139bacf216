"""The bronze loader: everything that landed, once, into append-only tables typed by the contract.

Each table has a stream of newly landed files with a checkpoint. A batch of files becomes one commit to
the bronze table, one to `ops.quarantine` where something was left out, and one to `ops.loads`, in this
order. Their rows carry the batch's id, so that a batch that was killed half-way can be run again.
"""

import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import pyarrow as pa
from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from ingestion import audit
from ingestion.audit import FileLoad, History
from ingestion.begun import BegunBatch, Version
from ingestion.clock import clock_of
from ingestion.conform import conform
from ingestion.contracts import METADATA_COLUMNS, SourceTable
from ingestion.discovery import collect, look_up, stream_of_files
from ingestion.errors import root_cause
from ingestion.frames import from_arrow
from ingestion.landing import FileGlob, LandedFile, LandingError, check_landing
from ingestion.micro_batches import MicroBatch, read_new
from ingestion.readers import UNPARSED, URI, FileRefused, check_compression, reader_for
from ingestion.schema import differences, struct_type
from ingestion.times import EPOCH, from_epoch_micros, to_epoch_micros

# More streams than cores only wait for each other.
_TABLES_AT_ONCE = 4


class LoadError(Exception):
    """A table could not be loaded; the message names table and cause."""


@dataclass(frozen=True)
class TableProgress:
    """What the loader is doing with a table: `state` is waiting, loading, done or failed."""

    table: SourceTable
    state: str
    loads: tuple[FileLoad, ...] = ()


@dataclass(frozen=True)
class Written:
    """What the bronze table holds of a file in a batch."""

    rows: int
    rescued: int
    ingested_at: datetime


@dataclass(frozen=True)
class FileBatch:
    """Files that are committed together; the id is the same when they are loaded again after a kill."""

    id: str
    files: Sequence[LandedFile]
    may_be_written: bool
    # What a run that was killed left in bronze, by path.
    written: Mapping[str, Written] = field(default_factory=dict)


def load(
    spark: SparkSession,
    tables: Sequence[SourceTable],
    landing: str,
    location: str | None,
    checkpoints: Path,
    report: Callable[[TableProgress], None] = lambda progress: None,
) -> list[FileLoad]:
    """Load what landed since the last call, all tables side by side; returns a row per file.

    `landing` is the landing zone and `location` where the bronze tables lie, each a folder or
    `s3://bucket/prefix`; without a location, new tables are managed by the catalog. `checkpoints` is the
    folder of the streams' checkpoints. `report` is called from several threads. Refused files are among
    the result, with their reason.

    Raises:
        LandingError: the landing zone does not exist or cannot be listed.
        LoadError: a table failed, or its contract has changed; the others were loaded.
    """
    check_landing(landing)
    histories = audit.read_history(spark)
    audit.create_tables(spark)
    spark.sql("create schema if not exists bronze")
    loaders = [
        TableLoader(spark, table, landing, location, checkpoints, histories[table.source, table.name])
        for table in tables
    ]

    def run(loader: "TableLoader") -> list[FileLoad] | Exception:
        report(TableProgress(loader.table, "loading"))
        try:
            loads = loader.load()
        except Exception as error:
            report(TableProgress(loader.table, "failed"))
            return error
        report(TableProgress(loader.table, "done", tuple(loads)))
        return loads

    with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
        results = list(pool.map(run, loaders))
    _raise_failures(tables, results)
    return [load for loads in results if isinstance(loads, list) for load in loads]


def create_table(spark: SparkSession, table: SourceTable, location: str | None) -> None:
    """Register a bronze table, over its folder in `location` where that is given.

    Raises:
        LoadError: the table exists, and the contract has changed since.
    """
    if not spark.catalog.tableExists(table.bronze):
        spark.sql(f"create table {table.bronze} {_definition(spark, table, _folder(table, location))}")
    if changes := differences(spark, table):
        raise LoadError(
            f"the contract has changed: {'; '.join(changes)}. "
            "Run with --overwrite-schema to take it over, or correct the contract"
        )


def is_lost(spark: SparkSession, table: SourceTable, location: str | None) -> bool:
    """Whether a bronze table is not there, or its folder in `location` is not."""
    if folder := _folder(table, location):
        return not DeltaTable.isDeltaTable(spark, folder)
    return not spark.catalog.tableExists(table.bronze)


def _folder(table: SourceTable, location: str | None) -> str | None:
    return f"{location}/{table.identifier}" if location else None


def _definition(spark: SparkSession, table: SourceTable, folder: str | None) -> str:
    location = "location '" + folder.replace("'", "\\'") + "'" if folder else ""
    # What another catalog knew comes with its columns and properties.
    if folder and DeltaTable.isDeltaTable(spark, folder):
        return f"using delta {location}"
    # Bronze is asked for what is new.
    statistics = "'delta.dataSkippingStatsColumns' = '_ingested_at'"
    properties = f"tblproperties ('delta.appendOnly' = 'true', {statistics})"
    names = ", ".join(table.arrives.partitioned_by)
    partitions = f"partitioned by ({names})" if names else ""
    return f"({table.schema_ddl}) using delta {partitions} {location} {properties}"


class TableLoader:
    """Loads one table from the landing zone."""

    def __init__(
        self,
        spark: SparkSession,
        table: SourceTable,
        landing: str,
        location: str | None,
        checkpoints: Path,
        history: History,
    ) -> None:
        self.table = table
        self._spark = spark
        self._glob = FileGlob.of(table, landing)
        self._location = location
        self._checkpoint = checkpoints / "bronze" / table.identifier
        self._clock = clock_of(checkpoints, table.identifier)
        self._begun = BegunBatch(checkpoints / "begun" / table.identifier)
        self._history = history
        self._reader = reader_for(table)
        self._loads: list[FileLoad] = []

    def load(self) -> list[FileLoad]:
        """Load new files, and those that were overwritten or refused before."""
        if self._history.loaded_bytes and is_lost(self._spark, self.table, self._location):
            raise LoadError(
                f"{self.table.bronze} is gone, but the books in {audit.LOADS} say what it held: "
                f"run `lakehouse clean {self.table.source}`, then load again"
            )
        create_table(self._spark, self.table, self._location)
        landed = sorted(self._glob.files())
        if any(file.path not in self._history.newest for file in landed):
            self._load_new_files()
        for file in look_up(self._spark, again) if (again := self._to_try_again(landed)) else []:
            self._load_batch(self._batch_of_one(file))
        return self._loads

    def _load_new_files(self) -> None:
        read_new(stream_of_files(self._spark, self._glob), self._checkpoint, self._load_names)

    def _load_names(self, names: MicroBatch) -> None:
        # A stream whose checkpoint was lost shows everything again.
        files = [file for file in collect(names.rows) if not self._is_known(file)]
        self._load_batch(FileBatch(names.id, files, names.may_be_written))

    def _to_try_again(self, landed: Iterable[LandedFile]) -> list[LandedFile]:
        """Files that the stream does not show again: overwritten since, refused, or lost from the books."""
        tried_now = {load.path for load in self._loads}
        return [file for file in landed if file.path not in tried_now and not self._is_known(file)]

    def _is_known(self, file: LandedFile) -> bool:
        """Whether the file was loaded, or found to be a duplicate, as it lies there now."""
        before = self._history.newest.get(file.path)
        return (
            before is not None
            and before.status != "refused"
            and (before.modified_at, before.size_bytes) == (file.modified_at, file.size)
        )

    def _batch_of_one(self, file: LandedFile) -> FileBatch:
        delivery = f"{self.table.bronze} {file} {self._history.deliveries[file.path]}"
        return FileBatch(f"{uuid.uuid5(uuid.NAMESPACE_URL, delivery)}-0", [file], may_be_written=True)

    def _load_batch(self, batch: FileBatch) -> None:
        if batch.id in self._history.batch_ids or not batch.files:
            return
        if batch.may_be_written:
            batch = replace(batch, written=self._written(batch))
        loads = self._examine_all(batch)
        try:
            loads = self._write(batch, loads)
        except Exception:
            unreadable = self._unreadable(batch, [load for load in loads if load.status == "loaded"])
            if not unreadable:
                raise
            # The first attempt may have come as far as bronze.
            batch = replace(batch, may_be_written=True, written=self._written(batch))
            loads = self._write(batch, [_refuse_if(unreadable, load) for load in loads])
        self._loads += loads
        if new := [load for load in loads if not self._is_refused_as_before(load)]:
            self._commit_rows(audit.LOADS, audit.LOADS_SCHEMA, batch, [astuple(x) for x in new])
        for load in new:
            self._history.add(load)

    def _examine_all(self, batch: FileBatch) -> list[FileLoad]:
        """Decide about each file of a batch, and give those to be loaded their times."""
        started_at = datetime.now(UTC)
        first = self._clock.tick(self._history.last_ingested_at, len(batch.files))
        seen = dict(self._history.loaded_bytes)
        begun = self._begun.versions(batch.id)
        loads = []
        for position, file in enumerate(batch.files):
            load = self._examine(file, batch, seen, started_at)
            load = replace(load, _ingested_at=first + timedelta(microseconds=position))
            if written := batch.written.get(file.path):
                load = _as_written(load, written, begun.get(file.path))
            loads.append(load)
        return loads

    def _examine(
        self, file: LandedFile, batch: FileBatch, seen: dict[str, str], started_at: datetime
    ) -> FileLoad:
        """Decide, before reading it, whether a file is to be loaded, a duplicate or refused."""
        status, reason, checksum = "loaded", None, None
        try:
            checksum = file.sha256()
            if checksum in seen:
                status, reason = "duplicate", f"the same bytes as {seen[checksum]}"
            else:
                check_compression(file)
                self._reader.check(self.table, file)
                seen[checksum] = file.path
        except FileRefused as refusal:
            status, reason = "refused", str(refusal)
        except (OSError, EOFError, zlib.error) as error:
            status, reason = "refused", _cannot_be_read(error)
        return FileLoad(
            source=self.table.source,
            table_name=self.table.name,
            _source_file=file.path,
            status=status,
            reason=reason,
            rows_loaded=0,
            rows_rescued=0,
            rows_quarantined=0,
            size_bytes=file.size,
            sha256=checksum,
            modified_at=file.modified_at,
            _ingested_at=started_at,
            _batch_id=batch.id,
            started_at=started_at,
            finished_at=started_at,
        )

    def _write(self, batch: FileBatch, loads: list[FileLoad]) -> list[FileLoad]:
        """Write what the files hold; returns the loads with their counts."""
        left_out = [self._refusal_row(x) for x in loads if self._is_newly_refused(x)]
        written: dict[str, Written] = {}
        quarantined: dict[str, int] = {}
        if accepted := [load for load in loads if load.status == "loaded"]:
            observed = Observation()
            is_left_out = F.col(UNPARSED).isNotNull() | self._lacks_key()
            # What is observed is computed once: a condition on it does not move to where texts are parsed.
            records = self._records(batch, accepted).observe(
                observed, F.count_if(is_left_out).alias("left_out")
            )
            if not batch.written:
                self._begun.keep(batch.id, accepted)
            written = self._write_bronze(records, batch, min(load.ingested_at for load in loads))
            # What was committed before a kill is passed over. Nothing is observed then; asking never ends.
            committed_now = written and not batch.written
            if left_out or not committed_now or observed.get["left_out"]:
                self._commit(audit.QUARANTINE, self._left_out(records, left_out), batch)
                quarantined = self._count_quarantined(batch)
        elif left_out:
            self._commit_rows(audit.QUARANTINE, audit.QUARANTINE_SCHEMA, batch, left_out)
        finished_at = datetime.now(UTC)
        now = {(file.path, file.modified_at, file.size) for file in self._glob.files()}
        return [
            replace(
                load,
                # Which bytes were read of a file that changed meanwhile is not known; it is loaded next.
                sha256=load.sha256 if (load.path, load.modified_at, load.size_bytes) in now else None,
                rows_loaded=written[load.path].rows if load.path in written else 0,
                rows_rescued=written[load.path].rescued if load.path in written else 0,
                rows_quarantined=quarantined.get(load.path, 0),
                finished_at=finished_at,
            )
            for load in loads
        ]

    def _unreadable(self, batch: FileBatch, loads: Sequence[FileLoad]) -> dict[str, str]:
        """Files that make reading fail, with the cause, by path."""
        if not loads:
            return {}
        try:
            self._records(batch, loads).write.format("noop").mode("overwrite").save()
            return {}
        except Exception as error:
            if len(loads) == 1:
                return {loads[0].path: _cannot_be_read(error)}
        half = len(loads) // 2
        return self._unreadable(batch, loads[:half]) | self._unreadable(batch, loads[half:])

    def _records(self, batch: FileBatch, accepted: Sequence[FileLoad]) -> DataFrame:
        """Records of the accepted files, typed, with the metadata columns and `_unparsed`."""
        by_path = {file.path: file for file in batch.files}
        files = [by_path[load.path] for load in accepted]
        origins = self._frame(
            [(by_path[load.path].uri, load.path, load.ingested_at) for load in accepted],
            f"{URI} string, _source_file string, _ingested_at timestamp",
        )
        raw = self._reader.read(self._spark, self.table, files)
        typed = conform(raw, self.table).join(F.broadcast(origins), URI)
        return typed.withColumn("_batch_id", F.lit(batch.id))

    def _write_bronze(self, records: DataFrame, batch: FileBatch, since: datetime) -> dict[str, Written]:
        """Commit what could be parsed; returns what is there now."""
        columns = [column.name for column in self.table.declared] + list(METADATA_COLUMNS)
        self._commit(self.table.bronze, records.where(F.col(UNPARSED).isNull()).select(columns), batch)
        return self._written(batch, since)

    def _lacks_key(self) -> Column:
        return reduce(Column.__or__, (F.col(key).isNull() for key in self.table.arrives.keys), F.lit(False))

    def _left_out(self, records: DataFrame, refusals: list[tuple[object, ...]]) -> DataFrame:
        """Quarantine rows: records without their key (kept in bronze too) or that are no records."""
        keys = " or ".join(self.table.arrives.keys)
        unparsed = F.col(UNPARSED).isNotNull()
        rows = records.where(unparsed | self._lacks_key()).select(
            F.lit(self.table.source).alias("source"),
            F.lit(self.table.name).alias("table_name"),
            "_source_file",
            F.when(unparsed, "the record cannot be parsed")
            .otherwise(f"the key is missing: {keys} is null")
            .alias("reason"),
            F.coalesce(
                UNPARSED,
                F.to_json(F.struct(*(c.name for c in self.table.columns), "_rescued_data")),
            ).alias("record"),
            "_ingested_at",
            "_batch_id",
        )
        return rows.unionByName(self._frame(refusals, audit.QUARANTINE_SCHEMA)) if refusals else rows

    def _written(self, batch: FileBatch, since: datetime = EPOCH) -> dict[str, Written]:
        """What the bronze table holds of the batch, by path; nothing of it was ingested before `since`."""
        is_recent = F.col("_ingested_at") >= F.timestamp_micros(F.lit(to_epoch_micros(since)))
        rows = self._spark.table(self.table.bronze).where(is_recent & (F.col("_batch_id") == batch.id))
        counts = rows.groupBy("_source_file").agg(
            F.count("*"), F.count("_rescued_data"), F.unix_micros(F.max("_ingested_at"))
        )
        return {
            path: Written(loaded, rescued, from_epoch_micros(micros))
            for path, loaded, rescued, micros in counts.collect()
        }

    def _count_quarantined(self, batch: FileBatch) -> dict[str, int]:
        rows = self._spark.table(audit.QUARANTINE).where(F.col("_batch_id") == batch.id)
        counts = rows.where("record is not null").groupBy("_source_file").count()
        return {path: count for path, count in counts.collect()}

    def _is_refused_as_before(self, load: FileLoad) -> bool:
        """Whether a file was tried again and nothing has changed, so that nothing is recorded."""
        before = self._history.newest.get(load.path)
        return (
            load.status == "refused"
            and before is not None
            and (before.status, before.reason, before.sha256) == (load.status, load.reason, load.sha256)
        )

    def _is_newly_refused(self, load: FileLoad) -> bool:
        return load.status == "refused" and not self._is_refused_as_before(load)

    def _refusal_row(self, load: FileLoad) -> tuple[object, ...]:
        return (
            load.source,
            load.table_name,
            load.path,
            load.reason,
            None,
            load.ingested_at,
            load.batch_id,
        )

    def _commit_rows(
        self, name: str, schema: str, batch: FileBatch, rows: Sequence[tuple[object, ...]]
    ) -> None:
        self._commit(name, self._frame(rows, schema).coalesce(1), batch)

    def _frame(self, rows: Sequence[tuple[object, ...]], schema: str) -> DataFrame:
        types = struct_type(schema)
        columns = [pa.array(values) for values in zip(*rows, strict=True)]
        return from_arrow(self._spark, pa.table(columns, types.names), types)

    def _commit(self, name: str, rows: DataFrame, batch: FileBatch) -> None:
        """Append once: a run that was killed may have done so."""
        of_batch = F.col("_batch_id") == batch.id
        if batch.may_be_written and not self._spark.table(name).where(of_batch).isEmpty():
            return
        rows.write.format("delta").mode("append").option("mergeSchema", True).saveAsTable(name)


def _as_written(load: FileLoad, written: Written, version: Version | None) -> FileLoad:
    """The load as a killed run began it; what overwrote the file since is loaded next."""
    version = version or Version(written.ingested_at, load.size_bytes, None)
    return replace(
        load,
        status="loaded",
        reason=None,
        sha256=version.sha256,
        size_bytes=version.size,
        modified_at=version.modified_at,
        _ingested_at=written.ingested_at,
    )


def _refuse_if(unreadable: Mapping[str, str], load: FileLoad) -> FileLoad:
    if load.path not in unreadable:
        return load
    return replace(load, status="refused", reason=unreadable[load.path])


def _cannot_be_read(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is gone, or its name is not in UTF-8: rename it"
    return f"the file cannot be read: {getattr(error, 'strerror', None) or root_cause(error)}"


def _raise_failures(tables: Sequence[SourceTable], results: Sequence[list[FileLoad] | Exception]) -> None:
    failures = [
        (table, error) for table, error in zip(tables, results, strict=True) if isinstance(error, Exception)
    ]
    for _, error in failures:
        if isinstance(error, LandingError):
            raise error
    if failures:
        causes = "; ".join(f"{table.label}: {root_cause(error)}" for table, error in failures)
        raise LoadError(f"{causes}. What was loaded of the other tables stays.") from failures[0][1]
