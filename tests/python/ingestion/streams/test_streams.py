"""Silver tables of the streams: where everything that arrives ends up, early, late, twice or broken."""

import itertools
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.folders import Folders
from dbt.adapters.lakehouse.sail import Sail
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from ingestion.bronze.load_log import QUARANTINE
from ingestion.bronze.values import arrow_type
from ingestion.contracts import METADATA_COLUMNS, SourceTable, read_contracts
from ingestion.streams import (
    Engine,
    Query,
    QueryProgress,
    StreamError,
    compaction,
    on_sail,
    on_spark,
    open_queries,
)
from ingestion.streams.on_sail import SailEngine
from ingestion.streams.tables import UPDATED_AT, read_tables
from ingestion.tables.local import LocalTables
from tests.python import PROJECT

MODELS = PROJECT / "models"
SILVER = read_tables(MODELS)
BRONZE = {table.name: table for table in read_contracts(MODELS) if table.source == "gym"}
EIGHT = 1_678_521_600  # 2023-03-11 08:00:00 UTC
MINUTE, HOUR, YEAR = 60, 3600, 365 * 24 * 3600
# With which programs in Go, Java and C# often say that they have no time.
YEAR_ONE = -62_135_596_800

Row = tuple[Any, ...]
_FILES = itertools.count(1)


class Gym:
    """A warehouse of gyms: what is sent, and what the silver tables make of it.

    Streams run on Sail or, with `spark`, on Spark.
    """

    def __init__(
        self, folder: Path, spark: SparkSession | None = None, watermark: str = "30 seconds"
    ) -> None:
        self.folders = Folders(folder / "warehouse")
        self.checkpoints = folder / "checkpoints"
        self.tables = LocalTables(self.folders)
        self.sail = Sail(self.folders)
        self.spark, self.watermark = spark, watermark
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def registered(self, user: int, device: int, mac: str = "aa:01", at: int = EIGHT) -> None:
        row = {"user_id": user, "device_id": device, "mac_address": mac, "registration_timestamp": at}
        self._add("registered_users", row)

    def visited(self, mac: str, gym: int, login: int, logout: int | None) -> None:
        self._add("gym_logins", {"mac_address": mac, "gym": gym, "login": login, "logout": logout})

    def profile(self, user: int, change: str, at: float, offset: int = 0, **fields: Any) -> None:
        value = {"user_id": user, "update_type": change, "timestamp": at, **fields}
        self.message("user_info", value, offset=offset)

    def action(self, user: int, action: str, at: float, workout: int = 1, session: int = 1) -> None:
        value = {"user_id": user, "workout_id": workout, "timestamp": at}
        self.message("workout", value | {"action": action, "session_id": session})

    def beats(self, device: int, at: float, heartrate: float | None = 80.0, offset: int = 0) -> None:
        self.message("bpm", {"device_id": device, "time": at, "heartrate": heartrate}, offset=offset)

    def message(self, topic: str, value: Any, offset: int | None = 0) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        row = {"key": "1", "value": text, "topic": topic, "partition": 0, "offset": offset}
        self._add("kafka_multiplex", row | {"timestamp": EIGHT})

    def deliver(self) -> None:
        """Append what was sent since to bronze, as a file per table."""
        for name, rows in self._rows.items():
            loaded = {"_source_file": f"/landing/{next(_FILES)}", "_ingested_at": datetime.now(UTC)}
            schema = _bronze_schema(BRONZE[name])
            delta.append(
                self.folders.location("bronze", BRONZE[name].identifier),
                pa.Table.from_pylist([row | loaded for row in rows], schema=schema),
            )
        self._rows = {}

    def follow(self, queries_at_once: int = 1) -> dict[str, QueryProgress]:
        """Deliver what was sent since, and bring silver up to date."""
        self.deliver()
        with _columns_for(self.spark), ThreadPoolExecutor(queries_at_once) as pool:
            return dict(pool.map(lambda query: (query.table.name, query.run()), self.queries()))

    def queries(self) -> list[Query]:
        """Queries as a new process opens them."""
        engine: Engine = SailEngine(self.sail)
        if self.spark:
            engine = on_spark.SparkEngine(
                self.spark, self.tables, self.checkpoints, self.watermark, self.folders
            )
        return open_queries(engine, MODELS, list(BRONZE.values()))

    def rows(self, table: str, columns: str) -> list[Any]:
        """Rows of a silver table, sorted; times as seconds since 1970."""
        rows = self._read(f"silver.{table}").select(columns.split(", "))
        values = [[_seconds(value) for value in row.values()] for row in rows.to_pylist()]
        return sorted((row[0] if len(row) == 1 else tuple(row) for row in values), key=repr)

    def all_rows(self) -> dict[str, Counter[str]]:
        """What every silver table and the quarantine say, but not when they were written."""
        silver = {name: self._read(table.silver).drop_columns(UPDATED_AT) for name, table in SILVER.items()}
        rejected = {"quarantine": self._read(QUARANTINE).select(["table_name", "reason", "record"])}
        return {name: Counter(map(repr, rows.to_pylist())) for name, rows in (silver | rejected).items()}

    def versions(self) -> dict[str, int]:
        """How often each table was written."""
        return {name: DeltaTable(place).version() for name, place in self.folders.tables().items()}

    def delta_table(self, table: str) -> DeltaTable:
        """A silver table."""
        return DeltaTable(self.folders.location("silver", table))

    def rejected(self) -> dict[str, str]:
        """Records in the quarantine by reason."""
        rows = self._read(QUARANTINE).to_pylist()
        assert len({row["reason"] for row in rows}) == len(rows)
        return {row["reason"]: row["record"] for row in rows}

    def _read(self, name: str) -> pa.Table:
        return self.tables.select(name, "select * from {t}")

    def _add(self, name: str, row: dict[str, Any]) -> None:
        self._rows.setdefault(name, []).append(row)


def _bronze_schema(table: SourceTable) -> pa.Schema:
    types = {column.name: column.data_type for column in table.columns} | METADATA_COLUMNS
    return pa.schema([(name, arrow_type(data_type)) for name, data_type in types.items()])


def _seconds(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    seconds = (value - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    return int(seconds) if seconds.is_integer() else seconds


def _columns_for(spark: SparkSession | None) -> Any:
    """The functions of PySpark make columns for Sail only while this is set."""
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_CONNECT_MODE_ENABLED"}
    return mock.patch.dict(
        os.environ, environment if spark else {"SPARK_CONNECT_MODE_ENABLED": "1"}, clear=bool(spark)
    )


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    jars = PROJECT / ".cache/jars"
    if not any(jars.glob("delta-spark*.jar")):
        pytest.skip("Spark's jars are not here: `make spark` brings them")
    settings = {
        "spark.driver.extraClassPath": f"{jars}/*",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark")),
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with mock.patch.dict(os.environ):
        os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture
def gym(tmp_path: Path) -> Gym:
    return Gym(tmp_path)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Gym:
    """Everything that is odd, in one delivery."""
    gym = Gym(tmp_path_factory.mktemp("odd"))
    send_what_is_odd(gym)
    gym.follow()
    return gym


def send_what_is_odd(gym: Gym) -> None:
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
    gym.beats(11, EIGHT + 100 * YEAR, 65.0)
    gym.beats(12, EIGHT, 66.0)
    gym.beats(11, EIGHT + 4, None)
    gym.message("bpm", '{"device_id": 11, "time": 16785')
    gym.message("bpm_test", {"device_id": 11, "time": EIGHT, "heartrate": 1.0})
    gym.message(
        "workout", {"user_id": 1, "workout_id": 1, "session_id": 1, "timestamp": EIGHT, "action": "x"}
    )
    gym.message("bpm", {"device_id": 11, "time": EIGHT + 5.0, "heartrate": 67})
    gym.profile(1, "new", EIGHT, dob="07/25/1939", address={"city": "Los Angeles", "zip": 90018})
    gym.profile(1, "new", EIGHT + 1, dob="02/30/1939")
    gym.visited("aa:01", 5, EIGHT, EIGHT - 1)
    gym.visited("aa:02", 5, EIGHT, None)
    gym.visited("aa:02", 5, EIGHT, EIGHT + HOUR)
    gym.visited("aa:02", 5, EIGHT, EIGHT + MINUTE)
    gym.visited("aa:03", 5, EIGHT, 1000 * EIGHT)
    gym.visited("aa:04", 5, EIGHT, 10 * EIGHT)
    gym.message("user_info", {"user_id": 9, "update_type": "new", "timestamp": EIGHT}, offset=None)


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


def test_statistics_say_of_which_time_files_are(odd: Gym) -> None:
    files = pa.table(odd.delta_table("heart_rate").get_add_actions(flatten=True))
    kept = {name.removeprefix("max.") for name in files.column_names if name.startswith("max.")}
    assert kept == {"time", "_updated_at"}


def test_tables_write_the_checkpoints_of_their_logs_in_different_batches(odd: Gym) -> None:
    properties = [odd.delta_table(name).metadata().configuration for name in SILVER]
    assert len({each["delta.checkpointInterval"] for each in properties}) == len(SILVER)


def test_columns_have_the_comments_of_the_declaration(odd: Gym) -> None:
    comments = {field.name: field.metadata["comment"] for field in odd.delta_table("users").schema().fields}
    assert comments["mac_address"] == "Network address of the device, which the gyms see."


def test_the_first_second_of_the_calendar_stops_nothing(gym: Gym) -> None:
    gym.registered(1, 11, at=YEAR_ONE)
    gym.action(1, "start", YEAR_ONE)
    gym.action(1, "stop", YEAR_ONE + HOUR)
    gym.beats(11, YEAR_ONE)
    gym.beats(11, YEAR_ONE + 1)
    gym.follow()
    assert gym.rows("workout_bpm", "time") == [YEAR_ONE + 1]


BROKEN = [
    '{"device_id": 11}{"device_id": 12}',
    '{"device_id": 11} more',
    "{'device_id': 11}",
    "[]",
    "11",
    "null",
    "",
    None,
    '{"device_id": NaN}',
    '{"device_id": 11',
]


def test_what_is_more_or_less_than_one_object_is_no_value(gym: Gym) -> None:
    for offset, value in enumerate(BROKEN):
        gym.message("bpm", value, offset=offset)
    gym.follow()
    rejected = gym.tables.select(QUARANTINE, "select reason from {t}")["reason"].to_pylist()
    assert rejected == ["the value is no JSON object"] * len(BROKEN)


def test_numbers_are_read_to_their_last_digit(gym: Gym) -> None:
    random.seed(27)
    # One in ten that Sail's from_json reads wrongly.
    rates = [random.uniform(30, 200) for _ in range(50)] + [93.72495479825955]
    for number, rate in enumerate(rates):
        gym.beats(11, EIGHT + number + 0.123457, rate)
    gym.follow()
    expected = [(EIGHT + number + 0.123457, rate) for number, rate in enumerate(rates)]
    assert gym.rows("heart_rate", "time, heartrate") == sorted(expected, key=repr)


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


def test_what_is_new_is_taken_once(gym: Gym) -> None:
    send_what_is_odd(gym)
    assert gym.follow()["kafka_multiplex"].rows > 0
    before = gym.versions()
    assert all(progress.rows == 0 for progress in gym.follow().values())
    gym.beats(11, EIGHT + MINUTE)
    assert gym.follow()["kafka_multiplex"].rows == 1
    written = {name for name, version in gym.versions().items() if version != before[name]}
    assert written == {"bronze.gym_kafka_multiplex", "silver.heart_rate", "silver.workout_bpm"}


def test_what_is_taken_again_changes_nothing(gym: Gym) -> None:
    send_what_is_odd(gym)
    gym.follow()
    rows, versions = gym.all_rows(), gym.versions()
    for query in gym.queries():
        query.start_over()
    gym.follow()
    assert gym.all_rows() == rows
    # How far bronze was taken, before and after, and nothing else.
    written = {name: version - versions[name] for name, version in gym.versions().items()}
    assert {name: count for name, count in written.items() if count} == {
        "silver.gym_visits": 2,
        "silver.workout_bpm": 4,
    }


def test_what_a_batch_writes_is_later_than_all_before(gym: Gym) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1000)
    users = SILVER["users"].columns
    gym.queries()
    late = {"user_id": 2, "device_id": 21, "mac_address": "aa:02", "registered_at": ahead, UPDATED_AT: ahead}
    delta.append(gym.folders.location("silver", "users"), pa.Table.from_pylist([late], schema=users))
    gym.registered(1, 11)
    gym.follow()
    (written,) = [at for user, at in gym.rows("users", f"user_id, {UPDATED_AT}") if user == 1]
    assert written > _seconds(ahead)
    assert [_seconds(query.written_to) for query in gym.queries()] >= [written] * 3


def test_small_files_are_joined(gym: Gym, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_MOST_FILES", 0)
    for number in range(8):
        gym.beats(11, EIGHT + number)
        gym.follow()
    place = list(SILVER).index("heart_rate")
    assert len(gym.delta_table("heart_rate").file_uris()) <= place + 1
    assert "OPTIMIZE" in {commit["operation"] for commit in gym.delta_table("heart_rate").history()}
    assert len(gym.rows("heart_rate", "time")) == 8


class _Killed(Exception):
    pass


def test_a_kill_between_any_two_commits_changes_nothing(
    gym: Gym, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Gym(tmp_path / "never killed")
    for each in (gym, expected):
        send_events(each, range(1, 200, 2))
        each.follow()
        send_events(each, range(0, 200, 2))
        each.deliver()
    commits = 0

    def killed(commit: Callable[..., Any]) -> Callable[..., Any]:
        def write(*args: Any, **kwargs: Any) -> Any:
            nonlocal commits
            commits += 1
            if commits > 1:
                raise _Killed
            return commit(*args, **kwargs)

        return write

    for owner, name in ((delta, "append"), (delta, "merge"), (on_sail.SailEngine, "_note")):
        monkeypatch.setattr(owner, name, killed(getattr(owner, name)))
    kills = 0
    while True:
        commits = 0
        try:
            gym.follow()
            break
        except StreamError as error:
            assert isinstance(error.__cause__, _Killed)
            kills += 1
    monkeypatch.undo()
    expected.follow()
    assert kills > 10
    assert gym.all_rows() == expected.all_rows()


def send_events(gym: Gym, numbers: Iterable[int]) -> None:
    """Some of 200 events, always the same by number, of three people who train, visit and register."""
    for number in numbers:
        chance = random.Random(number)
        user, at = chance.randint(1, 3), EIGHT + chance.randint(0, 40) * 10 * MINUTE
        kind = chance.choice("rvppaaaaabbbbbbbbbxx")
        if kind == "r":
            gym.registered(user, 10 + user, f"aa:0{user}", at)
        elif kind == "v":
            gym.visited(f"aa:0{user}", 1, at, chance.choice([None, at + HOUR, at - 1]))
        elif kind == "p":
            gym.profile(user, chance.choice(["new", "update", "delete"]), at, number, last_name=str(number))
        elif kind == "a":
            gym.action(user, chance.choice(["start", "stop"]), at, session=chance.randint(1, 2))
        elif kind == "b":
            gym.beats(10 + user, at + chance.choice([0, 1, 1.5]), chance.choice([0, 80, 90.25]), number)
        else:
            gym.message(chance.choice(["bpm", "workout", "other"]), f"broken {number}", offset=number)


def test_the_order_of_events_does_not_matter(tmp_path: Path) -> None:
    at_once = Gym(tmp_path / "at once")
    send_events(at_once, range(200))
    at_once.follow()
    assert all(at_once.all_rows().values())
    for seed in range(3):
        chance = random.Random(seed)
        gym, numbers = Gym(tmp_path / f"seed {seed}"), list(range(200))
        chance.shuffle(numbers)
        while numbers:
            send_events(gym, [numbers.pop() for _ in range(min(len(numbers), chance.randint(1, 90)))])
            gym.follow(queries_at_once=chance.choice([1, 3]))
        assert gym.all_rows() == at_once.all_rows()


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
