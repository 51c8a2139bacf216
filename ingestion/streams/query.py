"""Running streams: what is new in a bronze table becomes rows of silver tables, once.

Each bronze table is read by one query. Its batches are split into records that can be used and those
that go to `ops.quarantine`; then each silver table that depends on the bronze table takes what concerns
it, in the order of the declarations, so that a table may look at those before it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from ingestion.bronze.load_log import QUARANTINE
from ingestion.contracts import SourceTable
from ingestion.errors import root_cause
from ingestion.streams.batch import KIND, REASON, Batch, Period, Source, Stream, Tables, hour_of, joined
from ingestion.streams.tables import StreamTable
from ingestion.streams.upsert import greatest
from ingestion.times import from_epoch_micros


class StreamError(Exception):
    """A stream failed; the message names its bronze table and the cause."""


@dataclass(frozen=True)
class NewRows:
    """New rows of a bronze table, with an id that is the same when they are read again."""

    rows: DataFrame
    id: str
    may_be_written: bool
    tables: Tables


@dataclass(frozen=True)
class Fed:
    """Rows that a query was given, and what the engine keeps in order to know copies of them."""

    rows: int = 0
    state_rows: int = 0
    state_bytes: int = 0


class Engine(Protocol):
    """Where streams run."""

    @property
    def written_to(self) -> datetime | None:
        """When a silver table was last written; null when none ever was."""

    def exists(self, table: StreamTable) -> bool:
        """Whether a silver table is there."""

    def create(self, tables: Iterable[StreamTable]) -> None:
        """Create the silver tables that are missing, and `ops.quarantine`."""

    def feed(
        self, table: SourceTable, source: Source, last: StreamTable, take: Callable[[NewRows], None]
    ) -> Fed:
        """Call `take` with what is new in a bronze table, each row once; `last` is written last.

        When `take` fails or is killed, the next call gives the same rows again.
        """

    def start_over(self, table: SourceTable, last: StreamTable) -> None:
        """Feed all of a bronze table the next time."""


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
    """Follows one bronze table; `silver` are the silver tables by name."""

    def __init__(
        self,
        engine: Engine,
        table: SourceTable,
        source: Source,
        streams: Sequence[Stream],
        silver: Mapping[str, StreamTable],
    ) -> None:
        self.table = table
        self._engine = engine
        self._source = source
        self._streams = [stream for stream in streams if stream.after & source.kinds]
        self._silver = silver
        self._last = silver[self._streams[-1].table]
        self._oldest: datetime | None = None

    @property
    def written_to(self) -> datetime | None:
        """When a silver table was last written, by any query; null when none ever was."""
        return self._engine.written_to

    def run(self) -> QueryProgress:
        """Bring the silver tables up to date with everything that is in bronze now.

        Raises:
            StreamError: a batch failed; the next call takes it up again.
        """
        started, self._oldest = time.monotonic(), None
        try:
            fed = self._engine.feed(self.table, self._source, self._last, self._take)
        except Exception as error:
            raise StreamError(f"The stream of {self.table.label} failed: {root_cause(error)}") from error
        return QueryProgress(
            source=self.table.label,
            rows=fed.rows,
            seconds=time.monotonic() - started,
            state_rows=fed.state_rows,
            state_bytes=fed.state_bytes,
            lag_seconds=(datetime.now(UTC) - self._oldest).total_seconds() if self._oldest else 0.0,
        )

    def start_over(self) -> None:
        """Take all of bronze again the next time; what silver has already stays as it is."""
        self._engine.start_over(self.table, self._last)

    def _take(self, new: NewRows) -> None:
        records = new.tables.keep(self._source.records(new.rows))
        contents = _contents(records)
        self._oldest = self._oldest or contents.oldest
        if contents.has_rejected:
            new.tables.append(QUARANTINE, self._rejected(records, new))
        usable = records.where(F.col(REASON).isNull())
        batch = Batch(usable, contents.periods, self._silver, new.tables, new.may_be_written)
        for stream in self._streams:
            if stream.after & batch.kinds:
                stream.write(batch)

    def _rejected(self, records: DataFrame, new: NewRows) -> DataFrame:
        """Rows for the quarantine, but for those of files and times of which it has some already."""
        rejected = records.where(F.col(REASON).isNotNull())
        if self._source.unique:
            rejected = greatest(rejected, self._source.unique, ["_ingested_at", "_source_file"])
        known = new.tables.read(QUARANTINE).where(
            (F.col("source") == self.table.source)
            & (F.col("table_name") == self.table.name)
            & F.col("_batch_id").like("silver-%")
        )
        origin = ["_source_file", "_ingested_at"]
        columns = [column.name for column in self.table.columns]
        return rejected.join(known.select(origin), origin, "left_anti").select(
            F.lit(self.table.source).alias("source"),
            F.lit(self.table.name).alias("table_name"),
            "_source_file",
            F.col(REASON).alias("reason"),
            F.to_json(F.struct(*columns, "_rescued_data")).alias("record"),
            "_ingested_at",
            F.lit(f"silver-{new.id}").alias("_batch_id"),
        )


class _Contents(NamedTuple):
    periods: dict[str, list[Period]]
    has_rejected: bool
    oldest: datetime | None


def _contents(records: DataFrame) -> _Contents:
    """Periods of the usable records by kind and hour, whether others were rejected, first arrival of all."""
    micros = F.unix_micros("time")
    hours = (
        records.groupBy(KIND, F.col(REASON).isNull().alias("usable"), hour_of("time").alias("hour"))
        .agg(
            F.min(micros).alias("first"),
            F.max(micros).alias("last"),
            F.min(F.unix_micros("_ingested_at")).alias("arrived"),
        )
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
