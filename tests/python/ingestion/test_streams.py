"""Silver tables of the streams: where everything that arrives ends up, early, late, twice or broken."""

import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from pyspark.sql import SparkSession

from ingestion import audit, bronze
from ingestion.contracts import read_contracts
from ingestion.streams import open_queries, stream
from ingestion.streams.gym_records import messages
from ingestion.streams.stream import QueryProgress
from ingestion.streams.tables import read_tables
from lakehouse.settings import PROJECT

MODELS = PROJECT / "models"
EIGHT = 1_678_521_600  # 2023-03-11 08:00:00 UTC
MINUTE, HOUR, YEAR = 60, 3600, 365 * 24 * 3600
# With which programs in Go, Java and C# often say that they have no time.
YEAR_ONE = -62_135_596_800

Row = tuple[Any, ...]


class Gym:
    """A warehouse of gyms: what is sent, and what the silver tables make of it."""

    def __init__(self, spark: SparkSession, folder: Path, watermark: str = "30 seconds") -> None:
        self.spark, self.folder, self.watermark = spark, folder, watermark
        self._numbers = itertools.count(1)
        self._lines: dict[str, list[str]] = {}
        self.tables = [table for table in read_contracts(MODELS) if table.source == "gym"]
        for table in (*(t.bronze for t in self.tables), *(t.silver for t in read_tables(MODELS).values())):
            spark.sql(f"drop table if exists {table}")
        if spark.catalog.tableExists(audit.LOADS):
            spark.sql(f"delete from {audit.LOADS} where source = 'gym'")
            spark.sql(f"delete from {audit.QUARANTINE} where source = 'gym'")

    def registered(self, user: int, device: int, mac: str = "aa:01", at: int = EIGHT) -> None:
        self._add("registered_users", f"{user},{device},{mac},{at}")

    def visited(self, mac: str, gym: int, login: int, logout: int | None) -> None:
        self._add("gym_logins", f"{mac},{gym},{login},{'' if logout is None else logout}")

    def profile(self, user: int, change: str, at: float, offset: int = 0, **fields: Any) -> None:
        value = {"user_id": user, "update_type": change, "timestamp": at, **fields}
        self.message("user_info", value, offset=offset)

    def action(self, user: int, action: str, at: float, workout: int = 1, session: int = 1) -> None:
        value = {"user_id": user, "workout_id": workout, "timestamp": at}
        self.message("workout", value | {"action": action, "session_id": session})

    def beats(self, device: int, at: float, heartrate: float | None = 80.0, offset: int = 0) -> None:
        self.message("bpm", {"device_id": device, "time": at, "heartrate": heartrate}, offset=offset)

    def message(self, topic: str, value: Any, offset: int | None = 0, as_object: bool = False) -> None:
        text = value if isinstance(value, str) or as_object else json.dumps(value)
        envelope = {"key": "1", "value": text, "topic": topic, "partition": 0, "offset": offset}
        self._add("kafka_multiplex", json.dumps(envelope | {"timestamp": EIGHT}))

    def follow(self, queries_at_once: int = 1) -> dict[str, QueryProgress]:
        """Deliver what was sent since, as a file per table, and bring silver up to date."""
        headers = {
            "registered_users": "user_id,device_id,mac_address,registration_timestamp",
            "gym_logins": "mac_address,gym,login,logout",
        }
        for name, lines in self._lines.items():
            ending = "csv" if name in headers else "json"
            file = self.folder / f"landing/gym/{name}/{next(self._numbers)}.{ending}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join([*([headers[name]] if name in headers else []), *lines]) + "\n")
        self._lines = {}
        checkpoints = self.folder / "checkpoints"
        location = str(self.folder / "bronze")
        bronze.load(self.spark, self.tables, str(self.folder / "landing"), location, checkpoints)
        queries = open_queries(self.spark, MODELS, self.tables, checkpoints, self.watermark)
        with ThreadPoolExecutor(queries_at_once) as pool:
            return dict(pool.map(lambda query: (query.table.name, query.run()), queries))

    def rows(self, table: str, columns: str) -> list[Any]:
        """Rows of a silver table, sorted; times as seconds since 1970."""
        types = dict(self.spark.table(f"silver.{table}").dtypes)
        selected = [
            f"unix_timestamp(`{name}`)" if types[name] == "timestamp" else name
            for name in columns.split(", ")
        ]
        rows = self.spark.table(f"silver.{table}").selectExpr(*selected).collect()
        return sorted((row[0] if len(row) == 1 else tuple(row) for row in rows), key=repr)

    def detail(self, table: str) -> Any:
        """What Delta says of a silver table: location, properties."""
        return self.spark.sql(f"describe detail silver.{table}").head()

    def rejected(self) -> dict[str, str]:
        """Records in the quarantine by reason."""
        rows = self.spark.table(audit.QUARANTINE).where("source = 'gym'").collect()
        assert len({row["reason"] for row in rows}) == len(rows)
        return {row["reason"]: row["record"] for row in rows}

    def _add(self, name: str, line: str) -> None:
        self._lines.setdefault(name, []).append(line)


@pytest.fixture
def gym(spark: SparkSession, tmp_path: Path) -> Gym:
    return Gym(spark, tmp_path)


@pytest.fixture(scope="module")
def odd(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gym]:
    """Everything that is odd, in one delivery."""
    gym = Gym(spark, tmp_path_factory.mktemp("odd"))
    gym.registered(1, 11)
    gym.action(1, "start", EIGHT)
    gym.action(1, "start", EIGHT + 10 * MINUTE)
    gym.action(1, "stop", EIGHT + HOUR)
    gym.action(1, "stop", EIGHT + 2 * HOUR)
    gym.action(2, "stop", EIGHT)
    gym.action(3, "start", EIGHT)
    gym.action(3, "stop", EIGHT + 3 * HOUR + 1)
    gym.action(4, "start", EIGHT)
    gym.action(4, "stop", EIGHT + 3 * HOUR)
    for at, rate in ((EIGHT, 60.0), (EIGHT + 1, 61.0), (EIGHT + HOUR, 62.0), (EIGHT + HOUR + 1, 63.0)):
        gym.beats(11, at, rate)
    gym.beats(11, EIGHT + 2, 0.0)
    gym.beats(11, EIGHT + 3, 70.0, offset=1)
    gym.beats(11, EIGHT + 3, 71.0, offset=2)
    gym.beats(11, EIGHT + YEAR, 64.0)
    gym.beats(11, int(time.time()) + YEAR, 65.0)
    gym.beats(12, EIGHT, 66.0)
    gym.beats(11, EIGHT + 4, None)
    gym.message("bpm", '{"device_id": 11, "time": 16785')
    gym.message("bpm_test", {"device_id": 11, "time": EIGHT, "heartrate": 1.0})
    gym.message(
        "workout", {"user_id": 1, "workout_id": 1, "session_id": 1, "timestamp": EIGHT, "action": "x"}
    )
    gym.message("bpm", {"device_id": 11, "time": EIGHT + 5.0, "heartrate": 67}, as_object=True)
    gym.profile(1, "new", EIGHT, dob="07/25/1939", address={"city": "Los Angeles", "zip": 90018})
    gym.profile(1, "new", EIGHT + 1, dob="02/30/1939")
    gym.visited("aa:01", 5, EIGHT, EIGHT - 1)
    gym.visited("aa:02", 5, EIGHT, None)
    gym.visited("aa:02", 5, EIGHT, EIGHT + HOUR)
    gym.visited("aa:02", 5, EIGHT, EIGHT + MINUTE)
    gym.visited("aa:03", 5, EIGHT, 1000 * EIGHT)
    gym.visited("aa:04", 5, EIGHT, 10 * EIGHT)
    gym.message("user_info", {"user_id": 9, "update_type": "new", "timestamp": EIGHT}, offset=None)
    gym.follow()
    yield gym


def test_each_start_is_paired_with_the_first_stop_within_three_hours(odd: Gym) -> None:
    assert odd.rows("completed_workouts", "user_id, start_time, end_time") == [
        (1, EIGHT, EIGHT + HOUR),
        (1, EIGHT + 10 * MINUTE, EIGHT + HOUR),
        (4, EIGHT, EIGHT + 3 * HOUR),
    ]


def test_a_stop_without_a_start_is_kept_as_it_is(odd: Gym) -> None:
    assert (2, "stop") in odd.rows("workouts", "user_id, action")
    assert 2 not in odd.rows("completed_workouts", "user_id")


def test_recordings_are_after_the_start_and_not_after_the_end(odd: Gym) -> None:
    assert odd.rows("workout_bpm", "time, heartrate, valid") == [
        (EIGHT + 1, 61.0, True),
        (EIGHT + 2, 0.0, False),
        (EIGHT + 3, 71.0, True),
        (EIGHT + 5, 67.0, True),
        (EIGHT + HOUR, 62.0, True),
    ]


def test_a_heart_rate_of_an_unknown_device_waits_for_its_registration(odd: Gym) -> None:
    assert (12, EIGHT) in odd.rows("heart_rate", "device_id, time")
    assert 12 not in odd.rows("workout_bpm", "device_id")


def test_of_two_recordings_at_a_time_the_higher_offset_counts(odd: Gym) -> None:
    assert (EIGHT + 3, 71.0) in odd.rows("heart_rate", "time, heartrate")
    assert (EIGHT + 3, 70.0) not in odd.rows("heart_rate", "time, heartrate")


def test_a_clock_a_year_ahead_disturbs_nothing(odd: Gym) -> None:
    times = odd.rows("heart_rate", "time")
    assert EIGHT + YEAR in times
    assert max(times) == EIGHT + YEAR


def test_a_value_as_an_object_is_read_like_a_text(odd: Gym) -> None:
    assert (EIGHT + 5, 67.0) in odd.rows("heart_rate", "time, heartrate")


def test_a_date_that_does_not_exist_is_unknown(odd: Gym) -> None:
    assert odd.rows("user_profile", "event_time, dob, city") == [(EIGHT + 1, None, None)]
    history = odd.rows("user_profile_history", "event_time, city, zip")
    assert history == [(EIGHT, "Los Angeles", "90018"), (EIGHT + 1, None, None)]


@pytest.mark.parametrize("mac", ["aa:01", "aa:03", "aa:04"])
def test_an_impossible_logout_is_unknown(odd: Gym, mac: str) -> None:
    assert (mac, None) in odd.rows("gym_visits", "mac_address, logout")


def test_a_logout_only_moves_later(odd: Gym) -> None:
    assert ("aa:02", EIGHT + HOUR) in odd.rows("gym_visits", "mac_address, logout")


def test_what_cannot_be_used_is_in_the_quarantine_with_its_reason(odd: Gym) -> None:
    rejected = odd.rejected()
    assert sorted(rejected) == [
        "it lacks a usable action",
        "it lacks a usable heartrate",
        "it lacks a usable message_offset",
        "its time is more than a day ahead of its arrival",
        "the logout is before the login",
        "the logout is more than a day ahead of its arrival",
        "the logout is no usable time",
        "the value is no JSON object",
        "unknown topic bpm_test",
    ]
    assert json.loads(rejected["the value is no JSON object"])["value"] == '{"device_id": 11, "time": 16785'


def test_statistics_say_of_which_time_files_are(odd: Gym, statistics: Callable[[Path], set[str]]) -> None:
    assert statistics(Path(urlparse(odd.detail("heart_rate").location).path)) == {"time", "_updated_at"}


def test_tables_write_the_checkpoints_of_their_logs_in_different_batches(odd: Gym) -> None:
    tables = read_tables(MODELS)
    commits = {odd.detail(name).properties["delta.checkpointInterval"] for name in tables}
    assert len(commits) == len(tables)


def test_the_first_second_of_the_calendar_stops_nothing(gym: Gym) -> None:
    gym.registered(1, 11, at=YEAR_ONE)
    gym.action(1, "start", YEAR_ONE)
    gym.action(1, "stop", YEAR_ONE + HOUR)
    gym.beats(11, YEAR_ONE)
    gym.beats(11, YEAR_ONE + 1)
    gym.follow()
    assert gym.rows("workout_bpm", "time") == [YEAR_ONE + 1]


@pytest.mark.parametrize(
    "value", ['{"device_id": 11}{"device_id": 12}', '{"device_id": 11} more', "{'device_id': 11}", "[]"]
)
def test_what_is_more_or_less_than_one_object_is_no_value(spark: SparkSession, value: str) -> None:
    sent = {"key": "1", "value": value, "topic": "bpm", "partition": 0, "offset": 0}
    schema = "key string, value string, topic string, partition bigint, offset bigint, _ingested_at timestamp"
    rows = spark.createDataFrame([(*sent.values(), datetime.now(UTC))], schema)
    assert messages(rows).head()["_reason"] == "the value is no JSON object"  # type: ignore[index]


def test_late_data_changes_what_it_belongs_to(gym: Gym) -> None:
    gym.registered(1, 11)
    gym.action(1, "start", EIGHT)
    gym.beats(11, EIGHT + 1)
    gym.beats(21, EIGHT + 1)
    gym.follow(queries_at_once=3)
    assert gym.rows("workout_bpm", "time") == []

    gym.action(1, "stop", EIGHT + HOUR)
    gym.beats(11, EIGHT + 30 * MINUTE)
    gym.action(2, "start", EIGHT)
    gym.action(2, "stop", EIGHT + HOUR)
    gym.follow(queries_at_once=3)
    assert gym.rows("workout_bpm", "user_id, time") == [(1, EIGHT + 1), (1, EIGHT + 30 * MINUTE)]

    gym.beats(11, EIGHT + 2)
    gym.action(1, "stop", EIGHT + 20 * MINUTE)
    gym.registered(2, 21, "aa:02")
    gym.follow(queries_at_once=3)
    assert gym.rows("completed_workouts", "user_id, end_time") == [
        (1, EIGHT + 20 * MINUTE),
        (2, EIGHT + HOUR),
    ]
    assert gym.rows("workout_bpm", "user_id, time") == [(1, EIGHT + 1), (1, EIGHT + 2), (2, EIGHT + 1)]


def test_the_newest_change_of_a_profile_counts_in_any_order(gym: Gym) -> None:
    gym.profile(1, "update", EIGHT + 2, last_name="newest")
    gym.profile(2, "delete", EIGHT + 2)
    gym.profile(3, "update", EIGHT, offset=2, last_name="higher offset")
    gym.follow()
    gym.profile(1, "new", EIGHT, last_name="older")
    gym.profile(2, "update", EIGHT + 1, last_name="before it was deleted")
    gym.profile(3, "update", EIGHT, offset=1, last_name="lower offset")
    gym.follow()
    assert gym.rows("user_profile", "user_id, last_name") == [(1, "newest"), (3, "higher offset")]
    assert len(gym.rows("user_profile_history", "user_id")) == 6

    gym.profile(1, "delete", EIGHT + 3)
    gym.profile(2, "new", EIGHT + 4, last_name="came back")
    gym.follow()
    assert gym.rows("user_profile", "user_id, last_name") == [(2, "came back"), (3, "higher offset")]


@pytest.fixture
def compacting(spark: SparkSession) -> Iterator[None]:
    """Small files are joined, as in the session of a stream."""
    spark.conf.set("spark.databricks.delta.autoCompact.enabled", "true")
    yield
    spark.conf.set("spark.databricks.delta.autoCompact.enabled", "false")


@pytest.mark.usefixtures("compacting")
def test_copies_change_nothing_inside_and_outside_the_watermark(spark: SparkSession, tmp_path: Path) -> None:
    gym = Gym(spark, tmp_path, watermark="1 second")
    gym.beats(11, EIGHT)
    gym.beats(11, EIGHT + 1)
    gym.follow()
    gym.beats(11, EIGHT)
    assert gym.follow()["kafka_multiplex"].state_rows == 2
    time.sleep(2)
    gym.beats(11, EIGHT + 2)
    gym.follow()
    gym.beats(11, EIGHT + 3)
    gym.beats(11, EIGHT)
    gym.beats(11, EIGHT - 1)
    # What came first is forgotten, but the table knows it.
    assert gym.follow()["kafka_multiplex"].state_rows < 6
    assert gym.rows("heart_rate", "time") == [EIGHT - 1, EIGHT, EIGHT + 1, EIGHT + 2, EIGHT + 3]
    # Whole, so that a batch need not repeat the changes of those before it.
    saved = (tmp_path / "checkpoints/silver/gym_kafka_multiplex/state/0/0").glob("[0-9].*")
    assert sorted(file.name for file in saved) == ["1.zip", "2.zip", "3.zip", "4.zip"]
    # Were it to fail, Delta would only log it.
    assert spark.sql("describe history silver.heart_rate").where("operation = 'OPTIMIZE'").count() > 0


def test_what_is_read_anew_is_never_too_late(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_BYTES_PER_BATCH", "1b")
    gym = Gym(spark, tmp_path, watermark="1 second")
    for at in (EIGHT, EIGHT + 1):
        gym.beats(11, at)
        gym.follow()
    time.sleep(2)
    # Files of two weeks: what a batch brings counts for the one after the next.
    for at in (EIGHT, EIGHT + YEAR):
        gym.action(1, "start", at)
        gym.follow()
    # Older rows in a newer file, which is read last.
    spark.sql("optimize bronze.gym_kafka_multiplex where topic = 'bpm'")
    spark.sql("delete from silver.heart_rate")
    shutil.rmtree(gym.folder / "checkpoints/silver")
    gym.follow()
    assert gym.rows("heart_rate", "time") == [EIGHT, EIGHT + 1]


def test_a_lost_checkpoint_changes_nothing(gym: Gym) -> None:
    gym.registered(1, 11)
    gym.action(1, "start", EIGHT)
    gym.action(1, "stop", EIGHT + HOUR)
    gym.beats(11, EIGHT + 1)
    gym.profile(1, "new", EIGHT)
    gym.follow()
    tables = read_tables(MODELS)
    before = {name: gym.rows(name, ", ".join(tables[name].keys)) for name in tables}
    shutil.rmtree(gym.folder / "checkpoints/silver")
    gym.follow()
    assert {name: gym.rows(name, ", ".join(tables[name].keys)) for name in tables} == before
