"""Heart rates: one a second during workouts and one a minute around them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sampledata.gym.transport import (
    MESSAGE_DEFECTS,
    YEAR_AHEAD,
    Messages,
    epochs,
    join,
    message_lines,
)
from sampledata.gym.users import FIRST_DEVICE_ID
from sampledata.gym.visits import READINGS_AT_REST, Week
from sampledata.sampling import FloatArray, IntArray, Marks, blocks, mark

_DEFECTS = MESSAGE_DEFECTS | {
    "zero": 0.002,
    "negative": 0.001,
    "unknown_device": 0.001,
    "year_ahead": 0.0005,
    "epoch_as_float": 0.01,
}
_SECONDS_BETWEEN_AT_REST = 60
_SECONDS_OF_DISORDER = 300
_SECONDS_TO_WARM_UP = 90
_RESTING_FROM, _RESTING_SPREAD = 52, 25
_EFFORT_FROM, _EFFORT_SPREAD = 60, 40
_NOISE = 3


class Recordings(NamedTuple):
    """Runs of readings by column: row of the user, start of the workout, times, how many."""

    user: IntArray
    start: IntArray
    first: IntArray
    step: IntArray
    readings: IntArray

    def followed_by(self, others: "Recordings") -> "Recordings":
        """Return these recordings and others after them."""
        return Recordings(*(np.concatenate(pair) for pair in zip(self, others, strict=True)))


def heart_rates(weeks: Sequence[Week]) -> Iterator[pa.Array]:
    """Yield the lines of bpm of the last week, first what devices had no connection to send before."""
    *earlier, week = weeks
    recordings = _on_time(week)
    for before in earlier:
        recordings = _held_back(before).followed_by(recordings)
    until = np.cumsum(recordings.readings)
    streams, delivery = week.users.streams, week.delivery
    for block in blocks(int(until[-1])):
        rng = streams.of("gym.bpm", delivery, block.start)
        # Marked by block, as marks of all rows would need memory for all of them.
        defects = mark(streams.of("gym.bpm.defects", delivery, block.start), len(block), _DEFECTS)
        rows = np.arange(block.start, block.stop)
        recording = np.searchsorted(until, rows, side="right")
        place = rows - until[recording] + recordings.readings[recording]
        time = recordings.first[recording] + recordings.step[recording] * place
        rate = _rates(rng, recordings, recording, time)
        device = week.users.device_ids[recordings.user[recording]]
        _damage(device, time, rate, defects)
        offset = 2 * delivery * int(until[-1]) + rows
        value = _values(device, time, rate, defects)
        yield message_lines(rng, "bpm", Messages(device, value, offset, time), defects, _SECONDS_OF_DISORDER)


def _on_time(week: Week) -> Recordings:
    """Return what devices send around and in each workout, until some lose their connection."""
    start, stop = week.workouts.start, week.workouts.stop
    user = week.visits.user[week.workouts.visit]
    step = np.full(len(user), _SECONDS_BETWEEN_AT_REST)
    readings = np.full(len(user), READINGS_AT_REST // 2)
    # The last reading before a workout is at its very start, which does not belong to it.
    before = Recordings(user, start, start - step * (readings - 1), step, readings)
    after = Recordings(user, start, stop + step, step, readings)
    seconds = stop - start
    offline = week.defects_of_workouts.rows["device_offline"]
    seconds[offline] = _connected(seconds[offline])
    within = Recordings(user, start, start + 1, np.ones(len(user), np.int64), seconds)
    together = before.followed_by(within).followed_by(after)
    order = np.argsort(together.first, kind="stable")
    return Recordings(*(column[order] for column in together))


def _held_back(week: Week) -> Recordings:
    """Return what devices without connection send with the next delivery."""
    offline = week.defects_of_workouts.rows["device_offline"]
    start, stop = week.workouts.start[offline], week.workouts.stop[offline]
    user = week.visits.user[week.workouts.visit[offline]]
    sent = _connected(stop - start)
    return Recordings(user, start, start + sent + 1, np.ones(len(user), np.int64), stop - start - sent)


def _connected(seconds: IntArray) -> IntArray:
    """Return for how many seconds of a workout a device has a connection."""
    connected: IntArray = seconds * 2 // 3
    return connected


def _rates(
    rng: np.random.Generator, recordings: Recordings, recording: IntArray, time: IntArray
) -> FloatArray:
    """Return heart rates that rise from the start of a workout on, differently by user and workout."""
    start, user = recordings.start[recording], recordings.user[recording]
    exercising = recordings.step[recording] == 1
    rise = np.where(exercising, 1 - np.exp((start - time) / _SECONDS_TO_WARM_UP), 0)
    resting = _RESTING_FROM + user % _RESTING_SPREAD
    effort = _EFFORT_FROM + start % _EFFORT_SPREAD
    rates: FloatArray = resting + effort * rise + _NOISE * rng.standard_normal(len(time))
    return rates.round(2)


def _damage(device: IntArray, time: IntArray, rate: FloatArray, defects: Marks) -> None:
    """Make readings wrong where they are marked."""
    rows = range(len(time))
    device[defects.at("unknown_device", rows)] -= FIRST_DEVICE_ID
    time[defects.at("year_ahead", rows)] += YEAR_AHEAD
    rate[defects.at("zero", rows)] = 0
    rate[defects.at("negative", rows)] *= -1


def _values(device: IntArray, time: IntArray, rate: FloatArray, defects: Marks) -> pa.Array:
    return join(
        '{"device_id": ',
        pa.array(device).cast(pa.string()),
        ', "time": ',
        epochs(time, defects.at("epoch_as_float", range(len(time)))),
        ', "heartrate": ',
        pa.array(rate).cast(pa.string()),
        "}",
    )
