"""Messages of Kafka arrive in bronze once, whatever stops and starts meanwhile."""

import itertools
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from pyspark.sql import SparkSession

from ingestion import clock, kafka
from ingestion.bronze import LoadError
from ingestion.contracts import SourceTable
from ingestion.kafka import KafkaUnavailable, load_topics
from tools.broker import Broker

_NUMBERS = itertools.count(1)
_COLUMNS = "key string, value string, topic string, partition bigint, offset bigint, timestamp bigint"
_TIME = 1_700_000_000


class Topic:
    """A topic, the table it goes to, and what was made of it."""

    def __init__(self, spark: SparkSession, broker: Broker, table: SourceTable, folder: Path) -> None:
        self.spark, self.broker, self.checkpoints = spark, broker, folder / "checkpoints"
        self.name = f"topic{next(_NUMBERS)}"
        table.arrives.topics = [self.name]
        self.table = table
        self.location = str(folder / "bronze")

    def send(self, *values: bytes | str | None, key: bytes | str | None = "k") -> None:
        producer = Producer({"bootstrap.servers": self.broker.address})
        for value in values:
            producer.produce(self.name, key=key, value=value, timestamp=_TIME * 1000 + 999)
        assert producer.flush(20) == 0

    def load(self, **settings: Any) -> int:
        return load_topics(
            self.spark,
            self.table,
            self.broker.address,
            self.checkpoints,
            location=self.location,
            **settings,
        )

    def forget(self) -> None:
        """What a new process knows: what is on disk."""
        kafka._LOADERS.clear()

    def rows(self, columns: str = "value") -> list[Any]:
        rows = self.spark.table(self.table.bronze).orderBy("offset").selectExpr(*columns.split(", "))
        return [row[0] if len(row) == 1 else tuple(row) for row in rows.collect()]


@pytest.fixture
def topic(
    spark: SparkSession, broker: Broker, contract: Callable[..., SourceTable], tmp_path: Path
) -> Iterator[Topic]:
    table = contract(columns=_COLUMNS, keys=("topic", "value"), format="json", path="files/*.json")
    topic = Topic(spark, broker, table, tmp_path)
    broker.create_topics([topic.name])
    yield topic
    topic.forget()


def test_messages_arrive_once_with_their_origin(topic: Topic) -> None:
    assert topic.load() == 0
    topic.send("a")
    topic.send(None, key=None)
    batches: list[int] = []
    assert topic.load(report=batches.append) == 2
    assert batches == [2]
    assert topic.load() == 0
    columns = "key, value, topic, partition, offset, timestamp, _rescued_data, _source_file"
    origin = f"kafka://{topic.name}/0"
    assert topic.rows(columns) == [
        ("k", "a", topic.name, 0, 0, _TIME, None, origin),
        (None, None, topic.name, 0, 1, _TIME, None, origin),
    ]
    (batch,) = set(topic.rows("_batch_id"))
    assert batch.rsplit("-", 1)[1].isdigit()


def test_bytes_that_are_no_utf_8_are_kept_aside(topic: Topic) -> None:
    topic.send(b"\xff{}", "whole")
    assert topic.load() == 2
    assert topic.rows("value, _rescued_data") == [(None, '{"value":"\ufffd{}"}'), ("whole", None)]


def test_a_backlog_is_read_in_batches(topic: Topic) -> None:
    topic.send(*map(str, range(25)))
    batches: list[int] = []
    assert topic.load(batch_size=10, report=batches.append) == 25
    assert batches == [10, 10, 5]
    assert topic.rows() == [str(number) for number in range(25)]


def test_offsets_go_on_after_broker_and_process_were_started_again(topic: Topic) -> None:
    topic.send("a", "b")
    assert topic.load() == 2
    topic.broker.kill()
    topic.broker.start()
    topic.send("c")
    assert topic.load() == 1
    topic.forget()
    topic.send("d")
    assert topic.load() == 1
    assert topic.rows("value, offset") == [("a", 0), ("b", 1), ("c", 2), ("d", 3)]


@pytest.mark.parametrize("same_process", [True, False])
def test_a_batch_killed_before_its_end_was_noted_is_not_written_twice(
    topic: Topic, same_process: bool
) -> None:
    topic.send("a")
    assert topic.load() == 1
    commits = topic.checkpoints / "kafka" / topic.table.identifier / "commits"
    last = max(commits.glob("[0-9]*"), key=lambda file: int(file.name))
    last.unlink()
    last.with_name(f".{last.name}.crc").unlink(missing_ok=True)
    if not same_process:
        topic.forget()
    topic.send("b")
    assert topic.load() == 1
    assert topic.rows() == ["a", "b"]


def test_times_of_batches_grow_though_the_clock_goes_back(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(UTC) - timedelta(days=1)

    topic.send("a")
    topic.load()
    monkeypatch.setattr(clock, "datetime", Yesterday)
    topic.send("b")
    topic.load()
    topic.forget()
    for file in (topic.checkpoints / "clocks").iterdir():
        file.unlink()
    topic.send("c")
    topic.load()
    times = topic.rows("unix_micros(_ingested_at)")
    assert times == [times[0], times[0] + 1, times[0] + 2]


def test_servers_that_do_not_answer_are_named_within_seconds(topic: Topic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(KafkaUnavailable, match=f"{address} .LAKEHOUSE_KAFKA. does not answer"):
        load_topics(topic.spark, topic.table, address, topic.checkpoints)
    assert time.monotonic() - started < 10


def test_a_topic_that_does_not_exist_is_named(topic: Topic) -> None:
    topic.table.arrives.topics = [topic.name, "nowhere"]
    with pytest.raises(KafkaUnavailable, match="no topic nowhere: create it"):
        topic.load()


def test_a_column_that_no_message_has_is_refused(topic: Topic, contract: Callable[..., SourceTable]) -> None:
    topic.table = contract(columns="value string, price int", keys=("value",), format="json", path="f/*.json")
    topic.table.arrives.topics = [topic.name]
    with pytest.raises(LoadError, match="a message of Kafka has no price"):
        topic.load()
