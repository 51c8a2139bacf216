"""Gyms end to end: files or Kafka, one run or a stream, killed or not, the tables are the same."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.generator import generate
from lakehouse.broker import Broker

from .conftest import Lakehouse

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
    """Both deliveries in the order in which they were recorded, by one run."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("one_run"), sources=("gym",))
    _generate(lakehouse.landing)
    lakehouse.run(*lakehouse.run_command)
    yield lakehouse


def _rejected(lakehouse: Lakehouse) -> list[tuple[object, ...]]:
    rows = lakehouse.rows(
        "select distinct reason, get_json_object(record, '$.value') from ops.quarantine where source = 'gym'"
    )
    return sorted(rows, key=repr)


def _assert_same(lakehouse: Lakehouse, expected: Lakehouse) -> None:
    assert _rejected(lakehouse) == _rejected(expected)
    tables, others = lakehouse.contents(*_TESTED), expected.contents(*_TESTED)
    assert {name: len(rows) for name, rows in tables.items()} == {
        name: len(rows) for name, rows in others.items()
    }
    for name, rows in tables.items():
        assert rows == others[name], name


def test_a_stream_of_hundreds_of_shuffled_files_gives_the_tables_of_one_run(
    in_one_run: Lakehouse, tmp_path: Path
) -> None:
    lakehouse = Lakehouse(tmp_path, sources=("gym",))
    _scatter(in_one_run.landing / "gym", tmp_path / "waiting", 200, seed=1)
    (lakehouse.landing / "gym").mkdir(parents=True)
    stream = lakehouse.start("lakehouse", "stream", "--trigger", "1 second")
    files = sorted(file for file in (tmp_path / "waiting").rglob("*") if file.is_file())
    for number, file in enumerate(files):
        target = lakehouse.landing / file.relative_to(tmp_path / "waiting")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, target)
        if number % 80 == 0:
            time.sleep(5)
    _wait_until_loaded(lakehouse, len(files))
    stream.send_signal(signal.SIGTERM)
    output, _ = stream.communicate(timeout=120)
    assert stream.returncode == 0, output
    assert "Stopped after" in output
    # What a stream has no need of, the calendar for one, is built by a run.
    lakehouse.run(*lakehouse.run_command)
    _assert_same(lakehouse, in_one_run)


def _wait_until_loaded(lakehouse: Lakehouse, files: int) -> None:
    ends_at = time.monotonic() + 240
    while time.monotonic() < ends_at:
        if (lakehouse.home / "warehouse/ops.db/loads/_delta_log").exists():
            loads = "select count(distinct _source_file) from ops.loads where source = 'gym'"
            if lakehouse.value(loads) == files:
                return
        time.sleep(2)
    raise AssertionError("the stream did not load all files")


def test_kafka_gives_the_tables_of_files(in_one_run: Lakehouse, tmp_path: Path) -> None:
    with Broker(tmp_path / "kafka") as broker:
        broker.create_topics(TOPICS)
        lakehouse = Lakehouse(tmp_path, {"LAKEHOUSE_KAFKA": broker.address}, sources=("gym",))
        (lakehouse.landing / "gym").mkdir(parents=True)
        recorded = str(in_one_run.landing / "gym")
        lakehouse.run("lakehouse", "replay", recorded, "--to", "kafka", "--speed", "0")
        lakehouse.run(*lakehouse.run_command)
    tables, others = lakehouse.contents(*_TESTED), in_one_run.contents(*_TESTED)
    # Offsets are given by the broker, so who wins a tie is another matter.
    names = ("silver.users", "silver.gym_visits", "silver.workouts", "silver.completed_workouts")
    for name in (*names, "gold.gym_summary"):
        assert tables[name] == others[name], name
    for name in (
        "silver.user_profile",
        "silver.heart_rate",
        "silver.workout_bpm",
        "gold.workout_bpm_summary",
    ):
        assert len(tables[name]) == len(others[name]), name


def test_validate_says_what_is_wrong_and_clean_removes_only_what_was_made(in_one_run: Lakehouse) -> None:
    output = in_one_run.run("lakehouse", "validate", "gym")
    assert "gold.gym_summary" in output
    landed = sorted(in_one_run.landing.rglob("*"))
    in_one_run.run("lakehouse", "clean", "gym", "--yes")
    left = {name.split(".")[0] for name in in_one_run.warehouse.tables()}
    assert "bronze" not in left
    assert "silver.heart_rate" not in in_one_run.warehouse.tables()
    assert "ops.loads" in in_one_run.warehouse.tables()
    assert in_one_run.value("select count(*) from ops.loads where source = 'gym'") == 0
    assert sorted(in_one_run.landing.rglob("*")) == landed


def test_a_trigger_that_is_no_length_of_time_is_refused(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    lakehouse.landing.mkdir()
    output = lakehouse.run("lakehouse", "stream", "--trigger", "often", exit_code=2)
    assert '"5 seconds"' in output


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_a_stream_that_is_killed_ends_like_one_that_was_left_alone(tmp_path: Path, kills: int) -> None:
    chance = random.Random(os.environ.get("SOAK_SEED", kills))
    recorded = _generate(tmp_path / "recorded")
    with Broker(tmp_path / "kafka") as broker:
        broker.create_topics(TOPICS)
        undisturbed = Lakehouse(tmp_path / "a", {"LAKEHOUSE_KAFKA": broker.address}, sources=("gym",))
        killed = Lakehouse(tmp_path / "b", {"LAKEHOUSE_KAFKA": broker.address}, sources=("gym",))
        for lakehouse in (undisturbed, killed):
            (lakehouse.landing / "gym").mkdir(parents=True)
        speed = 7 * 24 * 3600 * 2 / (30 * kills)
        command = ["lakehouse", "replay", str(recorded), "--to", "kafka", "--speed", f"{speed:.0f}"]
        sender = killed.start(*command)
        for number in range(kills):
            stream = killed.start("lakehouse", "stream", "--trigger", "1 second")
            try:
                output, _ = stream.communicate(timeout=chance.uniform(15, 45))
                # A broker that is down ends a stream with a message.
                assert "LAKEHOUSE_KAFKA" in output, output
            except subprocess.TimeoutExpired:
                os.killpg(stream.pid, signal.SIGKILL)
                stream.communicate()
            if kills > 2 and number in (kills // 3, 2 * kills // 3):
                broker.kill()
                broker.start()
        sender.communicate(timeout=600)
        assert sender.returncode == 0
        shutil.copytree(killed.landing, undisturbed.landing, dirs_exist_ok=True)
        for lakehouse in (killed, undisturbed):
            lakehouse.run(*lakehouse.run_command)
    _assert_same(killed, undisturbed)
    messages = "select count(*), count(distinct topic, partition, offset) from bronze.gym_kafka_multiplex"
    assert killed.rows(messages) == undisturbed.rows(messages)
