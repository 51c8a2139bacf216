"""The silver tables of gyms and wearables, and how each follows what arrives."""

from datetime import timedelta
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from ingestion.streams.batch import Batch, Change, Source, Stream, during, periods_by_hour
from ingestion.streams.gym.records import (
    BPM,
    LOGIN,
    REGISTRATION,
    SESSION,
    USER_INFO,
    WORKOUT,
    logins,
    messages,
    registrations,
)
from ingestion.streams.tables import UPDATED_AT
from ingestion.streams.upsert import greatest

LONGEST_WORKOUT = timedelta(hours=3)

SOURCES = (
    Source("registered_users", frozenset({REGISTRATION}), registrations),
    Source("gym_logins", frozenset({LOGIN}), logins),
    Source(
        "kafka_multiplex",
        frozenset({USER_INFO, WORKOUT, BPM}),
        messages,
        # A copy with an offset of its own is for the tables to merge, else the first to arrive would count.
        unique=("topic", "partition", "offset", "key", "value"),
    ),
)


def _users(batch: Batch) -> Change:
    return Change(batch.of(REGISTRATION).withColumnRenamed("time", "registered_at"))


def _visits(batch: Batch) -> Change:
    names = {"time": "login", "logout_time": "logout"}
    return Change(batch.of(LOGIN).drop(*names.values()).withColumnsRenamed(names))


def _profile_changes(batch: Batch) -> Change:
    return Change(batch.of(USER_INFO).withColumnRenamed("time", "event_time"))


def _profiles(batch: Batch) -> Change:
    """The newest change of each user of the batch, unless it is that the user was deleted."""
    users = batch.of(USER_INFO).select("user_id").distinct()
    known = batch.table("user_profile_history").join(users, "user_id", "left_semi")
    newest = batch.keep(greatest(known.drop(UPDATED_AT), ["user_id"], ["event_time", "message_offset"]))
    is_delete = F.col("update_type") == "delete"
    return Change(newest.where(~is_delete), stale=newest.where(is_delete))


def _heart_rates(batch: Batch) -> Change:
    return Change(batch.of(BPM), batch.near("t.time", BPM))


def _actions(batch: Batch) -> Change:
    return Change(batch.of(WORKOUT), batch.near("t.time", WORKOUT))


def _completed(batch: Batch) -> Change:
    """Starts that a batch may have changed, each with the first stop after it."""
    nearby = _hours_around(batch, "time")
    actions = batch.table("workouts").where(nearby).join(_sessions(batch), list(SESSION), "left_semi")
    soon = Window.partitionBy(*SESSION).orderBy(F.unix_micros("time"))
    soon = soon.rangeBetween(1, LONGEST_WORKOUT // timedelta(microseconds=1))
    stop = F.min(F.when(F.col("action") == "stop", F.col("time"))).over(soon)
    starts = actions.withColumn("end_time", stop).withColumnRenamed("time", "start_time")
    starts = starts.where(F.col("action") == "start").where(F.col("end_time").isNotNull())
    # What begins earlier or later has its stop elsewhere.
    return Change(
        batch.keep(starts.where(batch.near("start_time", WORKOUT, before=LONGEST_WORKOUT))),
        batch.near("t.start_time", WORKOUT, before=LONGEST_WORKOUT),
    )


def _recordings(batch: Batch) -> Change:
    """Heart rates of completed workouts of which the batch brings the rate, the workout or the device."""
    rows, wheres = [], []
    workouts, users, rates = (batch.table(name) for name in ("completed_workouts", "users", "heart_rate"))
    stale = _no_longer_during(batch)
    nearby = workouts.where(batch.under_way("start_time", "end_time", BPM))
    if WORKOUT in batch.kinds:
        changed = batch.merged["completed_workouts"].rows
        periods = periods_by_hour(changed, "start_time", "end_time")
        rows.append(_during(rates.where(during(periods, "time")), changed, users))
        wheres.append(during(periods, "t.time") if stale is None else _hours_around(batch, "t.time"))
        # With all their rates, those of the batch too.
        nearby = nearby.join(F.broadcast(changed), list(batch.silver["completed_workouts"].keys), "left_anti")
    if BPM in batch.kinds:
        rows.append(_during(batch.of(BPM), nearby, users))
        wheres.append(batch.near("t.time", BPM))
    if REGISTRATION in batch.kinds:
        registered = users.join(batch.of(REGISTRATION), ["user_id", "device_id"], "left_semi")
        rows.append(_during(rates, workouts, registered))
        wheres.append(F.lit(True))
    return Change(reduce(DataFrame.unionByName, rows), reduce(or_, wheres), stale)


def _no_longer_during(batch: Batch) -> DataFrame | None:
    """Recordings of workouts whose first stop turned out to be earlier."""
    if WORKOUT not in batch.kinds or not batch.merged["completed_workouts"].replaced:
        return None
    near = _hours_around(batch, "time")
    sessions = _sessions(batch)
    recorded = batch.table("workout_bpm").where(near).join(sessions, list(SESSION), "left_semi")
    workouts = batch.table("completed_workouts").join(sessions, list(SESSION), "left_semi")
    same = [recorded[name] == workouts[name] for name in SESSION]
    same.append(_is_during())
    stale = recorded.join(workouts, reduce(and_, same), "left_anti")
    return stale.select(*SESSION, "device_id", "time")


def _hours_around(batch: Batch, column: str) -> Column:
    """Whether a time may belong to a workout of which the batch brings a start or stop."""
    return batch.near(column, WORKOUT, before=LONGEST_WORKOUT, after=LONGEST_WORKOUT)


def _sessions(batch: Batch) -> DataFrame:
    return batch.of(WORKOUT).select(*SESSION).distinct()


def _during(rates: DataFrame, workouts: DataFrame, users: DataFrame) -> DataFrame:
    recorded = rates.select("device_id", "time", "message_offset", "heartrate", "valid")
    # Few, so that each rate is looked up once; Spark would join the rates with all devices first.
    recorders = workouts.drop(UPDATED_AT).join(users.select("user_id", "device_id"), "user_id")
    joined = recorded.join(F.broadcast(recorders), "device_id")
    return joined.where(_is_during()).drop("start_time", "end_time")


def _is_during() -> Column:
    return (F.col("time") > F.col("start_time")) & (F.col("time") <= F.col("end_time"))


STREAMS = (
    Stream("users", frozenset({REGISTRATION}), _users, order=("registered_at",)),
    # A logout only moves later, and any is later than none.
    Stream("gym_visits", frozenset({LOGIN}), _visits, order=("logout",)),
    Stream("user_profile_history", frozenset({USER_INFO}), _profile_changes, order=("update_type",)),
    Stream("user_profile", frozenset({USER_INFO}), _profiles),
    Stream("heart_rate", frozenset({BPM}), _heart_rates, order=("message_offset",)),
    Stream("workouts", frozenset({WORKOUT}), _actions),
    Stream("completed_workouts", frozenset({WORKOUT}), _completed),
    Stream("workout_bpm", frozenset({REGISTRATION, WORKOUT, BPM}), _recordings, order=("message_offset",)),
)
