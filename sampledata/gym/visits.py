"""Visits to the gyms and the workouts in them: who, where, from when until when."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sampledata.gym.users import Users
from sampledata.sampling import FloatArray, IntArray, Marks, Streams, mark, pick
from sampledata.timeline import DAYS_PER_DELIVERY, seconds_of_week

SECONDS_BETWEEN_WORKOUTS = 600
"""How long people rest at least before they work out, and between two workouts of a visit."""
READINGS_AT_REST = 10
"""How many heart rates a device sends around a workout."""

_READINGS_AT_SCALE_1, _READINGS_AT_LEAST = 50_000, 2_000
# A visit every 1,500 readings makes workouts of 25 minutes; tiny samples have short ones instead.
_READINGS_PER_VISIT, _VISITS_AT_LEAST = 1_500, 24
_HOUR = 3600
# People come in the morning or in the evening, so that their visits never overlap.
_SLOTS = [24 * day + hour for day in range(DAYS_PER_DELIVERY) for hour in (6, 16)]
_HOURS_OF_ARRIVAL = 3
_GYMS: list[float] = [25, 10, 30, 15, 20]
_WORKOUTS_PER_VISIT = [1, 1, 2, 1, 1, 1, 0, 1]
_SHORTEST_WORKOUT = 30
_SECONDS_AFTER_WORKOUT = 360, 5_400

_DEFECTS_OF_VISITS = {
    "unfinished": 0.03,
    "unfinished_until_next": 0.01,
    "late": 0.01,
    "extended": 0.02,
    "shortened": 0.01,
    "logout_first": 0.01,
    "year_ahead": 0.005,
}
_DEFECTS_OF_WORKOUTS = {
    "no_start": 0.01,
    "no_stop": 0.01,
    "two_starts": 0.01,
    "two_stops": 0.01,
    "too_long": 0.01,
    "stop_late": 0.01,
    "year_ahead": 0.005,
    "device_offline": 0.02,
}


class Visits(NamedTuple):
    """Visits by column: row of the user, number of the session and of the gym, epoch seconds."""

    user: IntArray
    session: IntArray
    gym: IntArray
    login: IntArray
    logout: IntArray


class Workouts(NamedTuple):
    """Workouts by column: row of the visit, number in it, epoch seconds."""

    visit: IntArray
    number: IntArray
    start: IntArray
    stop: IntArray


@dataclass(frozen=True)
class Week:
    """The visits and workouts of the week of one delivery, and which of them are sent wrongly."""

    users: Users
    visits: Visits
    workouts: Workouts
    defects_of_visits: Marks
    defects_of_workouts: Marks

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "Week":
        """Return the visits at this scale, at least 24, with workouts for their heart rates."""
        users = Users.of(streams, scale, delivery)
        rng = streams.of("gym.visits", delivery)
        readings = max(_READINGS_AT_LEAST, round(_READINGS_AT_SCALE_1 * scale))
        size = max(_VISITS_AT_LEAST, round(readings / _READINGS_PER_VISIT))
        defects = mark(streams.of("gym.visits.defects", delivery), size, _DEFECTS_OF_VISITS)
        visits = _arrivals(rng, users, size)
        workouts = _workouts(rng, visits, defects, readings)
        until = visits.login.copy()
        np.maximum.at(until, workouts.visit, workouts.stop)
        logout = until + rng.integers(*_SECONDS_AFTER_WORKOUT, size)
        rng = streams.of("gym.workouts.defects", delivery)
        return cls(
            users,
            visits._replace(logout=logout),
            workouts,
            defects,
            mark(rng, len(workouts.visit), _DEFECTS_OF_WORKOUTS),
        )

    @property
    def delivery(self) -> int:
        """The number of the delivery."""
        return self.users.delivery


def _arrivals(rng: np.random.Generator, users: Users, size: int) -> Visits:
    """Return visits that begin in different slots of time of each user, after the registration."""
    begin = seconds_of_week(users.delivery).start + np.array(_SLOTS) * _HOUR
    free = (users.registered[:, None] < begin) & users.visiting[:, None]
    user, slot = np.divmod(rng.choice(np.flatnonzero(free), size, replace=False), len(_SLOTS))
    login = begin[slot] + rng.integers(0, _HOURS_OF_ARRIVAL * _HOUR, size)
    # The number of the slot counts on from delivery to delivery, so no user has a session twice.
    session = 1 + (users.delivery - 1) * len(_SLOTS) + slot
    return Visits(user, session, 1 + pick(rng, _GYMS, size), login, login)


def _workouts(rng: np.random.Generator, visits: Visits, defects: Marks, readings: int) -> Workouts:
    """Return workouts of up to two a visit, that last as many seconds as there are readings."""
    count = rng.permutation(np.resize(_WORKOUTS_PER_VISIT, len(visits.user)))
    # Nobody works out outside a visit, which is where wrong times would put it.
    for kind in ("logout_first", "year_ahead"):
        count[defects.rows[kind]] = 0
    visit = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    weights: FloatArray = 0.5 + rng.random(len(visit))
    seconds = (readings - READINGS_AT_REST * len(visit)) * weights / weights.sum()
    duration = np.maximum(_SHORTEST_WORKOUT, seconds.round().astype(np.int64))
    rest = rng.integers(SECONDS_BETWEEN_WORKOUTS, 2 * SECONDS_BETWEEN_WORKOUTS, len(visit))
    passed = np.concatenate([[0], np.cumsum(rest + duration)])
    stop = visits.login[visit] + passed[1:] - passed[first[visit]]
    return Workouts(visit, 1 + np.arange(len(visit)) - first[visit], stop - duration, stop)
