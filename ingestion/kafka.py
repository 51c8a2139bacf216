"""From topics of Kafka to bronze: every message once, as Spark's Structured Streaming reads them.

Offsets are in the checkpoint. A batch becomes one commit to the bronze table, whose rows carry the id of the
batch, so that a batch that was killed before its end was noted is not written twice.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from ingestion.bronze import LoadError, create_table
from ingestion.clock import clock_of
from ingestion.conform import conform
from ingestion.contracts import METADATA_COLUMNS, SourceTable
from ingestion.errors import root_cause
from ingestion.micro_batches import MicroBatch, read_new
from ingestion.readers import EXTRA
from ingestion.times import EPOCH, from_epoch_micros, to_epoch_micros

# Messages in a batch, all topics together.
BATCH_SIZE = 200_000

# How long servers may take to answer.
ANSWER_SECONDS = 5

# What a column of the contract can be called in a message.
_FIELDS = ("key", "value", "topic", "partition", "offset", "timestamp")

Offsets = Mapping[tuple[str, int], int]


class KafkaUnavailable(Exception):
    """The servers do not answer or lack a topic; the message names `LAKEHOUSE_KAFKA` and the address."""

    @classmethod
    def from_error(cls, servers: str, error: KafkaException) -> Self:
        """The servers do not answer, for the reason that the client gives."""
        return cls(
            f"Kafka at {servers} (LAKEHOUSE_KAFKA) does not answer: {error.args[0].str()}. "
            "Is it running, and the address right? `make kafka` starts a broker."
        )


def load_topics(
    spark: SparkSession,
    table: SourceTable,
    servers: str,
    checkpoints: Path,
    report: Callable[[int], None] = lambda rows: None,
    *,
    location: str | None = None,
    batch_size: int = BATCH_SIZE,
) -> int:
    """Append what is new in the table's topics to its bronze table, once; returns the number of rows.

    `servers` is host:port, several with commas; `checkpoints` the folder of the streams' checkpoints;
    `location` where the bronze tables lie, for a table that does not exist yet. At most `batch_size`
    messages are read at a time, and `report` is called with the rows of each batch. Made to be called
    every few seconds: without new messages Spark is not asked. Aborted transactions are not read.

    Raises:
        KafkaUnavailable: the servers cannot be reached, within some seconds, or a topic does not exist.
        LoadError: the table's contract does not fit, messages were deleted before they were read, or
            the batch could not be written.
    """
    place = (spark.sparkContext.applicationId, table.bronze, servers, checkpoints)
    if place not in _LOADERS:
        _LOADERS[place] = _TopicLoader(spark, table, servers, checkpoints, location)
    return _LOADERS[place].load(batch_size, report)


class _TopicLoader:
    """What is kept between the calls for one table: the connection, and how far it was read."""

    def __init__(
        self, spark: SparkSession, table: SourceTable, servers: str, checkpoints: Path, location: str | None
    ) -> None:
        self._table = table
        self._spark = spark
        self._servers = servers
        self._topics = _TopicReader(servers, table.arrives.topics)
        self._checkpoint = checkpoints / "kafka" / table.identifier
        self._clock = clock_of(checkpoints, table.identifier)
        self._read_to: Offsets | None = None
        _check_columns(table)
        # Before a table is made in vain.
        self._topics.ends()
        spark.sql("create schema if not exists bronze")
        create_table(spark, table, location)

    def load(self, batch_size: int, report: Callable[[int], None]) -> int:
        """Load what is new."""
        ends = self._topics.ends()
        if ends == self._read_to:
            return 0
        loaded = 0

        def write(messages: MicroBatch) -> None:
            nonlocal loaded
            rows = self._write(messages)
            loaded += rows
            report(rows)

        try:
            read_new(self._messages(batch_size), self._checkpoint, write)
        except Exception as error:
            raise LoadError(
                f"{self._table.label} from Kafka at {self._servers}: {root_cause(error)}"
            ) from error
        self._read_to = ends
        return loaded

    def _messages(self, batch_size: int) -> DataFrame:
        options = {
            "kafka.bootstrap.servers": self._servers,
            "subscribe": ",".join(self._table.arrives.topics),
            "startingOffsets": "earliest",
            "failOnDataLoss": "true",
            "maxOffsetsPerTrigger": str(batch_size),
            "kafka.isolation.level": "read_committed",
            # The defaults wait for minutes for a server that went away.
            "kafka.default.api.timeout.ms": "15000",
            "kafka.request.timeout.ms": "10000",
            "kafkaConsumer.pollTimeoutMs": "30000",
        }
        return self._spark.readStream.format("kafka").options(**options).load()

    def _write(self, messages: MicroBatch) -> int:
        """Commit a batch, unless it is there already; returns how many rows were added."""
        if messages.may_be_written and self._has(messages):
            return 0
        observed = Observation()
        (
            self._records(messages.rows, messages.id)
            .observe(observed, F.count(F.lit(1)).alias("rows"))
            .write.format("delta")
            .mode("append")
            .saveAsTable(self._table.bronze)
        )
        return int(observed.get["rows"])

    def _has(self, messages: MicroBatch) -> bool:
        return not self._spark.table(self._table.bronze).where(F.col("_batch_id") == messages.id).isEmpty()

    def _records(self, messages: DataFrame, batch: str) -> DataFrame:
        origin = F.concat(F.lit("kafka://"), "topic", F.lit("/"), "partition")
        raw = messages.select(
            *(_text_of(column.header).alias(column.name) for column in self._table.columns),
            origin.alias("_source_file"),
            F.lit(None).cast("map<string,string>").alias(EXTRA),
        )
        columns = [column.name for column in self._table.declared] + list(METADATA_COLUMNS)
        ingested_at = to_epoch_micros(self._clock.tick(self._floor()))
        return (
            conform(raw, self._table)
            .withColumn("_ingested_at", F.timestamp_micros(F.lit(ingested_at)))
            .withColumn("_batch_id", F.lit(batch))
            .select(columns)
        )

    def _floor(self) -> datetime:
        """When the table was last written, as far as the clock does not know."""
        if self._clock.last is not None:
            return EPOCH
        last = F.unix_micros(F.max("_ingested_at")).alias("micros")
        row = self._spark.table(self._table.bronze).select(last).first()
        return EPOCH if row is None or row["micros"] is None else from_epoch_micros(row["micros"])


class _TopicReader:
    """Asks the servers how far topics reach, in one connection that is kept."""

    def __init__(self, servers: str, topics: Sequence[str]) -> None:
        self._servers = servers
        self._topics = topics
        self._admin = AdminClient(
            {
                "bootstrap.servers": servers,
                # Servers that were away are found again within a second.
                "reconnect.backoff.max.ms": 1000,
                # What goes wrong is raised.
                "log_level": 0,
            }
        )

    def ends(self) -> Offsets:
        """The next offset by topic and partition."""
        try:
            known = self._admin.list_topics(timeout=ANSWER_SECONDS).topics
            if missing := [topic for topic in self._topics if topic not in known]:
                raise KafkaUnavailable(
                    f"Kafka at {self._servers} (LAKEHOUSE_KAFKA) has no topic {', '.join(missing)}: "
                    f"create it, or correct `topics` in the contract. There are {_listed(known)}."
                )
            latest = {
                TopicPartition(topic, partition): OffsetSpec.latest()
                for topic in self._topics
                for partition in known[topic].partitions
            }
            answers = self._admin.list_offsets(
                latest,
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=ANSWER_SECONDS,
            )
            return {(p.topic, p.partition): answer.result().offset for p, answer in answers.items()}
        except KafkaException as error:
            raise KafkaUnavailable.from_error(self._servers, error) from None


_LOADERS: dict[tuple[str | None, str, str, Path], _TopicLoader] = {}


def _check_columns(table: SourceTable) -> None:
    headers = [column.header for column in table.columns]
    if unknown := [header for header in headers if header not in _FIELDS]:
        raise LoadError(
            f"{table.label} has topics, but a message of Kafka has no {', '.join(unknown)}, "
            f"only {', '.join(_FIELDS)}. Correct the contract"
        )
    if "value" not in headers:
        raise LoadError(f"{table.label} has topics, but no column for their value. Add it to the contract")


def _text_of(field: str) -> Column:
    """A field of Spark's Kafka source as text; bytes that are no UTF-8 become replacement characters."""
    if field in ("key", "value"):
        return F.make_valid_utf8(F.col(field).cast("string"))
    if field == "timestamp":
        return F.unix_seconds(field).cast("string")
    return F.col(field).cast("string")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(name for name in names if not name.startswith("__"))) or "none"
