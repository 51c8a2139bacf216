"""The loader's books: `ops.loads`, one row per delivered file, and `ops.quarantine`."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from ingestion.times import from_epoch_micros

LOADS = "ops.loads"
QUARANTINE = "ops.quarantine"

LOADS_SCHEMA = """
    source string comment 'Source system',
    table_name string comment 'Table of the source',
    _source_file string comment 'Path of the delivered file',
    status string comment 'loaded, duplicate (its bytes were loaded before) or refused',
    reason string comment 'Why a file was refused, or which file a duplicate repeats',
    rows_loaded bigint comment 'Rows written to bronze',
    rows_rescued bigint comment 'Loaded rows with something in _rescued_data',
    rows_quarantined bigint comment 'Records in ops.quarantine',
    size_bytes bigint comment 'Size of the file',
    sha256 string comment 'Checksum of the file',
    modified_at timestamp comment 'When the file was last written',
    _ingested_at timestamp comment 'The same as in the bronze rows of the file',
    _batch_id string comment 'The same as in the bronze rows of the file',
    started_at timestamp comment 'When loading began',
    finished_at timestamp comment 'When loading ended'
"""

QUARANTINE_SCHEMA = """
    source string comment 'Source system',
    table_name string comment 'Table of the source',
    _source_file string comment 'Path of the delivered file',
    reason string comment 'What is wrong with the record or the file',
    record string comment 'The record as sent; null for a whole file',
    _ingested_at timestamp comment 'When it was put here',
    _batch_id string comment 'Batch of the load'
"""


@dataclass(frozen=True)
class FileLoad:
    """A row of `ops.loads`."""

    source: str
    table_name: str
    _source_file: str
    status: str
    reason: str | None
    rows_loaded: int
    rows_rescued: int
    rows_quarantined: int
    size_bytes: int
    sha256: str | None
    modified_at: datetime
    _ingested_at: datetime
    _batch_id: str
    started_at: datetime
    finished_at: datetime

    @property
    def path(self) -> str:
        """Path of the delivered file."""
        return self._source_file

    @property
    def batch_id(self) -> str:
        """Batch in which the file was handled."""
        return self._batch_id

    @property
    def ingested_at(self) -> datetime:
        """When the file was loaded."""
        return self._ingested_at


_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class History:
    """What earlier loads recorded about one table."""

    newest: dict[str, FileLoad] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    loaded_bytes: dict[str, str] = field(default_factory=dict)
    batch_ids: set[str] = field(default_factory=set)
    last_ingested_at: datetime = _NEVER

    def add(self, load: FileLoad) -> None:
        """Take in a load; loads come in the order of `finished_at`."""
        self.newest[load.path] = load
        self.deliveries[load.path] += 1
        self.batch_ids.add(load.batch_id)
        self.last_ingested_at = max(self.last_ingested_at, load.ingested_at)
        if load.status == "loaded" and load.sha256:
            self.loaded_bytes.setdefault(load.sha256, load.path)


def create_tables(spark: SparkSession) -> None:
    """Create `ops.loads` and `ops.quarantine` where they are missing."""
    spark.sql("create schema if not exists ops")
    for name, schema in ((LOADS, LOADS_SCHEMA), (QUARANTINE, QUARANTINE_SCHEMA)):
        if not spark.catalog.tableExists(name):
            spark.sql(f"create table if not exists {name} ({schema}) using delta")


def read_history(spark: SparkSession) -> dict[tuple[str, str], History]:
    """History of every table by source and table name; empty histories before the first load."""
    histories: dict[tuple[str, str], History] = defaultdict(History)
    if not spark.catalog.tableExists(LOADS):
        return histories
    times = ("modified_at", "_ingested_at", "started_at", "finished_at")
    rows = spark.table(LOADS).orderBy("finished_at", "_ingested_at")
    # Spark hands timestamps to Python in the machine's time zone: epochs have none.
    for row in rows.withColumns({name: F.unix_micros(name) for name in times}).collect():
        values = row.asDict() | {name: from_epoch_micros(row[name]) for name in times}
        histories[row["source"], row["table_name"]].add(FileLoad(**values))
    return histories
