"""Gyms and wearables: who registers, who visits a gym, and what their devices send over Kafka."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from sampledata.files import joined, write_gzip, write_text
from sampledata.gym.actions import logins, workout_actions
from sampledata.gym.heart_rates import heart_rates
from sampledata.gym.profiles import profile_events
from sampledata.gym.users import Users, registrations
from sampledata.gym.visits import Week
from sampledata.sampling import Streams

# Some systems end a file with empty lines, others without the end of its last line.
_BLANK_LINES, _NOTHING = b"\n\n\n", b""


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write one delivery: registrations, logins, and three files of Kafka messages by topic.

    The first delivery has the users of half a year and the visits of its last week; a later one
    has a week of everything, with what came too late for the delivery before.
    """
    users = Users.of(streams, scale, delivery)
    # What a week before the first one would have held back for it does not exist.
    weeks = [Week.of(streams, scale, number) for number in range(max(1, delivery - 1), delivery + 1)]

    def file(stem: str, ending: str) -> Path:
        return folder / f"{stem}_{delivery}.{ending}"

    return [
        write_text(
            file("registered_users/registered_users", "csv"), _text(registrations(users), _BLANK_LINES)
        ),
        write_text(file("gym_logins/gym_logins", "csv"), _text(logins(weeks), _NOTHING)),
        write_text(file("kafka_multiplex/user_info", "json"), _text(profile_events(users), _BLANK_LINES)),
        write_text(file("kafka_multiplex/workout", "json"), _text(workout_actions(weeks), _NOTHING)),
        write_gzip(file("kafka_multiplex/bpm", "json.gz"), _lines(heart_rates(weeks))),
    ]


def _text(lines: pa.Array, end: bytes) -> Iterator[pa.Buffer | bytes]:
    yield joined(lines, "\n")
    yield end


def _lines(blocks: Iterator[pa.Array]) -> Iterator[pa.Buffer | bytes]:
    for block in blocks:
        yield joined(block, "\n")
        yield b"\n"
