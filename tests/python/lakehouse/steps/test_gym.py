"""Gyms end to end: files or Kafka, one run or a stream, killed or not, the tables are the same."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from lakehouse.settings import load_settings
from lakehouse.steps.refresh import GoldProcess, Written
from sampledata import generate
from tests.python import PROJECT
from tools.broker import Broker

from ..conftest import NO_DATA_TESTS, Lakehouse, differing

TOPICS = ["user_info", "workout", "bpm"]
SCALE = 0.05
_TESTED = ("silver", "gold")


def _generate(folder: Path) -> Path:
    generate(folder, SCALE, sources=["gym"], deliveries=2)
    return folder / "gym"


def _scatter(recorded: Path, landing: Path, files: int, seed: int) -> None:
    """Deliver recorded lines in any order, spread over many files."""
    chance = random.Random(seed)
    shutil.copytree(recorded, landing / "gym")
    lines = []
    for file in sorted((landing / "gym/kafka_multiplex").iterdir()):
        text = subprocess.run(["gzip", "-cdf", file], capture_output=True, check=True).stdout.decode()
        lines += [line for line in text.splitlines() if line.strip()]
        file.unlink()
    chance.shuffle(lines)
    for number in range(files):
        part = landing / f"gym/kafka_multiplex/part_{number}.json"
        part.write_text("\n".join(lines[number::files]))


@pytest.fixture(scope="module")
def in_one_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """Both deliveries in the order in which they were recorded, by one run; `validate` tests them."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("one_run"), NO_DATA_TESTS, sources=("gym",))
    _generate(lakehouse.landing)
    lakehouse.run(*lakehouse.run_arguments)
    yield lakehouse


def _rejected(lakehouse: Lakehouse) -> list[tuple[object, ...]]:
    rows = lakehouse.rows(
        "select distinct reason, get_json_object(record, '$.value') from ops.quarantine "
        "where source = 'gym' and record is not null"
    )
    return sorted(rows, key=repr)


def _assert_same(lakehouse: Lakehouse, expected: Lakehouse) -> None:
    assert _rejected(lakehouse) == _rejected(expected)
    # A stream does not build what has no source.
    only_built = {"gold.dim_date", *(f"silver.{file.stem}" for file in (PROJECT / "seeds").glob("*.csv"))}
    # Clicks are followed, too; none came, and sessions need orders.
    only_streamed = {"silver.stg_clickstream__events"}
    found = differing(lakehouse.contents(*_TESTED), expected.contents(*_TESTED))
    assert set(found) == only_built | only_streamed


@pytest.mark.parametrize("parts", [40, pytest.param(200, marks=pytest.mark.soak)])
def test_a_stream_of_many_shuffled_files_that_is_killed_gives_the_tables_of_one_run(
    in_one_run: Lakehouse, tmp_path: Path, parts: int
) -> None:
    lakehouse = Lakehouse(tmp_path, NO_DATA_TESTS, sources=("gym",))
    _scatter(in_one_run.landing / "gym", tmp_path / "waiting", parts, seed=1)
    (lakehouse.landing / "gym").mkdir(parents=True)
    stream = lakehouse.start("lakehouse", "stream", "--trigger", "1 second")
    files = sorted(file for file in (tmp_path / "waiting").rglob("*") if file.is_file())
    for number, file in enumerate(files):
        target = lakehouse.landing / file.relative_to(tmp_path / "waiting")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, target)
        if number % (parts * 2 // 5) == 0:
            _wait_until(lambda n=number: _loaded(lakehouse) > n // 2, "the stream did not go on", stream)
        if number == parts * 4 // 5:
            os.killpg(stream.pid, signal.SIGKILL)
            stream.communicate()
            stream = lakehouse.start("lakehouse", "stream", "--trigger", "1 second")
    _wait_until(lambda: _loaded(lakehouse) == len(files), "the stream did not load all files", stream)
    (lakehouse.landing / "gym/gym_logins/renamed.csv").write_text("mac,gym,login,logout\n")
    _wait_until(lambda: _loaded(lakehouse) > len(files), "the stream did not see a file", stream)
    stream.send_signal(signal.SIGTERM)
    output, _ = stream.communicate(timeout=600)
    # What was refused is told at once and at the end; everything else is there.
    assert stream.returncode == 1, output
    assert output.count("renamed.csv: the header lacks") == 2
    assert "Stopped after" in output
    _assert_same(lakehouse, in_one_run)


def test_gold_is_refreshed_again_and_again(in_one_run: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_HOME", str(in_one_run.home))
    # dbt reads the whole project again, and looks its metrics up.
    (in_one_run.home / "target/partial_parse.msgpack").unlink()
    gold, now = GoldProcess(load_settings(), {"gym"}), datetime.now(UTC)
    try:
        for number in range(3):
            gold.refresh(Written(number, now + timedelta(seconds=number)))
    finally:
        gold.close()


def _loaded(lakehouse: Lakehouse) -> int:
    """How many files are in the load log."""
    if "ops.loads" not in lakehouse.warehouse.folders.tables():
        return 0
    loads = DeltaTable(lakehouse.table("ops.loads")).to_pyarrow_table(columns=["_source_file"])
    return len(loads["_source_file"].unique())


def _wait_until(is_so: Callable[[], bool], failure: str, stream: "subprocess.Popen[str]") -> None:
    """Wait while a stream runs, ten minutes at most."""
    ends_at = time.monotonic() + 600
    while not is_so():
        assert stream.poll() is None, stream.communicate()[0]
        assert time.monotonic() < ends_at, failure
        time.sleep(0.2)


@pytest.mark.soak
@pytest.mark.spark
def test_a_stream_over_kafka_that_is_killed_gives_the_tables_of_files(
    in_one_run: Lakehouse, tmp_path: Path
) -> None:
    kills = 20
    chance = random.Random(os.environ.get("SOAK_SEED", kills))
    with Broker(tmp_path / "kafka") as broker:
        broker.create_topics(TOPICS)
        settings = NO_DATA_TESTS | {"LAKEHOUSE_KAFKA": broker.address}
        lakehouse = Lakehouse(tmp_path, settings, sources=("gym",))
        (lakehouse.landing / "gym").mkdir(parents=True)
        # Half a year and two weeks, spread over the time in which streams are killed.
        speed = 200 * 24 * 3600 // (50 * kills)
        recorded = str(in_one_run.landing / "gym")
        sender = lakehouse.start("lakehouse", "replay", recorded, "--to", "kafka", "--speed", str(speed))
        for number in range(kills):
            _kill_stream_after(lakehouse, chance.uniform(20, 60))
            if number in (kills // 3, 2 * kills // 3):
                broker.kill()
                broker.start()
        output, _ = sender.communicate(timeout=600)
        assert sender.returncode == 0, output
        lakehouse.run(*lakehouse.run_arguments)
    assert lakehouse.rows(_MESSAGES) == [(_readable_messages(in_one_run),) * 2]
    for table, columns in _WITHOUT_OFFSETS.items():
        query = f"select {columns} from {table}"
        assert sorted(lakehouse.rows(query), key=repr) == sorted(in_one_run.rows(query), key=repr), table


# A broker gives offsets of its own.
_WITHOUT_OFFSETS = {
    "silver.users": "user_id, device_id, mac_address, registered_at",
    "silver.gym_visits": "mac_address, gym, login, logout",
    "silver.user_profile": "user_id, event_time",
    "silver.heart_rate": "device_id, time, heartrate, valid",
    "silver.workouts": "user_id, workout_id, session_id, action, time",
    "silver.completed_workouts": "user_id, workout_id, session_id, start_time, end_time",
    "silver.workout_bpm": "user_id, workout_id, session_id, device_id, time, heartrate, valid",
    "gold.workout_bpm_summary": "user_id, workout_id, session_id, min_bpm, avg_bpm, max_bpm, num_recordings",
    "gold.gym_summary": "visit_date, gym, mac_address, workout_id, session_id, minutes_exercising",
}
_MESSAGES = "select count(*), count(distinct topic, partition, offset) from bronze.gym_kafka_multiplex"


def _readable_messages(lakehouse: Lakehouse) -> object:
    topics = ", ".join(f"'{topic}'" for topic in TOPICS)
    return lakehouse.value(f"select count(*) from bronze.gym_kafka_multiplex where topic in ({topics})")


def _kill_stream_after(lakehouse: Lakehouse, seconds: float) -> None:
    stream = lakehouse.start("lakehouse", "stream", "--trigger", "1 second")
    try:
        output, _ = stream.communicate(timeout=seconds)
        # A broker that is down ends a stream with a message.
        assert "LAKEHOUSE_KAFKA" in output, output
    except subprocess.TimeoutExpired:
        os.killpg(stream.pid, signal.SIGKILL)
        stream.communicate()


def test_validate_says_what_is_wrong_and_clean_removes_only_what_was_made(in_one_run: Lakehouse) -> None:
    output = replace(in_one_run, settings={}).run("validate", "gym")
    assert "0 failed" in output
    assert "gold.gym_summary" in output
    landed = sorted(in_one_run.landing.rglob("*"))
    in_one_run.run("clean", "gym", "--yes")
    left = {name.split(".")[0] for name in in_one_run.warehouse.tables()}
    assert "bronze" not in left
    assert "silver.heart_rate" not in in_one_run.warehouse.tables()
    assert "ops.loads" in in_one_run.warehouse.tables()
    for books in ("ops.loads", "ops.row_accounting"):
        assert in_one_run.value(f"select count(*) from {books} where source = 'gym'") == 0
    assert sorted(in_one_run.landing.rglob("*")) == landed


def test_a_trigger_that_is_no_length_of_time_is_refused(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    lakehouse.landing.mkdir()
    output = lakehouse.run("stream", "--trigger", "often", exit_code=2)
    assert '"5 seconds"' in output


@pytest.mark.soak
def test_a_stream_whose_broker_is_away_ends_and_says_so(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path, {"LAKEHOUSE_KAFKA": "127.0.0.1:9"})
    lakehouse.landing.mkdir()
    output = lakehouse.run("stream", exit_code=2)
    assert "Kafka at 127.0.0.1:9 (LAKEHOUSE_KAFKA) does not answer" in output
    assert "Traceback" not in output
