"""`ops.loads`, a row per delivered file or partition of a topic and load, and `ops.quarantine`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import pyarrow as pa

from ingestion.tables import Tables, commented_schema
from ingestion.times import from_epoch_micros

LOADS = "ops.loads"
QUARANTINE = "ops.quarantine"

_TIME = pa.timestamp("us", tz="UTC")

LOADS_SCHEMA = commented_schema(
    ("source", pa.string(), "Source system"),
    ("table_name", pa.string(), "Table of the source"),
    ("_source_file", pa.string(), "Path of the delivered file, or kafka://topic/partition"),
    ("status", pa.string(), "loaded, duplicate (its bytes were loaded before) or refused"),
    ("reason", pa.string(), "Why a file was refused, or which file a duplicate repeats"),
    ("rows_loaded", pa.int64(), "Rows written to bronze"),
    ("rows_rescued", pa.int64(), "Loaded rows with something in _rescued_data"),
    ("rows_quarantined", pa.int64(), "Records in ops.quarantine"),
    ("size_bytes", pa.int64(), "Size of the file"),
    ("sha256", pa.string(), "Checksum of the file"),
    ("modified_at", _TIME, "When the file was last written"),
    ("_ingested_at", _TIME, "The same as in the bronze rows of the file"),
    ("_batch_id", pa.string(), "The same as in the bronze rows of the file"),
    ("started_at", _TIME, "When loading began"),
    ("finished_at", _TIME, "When loading ended"),
    ("next_offset", pa.int64(), "Offset at which the next load of the partition begins"),
    ("topic_id", pa.string(), "What Kafka knows the topic by; a topic that is made again has another"),
)

QUARANTINE_SCHEMA = commented_schema(
    ("source", pa.string(), "Source system"),
    ("table_name", pa.string(), "Table of the source"),
    ("_source_file", pa.string(), "Path of the delivered file"),
    ("reason", pa.string(), "What is wrong with the record or the file"),
    ("record", pa.string(), "The record as sent; null for a whole file"),
    ("_ingested_at", _TIME, "When it was put here"),
    ("_batch_id", pa.string(), "Batch of the load"),
)

_TIMES = [field.name for field in LOADS_SCHEMA if field.type == _TIME]

_NEVER = datetime.min.replace(tzinfo=UTC)


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
    next_offset: int | None = None
    topic_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The row in types that JSON has."""
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """The row that `as_json` gave."""
        times = {name: datetime.fromisoformat(row[name]) for name in _TIMES}
        return cls(**(row | times))

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


@dataclass
class History:
    """What earlier loads recorded about one table."""

    newest: dict[str, FileLoad] = field(default_factory=dict)
    loaded_bytes: dict[str, str] = field(default_factory=dict)
    batch_ids: set[str] = field(default_factory=set)
    last_ingested_at: datetime = _NEVER

    def add(self, load: FileLoad) -> None:
        """Take in a load; loads come in the order of `finished_at`."""
        self.newest[load.path] = load
        self.batch_ids.add(load.batch_id)
        self.last_ingested_at = max(self.last_ingested_at, load.ingested_at)
        if load.status == "loaded" and load.sha256:
            self.loaded_bytes.setdefault(load.sha256, load.path)


def create_tables(tables: Tables) -> None:
    """Create `ops.loads` and `ops.quarantine` where they are missing."""
    tables.create(LOADS, LOADS_SCHEMA)
    tables.create(QUARANTINE, QUARANTINE_SCHEMA)


def record(tables: Tables, loads: Iterable[FileLoad]) -> None:
    """Append rows to `ops.loads`."""
    tables.append(LOADS, pa.Table.from_pylist([asdict(load) for load in loads], schema=LOADS_SCHEMA))


def read_history(tables: Tables) -> dict[tuple[str, str], History]:
    """History of every table by source and table name; empty histories before the first load."""
    histories: dict[tuple[str, str], History] = defaultdict(History)
    if tables.exists(LOADS):
        rows = tables.select(LOADS, "select * from {t} order by finished_at, _ingested_at")
        # Arrow would import pandas to make Python's times, which takes seconds.
        for name in _TIMES:
            rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast(pa.int64()))
        for row in rows.to_pylist():
            row |= {name: from_epoch_micros(row[name]) for name in _TIMES}
            histories[row["source"], row["table_name"]].add(FileLoad(**row))
    return histories
