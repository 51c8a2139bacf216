"""Streams on Spark: the same tables as on Sail, and what only Structured Streaming has."""

import time
from pathlib import Path

import pytest
from dbt.adapters.lakehouse import delta
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from ingestion.streams import on_spark

from .gyms import EIGHT, YEAR, Gym, send_events, send_what_is_odd

pytestmark = pytest.mark.spark


def test_spark_gives_the_same_and_either_goes_on_where_the_other_was(
    tmp_path: Path, spark: SparkSession
) -> None:
    found = []
    for number, engines in enumerate([(None, None), (None, spark), (spark, None)]):
        gym = Gym(tmp_path / str(number))
        for part, engine in enumerate(engines):
            send_what_is_odd(gym)
            send_events(gym, range(part, 200, 2))
            gym.spark = engine
            gym.follow()
        found.append(gym.all_rows())
    local, then_spark, then_local = found
    assert then_local == local
    assert then_spark == local


def test_copies_change_nothing_inside_and_outside_the_watermark(spark: SparkSession, tmp_path: Path) -> None:
    gym = Gym(tmp_path, spark)
    gym.beats(11, EIGHT)
    gym.beats(11, EIGHT + 1)
    gym.follow()
    version = gym.versions()["silver.heart_rate"]
    gym.beats(11, EIGHT)
    assert gym.follow()["kafka_multiplex"].state_rows == 2
    # What came first is forgotten, but the table knows it.
    for query in gym.queries():
        query.start_over()
    gym.follow()
    assert gym.rows("heart_rate", "time") == [EIGHT, EIGHT + 1]
    assert gym.versions()["silver.heart_rate"] == version


def test_what_is_read_anew_is_never_too_late(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_spark, "_BYTES_PER_BATCH", "1b")
    gym = Gym(tmp_path, spark, watermark="1 second")
    for at in (EIGHT, EIGHT + 1):
        gym.beats(11, at)
        gym.follow()
    time.sleep(2)
    # What a batch brings counts for the one after the next.
    for at in (EIGHT, EIGHT + YEAR):
        gym.action(1, "start", at)
        gym.follow()
    gym.delta_table("heart_rate").delete()
    for query in gym.queries():
        query.start_over()
    # Older rows in newer files, which are read last.
    older = DeltaTable(gym.folders.location("bronze", "gym_kafka_multiplex"))
    rows = gym.tables.select("bronze.gym_kafka_multiplex", "select * from {t} where topic = 'bpm'")
    older.delete("topic = 'bpm'")
    delta.append(gym.folders.location("bronze", "gym_kafka_multiplex"), rows)
    gym.follow()
    assert gym.rows("heart_rate", "time") == [EIGHT, EIGHT + 1]
