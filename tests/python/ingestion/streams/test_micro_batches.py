"""Streams that are read until nothing is new."""

import threading
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from ingestion.streams.micro_batches import MicroBatch, read_new


@pytest.mark.parametrize("fails", [False, True])
def test_a_stream_that_has_ended_leaves_no_thread(spark: SparkSession, tmp_path: Path, fails: bool) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing/a.txt").write_text("a\n")
    stream = spark.readStream.schema("value string").text(str(tmp_path / "landing"))
    threads: list[threading.Thread] = []

    def write(batch: MicroBatch) -> None:
        threads.append(threading.current_thread())
        if fails:
            raise OSError("no space")

    try:
        read_new(stream, tmp_path / "checkpoint", write)
    except OSError:
        assert fails
    (thread,) = threads
    assert thread is not threading.current_thread()
    thread.join(10)
    assert not thread.is_alive()
