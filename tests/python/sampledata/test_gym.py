"""The gyms' sample files: users, visits, workouts and heart rates that agree, and their defects."""

import gzip
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from sampledata import generate

DAY = 24 * 60 * 60
YEAR = 365 * DAY
DELIVERIES = 3
ENDINGS = {"user_info": "json", "workout": "json", "bpm": "json.gz"}
FIELDS = {
    "user_info": ["user_id", "update_type", "timestamp", "dob", "sex", "gender", "first_name", "last_name"],
    "workout": ["user_id", "workout_id", "timestamp", "action", "session_id"],
    "bpm": ["device_id", "time", "heartrate"],
}
FIELDS["user_info"] += ["address"]
USER_COLUMNS = ["user_id", "device_id", "mac_address", "registration_timestamp"]
LOGIN_COLUMNS = ["mac_address", "gym", "login", "logout"]

Value = dict[str, Any]


class Message(NamedTuple):
    """A line of a file of Kafka messages, and its value: None where that is broken."""

    line: dict[str, Any]
    value: Value | None


class Action(NamedTuple):
    """A start or stop of a workout."""

    user: int
    workout: int
    session: int
    action: str
    time: int


class Gym:
    """Generated files of the gyms, by delivery."""

    def __init__(self, folder: Path, scale: float, seed: int = 0, deliveries: int = 1) -> None:
        self.paths = generate(folder, scale, seed, ["gym"], deliveries)
        self.folder = folder / "gym"
        self.messages = cache(self._messages)

    def path(self, table: str, delivery: int = 1) -> Path:
        folder = "kafka_multiplex" if table in ENDINGS else table
        return self.folder / folder / f"{table}_{delivery}.{ENDINGS.get(table, 'csv')}"

    def text(self, table: str, delivery: int = 1) -> str:
        content = self.path(table, delivery).read_bytes()
        return (gzip.decompress(content) if table == "bpm" else content).decode()

    def users(self, delivery: int = 1) -> pd.DataFrame:
        return pd.read_csv(self.path("registered_users", delivery))

    def logins(self, delivery: int = 1) -> pd.DataFrame:
        return pd.read_csv(self.path("gym_logins", delivery))

    def _messages(self, topic: str, delivery: int = 1) -> list[Message]:
        lines = [json.loads(line) for line in self.text(topic, delivery).splitlines() if line]
        return [Message(line, value_of(line)) for line in lines]

    def values(self, topic: str, delivery: int = 1) -> list[Value]:
        """The values of a topic that can be read, in the order of the file."""
        messages = self.messages(topic, delivery)
        return [value for line, value in messages if value and line["topic"] == topic]

    def actions(self, delivery: int = 1) -> list[Action]:
        return [
            Action(v["user_id"], v["workout_id"], v["session_id"], v["action"], int(v["timestamp"]))
            for v in self.values("workout", delivery)
        ]

    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.paths}


def value_of(line: dict[str, Any]) -> Value | None:
    if not isinstance(line["value"], str):
        return dict(line["value"])
    try:
        return dict(json.loads(line["value"]))
    except json.JSONDecodeError:
        return None


def week_of(delivery: int) -> range:
    begin = int(datetime(2024, 12, 25, tzinfo=UTC).timestamp()) + (delivery - 1) * 7 * DAY
    return range(begin, begin + 7 * DAY)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Gym:
    return Gym(tmp_path_factory.mktemp("full"), scale=1, deliveries=2)


@pytest.fixture(scope="module", params=[(1e-9, 0), (1e-9, 7), (0.05, 0), (0.05, 7), (1, 0)], ids=str)
def gym(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Gym:
    scale, seed = request.param
    return Gym(tmp_path_factory.mktemp("gym"), scale, seed, DELIVERIES)


# Repeatability


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    once = Gym(tmp_path / "once", 0.05, seed=3, deliveries=2).bytes()
    assert Gym(tmp_path / "again", 0.05, seed=3, deliveries=2).bytes() == once
    other = Gym(tmp_path / "other", 0.05, seed=4, deliveries=2).bytes()
    assert set(other) == set(once)
    assert all(other[name] != once[name] for name in once)


def test_a_delivery_does_not_depend_on_how_many_follow(tmp_path: Path) -> None:
    one, three = (Gym(tmp_path / str(n), 0.05, deliveries=n).bytes() for n in (1, 3))
    assert len(three) == 3 * len(one) == 15
    assert one.items() <= three.items()


def test_a_compressed_file_tells_neither_its_time_nor_its_name(full: Gym) -> None:
    header = full.path("bpm").read_bytes()[:10]
    flags, modified = header[3], header[4:8]
    assert flags == 0
    assert modified == bytes(4)


# Files


def test_files_lie_in_a_folder_by_stream(full: Gym) -> None:
    names = ["registered_users", "gym_logins", "user_info", "workout", "bpm"]
    assert full.paths == [full.path(name, delivery) for delivery in (1, 2) for name in names]
    assert set(full.paths) == {path for path in full.folder.rglob("*") if path.is_file()}


def test_users_and_logins_are_plain_csv_of_whole_numbers(full: Gym) -> None:
    for name, columns in (("registered_users", USER_COLUMNS), ("gym_logins", LOGIN_COLUMNS)):
        header, *lines = full.text(name).rstrip("\n").split("\n")
        assert header == ",".join(columns)
        cells = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
        assert all(len(row.pop("mac_address").split(":")) == 6 for row in cells)
        assert all(
            cell.isdecimal() or (name == "logout" and not cell) for row in cells for name, cell in row.items()
        )


def test_some_files_end_with_empty_lines_and_some_without_the_end_of_a_line(full: Gym) -> None:
    for name in ("registered_users", "user_info"):
        assert full.text(name).endswith("\n\n")
    for name in ("gym_logins", "workout"):
        assert not full.text(name).endswith("\n")


def test_messages_have_an_envelope_and_the_fields_of_their_topic(gym: Gym) -> None:
    for topic, fields in FIELDS.items():
        for line, value in gym.messages(topic):
            assert list(line) == ["key", "value", "topic", "partition", "offset", "timestamp"]
            assert [type(field) for field in line.values()][2:] == [str, int, int, int]
            if value is None:
                continue
            assert line["key"] == str(next(iter(value.values())))
            assert line["timestamp"] == value.get("timestamp", value.get("time"))
            assert list(value) == fields[:3] if value.get("update_type") == "delete" else fields


def test_profiles_look_like_the_real_ones(full: Gym) -> None:
    profiles = [value for value in full.values("user_info") if value["update_type"] == "new"]
    for profile in profiles:
        assert datetime.strptime(profile["dob"], "%m/%d/%Y")
        assert profile["sex"] in "MF"
        assert list(profile["address"]) == ["street_address", "city", "state", "zip"]
        assert len(profile["address"]["state"]) == 2
        assert isinstance(profile["address"]["zip"], int)
    assert any(profile["dob"][-4:] > "2030" for profile in profiles)


# Sizes


def test_scale_1_is_50_000_heart_rates_a_week(full: Gym) -> None:
    for delivery in (1, 2):
        assert len(full.messages("bpm", delivery)) == pytest.approx(50_000, rel=0.05)
        assert len(full.logins(delivery)) == pytest.approx(35, abs=5)
        assert len(full.messages("workout", delivery)) == pytest.approx(65, abs=10)
    assert full.users().user_id.nunique() == 23
    assert full.users(2).user_id.nunique() == 4


def test_heart_rates_come_a_second_in_workouts_and_now_and_then_outside(full: Gym) -> None:
    rates = list({(v["device_id"], int(v["time"])) for v in full.values("bpm")})
    rates.sort()
    steps = Counter(b[1] - a[1] for a, b in itertools.pairwise(rates) if a[0] == b[0])
    assert steps[1] > 0.95 * len(rates)
    assert steps[60] > 100


def test_larger_scales_have_more_of_everything(tmp_path: Path, full: Gym) -> None:
    large = Gym(tmp_path, scale=3)
    assert len(large.messages("bpm")) == pytest.approx(3 * 50_000, rel=0.05)
    assert len(large.logins()) == pytest.approx(3 * len(full.logins()), rel=0.2)
    assert len(large.users()) == pytest.approx(3 * len(full.users()), rel=0.1)


def test_the_smallest_scales_still_have_everything_and_little_of_it(tmp_path: Path) -> None:
    small = Gym(tmp_path, scale=1e-9, deliveries=2)
    for delivery in (1, 2):
        assert 1_500 < len(small.messages("bpm", delivery)) < 2_500
        assert len(small.users(delivery)) >= 4
        assert len(small.logins(delivery)) >= 20


# Defects, each in every delivery but for those that need one before


def repeated(keys: list[Any]) -> bool:
    return max(Counter(keys).values()) > 1


def out_of_order(times: list[int]) -> bool:
    return any(later < sooner for sooner, later in itertools.pairwise(times))


def repeated_row(name: str) -> Callable[[Gym, int], bool]:
    return lambda gym, n: repeated([line for line in gym.text(name, n).split("\n") if line])


def late_row(name: str) -> Callable[[Gym, int], bool]:
    """Whether a row tells of what was before the week."""
    columns = {"registered_users": "registration_timestamp", "gym_logins": "login"}

    def found(gym: Gym, n: int) -> bool:
        if name in columns:
            times = pd.read_csv(gym.path(name, n))[columns[name]]
            return bool((times < week_of(n).start).any())
        return any(line["timestamp"] < week_of(n).start for line, _ in gym.messages(name, n))

    return found


def message_out_of_order(topic: str) -> Callable[[Gym, int], bool]:
    """Whether times go back (of heart rates, by device), or offsets more than at a tie."""

    def found(gym: Gym, n: int) -> bool:
        times: dict[str, list[int]] = {}
        offsets = []
        for line, _ in gym.messages(topic, n):
            offsets.append(line["offset"])
            if line["timestamp"] < week_of(n).stop:
                times.setdefault(line["key"] if topic == "bpm" else topic, []).append(line["timestamp"])
        back = any(later <= sooner - 2 for sooner, later in itertools.pairwise(offsets))
        return back or any(map(out_of_order, times.values()))

    return found


def visits(gym: Gym, n: int) -> "Iterator[pd.Series[Any]]":
    """The logouts of each visit, in the order of the file, each once."""
    logins = gym.logins(n).drop_duplicates()
    return (rows.logout for _, rows in logins.groupby(LOGIN_COLUMNS[:3]))


def rates(gym: Gym, n: int) -> list[float]:
    return [value["heartrate"] for value in gym.values("bpm", n)]


def workouts(gym: Gym, n: int) -> list[tuple[list[int], list[int]]]:
    """The times of starts and of stops of each workout, each once."""
    by_workout: dict[tuple[int, int, int], tuple[list[int], list[int]]] = {}
    for a in sorted(set(gym.actions(n)), key=lambda action: action.time):
        by_workout.setdefault(a[:3], ([], []))[a.action == "stop"].append(a.time)
    return list(by_workout.values())


def float_time(topic: str, field: str) -> Callable[[Gym, int], bool]:
    def found(gym: Gym, n: int) -> bool:
        types = Counter(type(value[field]) for value in gym.values(topic, n))
        return 0 < types[float] < types[int]

    return found


def envelope(topic: str, matches: Callable[[Message], bool]) -> Callable[[Gym, int], bool]:
    return lambda gym, n: any(map(matches, gym.messages(topic, n)))


def offsets(gym: Gym, topic: str, n: int) -> Iterator[tuple[int, str]]:
    return ((line["offset"], str(value)) for line, value in gym.messages(topic, n) if value)


def offset_of_two_values(topic: str) -> Callable[[Gym, int], bool]:
    return lambda gym, n: repeated([offset for offset, _ in set(offsets(gym, topic, n))])


def tie(gym: Gym, n: int) -> bool:
    """Whether two different updates of a user have one time, and the later sent a lower offset."""
    seen: dict[tuple[int, int], tuple[str, int]] = {}
    for line, value in gym.messages("user_info", n):
        if value is None or line["topic"] != "user_info" or value["update_type"] != "update":
            continue
        key = value["user_id"], int(value["timestamp"])
        name, offset = seen.setdefault(key, (value["last_name"], line["offset"]))
        if name != value["last_name"] and offset != line["offset"]:
            return True
    return False


def unknown_device(gym: Gym, n: int) -> bool:
    known = {device for number in range(1, DELIVERIES + 1) for device in gym.users(number).device_id}
    return not {value["device_id"] for value in gym.values("bpm", n)} <= known


DEFECTS: dict[str, Callable[[Gym, int], bool]] = {
    "registration repeated": repeated_row("registered_users"),
    "registration out of order": lambda g, n: out_of_order(list(g.users(n).registration_timestamp)),
    "login repeated": repeated_row("gym_logins"),
    "login out of order": lambda g, n: out_of_order(list(g.logins(n).logout.dropna())),
    "logout empty, then filled": lambda g, n: any(v.isna().any() and v.notna().any() for v in visits(g, n)),
    "logout empty, filled later": lambda g, n: any(v.isna().all() for v in visits(g, n)),
    "logout moved later": lambda g, n: any(v.dropna().diff().max() > 0 for v in visits(g, n)),
    "logout moved back": lambda g, n: any(v.dropna().diff().min() < 0 for v in visits(g, n)),
    "logout before login": lambda g, n: bool((g.logins(n).logout < g.logins(n).login).any()),
    "visit a year ahead": lambda g, n: bool((g.logins(n).login > week_of(n).stop + DAY).any()),
    "start without stop": lambda g, n: any(starts and not stops for starts, stops in workouts(g, n)),
    "stop without start": lambda g, n: any(stops and not starts for starts, stops in workouts(g, n)),
    "two starts": lambda g, n: any(len(starts) == 2 for starts, _ in workouts(g, n)),
    "two stops": lambda g, n: any(len(stops) == 2 for _, stops in workouts(g, n)),
    "workout too long": lambda g, n: any(a and b and b[0] > a[0] + 3 * 3600 for a, b in workouts(g, n)),
    "workout a year ahead": lambda g, n: any(a.time > week_of(n).stop + DAY for a in g.actions(n)),
    "heart rate zero": lambda g, n: 0 in rates(g, n),
    "heart rate negative": lambda g, n: min(rates(g, n)) < 0,
    "heart rate of an unknown device": unknown_device,
    "heart rate a year ahead": lambda g, n: any(
        v["time"] > week_of(n).stop + DAY for v in g.values("bpm", n)
    ),
    "two changes at one time": tie,
}
for _topic, _time in (("user_info", "timestamp"), ("workout", "timestamp"), ("bpm", "time")):
    DEFECTS |= {
        f"{_topic} repeated": repeated_row(_topic),
        f"{_topic} out of order": message_out_of_order(_topic),
        f"{_topic} with a time as float": float_time(_topic, _time),
        f"{_topic} with an object as value": envelope(_topic, lambda m: isinstance(m.line["value"], dict)),
        f"{_topic} with a broken value": envelope(_topic, lambda m: m.value is None),
        f"{_topic} under an unknown topic": envelope(_topic, lambda m: m.line["topic"] not in FIELDS),
        f"{_topic} with the offset of another": offset_of_two_values(_topic),
    }
LATE = ["registered_users", "gym_logins", *ENDINGS]


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_in_each_delivery(gym: Gym, defect: str) -> None:
    for delivery in range(1, DELIVERIES + 1):
        assert DEFECTS[defect](gym, delivery), delivery


@pytest.mark.parametrize("name", LATE)
def test_later_deliveries_have_rows_of_the_week_before(gym: Gym, name: str) -> None:
    for delivery in range(2, DELIVERIES + 1):
        assert late_row(name)(gym, delivery), delivery


def test_defects_are_rare_but_for_objects(full: Gym) -> None:
    messages = full.messages("bpm")
    objects = sum(isinstance(line["value"], dict) for line, _ in messages)
    assert objects / len(messages) == pytest.approx(0.05, abs=0.005)
    wrong = [rate for rate in rates(full, 1) if rate <= 0]
    assert 0.001 < len(wrong) / len(messages) < 0.01
    assert 0.005 < 1 - len(set(full.text("bpm").split("\n"))) / len(messages) < 0.02


def test_heart_rates_are_out_of_order_by_some_minutes_at_most(full: Gym) -> None:
    latest = 0
    for line, _ in full.messages("bpm"):
        latest = max(latest, line["offset"])
        # One line moved up and one moved down pass each other.
        assert latest - line["offset"] <= 2 * 303


# What is right agrees


def of_all(gym: Gym, table: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table(delivery) for delivery in range(1, DELIVERIES + 1)]).drop_duplicates()


def good_workouts(gym: Gym) -> Iterator[tuple[int, int, int]]:
    """User, start and stop of workouts of all deliveries but the last that are told once and in full."""
    by_workout: dict[tuple[int, int, int], list[Action]] = {}
    for delivery in range(1, DELIVERIES + 1):
        for action in set(gym.actions(delivery)):
            by_workout.setdefault(action[:3], []).append(action)
    for (user, _, _), actions in by_workout.items():
        times = {action.action: action.time for action in set(actions)}
        if len(set(actions)) == 2 == len(times) and max(times.values()) < week_of(DELIVERIES).start:
            yield user, times["start"], times["stop"]


def test_users_devices_and_addresses_belong_together(gym: Gym) -> None:
    users = of_all(gym, gym.users)
    assert users[["user_id", "device_id", "mac_address"]].map(str).nunique().eq(len(users)).all()
    assert set(of_all(gym, gym.logins).mac_address) <= set(users.mac_address)
    for delivery in range(1, DELIVERIES + 1):
        assert {a.user for a in gym.actions(delivery)} <= set(users.user_id)
        devices = Counter(value["device_id"] for value in gym.values("bpm", delivery))
        known = sum(devices[device] for device in users.device_id)
        assert known > 0.99 * sum(devices.values())


def test_visits_follow_the_registration_which_has_been_sent(gym: Gym) -> None:
    sent: pd.DataFrame | None = None
    for delivery in range(1, DELIVERIES + 1):
        sent = pd.concat([sent, gym.users(delivery)]).drop_duplicates()
        logins = gym.logins(delivery).merge(sent, on="mac_address", how="left")
        assert (logins.login > logins.registration_timestamp).all()


def test_most_workouts_are_good_and_end_within_3_hours(gym: Gym) -> None:
    found = list(good_workouts(gym))
    told = sum(len({a[:3] for a in gym.actions(delivery)}) for delivery in range(1, DELIVERIES))
    assert len(found) > 0.6 * told
    in_time = [stop - start <= 3 * 3600 for _, start, stop in found]
    assert all(stop > start for _, start, stop in found)
    assert in_time.count(False) == DELIVERIES - 1


def test_a_good_workout_lies_in_a_visit_of_its_user(gym: Gym) -> None:
    logins = of_all(gym, gym.logins).merge(of_all(gym, gym.users), on="mac_address")
    visits = logins.groupby(["user_id", "login"]).logout.max().reset_index()
    for user, start, stop in good_workouts(gym):
        around = visits[(visits.user_id == user) & (visits.login <= start) & (start <= visits.logout)]
        assert len(around) == 1
        assert stop <= around.logout.iloc[0] or stop - start > 3 * 3600


def test_devices_send_a_heart_rate_in_each_second_of_good_workouts(gym: Gym) -> None:
    devices = of_all(gym, gym.users).set_index("user_id").device_id
    valid: dict[tuple[int, int], set[float]] = {}
    for delivery in range(1, DELIVERIES + 1):
        for value in gym.values("bpm", delivery):
            valid.setdefault((value["device_id"], int(value["time"])), set()).add(value["heartrate"])
    assert all(len(rates) == 1 for rates in valid.values())
    for user, start, stop in good_workouts(gym):
        if stop - start <= 3 * 3600:
            sent = sum((devices[user], second) in valid for second in range(start + 1, stop + 1))
            assert sent >= 0.9 * (stop - start)


def test_a_session_is_of_one_visit(gym: Gym) -> None:
    days: dict[tuple[int, int], set[int]] = {}
    for delivery in range(1, DELIVERIES + 1):
        for action in gym.actions(delivery):
            days.setdefault((action.user, action.session), set()).add(action.time % YEAR // DAY)
    assert all(len(found) == 1 for found in days.values())


def test_heart_rates_rise_in_workouts(full: Gym) -> None:
    valid = sorted(rate for rate in rates(full, 1) if rate > 0)
    assert valid[0] > 35 and valid[-1] < 200
    assert valid[len(valid) // 2] > 120


# Deliveries


def test_each_delivery_covers_its_own_week(gym: Gym) -> None:
    for delivery in range(1, DELIVERIES + 1):
        week = week_of(delivery)
        times = [int(v["time"]) for v in gym.values("bpm", delivery) if v["time"] < week.stop + DAY]
        assert max(times) < week.stop
        assert sum(time in week for time in times) > 0.9 * len(times)


def test_profiles_change_after_they_are_new(gym: Gym) -> None:
    new: set[int] = set()
    for delivery in range(1, DELIVERIES + 1):
        values = gym.values("user_info", delivery)
        by_type: dict[str, set[int]] = {}
        for value in values:
            by_type.setdefault(value["update_type"], set()).add(value["user_id"])
        assert set(by_type) == {"new", "update", "delete"}
        if delivery > 1:
            assert not by_type["new"] & new
            assert by_type["update"] | by_type["delete"] <= new
        new |= by_type["new"]


def test_users_move_and_change_names_and_keep_what_they_had(gym: Gym) -> None:
    events: dict[int, dict[tuple[int, int], Value]] = {}
    for delivery in range(1, DELIVERIES + 1):
        for line, value in gym.messages("user_info", delivery):
            if value and line["topic"] == "user_info" and value["update_type"] != "delete":
                order = int(value["timestamp"]), line["offset"]
                events.setdefault(value["user_id"], {})[order] = value
    changed: Counter[tuple[str, ...]] = Counter()
    for by_time in events.values():
        profiles = [by_time[order] for order in sorted(by_time)]
        assert profiles[0]["update_type"] == "new"
        for before, after in itertools.pairwise(profiles):
            differing = {name for name in before if before[name] != after[name]}
            changed[tuple(sorted(differing & {"address", "last_name"}))] += 1
            assert differing <= {"address", "last_name", "timestamp", "update_type"}
    assert changed[("address",)] and changed[("last_name",)]


def test_updates_arrive_after_later_updates_and_deletes(gym: Gym) -> None:
    for delivery in range(2, DELIVERIES + 1):
        before = gym.values("user_info", delivery - 1)
        late = [v for v in gym.values("user_info", delivery) if v["timestamp"] < week_of(delivery).start]
        overtaken_by = {
            event["update_type"]
            for value in late
            for event in before
            if event["user_id"] == value["user_id"] and event["timestamp"] > value["timestamp"]
        }
        assert overtaken_by == {"update", "delete"}


def test_deleted_users_do_not_visit_a_gym_any_more(gym: Gym) -> None:
    deleted: set[int] = set()
    for delivery in range(1, DELIVERIES + 1):
        assert not deleted & {action.user for action in gym.actions(delivery)}
        events = gym.values("user_info", delivery)
        deleted |= {value["user_id"] for value in events if value["update_type"] == "delete"}
    assert deleted


def test_what_was_unfinished_or_late_is_complete_in_the_next_delivery(gym: Gym) -> None:
    keys = LOGIN_COLUMNS[:3]
    for delivery in range(1, DELIVERIES):
        now, following = gym.logins(delivery), gym.logins(delivery + 1).dropna()
        finished = now.dropna()[keys].drop_duplicates()
        open_ = now.merge(finished, on=keys, how="left", indicator=True).query("_merge == 'left_only'")
        assert len(open_)
        assert len(open_[keys].drop_duplicates().merge(following, on=keys)) >= len(
            open_[keys].drop_duplicates()
        )
        late = following[following.login < week_of(delivery + 1).start]
        assert len(late.merge(now, on=keys, how="left", indicator=True).query("_merge == 'left_only'"))
