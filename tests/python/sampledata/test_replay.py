"""Recorded files of the gyms and of clicks arrive whole, over Kafka as in the landing zone."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.lakehouse.folders import Folders

from ingestion import bronze
from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable, read_contracts
from ingestion.kafka import Kafka, KafkaUnavailable
from ingestion.tables.local import LocalTables
from sampledata.replay import ReplayError, replay_to_kafka, replay_to_landing
from tests.python import PROJECT
from tools.broker import Broker

_START = 1_678_451_168


def _line(topic: str, number: int, value: Any) -> str:
    fields = dict(key=str(number), value=value, topic=topic, partition=0, offset=number)
    return json.dumps(fields | {"timestamp": _START + number})


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two topics in two files, one of them compressed, out of order; a line that is no JSON; CSV; clicks."""
    folder = tmp_path / "gym"
    texts = {
        "registered_users": f"user_id,device_id,mac_address,registration_timestamp\n1,2,aa:bb,{_START + 1}\n",
        "gym_logins": f"mac_address,gym,login,logout\naa:bb,5,{_START + 3},\naa:bb,5,{_START},{_START + 9}\n",
    }
    for name, text in texts.items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}_1.csv").write_text(text)
    messages = folder / "kafka_multiplex"
    messages.mkdir()
    beats = [_line("bpm", number, json.dumps({"device_id": 2, "heartrate": number})) for number in (4, 2, 0)]
    messages.joinpath("bpm.json.gz").write_bytes(gzip.compress("\n".join(beats).encode()))
    others = [_line("workout", 1, {"user_id": 1, "action": "start"}), "{broken", _line("other", 3, "x")]
    messages.joinpath("workout.json").write_text("\n".join(others) + "\n")
    clicks = [json.dumps({"event_id": id, "event_time": f"2023-03-10T12:26:{id}Z"}) for id in ("12", "08")]
    folder.joinpath("clicks.jsonl").write_text("\n".join(clicks) + "\n")
    return folder


def _tables() -> tuple[SourceTable, SourceTable]:
    tables = {table.bronze: table for table in read_contracts(PROJECT / "models")}
    return tables["bronze.gym_kafka_multiplex"], tables["bronze.clickstream_events"]


@pytest.fixture
def empty_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker whose topics hold what this test sends alone: the shared one has other tests' messages."""
    with Broker(tmp_path / "kafka_broker") as broker:
        yield broker


def test_both_transports_give_the_same_rows(empty_broker: Broker, recorded: Path, tmp_path: Path) -> None:
    messages, clicks = _tables()
    empty_broker.create_topics([*messages.arrives.topics, *clicks.arrives.topics])
    rows = {}
    for transport in ("kafka", "landing"):
        landing, tables = tmp_path / transport, LocalTables(Folders(tmp_path / f"{transport}_home"))
        if transport == "kafka":
            kafka = Kafka(empty_broker.address)
            summary = replay_to_kafka(recorded, kafka, landing, 0)
            assert [TopicLoader(tables, table, kafka).load() for table in (messages, clicks)] == [4, 2]
            sent = "3 bpm, 2 clicks, 2 gym_logins, 1 other, 1 registered_users, 1 workout"
            assert str(summary).startswith(f"Sent {sent}")
            assert summary.unsendable == 1
        else:
            summary = replay_to_landing(recorded, landing, 0)
            assert summary.lines == {
                "kafka_multiplex": 6,
                "gym_logins": 2,
                "registered_users": 1,
                "clicks": 2,
            }
            bronze.load(tables, [messages, clicks], str(landing))
        found = tables.select(messages.bronze, "select * from {t} where topic <> 'other'")
        columns = ["key", "value", "topic", "timestamp", "event_date", "event_week", "_rescued_data"]
        clicked = tables.select(clicks.bronze, "select event_id, event_time from {t}")
        rows[transport] = [
            sorted(tuple(row.values()) for row in table.to_pylist())
            for table in (found.select(columns), clicked)
        ]
        assert len(list((landing / "gym").rglob("*.csv"))) == 2
        assert not list(landing.rglob("*.partial"))
    assert [len(found) for found in rows["kafka"]] == [4, 2]
    assert rows["kafka"] == rows["landing"]


def test_lines_land_in_the_order_of_their_time(recorded: Path, tmp_path: Path) -> None:
    replay_to_landing(recorded, tmp_path / "landing", 0)
    (file,) = (tmp_path / "landing" / "gym" / "kafka_multiplex").iterdir()
    # A line without a time stays behind the one before it.
    numbers = [
        line[1:7] if line == "{broken" else json.loads(line)["key"]
        for line in file.read_text().split("\n")[:-1]
    ]
    assert numbers == ["0", "1", "broken", "2", "3", "4"]
    (logins,) = (tmp_path / "landing" / "gym" / "gym_logins").iterdir()
    assert logins.read_text().splitlines() == [
        "mac_address,gym,login,logout",
        f"aa:bb,5,{_START},{_START + 9}",
        f"aa:bb,5,{_START + 3},",
    ]


def test_speed_paces_the_lines(recorded: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    replay_to_landing(recorded, tmp_path / "landing", 2)
    assert 2 <= time.monotonic() - started < 4
    assert len(list((tmp_path / "landing" / "gym" / "kafka_multiplex").iterdir())) >= 2


def test_what_cannot_be_replayed_is_said(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recorded files"):
        replay_to_landing(tmp_path / "nothing", tmp_path / "landing")
    with pytest.raises(ValueError, match="negative"):
        replay_to_landing(recorded, tmp_path / "landing", -1)
    with pytest.raises(KafkaUnavailable, match=r"127\.0\.0\.1:1 "):
        replay_to_kafka(recorded, Kafka("127.0.0.1:1"), tmp_path / "landing", 0)


def test_messages_that_kafka_does_not_take_are_reported(
    broker: Broker, recorded: Path, tmp_path: Path
) -> None:
    (recorded / "kafka_multiplex" / "more.json").write_text(_line("no such name!", 9, "x"))
    with pytest.raises(ReplayError, match="1 of no such name!"):
        replay_to_kafka(recorded, Kafka(broker.address), tmp_path / "landing", 0)
