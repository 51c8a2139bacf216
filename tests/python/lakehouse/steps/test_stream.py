"""How gold is refreshed beside a stream; what comes of it is in `test_gym`."""

import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from confluent_kafka import Producer
from deltalake import DeltaTable

from ingestion.contracts import read_contracts
from ingestion.tables.local import LocalTables
from lakehouse.errors import LakehouseError
from lakehouse.settings import load_settings
from lakehouse.steps.refresh import GoldProcess, GoldRefresher, Written
from lakehouse.steps.stream import Follower
from sampledata import generate
from tools.broker import Broker

from ..conftest import Lakehouse, differing, write_table

NOTHING = Written(0)
FIRST, SECOND, THIRD = (Written(day, datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2, 3))


class SlowGold(GoldProcess):
    """Models that are refreshed when they are let; a refresh to what is in `broken` fails."""

    def __init__(self, broken: frozenset[Written] = frozenset()) -> None:
        self.refreshed_to = NOTHING
        self.history: list[Written] = []
        self.let = threading.Event()
        self._broken = broken

    def refresh(self, written: Written) -> None:
        assert self.let.wait(10)
        if written in self._broken:
            raise LakehouseError("a model failed")
        self.history.append(written)
        self.refreshed_to = written

    def close(self) -> None:
        pass


def test_what_is_written_during_a_refresh_is_refreshed_after_it_and_before_the_end() -> None:
    gold, seconds = SlowGold(), list[float]()
    with GoldRefresher(lambda: gold, seconds.append) as refresher:
        refresher.refresh(NOTHING)
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
        refresher.refresh(NOTHING)
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
    tables = [table for table in read_contracts(settings.models) if table.name == "kafka_multiplex"]
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


def test_a_table_whose_topics_kafka_does_not_have_comes_as_files(broker: Broker, tmp_path: Path) -> None:
    settings = load_settings(LAKEHOUSE_HOME=str(tmp_path), LAKEHOUSE_KAFKA=broker.address)
    clicks, messages = (table for table in read_contracts(settings.models) if table.arrives.topics)
    clicks.arrives.topics = ["nowhere"]
    broker.create_topics(messages.arrives.topics)
    (tmp_path / "landing" / "clickstream").mkdir(parents=True)
    told: list[str] = []
    follower = Follower(settings, [clicks, messages], "local", told.append)
    follower.cycle()
    before = follower.written.growths
    (tmp_path / "landing" / "clickstream" / "late.jsonl").write_text('{"event_id": "a"}\n{"event_id": "b"}\n')
    assert ("clickstream.events", 2) in [(query.source, query.rows) for query in follower.cycle()]
    follower.cycle()
    assert follower.written.growths == before + 1
    (text,) = told
    assert text.startswith("clickstream.events: its files are loaded, as Kafka at ")
    assert "has no topic nowhere; create it" in text


def test_only_sources_with_topics_can_be_followed(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    lakehouse.landing.mkdir()
    output = lakehouse.run("stream", "--source", "crm", exit_code=2)
    assert "crm cannot be followed, only clickstream, gym: a table has to have `topics`" in output


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Clicks as they are sent, some twice."""
    files = generate(tmp_path_factory.mktemp("clicks"), 0.01, sources=["clickstream"], deliveries=2)
    return [line for file in files for line in file.read_bytes().splitlines()]


def _home(folder: Path, **settings: str) -> Lakehouse:
    """A lakehouse that follows clicks, and knows no order yet."""
    lakehouse = Lakehouse(folder, settings)
    (lakehouse.landing / "clickstream").mkdir(parents=True)
    orders = pa.table({"order_id": [1], "order_name": ["#none"]})
    write_table(lakehouse.warehouse.folders.root, "silver.stg_shopify__orders", orders)
    return lakehouse


def test_clicks_over_kafka_and_by_files_that_land_meanwhile_give_the_same_sessions(
    broker: Broker, clicks: list[bytes], tmp_path: Path
) -> None:
    by_files, over_kafka = (
        _home(tmp_path / "files"),
        _home(tmp_path / "kafka", LAKEHOUSE_KAFKA=broker.address),
    )
    command = ("stream", "--source", "clickstream", "--trigger", "1 second")
    stream = by_files.start("lakehouse", *command)
    half = len(clicks) // 2
    for number, lines in enumerate((clicks[:half], clicks[half:])):
        file = by_files.landing / "clickstream" / f"clicks_{number}.jsonl"
        file.with_suffix(".tmp").write_bytes(b"\n".join(lines))
        file.with_suffix(".tmp").rename(file)
        _wait_until(lambda lines=lines: _staged(by_files) >= _ids(lines), stream)
    stream.send_signal(signal.SIGTERM)
    output, _ = stream.communicate(timeout=600)
    assert stream.returncode == 0, output
    assert "clickstream.events" in output and "gold in" in output

    broker.create_topics(["clicks"])
    producer = Producer({"bootstrap.servers": broker.address})
    for line in clicks:
        producer.produce("clicks", value=line)
    producer.produce("clicks", value='{"event_id": "broken')
    assert producer.flush(20) == 0
    # What dbt knows of the project, so that it need not read it again.
    shutil.copytree(by_files.home / "target", over_kafka.home / "target")
    over_kafka.run(*command, "--for", "1")
    assert ("the record cannot be parsed", '{"event_id": "broken') in over_kafka.rows(
        "select reason, record from ops.quarantine where _source_file = 'kafka://clicks/0'"
    )

    tables = [lakehouse.contents("silver", "gold") for lakehouse in (by_files, over_kafka)]
    assert differing(*tables) == []
    assert tables[0]["gold.fct_sessions"].num_rows > 10


def _ids(clicks: list[bytes]) -> set[object]:
    return {json.loads(click)["event_id"] for click in clicks}


def _staged(lakehouse: Lakehouse) -> set[object]:
    if "silver.stg_clickstream__events" not in lakehouse.warehouse.folders.tables():
        return set()
    events = DeltaTable(lakehouse.table("silver.stg_clickstream__events"))
    return set(events.to_pyarrow_table(columns=["event_id"])["event_id"].to_pylist())


def _wait_until(is_so: Callable[[], bool], stream: "subprocess.Popen[str]") -> None:
    """Wait while a stream runs, ten minutes at most."""
    ends_at = time.monotonic() + 600
    while not is_so():
        assert stream.poll() is None, stream.communicate()[0]
        assert time.monotonic() < ends_at, "the stream did not go on"
        time.sleep(0.5)
