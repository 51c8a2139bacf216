"""How gold is refreshed beside a stream; what comes of it is in `test_gym`."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer

from ingestion.contracts import read_contracts
from ingestion.tables.local import LocalTables
from lakehouse.errors import LakehouseError
from lakehouse.settings import load_settings
from lakehouse.steps.refresh import GoldProcess, GoldRefresher
from lakehouse.steps.stream import Follower
from tools.broker import Broker

FIRST, SECOND, THIRD = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))


class SlowGold(GoldProcess):
    """Models that are refreshed when they are let; a refresh to what is in `broken` fails."""

    def __init__(self, broken: frozenset[datetime] = frozenset()) -> None:
        self.refreshed_to = None
        self.history: list[datetime] = []
        self.let = threading.Event()
        self._broken = broken

    def refresh(self, written_to: datetime) -> None:
        assert self.let.wait(10)
        if written_to in self._broken:
            raise LakehouseError("a model failed")
        self.history.append(written_to)
        self.refreshed_to = written_to

    def close(self) -> None:
        pass


def test_what_is_written_during_a_refresh_is_refreshed_after_it_and_before_the_end() -> None:
    gold, seconds = SlowGold(), list[float]()
    with GoldRefresher(lambda: gold, seconds.append) as refresher:
        refresher.refresh(None)
        refresher.refresh(FIRST)
        refresher.refresh(SECOND)
        refresher.refresh(THIRD)
        gold.let.set()
    assert gold.history[-1] == THIRD
    assert len(seconds) == len(gold.history) <= 3


def test_nothing_is_refreshed_before_something_is_written() -> None:
    gold = SlowGold()
    gold.let.set()
    with GoldRefresher(lambda: gold, lambda _: None) as refresher:
        refresher.refresh(None)
    assert gold.history == []


def test_a_refresh_that_failed_ends_the_stream() -> None:
    gold = SlowGold(broken=frozenset({FIRST}))
    gold.let.set()
    failed = pytest.raises(LakehouseError, match="a model failed")
    with failed, GoldRefresher(lambda: gold, print) as refresher:
        refresher.refresh(FIRST)
    assert gold.history == []


def test_a_project_that_cannot_be_read_ends_the_stream() -> None:
    def start() -> GoldProcess:
        raise LakehouseError("no project")

    with pytest.raises(LakehouseError, match="no project"), GoldRefresher(start, print):
        pass


def test_a_stream_goes_on_when_kafka_was_away(broker: Broker, tmp_path: Path) -> None:
    settings = load_settings(LAKEHOUSE_HOME=str(tmp_path), LAKEHOUSE_KAFKA=broker.address)
    tables = [table for table in read_contracts(settings.models) if table.arrives.topics]
    (tmp_path / "landing").mkdir()
    topics = [topic for table in tables for topic in table.arrives.topics]
    broker.create_topics(topics)
    told: list[str] = []
    follower = Follower(settings, tables, "local", told.append)

    def loaded() -> int:
        producer = Producer({"bootstrap.servers": broker.address})
        producer.produce(topics[0], value="{}")
        assert producer.flush(20) == 0
        follower.cycle()
        count = LocalTables(settings.warehouse.folders).select(
            tables[0].bronze, "select count(*) as n from {t}"
        )
        return int(count.to_pylist()[0]["n"])

    before = loaded()
    broker.stop()
    follower.cycle()
    follower.cycle()
    broker.start()
    assert loaded() > before
    away, back = told
    assert "does not answer" in away
    assert back == f"{tables[0].label}: Kafka is back."
