"""From topics of Kafka to bronze: every message once.

Where all columns of the contract are what a message has (key, value, topic, ...), a row is a message. Else
its value is a record, which is read as a line of a JSON file is.

A load reads up to the ends that the topics had when it began. Where it goes on is in the load log, a row a
partition, with the topic's id: one that was deleted and made again has another, and is read from its
beginning. A load that was killed is found again as one of files is.
"""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa
from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from ingestion.bronze.batch import Origin, as_metadata, log, new_batch_id, rows_of
from ingestion.bronze.files import LoadError, open_table
from ingestion.bronze.load_log import QUARANTINE, FileLoad, History, create_tables, read_history
from ingestion.contracts import SourceTable
from ingestion.kafka import ANSWER_SECONDS, Kafka, KafkaUnavailable
from ingestion.limits import DEFAULT, Limits
from ingestion.readers import EXTRA, UNPARSED
from ingestion.readers.json import read_texts
from ingestion.tables import Tables
from ingestion.times import later_than

# Messages in a batch, all topics together, and bytes after which it ends sooner.
BATCH_SIZE = 200_000
_BATCH_BYTES = 1 << 28

_PATIENCE_SECONDS = 0.05
_SILENCE_SECONDS = 30

# Zeros, which Kafka before version 2.8 says.
_NO_ID = "A" * 22

# What a column of the contract can be called in a message.
_FIELDS: dict[str, Callable[[Message], object]] = {
    "key": lambda message: _as_text(message.key()),
    "value": lambda message: _as_text(message.value()),
    "topic": lambda message: message.topic(),
    "partition": lambda message: str(message.partition()),
    "offset": lambda message: str(message.offset()),
    "timestamp": lambda message: str(message.timestamp()[1] // 1000),
}

Partition = tuple[str, int]
Offsets = Mapping[Partition, int]
# What Kafka knows topics by; null where it is too old to.
TopicIds = Mapping[str, str | None]


class TopicLoader:
    """Loads the topics of a table, again and again, in a connection that is kept.

    At most `batch_size` messages are committed at a time. Aborted transactions are not read. `tell` is called
    with what a user should know.

    Raises:
        KafkaUnavailable: the servers cannot be reached, within some seconds, or a topic does not exist.
        LoadError: the table's contract does not fit.
    """

    def __init__(
        self,
        tables: Tables,
        table: SourceTable,
        kafka: Kafka,
        batch_size: int = BATCH_SIZE,
        tell: Callable[[str], None] = lambda text: None,
        limits: Limits = DEFAULT,
    ) -> None:
        _check_columns(table)
        self.table = table
        self._tables = tables
        self._batch_size = batch_size
        self._tell = tell
        self._limits = limits
        self._topics = _Topics(kafka, table.arrives.topics)
        # Before a table is made in vain.
        self._topics.look()
        self._history: History | None = None
        self._next: dict[Partition, int] = {}
        self._ids: dict[str, str | None] = {}

    def load(self, report: Callable[[int], None] = lambda rows: None) -> int:
        """Append what is new to the bronze table; returns how many, and reports each batch.

        Raises:
            KafkaUnavailable: the servers cannot be reached, within some seconds.
            LoadError: messages were deleted before they were read.
        """
        ids, ends = self._topics.look()
        history = self._history or self._open()
        # Where this fails, the next call asks the tables how far it came.
        self._history = None
        self._forget_former(ids)
        self._topics.check_offsets(self._next, ends)
        loaded = 0
        while any(self._next.get(partition, 0) < end for partition, end in ends.items()):
            messages, reached = self._topics.read(self._next, ends, self._batch_size)
            if messages and self._topics.ids() != ids:
                # They may be of either topic: the next load knows.
                return loaded
            self._write(messages, reached, history)
            self._next |= reached
            loaded += len(messages)
            if messages:
                report(len(messages))
        self._history = history
        return loaded

    def _open(self) -> History:
        create_tables(self._tables)
        history = read_history(self._tables)[self.table.source, self.table.name]
        open_table(self._tables, self.table, history)
        self._next = dict(_next_offsets(self._tables, self.table, history))
        self._ids = _logged_ids(history)
        return history

    def _forget_former(self, ids: TopicIds) -> None:
        """Begin anew with topics that were deleted and made again."""
        for topic, known in self._ids.items():
            if known and ids.get(topic) and ids[topic] != known:
                self._tell(f"{self.table.label}: topic {topic} was made anew; it is read from its beginning")
                self._next = {at: offset for at, offset in self._next.items() if at[0] != topic}
                # It remembers the former one.
                self._topics.reconnect()
        self._ids = dict(ids)

    def _write(self, messages: Sequence[Message], reached: Offsets, history: History) -> None:
        by_partition: dict[Partition, list[Message]] = {}
        for message in messages:
            by_partition.setdefault(_partition_of(message), []).append(message)
        if not by_partition:
            return
        started_at, batch_id = datetime.now(UTC), new_batch_id()
        ingested_at = later_than(history.last_ingested_at)
        loads = [
            FileLoad(
                source=self.table.source,
                table_name=self.table.name,
                _source_file=f"kafka://{topic}/{partition}",
                status="loaded",
                reason=None,
                rows_loaded=len(found),
                rows_rescued=0,
                rows_quarantined=0,
                size_bytes=sum(len(message.value() or b"") for message in found),
                sha256=None,
                modified_at=ingested_at,
                _ingested_at=ingested_at,
                _batch_id=batch_id,
                started_at=started_at,
                finished_at=datetime.now(UTC),
                next_offset=reached[topic, partition],
                topic_id=self._ids[topic],
            )
            for (topic, partition), found in by_partition.items()
        ]
        items = [
            (load, list(_records(self.table, found, self._limits)))
            for load, found in zip(loads, by_partition.values(), strict=True)
        ]
        read = functools.partial(_read, self.table)
        self._tables.append_items(self.table.bronze, QUARANTINE, items, read, as_metadata(loads))
        log(self._tables, self.table, history, loads)


class _Topics:
    """Reads topics between offsets, in connections that are kept."""

    def __init__(self, kafka: Kafka, topics: Sequence[str]) -> None:
        self._kafka = kafka
        self._topics = topics
        # Servers that were away are found again within a second.
        self._admin = kafka.client(AdminClient, reconnect_backoff_max_ms=1000)
        self.reconnect()

    def reconnect(self) -> None:
        """Read in a new connection."""
        self._consumer: Consumer = self._kafka.client(
            Consumer,
            reconnect_backoff_max_ms=1000,
            # Kafka wants a name; offsets are kept in the load log.
            group_id="lakehouse",
            enable_auto_commit=False,
            enable_partition_eof=True,
            auto_offset_reset="error",
            isolation_level="read_committed",
        )

    def look(self) -> tuple[TopicIds, Offsets]:
        """The ids of the topics, and the next offset by topic and partition."""
        return self.ids(), self._offsets(OffsetSpec.latest())

    def ids(self) -> TopicIds:
        """What Kafka knows the topics by."""
        asked = self._admin.describe_topics(
            TopicCollection(list(self._topics)), request_timeout=ANSWER_SECONDS
        )
        found: dict[str, str | None] = {}
        for topic, answer in asked.items():
            try:
                known = answer.result().topic_id
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    # Named below, beside those that there are.
                    continue
                raise self._kafka.failure(error, self._admin) from None
            found[topic] = None if str(known) == _NO_ID else str(known)
        return found

    def read(self, start: Offsets, ends: Offsets, limit: int) -> tuple[list[Message], Offsets]:
        """Messages from `start` on, and before `ends`, at most `limit`; and how far that is."""
        reached = {partition: start.get(partition, first) for partition, first in self._beginnings().items()}
        waiting = {partition for partition, offset in reached.items() if offset < ends[partition]}
        self._consumer.assign([TopicPartition(*partition, reached[partition]) for partition in waiting])
        messages: list[Message] = []
        size = 0
        heard_at = time.monotonic()
        while waiting and len(messages) < limit and size < _BATCH_BYTES:
            # It waits for as many as it is asked for, or so long.
            found = self._consumer.consume(min(10_000, limit - len(messages)), timeout=_PATIENCE_SECONDS)
            heard_at = time.monotonic() if found else heard_at
            if time.monotonic() - heard_at > _SILENCE_SECONDS:
                raise KafkaUnavailable(
                    f"Kafka at {self._kafka.servers} sent nothing for {_SILENCE_SECONDS} s."
                )
            for message in found:
                partition, offset = _partition_of(message), message.offset() or 0
                if self._is_end(message):
                    # Markers of transactions, which are no messages, may lie before the end.
                    reached[partition] = max(reached[partition], ends[partition])
                elif partition in waiting and offset < ends[partition]:
                    messages.append(message)
                    size += len(message)
                    reached[partition] = offset + 1
                if reached[partition] >= ends[partition]:
                    waiting.discard(partition)
        self._consumer.unassign()
        return messages, reached

    def _is_end(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        raise self._kafka.failure(KafkaException(error), self._consumer)

    def check_offsets(self, following: Offsets, ends: Offsets) -> None:
        """Refuse to pass over messages that are gone.

        Raises:
            LoadError: the next message to read is not among those that a partition has.
        """
        if not following:
            return
        beginnings = self._beginnings()
        for (topic, number), offset in following.items():
            first, end = beginnings.get((topic, number), 0), ends.get((topic, number), 0)
            if not first <= offset <= end:
                raise LoadError(
                    f"{topic}/{number} at {self._kafka.servers}: the next message to read is {offset}, "
                    f"but there are only those from {first} to {end}. "
                    "Messages were deleted before they were read"
                )

    def _beginnings(self) -> Offsets:
        return self._offsets(OffsetSpec.earliest())

    def _offsets(self, spec: OffsetSpec) -> Offsets:
        try:
            known = self._admin.list_topics(timeout=ANSWER_SECONDS).topics
            if missing := [topic for topic in self._topics if topic not in known]:
                raise KafkaUnavailable(
                    f"Kafka at {self._kafka.servers} (LAKEHOUSE_KAFKA) has no topic {', '.join(missing)}: "
                    f"create it, or correct `topics` in the contract. There are {_listed(known)}."
                )
            asked = {
                TopicPartition(topic, partition): spec
                for topic in self._topics
                for partition in known[topic].partitions
            }
            answers = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS
            )
            return {(p.topic, p.partition): answer.result().offset for p, answer in answers.items()}
        except KafkaException as error:
            raise self._kafka.failure(error, self._admin) from None


def _next_offsets(tables: Tables, table: SourceTable, history: History) -> Iterator[tuple[Partition, int]]:
    """Where each partition goes on: as logged, else behind the rows of an earlier version."""
    logged = [load for path, load in history.newest.items() if path.startswith("kafka://")]
    if logged:
        ids = _logged_ids(history)
        for load in logged:
            at = _partition(load.path)
            # A partition may have been read of a former topic alone.
            if load.topic_id in (None, ids.get(at[0])):
                yield at, load.next_offset or 0
        return
    names = {column.header: column.name for column in table.columns}
    if "offset" in names:
        newest = tables.select(
            table.bronze,
            f"select _source_file, max({names['offset']}) as newest from {{t}} "
            "where _source_file like 'kafka://%' group by _source_file",
        )
        yield from ((_partition(row["_source_file"]), row["newest"] + 1) for row in newest.to_pylist())


def _logged_ids(history: History) -> dict[str, str | None]:
    """The topics' ids as they were last logged."""
    logged = [load for path, load in history.newest.items() if path.startswith("kafka://")]
    newest = sorted(logged, key=lambda load: load.finished_at)
    return {_partition(load.path)[0]: load.topic_id for load in newest if load.topic_id}


def _partition_of(message: Message) -> Partition:
    return message.topic() or "", message.partition() or 0


def _partition(path: str) -> Partition:
    topic, _, number = path.removeprefix("kafka://").rpartition("/")
    return topic, int(number)


def _records(table: SourceTable, messages: Sequence[Message], limits: Limits) -> Iterator[pa.RecordBatch]:
    """Messages as a reader gives records."""
    if not _is_of_messages(table):
        encoding = table.arrives.options.get("encoding", "utf-8")
        # A message without a value is a record that cannot be parsed: nothing is passed over.
        values = (_as_text(message.value(), encoding) or "" for message in messages)
        yield from read_texts(table, values, limits)
        return
    columns = {
        column.name: pa.array([_FIELDS[column.header](message) for message in messages], pa.string())
        for column in table.columns
    }
    extra = pa.nulls(len(messages), pa.map_(pa.string(), pa.string()))
    yield pa.RecordBatch.from_pydict(columns | {EXTRA: extra, UNPARSED: pa.nulls(len(messages), pa.string())})


def _read(
    table: SourceTable, item: tuple[FileLoad, list[pa.RecordBatch]]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    load, records = item
    return rows_of(table, iter(records), Origin(load.path, load.ingested_at, load.batch_id))


def _is_of_messages(table: SourceTable) -> bool:
    """Whether a row is a message, and not the record that its value is."""
    return all(column.header in _FIELDS for column in table.columns)


def _check_columns(table: SourceTable) -> None:
    if _is_of_messages(table):
        if "value" not in (column.header for column in table.columns):
            raise LoadError(
                f"{table.label} has topics, but no column for their value. Add it to the contract"
            )
    elif table.arrives.format != "json":
        raise LoadError(
            f"{table.label} has topics, so its columns have to be what a message has ({', '.join(_FIELDS)}), "
            f"or its format json, and not {table.arrives.format}. Correct the contract"
        )


def _as_text(data: bytes | str | None, encoding: str = "utf-8") -> str | None:
    """Bytes as text; what is not in the encoding becomes replacement characters."""
    return data.decode(encoding, errors="replace") if isinstance(data, bytes) else data


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(name for name in names if not name.startswith("__"))) or "none"
