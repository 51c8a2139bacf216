"""Heart rates over Kafka to gold: how long an event takes, and how many a second one machine holds.

`python -m benchmarks.streaming [--rate 1000] [--seconds 600] [--ladder 2000 4000]`. A broker, a sender
and `lakehouse stream` share the machine. Each device sends a heart rate a second; its user works out for
five minutes and rests for ten seconds; one heart rate in fifty is sent up to 30 seconds late. A heart rate
is due in gold when it and its workout's stop were sent, and there when `workout_bpm_summary` counts it.
"""

import argparse
import heapq
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pyarrow.parquet as parquet
from confluent_kafka import Producer

from benchmarks.measure import Memory, machine
from tools.broker import Broker

TOPICS = ["user_info", "workout", "bpm"]

_WORKOUT, _REST = 300, 10
_LATE_SHARE, _LATEST = 0.02, 30
# Tables and classes are new in the first minute.
_WARM_UP = 60
_SAMPLE_SECONDS = 5
_SILVER = re.compile(r"kafka_multiplex [\d,]+ rows in ([\d.]+) s")
_GOLD = re.compile(r"gold in ([\d.]+) s")
# Tables are made by the first ones.
_FIRST_BATCHES = 3

Session = tuple[int, int, int]


@dataclass
class Sent:
    """When the heart rates of each session were sent, and its stop."""

    heart_rates: dict[Session, list[float]] = field(default_factory=lambda: defaultdict(list))
    stops: dict[Session, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Seconds from due to gold and of a batch; MiB after warm-up, half-way and at the end."""

    rate: int
    seconds: int
    counted: int
    p50: float
    p95: float
    most: float
    p95_first_half: float
    p95_second_half: float
    memory_begin: float
    memory_middle: float
    memory_end: float
    silver_seconds: float
    gold_seconds: float

    def __str__(self) -> str:
        """A row of the table of results."""
        return (
            f"| {self.rate:,} | {self.seconds} | {self.counted:,} | {self.p50:.1f} | {self.p95:.1f} "
            f"| {self.most:.1f} | {self.p95_first_half:.1f} | {self.p95_second_half:.1f} "
            f"| {self.silver_seconds:.1f} | {self.gold_seconds:.1f} "
            f"| {self.memory_begin:,.0f} | {self.memory_middle:,.0f} | {self.memory_end:,.0f} |"
        )


HEADING = (
    "| heart rates/s | seconds | counted | p50 s | p95 s | most s | p95 first half | p95 second half "
    "| silver s | gold s | MiB after warm-up | MiB half-way | MiB at end |\n"
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> None:
    """Measure, and print each row as it comes."""
    arguments = _arguments()
    print(f"{machine()}\n\n{HEADING}", flush=True)
    for rate in (arguments.rate, *arguments.ladder):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            print(measure(rate, arguments.seconds, Path(folder), arguments.trigger), flush=True)


def measure(rate: int, seconds: int, folder: Path, trigger: str) -> Result:
    """Stream `rate` heart rates a second for `seconds`, everything below `folder`."""
    landing, home = folder / "landing", folder / "home"
    _register(landing, rate)
    with Broker(folder / "kafka") as broker:
        broker.create_topics(TOPICS)
        _send_profiles(broker.address, rate)
        environment = os.environ | {
            "LAKEHOUSE_HOME": str(home),
            "LAKEHOUSE_LANDING": str(landing),
            "LAKEHOUSE_KAFKA": broker.address,
        }
        command = [str(Path(sys.executable).parent / "lakehouse"), "stream", "--trigger", trigger]
        log = (folder / "stream.log").open("w+")
        stream = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        memory = Memory(stream.pid, _SAMPLE_SECONDS)
        try:
            _wait_for(log, stream)
            memory.samples.clear()
            sent, started = Sent(), time.time()
            _send(broker.address, rate, seconds, sent)
            time.sleep(30)
        finally:
            stream.send_signal(signal.SIGTERM)
            stream.wait(120)
            memory.stop()
        log.seek(0)
        return _result(rate, seconds, home, sent, started, memory.samples, log.read())


def _register(landing: Path, users: int) -> None:
    folders = {name: landing / "gym" / name for name in ("registered_users", "gym_logins", "kafka_multiplex")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    now = int(time.time())
    rows = [f"{user},{user},mac-{user},{now}" for user in range(users)]
    header = "user_id,device_id,mac_address,registration_timestamp"
    (folders["registered_users"] / "users.csv").write_text("\n".join([header, *rows]))
    rows = [f"mac-{user},{user % 7},{now},{now + 7200}" for user in range(users)]
    (folders["gym_logins"] / "logins.csv").write_text("\n".join(["mac_address,gym,login,logout", *rows]))


def _send_profiles(address: str, users: int) -> None:
    producer = Producer({"bootstrap.servers": address})
    now = time.time()
    for user in range(users):
        profile = {
            "user_id": user,
            "update_type": "new",
            "timestamp": now,
            "dob": "07/25/1989",
            "gender": "F",
        }
        producer.produce("user_info", json.dumps(profile), str(user))
    producer.flush(30)


class Event(NamedTuple):
    """A message, when it is to be sent, and the session in which it counts."""

    send_at: float
    number: int
    topic: str
    user: int
    value: str
    session: Session | None


def _events(now: int, second: int, rate: int, chance: random.Random) -> Iterator[Event]:
    """What the devices of `rate` users record in a second."""
    length = _WORKOUT + _REST
    for user in range(rate):
        number, place = divmod(second + user * length // rate, length)
        session = (user, 1, number)
        late = chance.random() * _LATEST if chance.random() < _LATE_SHARE else 0.0
        at, beats = now + user / rate, 60 + 100 * chance.random()
        counts = session if 0 < place <= _WORKOUT else None
        rate_sent = {"device_id": user, "time": now, "heartrate": beats}
        yield Event(at + late, 2 * user, "bpm", user, json.dumps(rate_sent), counts)
        if place in (0, _WORKOUT):
            name = "stop" if place else "start"
            action = {
                "user_id": user,
                "workout_id": 1,
                "session_id": number,
                "timestamp": now,
                "action": name,
            }
            # Of what was under way at the beginning, the start was not sent.
            ends = session if place and second >= _WORKOUT else None
            yield Event(at, 2 * user + 1, "workout", user, json.dumps(action), ends)


def _send(address: str, rate: int, seconds: int, sent: Sent) -> None:
    """Send in real time what is recorded in so many seconds."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 20})
    chance = random.Random(rate)
    waiting: list[Event] = []
    first = int(time.time()) + 1
    for second in range(seconds):
        for event in _events(first + second, second, rate, chance):
            heapq.heappush(waiting, event)
        _send_until(first + second + 1, producer, waiting, sent)
    _send_until(first + seconds + _LATEST, producer, waiting, sent)
    producer.flush(30)


def _send_until(end: float, producer: Producer, waiting: list[Event], sent: Sent) -> None:
    while waiting and waiting[0].send_at < end:
        pause = waiting[0].send_at - time.time()
        if pause > 0:
            producer.poll(0)
            time.sleep(min(pause + 0.02, end - time.time() + 0.02))
        event = heapq.heappop(waiting)
        producer.produce(event.topic, event.value, str(event.user))
        now = time.time()
        if event.session is not None and event.topic == "bpm":
            sent.heart_rates[event.session].append(now)
        elif event.session is not None:
            sent.stops[event.session] = now


def _result(
    rate: int, seconds: int, home: Path, sent: Sent, started: float, memory: list[float], log: str
) -> Result:
    counts = _counts_in_gold(home / "warehouse/gold.db/workout_bpm_summary")
    first, last = started + _WARM_UP, started + seconds
    due_and_taken = []
    for session, stopped in sent.stops.items():
        for position, at in enumerate(sorted(sent.heart_rates[session]), 1):
            due = max(at, stopped)
            if first < due < last:
                there = next((when for when, count in counts[session] if count >= position), float("inf"))
                due_and_taken.append((due, there - due))
    due, taken = np.array(due_and_taken).T
    early = due < (due.min() + due.max()) / 2
    p50, p95, most = (float(np.percentile(taken, share)) for share in (50, 95, 100))
    return Result(
        rate,
        seconds,
        counted=len(taken),
        p50=p50,
        p95=p95,
        most=most,
        p95_first_half=float(np.percentile(taken[early], 95)),
        p95_second_half=float(np.percentile(taken[~early], 95)),
        memory_begin=memory[_WARM_UP // _SAMPLE_SECONDS],
        memory_middle=memory[len(memory) // 2],
        memory_end=memory[-1],
        silver_seconds=_median_seconds(_SILVER, log),
        gold_seconds=_median_seconds(_GOLD, log),
    )


def _median_seconds(pattern: re.Pattern[str], log: str) -> float:
    return float(np.median([float(seconds) for seconds in pattern.findall(log)[_FIRST_BATCHES:]]))


def _counts_in_gold(table: Path) -> dict[Session, list[tuple[float, int]]]:
    """How many recordings gold counted for each session, and when that was committed."""
    counts = defaultdict(list)
    for commit in sorted((table / "_delta_log").glob("*.json")):
        committed_at = commit.stat().st_mtime
        for action in map(json.loads, commit.read_text().splitlines()):
            if "add" not in action:
                continue
            columns = ["user_id", "workout_id", "session_id", "num_recordings"]
            rows = parquet.read_table(table / action["add"]["path"], columns=columns)
            for *session, count in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                counts[tuple(session)].append((committed_at, count))
    return counts


def _wait_for(log: TextIO, stream: "subprocess.Popen[bytes]") -> None:
    """Wait until the stream has refreshed gold once."""
    while "gold in" not in Path(log.name).read_text(encoding="utf-8"):
        if stream.poll() is not None:
            raise RuntimeError(f"lakehouse stream ended:\n{Path(log.name).read_text(encoding='utf-8')}")
        time.sleep(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="heart rates a second")
    parser.add_argument("--seconds", type=int, default=600, help="more than 300, when the first workouts end")
    parser.add_argument("--ladder", type=int, nargs="*", default=[2000, 4000])
    parser.add_argument("--trigger", default="5 seconds")
    parser.add_argument("--folder", type=Path, help="where files and tables go while measuring")
    return parser.parse_args()


if __name__ == "__main__":
    main()
