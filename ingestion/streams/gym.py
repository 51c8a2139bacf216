"""The silver tables of gyms and wearables, and how each follows what arrives."""

from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from ingestion.streams.batch import Batch, during, periods_by_hour
from ingestion.streams.gym_records import (
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
from ingestion.streams.stream import Change, Log, Source, Stream
from ingestion.streams.tables import UPDATED_AT

LONGEST_WORKOUT = timedelta(hours=3)

SOURCES = (
    Source("registered_users", registrations),
    Source("gym_logins", logins),
    # A copy with an offset of its own is for the tables to merge, else the first to arrive would count.
    Source("kafka_multiplex", messages, unique=("topic", "partition", "offset", "key", "value")),
)


def _users(batch: Batch) -> Change:
    return Change(batch.of(REGISTRATION).withColumnRenamed("time", "registered_at"))


def _visits(batch: Batch) -> Change:
    names = {"time": "login", "logout_time": "logout"}
    return Change(batch.of(LOGIN).drop(*names.values()).withColumnsRenamed(names))


def _profiles(batch: Batch) -> Change:
    return Change(batch.of(USER_INFO).withColumnRenamed("time", "event_time"))


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
    starts = starts.where(F.col("action") == "start").where("end_time is not null")
    # What begins earlier or later has its stop elsewhere.
    return Change(
        starts.where(batch.near("start_time", WORKOUT, before=LONGEST_WORKOUT)),
        batch.near("t.start_time", WORKOUT, before=LONGEST_WORKOUT),
    )


def _recordings(batch: Batch) -> Change | None:
    """Heart rates of completed workouts of which the batch brings the rate, the workout or the device."""
    if "completed_workouts" in batch.transaction.empty:
        return None
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
        nearby = nearby.join(F.broadcast(changed), list(batch.tables["completed_workouts"].keys), "left_anti")
    if BPM in batch.kinds:
        rows.append(_during(batch.of(BPM), nearby, users))
        wheres.append(batch.near("t.time", BPM))
    if REGISTRATION in batch.kinds:
        registered = users.join(batch.of(REGISTRATION), ["user_id", "device_id"], "left_semi")
        rows.append(_during(rates, workouts, registered))
        wheres.append(F.lit(True))
    return Change(reduce(DataFrame.unionByName, rows), reduce(Column.__or__, wheres), stale)


def _no_longer_during(batch: Batch) -> DataFrame | None:
    """Recordings of workouts whose first stop turned out to be earlier."""
    if WORKOUT not in batch.kinds or batch.merged["completed_workouts"].replaced == 0:
        return None
    near = _hours_around(batch, "time")
    sessions = _sessions(batch)
    recorded = batch.table("workout_bpm").where(near).join(sessions, list(SESSION), "left_semi")
    workouts = batch.table("completed_workouts").join(sessions, list(SESSION), "left_semi")
    is_during = [recorded[name] == workouts[name] for name in SESSION]
    is_during.append(F.expr("time > start_time and time <= end_time"))
    stale = recorded.join(workouts, reduce(Column.__and__, is_during), "left_anti")
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
    return joined.where("time > start_time and time <= end_time").drop("start_time", "end_time")


STREAMS = (
    Stream("users", frozenset({REGISTRATION}), _users, order=("registered_at",)),
    # A logout only moves later, and any is later than none.
    Stream("gym_visits", frozenset({LOGIN}), _visits, order=("logout",)),
    Stream(
        "user_profile",
        frozenset({USER_INFO}),
        _profiles,
        order=("event_time", "message_offset"),
        log=Log("user_profile_history", is_delete="update_type = 'delete'"),
    ),
    Stream("heart_rate", frozenset({BPM}), _heart_rates, order=("message_offset",)),
    Stream("workouts", frozenset({WORKOUT}), _actions),
    Stream("completed_workouts", frozenset({WORKOUT}), _completed),
    Stream("workout_bpm", frozenset({REGISTRATION, WORKOUT, BPM}), _recordings, order=("message_offset",)),
)
