"""Silver tables of the streams: where everything that arrives ends up, early, late, twice or broken."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse import delta

from ingestion.bronze.load_log import QUARANTINE
from ingestion.streams import (
    StreamError,
    compaction,
    on_sail,
)
from ingestion.streams.tables import UPDATED_AT

from .gyms import EIGHT, HOUR, MINUTE, SILVER, YEAR, YEAR_ONE, Gym, seconds, send_events, send_what_is_odd


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
    assert written > seconds(ahead)
    assert [seconds(query.written_to) for query in gym.queries()] >= [written] * 3


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


def test_a_message_of_any_size_or_depth_costs_no_other(gym: Gym) -> None:
    digits, deep = "7" * 1_000_000, '{"a":' * 100_000 + "1" + "}" * 100_000
    beat = '{{"device_id":{},"time":{},"heartrate":80,"x":{}}}'
    for number, value in enumerate(
        [
            "[" * 100_000,
            beat.format(1, EIGHT, deep),
            beat.format(digits, EIGHT, 1),
            beat.format(2, digits, 1),
            "\0" * 1_000_000,
            beat.format(3, EIGHT, f'"{"x" * 10_000_000}"'),
        ]
    ):
        gym.message("bpm", value, offset=number)
    gym.beats(4, EIGHT)
    gym.follow()
    assert gym.rows("heart_rate", "device_id") == [3, 4]
    assert gym.tables.select(QUARANTINE, "select * from {t}").num_rows == 5
