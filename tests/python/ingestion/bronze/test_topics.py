"""Messages of Kafka arrive in bronze once, whatever stops and starts meanwhile."""

import itertools
import shutil
import socket
import time
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.folders import Folders

from ingestion import bronze, times
from ingestion.bronze import LOADS, QUARANTINE, LoadError, topics
from ingestion.bronze.batch import bronze_schema
from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable
from ingestion.kafka import Kafka, KafkaUnavailable
from ingestion.tables.local import LocalTables
from tools.broker import Broker

_NUMBERS = itertools.count(1)
_COLUMNS = "key string, value string, topic string, partition bigint, offset bigint, timestamp bigint"
_TIME = 1_700_000_000
_ORIGIN = ["_source_file", "_ingested_at", "_batch_id"]


class Topic:
    """A topic, the table it goes to, and what was made of it."""

    def __init__(self, broker: Broker, table: SourceTable, folder: Path) -> None:
        self.broker, self.tables = broker, LocalTables(Folders(folder))
        self.name = f"topic{next(_NUMBERS)}"
        table.arrives.topics = [self.name]
        self.table = table
        self._loader: TopicLoader | None = None

    def send(self, *values: bytes | str | None, key: bytes | str | None = "k") -> None:
        producer = Producer({"bootstrap.servers": self.broker.address})
        for value in values:
            producer.produce(self.name, key=key, value=value, timestamp=_TIME * 1000 + 999)
        assert producer.flush(20) == 0

    def load(self, report: Callable[[int], None] = lambda rows: None, **settings: Any) -> int:
        if self._loader is None:
            self._loader = TopicLoader(self.tables, self.table, Kafka(self.broker.address), **settings)
        return self._loader.load(report)

    def make_anew(self) -> None:
        """Delete the topic, and create it again."""
        admin = AdminClient({"bootstrap.servers": self.broker.address})
        admin.delete_topics([self.name])[self.name].result(20)
        while self.name in admin.list_topics(timeout=5).topics:
            time.sleep(0.05)
        self.broker.create_topics([self.name])

    def forget(self) -> None:
        """What a new process knows: what is on disk."""
        self._loader = None

    def rows(self, columns: str = "value") -> list[Any]:
        found = self.tables.select(self.table.bronze, "select * from {t} order by offset").to_pylist()
        rows = [tuple(row[name] for name in columns.split(", ")) for row in found]
        return [row[0] if len(row) == 1 else row for row in rows]


@pytest.fixture
def topic(broker: Broker, contract: Callable[..., SourceTable], tmp_path: Path) -> Topic:
    table = contract(columns=_COLUMNS, keys=("topic",), format="json", path="files/*.json")
    topic = Topic(broker, table, tmp_path)
    broker.create_topics([topic.name])
    return topic


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
    loads = topic.tables.select(
        LOADS, "select _source_file, rows_loaded, next_offset, status from {t}"
    ).to_pylist()
    assert [tuple(load.values()) for load in loads] == [(origin, 2, 2, "loaded")]


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
def test_a_batch_killed_before_it_was_logged_is_not_written_twice(
    topic: Topic, monkeypatch: pytest.MonkeyPatch, same_process: bool
) -> None:
    append = LocalTables.append

    def die(self: LocalTables, name: str, *rest: Any) -> None:
        raise OSError("killed") if name == LOADS else append(self, name, *rest)

    topic.send("a")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="killed"):
        patch.setattr(LocalTables, "append", die)
        topic.load()
    if not same_process:
        topic.forget()
    topic.send("b")
    assert topic.load() == 1
    assert topic.rows() == ["a", "b"]


def test_a_home_without_offsets_in_its_load_log_goes_on_behind_its_rows(topic: Topic) -> None:
    topic.send("a", "b")
    topic.load()
    topic.forget()
    # As versions left it that kept offsets elsewhere, and wrote no metadata into their commits.
    rows = topic.tables.select(topic.table.bronze, "select * from {t}")
    shutil.rmtree(topic.tables.location(LOADS))
    shutil.rmtree(topic.tables.location(topic.table.bronze))
    topic.tables.create(topic.table.bronze, bronze_schema(topic.table))
    topic.tables.append(topic.table.bronze, rows)
    topic.send("c")
    assert topic.load() == 1
    assert topic.rows() == ["a", "b", "c"]


def test_times_of_batches_grow_though_the_clock_goes_back(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(UTC) - timedelta(days=1)

    topic.send("a")
    topic.load()
    monkeypatch.setattr(times, "datetime", Yesterday)
    for value in ("b", "c"):
        topic.forget()
        topic.send(value)
        topic.load()
    first, *others = topic.rows("_ingested_at")
    assert others == [first + timedelta(microseconds=1), first + timedelta(microseconds=2)]


def test_a_topic_that_has_fewer_messages_than_were_read_is_told(topic: Topic) -> None:
    topic.send("a")
    topic.load()
    log = topic.tables.select(LOADS, "select * from {t}")
    topic.tables.delete(LOADS, "true")
    topic.tables.append(
        LOADS, log.set_column(log.schema.names.index("next_offset"), "next_offset", pa.array([7]))
    )
    topic.forget()
    with pytest.raises(
        LoadError, match="the next message to read is 7, but there are only those from 0 to 1"
    ):
        topic.load()


def test_servers_that_do_not_answer_are_named_within_seconds(topic: Topic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(KafkaUnavailable, match=f"{address} .LAKEHOUSE_KAFKA. does not answer"):
        TopicLoader(topic.tables, topic.table, Kafka(address))
    assert time.monotonic() - started < 10


def test_a_topic_that_does_not_exist_is_named(topic: Topic) -> None:
    topic.table.arrives.topics = [topic.name, "nowhere"]
    with pytest.raises(KafkaUnavailable, match="no topic nowhere: create it"):
        topic.load()


def test_a_contract_of_neither_messages_nor_json_is_refused(
    topic: Topic, contract: Callable[..., SourceTable]
) -> None:
    topic.table = contract(columns="value string, price int", keys=("value",))
    topic.table.arrives.topics = [topic.name]
    with pytest.raises(LoadError, match="or its format json, and not csv"):
        topic.load()


# Each a record of a line or a message, and no two of an id.
_RECORDS = [
    b'{"id": 1, "at": "2026-01-02T03:04:05Z", "price": 1.10, "name": "a", "value": "v"}',
    b'{"id": 12345678901234567890, "price": 0.123456789012345678901234567890, "name": "long numbers"}',
    b'{"id": 2, "at": "yesterday", "price": "1e3", "unknown": {"a": [1, 2.50]}}',
    b'{"id": 3, "name": "no utf-8 \xff"}',
    b'{"id": 4, "id": 4}',
    b'{"name": "no key"}',
    b'\xef\xbb\xbf{"id": 5, "name": "with a mark \\ud800 \\u0000"}',
    b'{"id": 6, "name": [{"nested": null}]}',
    b'{"id": 7, "name": ' + b"[" * 200 + b"]" * 200 + b"}",
    b'{"id": 8',
    b"[1]",
    b"null",
    b'{"id": 9} {"id": 10}',
]


@pytest.fixture
def records(broker: Broker, contract: Callable[..., SourceTable], tmp_path: Path) -> Topic:
    """A topic whose values are records."""
    columns = "id bigint, at timestamp, price decimal(9,2), name string, value string"
    topic = Topic(broker, contract(columns=columns, format="json", path="files/*.json"), tmp_path)
    broker.create_topics([topic.name])
    return topic


def _stored(topic: Topic) -> tuple[list[str], list[str]]:
    """Rows of bronze and of the quarantine, but for where they come from."""
    found = (
        topic.tables.select(topic.table.bronze, "select * from {t}"),
        topic.tables.select(QUARANTINE, "select * from {t}"),
    )
    rows, quarantine = (sorted(map(repr, table.drop_columns(_ORIGIN).to_pylist())) for table in found)
    return rows, quarantine


def test_values_are_read_as_lines_of_a_file(records: Topic, tmp_path: Path) -> None:
    by_files = copy(records)
    by_files.tables = LocalTables(Folders(tmp_path / "by_files"))
    (tmp_path / "landing" / "files").mkdir(parents=True)
    (tmp_path / "landing" / "files" / "1.json").write_bytes(b"\n".join(_RECORDS))
    bronze.load(by_files.tables, [records.table], str(tmp_path / "landing"))

    records.send(*_RECORDS)
    assert records.load() == len(_RECORDS)
    assert _stored(records) == _stored(by_files)
    (load,) = records.tables.select(LOADS, "select * from {t}").to_pylist()
    assert (load["rows_loaded"], load["rows_quarantined"], load["next_offset"]) == (7, 8, len(_RECORDS))


def test_a_message_without_a_value_and_a_blank_one_are_kept_aside(records: Topic) -> None:
    records.send(None, "", '{"id": 1,\r\n "name": "on two lines"}')
    assert records.load() == 3
    rows, quarantine = _stored(records)
    assert len(rows) == 1 and "on two lines" in rows[0]
    assert [("cannot be parsed" in row, "'record': ''" in row) for row in quarantine] == [(True, True)] * 2


@pytest.mark.parametrize("killed_at", [LOADS, "bronze"])
def test_records_of_a_killed_load_are_there_once(
    records: Topic, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    append, commit = LocalTables.append, delta.append

    def die(self: LocalTables, name: str, *rest: Any) -> None:
        if name == killed_at:
            raise OSError("killed")
        append(self, name, *rest)

    def die_in_bronze(location: str, *rest: Any, **options: Any) -> None:
        if "bronze" in location:
            raise OSError("killed")
        commit(location, *rest, **options)

    records.send(*_RECORDS[:3], "{broken")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="killed"):
        patch.setattr(LocalTables, "append", die)
        if killed_at == "bronze":
            patch.setattr(delta, "append", die_in_bronze)
        records.load()
    records.forget()
    records.send(_RECORDS[7])
    assert records.load() == (1 if killed_at == LOADS else 5)
    rows, quarantine = _stored(records)
    assert (len(rows), len(quarantine)) == (4, 2)


@pytest.mark.parametrize("same_process", [True, False])
def test_a_topic_that_is_made_anew_is_read_from_its_beginning(topic: Topic, same_process: bool) -> None:
    told: list[str] = []
    topic.send("a", "b")
    assert topic.load(tell=told.append) == 2
    topic.make_anew()
    # More than before, so that offsets alone tell nothing.
    topic.send("c", "d", "e")
    if not same_process:
        topic.forget()
    assert topic.load(**({} if same_process else {"tell": told.append})) == 3
    assert told == [f"{topic.table.label}: topic {topic.name} was made anew; it is read from its beginning"]
    topic.forget()
    topic.send("f")
    assert topic.load() == 1
    assert sorted(topic.rows()) == list("abcdef")


def test_a_topic_that_is_made_anew_while_it_is_read_loses_and_doubles_nothing(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send("a")
    assert topic.load() == 1
    topic.send("b")
    read = topics._Topics.read

    def read_and_make_anew(self: topics._Topics, *arguments: Any) -> Any:
        found = read(self, *arguments)
        topic.make_anew()
        topic.send("c", "d", "e")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(topics._Topics, "read", read_and_make_anew)
        assert topic.load() == 0
    assert topic.load() == 3
    assert sorted(topic.rows()) == ["a", "c", "d", "e"]


def test_servers_that_come_back_are_read_in_the_same_connection(topic: Topic) -> None:
    topic.send("a")
    assert topic.load() == 1
    topic.broker.stop()
    with pytest.raises(KafkaUnavailable, match="does not answer"):
        topic.load()
    topic.broker.start()
    topic.send("b")
    assert topic.load() == 1
    assert topic.rows() == ["a", "b"]
