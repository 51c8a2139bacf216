"""The broker of one's own keeps what it was given."""

import socket
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from lakehouse.errors import UsageError
from tools.broker import Broker


def _write(broker: Broker, text: str) -> None:
    producer = Producer({"bootstrap.servers": broker.address})
    producer.produce("letters", value=text)
    assert producer.flush(20) == 0


def _consumer(broker: Broker) -> Consumer:
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "readers", "log_level": 0})
    consumer.assign([TopicPartition("letters", 0)])
    return consumer


@pytest.mark.spark
def test_messages_and_offsets_outlive_a_stop_and_a_crash(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "kafka")
    with broker:
        address = broker.address
        broker.create_topics(["letters"])
        broker.create_topics(["letters", "numbers"], partitions=2)
        _write(broker, "a")
        reader = _consumer(broker)
        reader.commit(offsets=[TopicPartition("letters", 0, 1)], asynchronous=False)
        reader.close()
        broker.kill()
        assert not broker.is_running
        broker.start()
        assert broker.address == address
        _write(broker, "b")
        reader = _consumer(broker)
        (committed,) = reader.committed([TopicPartition("letters", 0)], timeout=20)
        assert committed.offset == 1
        assert reader.get_watermark_offsets(TopicPartition("letters", 0), timeout=20) == (0, 2)
        reader.close()
    assert not broker.is_running


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} is taken"):
            Broker(tmp_path, port).start()
