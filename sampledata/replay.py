"""Recorded files of the gyms, or of clicks, as a live stream: over Kafka, or as files that keep arriving.

All lines are sorted by their time in memory, about half a kilobyte each: some millions are fine.
"""

import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ingestion.kafka import ANSWER_SECONDS, Kafka
from ingestion.landing.writer import write

# Files arrive this often, in seconds.
_INTERVAL = 1.0

# A clock that is a year ahead should hold nobody up, in seconds.
_LONGEST_PAUSE = 10.0

_LATEST = 1e12


@dataclass(frozen=True)
class _Recording:
    """Recorded files, where their lines land, and the field that says when one was sent.

    `topic` takes the lines of JSON as they are; without one, a line is a message that names its topic.
    """

    name: str
    files: str
    lands: str
    time: str
    topic: str | None = None

    @property
    def is_csv(self) -> bool:
        return self.files.endswith(".csv")


_RECORDINGS = (
    _Recording(
        "registered_users", "registered_users/*.csv", "gym/registered_users", "registration_timestamp"
    ),
    _Recording("gym_logins", "gym_logins/*.csv", "gym/gym_logins", "login"),
    _Recording("kafka_multiplex", "kafka_multiplex/*.json", "gym/kafka_multiplex", "timestamp"),
    _Recording("clicks", "clicks*.jsonl", "clickstream", "event_time", topic="clicks"),
)


class ReplayError(Exception):
    """Messages could not be sent; the message says how many and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A recorded line: its time in epoch seconds, what it is of, and the header of a CSV file."""

    time: float
    recording: _Recording
    text: bytes
    header: bytes = b""


@dataclass
class Summary:
    """What was sent: messages by topic, lines that landed or are no message, and how long it took."""

    messages: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    unsendable: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        """One line for people."""
        sent = [f"{count:,} {name}" for name, count in sorted((self.messages + self.lines).items())]
        parts = [f"Sent {', '.join(sent) or 'nothing'} in {self.seconds:,.1f} s"]
        if self.unsendable:
            parts.append(f"{self.unsendable:,} lines are no JSON or have no topic and were not sent")
        return "; ".join(parts)


class _Transport(Protocol):
    """Takes lines, and is told regularly that time goes on."""

    def send(self, line: Line) -> None: ...

    def flush(self) -> None: ...


def replay_to_kafka(folder: Path, kafka: Kafka, landing: Path, speed: float = 1) -> Summary:
    """Send recorded messages to their topics, and the CSV files, which have none, to the landing zone.

    `folder` has the folders registered_users, gym_logins and kafka_multiplex, or some of them, or files of
    clicks. `speed` is 1 for real time, 60 for a minute per second, 0 for as fast as possible; pauses last
    10 seconds at most. Messages keep their time.

    Raises:
        ValueError: there are no recorded files, or the speed is negative.
        KafkaUnavailable: the servers do not answer.
        ReplayError: messages were not taken.
    """
    lines = _recorded(folder, speed)
    summary = Summary()
    files, topics = _Files(landing, summary), _Topics(kafka, summary)
    _send(lines, topics, files, speed, summary)
    topics.finish()
    return summary


def replay_to_landing(folder: Path, landing: Path, speed: float = 1) -> Summary:
    """Write recorded lines to the landing zone, a file per second and recording; else as `replay_to_kafka`.

    Raises:
        ValueError: there are no recorded files, or the speed is negative.
    """
    lines = _recorded(folder, speed)
    summary = Summary()
    files = _Files(landing, summary)
    _send(lines, files, files, speed, summary)
    return summary


def _recorded(folder: Path, speed: float) -> list[Line]:
    if speed < 0:
        raise ValueError(f"the speed {speed:g} is negative; 0 is as fast as possible")
    lines = [line for recording in _RECORDINGS for line in _read(folder, recording)]
    if not lines:
        known = ", ".join(recording.files for recording in _RECORDINGS)
        raise ValueError(f"{folder} has no recorded files: {known}")
    return sorted(lines, key=attrgetter("time"))


def _read(folder: Path, recording: _Recording) -> Iterator[Line]:
    """Lines of all files; one without a time has that of the line before in its file."""
    for file in sorted([*folder.glob(recording.files), *folder.glob(f"{recording.files}.gz")]):
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            header = next(lines, b"").rstrip(b"\r\n") if recording.is_csv else b""
            names = header.decode(errors="replace").split(",")
            now = 0.0
            for text in lines:
                if text := text.rstrip(b"\r\n"):
                    values = dict(zip(names, text.split(b","), strict=False)) if header else _fields(text)
                    now = _time(values.get(recording.time)) or now
                    yield Line(now, recording, text, header)


def _fields(text: bytes) -> dict[str, Any]:
    """The fields of a line; empty when it is no JSON object."""
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _time(value: Any) -> float | None:
    """Epoch seconds of a number of them or of a time in ISO 8601."""
    try:
        seconds = float(value)
    except (TypeError, OverflowError):
        return None
    except ValueError:
        return _iso_time(value)
    # Neither infinite nor beyond what a message's time can hold.
    return seconds if 0 <= seconds < _LATEST else None


def _iso_time(value: Any) -> float | None:
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None


def _send(lines: list[Line], messages: _Transport, files: "_Files", speed: float, summary: Summary) -> None:
    """Send lines at their times: those of CSV to `files`, those of JSON to `messages`."""
    started = flushed = time.monotonic()
    due = started
    # Lines before any that has a time do not hold up the others.
    last = next((line.time for line in lines if line.time), 0.0)
    everything: list[_Transport] = [messages, files]

    def go_on(due: float) -> None:
        nonlocal flushed
        while True:
            now = time.monotonic()
            if now - flushed >= _INTERVAL:
                for transport in everything:
                    transport.flush()
                flushed = now
            if now >= due:
                return
            time.sleep(min(due, flushed + _INTERVAL) - now if flushed + _INTERVAL > now else 0)

    try:
        for line in lines:
            due += min(max(0.0, line.time - last) / speed, _LONGEST_PAUSE) if speed else 0.0
            last = max(last, line.time)
            go_on(due)
            (files if line.recording.is_csv else messages).send(line)
    finally:
        # Also when it is stopped: what was taken arrives.
        for transport in everything:
            transport.flush()
        summary.seconds = time.monotonic() - started


class _Files:
    """The landing zone: lines since the last flush become a file per recording."""

    def __init__(self, landing: Path, summary: Summary) -> None:
        self._landing = landing
        self._summary = summary
        self._name = f"replay-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        self._number = 0
        self._waiting: dict[tuple[_Recording, bytes], list[bytes]] = defaultdict(list)

    def send(self, line: Line) -> None:
        self._waiting[line.recording, line.header].append(line.text)
        self._summary.lines[line.recording.name] += 1

    def flush(self) -> None:
        for (recording, header), lines in self._waiting.items():
            self._number += 1
            kind = Path(recording.files).suffix
            file = self._landing / recording.lands / f"{self._name}-{self._number:06}{kind}"
            write(str(file), b"\n".join([*([header] if header else []), *lines, b""]))
        self._waiting.clear()


class _Topics:
    """Kafka: each line becomes a message, of the topic of its recording or of the one it names."""

    def __init__(self, kafka: Kafka, summary: Summary) -> None:
        self._summary = summary
        self._failed: Counter[str] = Counter()
        self._producer = kafka.client(
            Producer,
            # Each message once and in its order, also when a server has to be asked again.
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=20,
            message_timeout_ms=30_000,
        )
        try:
            self._producer.list_topics(timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise kafka.failure(error, self._producer) from None

    def send(self, line: Line) -> None:
        fields = _fields(line.text)
        if line.recording.topic:
            fields = {"topic": line.recording.topic, "value": line.text, "timestamp": line.time}
        topic = fields.get("topic")
        if not isinstance(topic, str) or not topic:
            self._summary.unsendable += 1
            return
        moment = _time(fields.get("timestamp"))
        while True:
            try:
                self._producer.produce(
                    topic,
                    key=_bytes(fields.get("key")),
                    value=_bytes(fields.get("value")),
                    timestamp=int(moment * 1000) if moment else 0,
                    on_delivery=self._delivered,
                )
                return
            except BufferError:
                # Its queue is full: wait for the servers.
                self._producer.poll(0.1)

    def flush(self) -> None:
        self._producer.flush()

    def finish(self) -> None:
        """Raise `ReplayError` for messages that were not taken."""
        if self._failed:
            causes = ", ".join(f"{count:,} of {cause}" for cause, count in self._failed.items())
            raise ReplayError(f"Kafka did not take all messages: {causes}. {self._summary}.")

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        topic = str(message.topic())
        if error is None:
            self._summary.messages[topic] += 1
        else:
            self._failed[f"{topic} ({error.str()})"] += 1


def _bytes(value: Any) -> bytes | None:
    """A value as the bytes of a message: bytes and text as they are, everything else as JSON."""
    if value is None or isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair is no text; whoever reads the message finds out.
    return text.encode(errors="surrogatepass")
