"""What is told of visits and workouts: logins with their logouts, starts and stops."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sampledata.gym.transport import (
    CSV_DEFECTS,
    MESSAGE_DEFECTS,
    YEAR_AHEAD,
    Messages,
    csv_lines,
    epochs,
    join,
    message_lines,
)
from sampledata.gym.visits import SECONDS_BETWEEN_WORKOUTS, Week
from sampledata.sampling import IntArray, Marks, mark

_TOO_LONG = 3 * 3600
_CAPACITY_PER_VISIT = 4


def logins(weeks: Sequence[Week]) -> pa.Array:
    """Return the lines of gym_logins of the last week, with what the one before held back."""
    *earlier, week = weeks
    table = _by_time_sent([*map(_logins_held_back, earlier), _logins_on_time(week)])
    mac_addresses = week.users.mac_addresses.take(table["user"].combine_chunks())
    # The rows of other visits mean what they should in the order in which they are sent.
    usual = np.flatnonzero(table["usual"].to_numpy())
    rng = week.users.streams.of("gym.gym_logins.defects", week.delivery)
    marks = mark(rng, len(usual), CSV_DEFECTS)
    defects = Marks({kind: usual[places] for kind, places in marks.rows.items()})
    table = table.select(["gym", "login", "logout"]).add_column(0, "mac_address", mac_addresses)
    return csv_lines(rng, table, defects)


def workout_actions(weeks: Sequence[Week]) -> pa.Array:
    """Return the lines of workout of the last week, with what the one before held back."""
    *earlier, week = weeks
    table = _by_time_sent([*map(_stops_held_back, earlier), _actions_on_time(week)])
    ids = week.users.ids[table["user"].to_numpy()]
    time = table["time"].to_numpy()
    offset = _CAPACITY_PER_VISIT * len(week.visits.user) * week.delivery + np.arange(len(time))
    rng = week.users.streams.of("gym.workout.defects", week.delivery)
    defects = mark(rng, len(time), MESSAGE_DEFECTS)
    value = join(
        '{"user_id": ',
        pa.array(ids).cast(pa.string()),
        ', "workout_id": ',
        table["workout_id"].combine_chunks().cast(pa.string()),
        ', "timestamp": ',
        epochs(time, defects.at("epoch_as_float", range(len(time)))),
        ', "action": "',
        table["action"].combine_chunks(),
        '", "session_id": ',
        table["session_id"].combine_chunks().cast(pa.string()),
        "}",
    )
    return message_lines(rng, "workout", Messages(ids, value, offset, time), defects)


def _by_time_sent(tables: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables(tables)
    return table.take(np.argsort(table["sent"].to_numpy(), kind="stable"))


def _logins_on_time(week: Week) -> pa.Table:
    """Return the logins that come with the delivery of their week."""
    visits, defects = week.visits, week.defects_of_visits.rows
    login, logout = visits.login.copy(), visits.logout.copy()
    middle = (login + logout) // 2
    backwards, ahead = defects["logout_first"], defects["year_ahead"]
    logout[backwards] = 2 * login[backwards] - middle[backwards]
    login[ahead] += YEAR_AHEAD
    logout[ahead] += YEAR_AHEAD
    held_back = np.concatenate([defects["late"], defects["unfinished_until_next"]])
    complete = np.setdiff1d(np.arange(len(login)), held_back)
    unfinished = np.concatenate([defects["unfinished"], defects["unfinished_until_next"]])
    extended, shortened = defects["extended"], defects["shortened"]
    return pa.concat_tables(
        [
            _logins(week, complete, sent=visits.logout, login=login, logout=logout),
            _logins(week, unfinished, sent=visits.login, login=login),
            _logins(week, extended, sent=middle, login=login, logout=middle),
            _logins(week, shortened, sent=visits.logout + 1, login=login, logout=middle),
        ]
    )


def _logins_held_back(week: Week) -> pa.Table:
    """Return the logins that come with the delivery after their week."""
    visits, defects = week.visits, week.defects_of_visits.rows
    held_back = np.concatenate([defects["late"], defects["unfinished_until_next"]])
    return _logins(week, held_back, sent=visits.logout, login=visits.login, logout=visits.logout)


def _logins(
    week: Week, visits: IntArray, sent: IntArray, login: IntArray, logout: IntArray | None = None
) -> pa.Table:
    """Return a row for each of some visits; the times are those of all, without logout null."""
    nothing = pa.nulls(len(visits), pa.int64())
    unusual = np.concatenate(list(week.defects_of_visits.rows.values()))
    return pa.table(
        {
            "sent": sent[visits],
            "usual": ~np.isin(visits, unusual),
            "user": week.visits.user[visits],
            "gym": week.visits.gym[visits],
            "login": login[visits],
            "logout": nothing if logout is None else logout[visits],
        }
    )


def _actions_on_time(week: Week) -> pa.Table:
    """Return the starts and stops that come with the delivery of their week."""
    workouts, defects = week.workouts, week.defects_of_workouts.rows
    everything = np.arange(len(workouts.visit))
    stop = workouts.stop.copy()
    stop[defects["too_long"]] += _TOO_LONG
    started = np.setdiff1d(everything, defects["no_start"])
    stopped = np.setdiff1d(everything, np.concatenate([defects["no_stop"], defects["stop_late"]]))
    soon_after_start = (2 * workouts.start + workouts.stop) // 3
    soon_after_stop = workouts.stop + SECONDS_BETWEEN_WORKOUTS // 4
    return pa.concat_tables(
        [
            _actions(week, "start", started, workouts.start),
            _actions(week, "stop", stopped, stop),
            _actions(week, "start", defects["two_starts"], soon_after_start),
            _actions(week, "stop", defects["two_stops"], soon_after_stop),
        ]
    )


def _stops_held_back(week: Week) -> pa.Table:
    """Return the stops that come with the delivery after their week."""
    return _actions(week, "stop", week.defects_of_workouts.rows["stop_late"], week.workouts.stop)


def _actions(week: Week, action: str, workouts: IntArray, times: IntArray) -> pa.Table:
    """Return an action for each of some workouts; `times` are those of all, by the right clock."""
    ahead = np.isin(workouts, week.defects_of_workouts.rows["year_ahead"])
    visit = week.workouts.visit[workouts]
    return pa.table(
        {
            "sent": times[workouts],
            "user": week.visits.user[visit],
            "workout_id": week.workouts.number[workouts],
            "session_id": week.visits.session[visit],
            "action": pa.repeat(action, len(workouts)),
            "time": times[workouts] + YEAR_AHEAD * ahead,
        }
    )
