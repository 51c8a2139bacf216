"""The silver tables of gyms and wearables, and how each follows what arrives."""

from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from ingestion.streams.batch import Batch
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
from ingestion.streams.stream import Changes, Source, Stream
from ingestion.streams.tables import UPDATED_AT

LONGEST_WORKOUT = timedelta(hours=3)

SOURCES = (
    Source("registered_users", registrations),
    Source("gym_logins", logins),
    Source("kafka_multiplex", messages, unique=("topic", "key", "value")),
)


def _users(batch: Batch) -> DataFrame:
    return batch.of(REGISTRATION).withColumnRenamed("time", "registered_at")


def _visits(batch: Batch) -> DataFrame:
    return (
        batch.of(LOGIN).drop("login", "logout").withColumnsRenamed({"time": "login", "logout_time": "logout"})
    )


def _profiles(batch: Batch) -> DataFrame:
    return batch.of(USER_INFO).withColumnRenamed("time", "event_time")


def _heart_rates(batch: Batch) -> DataFrame:
    return batch.of(BPM)


def _actions(batch: Batch) -> DataFrame:
    return batch.of(WORKOUT)


def _sessions(batch: Batch) -> DataFrame:
    return batch.of(WORKOUT).select(*SESSION).distinct()


def _completed(batch: Batch) -> DataFrame:
    """Starts that a batch may have changed, each with the first stop after it."""
    nearby = batch.near("time", WORKOUT, before=LONGEST_WORKOUT, after=LONGEST_WORKOUT)
    actions = batch.table("workouts").where(nearby).join(_sessions(batch), list(SESSION), "left_semi")
    soon = Window.partitionBy(*SESSION).orderBy(F.unix_micros("time"))
    soon = soon.rangeBetween(1, LONGEST_WORKOUT // timedelta(microseconds=1))
    stop = F.min(F.when(F.col("action") == "stop", F.col("time"))).over(soon)
    starts = actions.withColumn("end_time", stop).withColumnRenamed("time", "start_time")
    is_whole = batch.near("start_time", WORKOUT, before=LONGEST_WORKOUT)
    return starts.where(F.col("action") == "start").where("end_time is not null").where(is_whole)


def _recordings(batch: Batch) -> DataFrame:
    """Heart rates of completed sessions of which the batch brings the rate, the session or the device."""
    parts = []
    workouts, users, rates = (batch.table(name) for name in ("completed_workouts", "users", "heart_rate"))
    if BPM in batch.kinds:
        nearby = workouts.where(batch.near("start_time", BPM, before=LONGEST_WORKOUT))
        parts.append(_during(batch.of(BPM), nearby, users))
    if WORKOUT in batch.kinds:
        parts.append(_during(rates.where(_near_sessions(batch)), _completed_now(batch), users))
    if REGISTRATION in batch.kinds:
        registered = users.join(batch.of(REGISTRATION), ["user_id", "device_id"], "left_semi")
        parts.append(_during(rates, workouts, registered))
    return reduce(DataFrame.unionByName, parts)


def _outside(batch: Batch) -> DataFrame | None:
    """Recordings of sessions whose first stop turned out to be earlier."""
    if WORKOUT not in batch.kinds:
        return None
    recorded = batch.table("workout_bpm").where(_near_sessions(batch))
    keys = [*SESSION, "device_id", "time"]
    recorded = recorded.join(_sessions(batch), list(SESSION), "left_semi").select(*keys)
    workouts = _completed_now(batch).alias("w")
    is_during = F.expr("time > start_time and time <= end_time")
    same_session = [recorded[name] == workouts[name] for name in SESSION]
    return recorded.join(workouts, reduce(Column.__and__, same_session, is_during), "left_anti")


def _completed_now(batch: Batch) -> DataFrame:
    return batch.table("completed_workouts").join(_sessions(batch), list(SESSION), "left_semi")


def _near_sessions(batch: Batch, column: str = "time") -> Column:
    return batch.near(column, WORKOUT, before=LONGEST_WORKOUT, after=LONGEST_WORKOUT)


def _during(rates: DataFrame, workouts: DataFrame, users: DataFrame) -> DataFrame:
    recorded = rates.select("device_id", "time", "message_offset", "heartrate", "valid")
    devices = users.select("user_id", "device_id")
    sessions = workouts.drop(UPDATED_AT)
    joined = recorded.join(devices, "device_id").join(sessions, "user_id")
    return joined.where("time > start_time and time <= end_time").drop("start_time", "end_time")


def _files_of_recordings(batch: Batch) -> Column | None:
    if REGISTRATION in batch.kinds:
        return None
    return batch.near("t.time", BPM) | _near_sessions(batch, "t.time")


STREAMS = (
    Stream("users", frozenset({REGISTRATION}), _users, order=("registered_at",)),
    # A logout only moves later, and any is later than none.
    Stream("gym_visits", frozenset({LOGIN}), _visits, order=("logout",)),
    Stream(
        "user_profile",
        frozenset({USER_INFO}),
        _profiles,
        order=("event_time", "message_offset"),
        changes=Changes("user_profile_history", is_delete="update_type = 'delete'"),
    ),
    Stream(
        "heart_rate",
        frozenset({BPM}),
        _heart_rates,
        order=("message_offset",),
        where=lambda batch: batch.near("t.time", BPM),
    ),
    Stream(
        "workouts",
        frozenset({WORKOUT}),
        _actions,
        where=lambda batch: batch.near("t.time", WORKOUT),
    ),
    Stream(
        "completed_workouts",
        frozenset({WORKOUT}),
        _completed,
        where=lambda batch: batch.near("t.start_time", WORKOUT, before=LONGEST_WORKOUT),
    ),
    Stream(
        "workout_bpm",
        frozenset({REGISTRATION, WORKOUT, BPM}),
        _recordings,
        order=("message_offset",),
        where=_files_of_recordings,
        stale=_outside,
    ),
)
