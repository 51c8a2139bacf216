"""What gyms and wearables send, as records: typed, of one kind, with the reason where one is of no use."""

from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, DoubleType, LongType

from ingestion.streams.batch import KIND, REASON

REGISTRATION, LOGIN = "registration", "login"
USER_INFO, WORKOUT, BPM = "user_info", "workout", "bpm"
SESSION = ("user_id", "workout_id", "session_id")

_FUTURE = timedelta(days=1)
_YEARS_1_TO_9999 = (-62_135_596_800, 253_402_300_799)
_ADDRESS = ("street_address", "city", "state", "zip")
_TEXTS = ("sex", "gender", "first_name", "last_name")

# Epochs are double, as some producers send 1678451168.0; a float would round them to 128 s.
_VALUE = """
    user_id: bigint, update_type: string, timestamp: double,
    dob: string, sex: string, gender: string, first_name: string, last_name: string,
    address: struct<street_address: string, city: string, state: string, zip: string>,
    workout_id: bigint, session_id: bigint, action: string,
    device_id: bigint, time: double, heartrate: double
"""
# What Spark reads beyond JSON, and Sail does not.
_STRICT = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
_REQUIRED = {
    USER_INFO: ("user_id", "time", "update_type", "message_offset"),
    WORKOUT: (*SESSION, "time", "action"),
    BPM: ("device_id", "time", "heartrate"),
}


def registrations(rows: DataFrame) -> DataFrame:
    """Registrations: user_id, device_id, mac_address, time."""
    rows = rows.withColumns({KIND: F.lit(REGISTRATION), "time": _timestamp(F.col("registration_timestamp"))})
    return rows.withColumn(REASON, F.coalesce(_lacks("user_id", "device_id"), _lies_ahead()))


def logins(rows: DataFrame) -> DataFrame:
    """Logins of visits: mac_address, gym, time, logout_time.

    One whose logout is of no use comes twice: rejected, and with an unknown logout.
    """
    logout = _timestamp(F.col("logout"))
    rows = rows.withColumns({KIND: F.lit(LOGIN), "time": _timestamp(F.col("login")), "logout_time": logout})
    rows = rows.withColumn(REASON, F.coalesce(_lacks("mac_address", "gym", "time"), _lies_ahead()))
    useless = F.coalesce(
        F.when(F.col("logout").isNotNull() & F.col("logout_time").isNull(), "the logout is no usable time"),
        F.when(F.col("logout_time") < F.col("time"), "the logout is before the login"),
        _lies_ahead("logout_time", "the logout"),
    )
    useless = F.when(F.col(REASON).isNull(), useless)
    reasons = F.when(useless.isNotNull(), F.array(REASON, useless)).otherwise(F.array(REASON))
    trusted = F.when(useless.isNull(), F.col("logout_time"))
    return (
        rows.withColumn("_reasons", reasons)
        .withColumn("logout_time", trusted)
        .select(*(name for name in rows.columns if name != REASON), F.explode("_reasons").alias(REASON))
    )


def messages(rows: DataFrame) -> DataFrame:
    """Messages of Kafka: time, message_offset, valid and the fields of their value."""
    # In brackets, what follows the object is an error; Spark would pass it over.
    in_brackets = F.concat(F.lit("["), "value", F.lit("]"))
    objects = F.from_json(in_brackets, f"array<struct<{_VALUE}>>", _STRICT)
    one_object = F.when(F.size(objects) == 1, F.try_element_at(objects, F.lit(1)))
    value = F.col("_value")
    beats = _number(value, "heartrate")
    columns = {
        KIND: F.col("topic"),
        "time": _timestamp(F.coalesce(_number(value, "time"), _number(value, "timestamp"))),
        "message_offset": F.col("offset"),
        "update_type": _one_of(value["update_type"], "new", "update", "delete"),
        "action": _one_of(value["action"], "start", "stop"),
        "dob": F.try_to_timestamp(value["dob"], F.lit("MM/dd/yyyy")).cast(DateType()),
        "heartrate": beats,
        "valid": F.coalesce(beats > 0, F.lit(False)),
    }
    columns |= {name: value[name] for name in (*SESSION, "device_id", *_TEXTS)}
    columns |= {name: value["address"][name] for name in _ADDRESS}
    topic = F.coalesce("topic", F.lit("null"))
    reason = F.coalesce(
        F.when(~topic.isin(*_REQUIRED), F.concat(F.lit("unknown topic "), topic)),
        F.when(value.isNull(), F.lit("the value is no JSON object")),
        *(F.when(F.col("topic") == topic, _lacks(*names)) for topic, names in _REQUIRED.items()),
        _lies_ahead(),
    )
    rows = rows.withColumn("_value", one_object).withColumns(columns)
    return rows.withColumn(REASON, reason).drop("_value")


def _number(value: Column, field: str) -> Column:
    # Sail's from_json reads one number in ten wrongly in its last digit.
    exact = F.get_json_object("value", f"$.{field}").try_cast(DoubleType())
    return F.when(value[field].isNotNull(), exact)


def _timestamp(seconds: Column) -> Column:
    """The time of epoch seconds; null where a timestamp cannot hold them."""
    # Sail's timestamp_seconds drops fractions.
    micros = (seconds * 1_000_000).try_cast(LongType())
    return F.when(seconds.between(*_YEARS_1_TO_9999), F.timestamp_micros(micros))


def _one_of(text: Column, *known: str) -> Column:
    return F.when(text.isin(*known), text)


def _lacks(*names: str) -> Column:
    missing = F.concat_ws(", ", *(F.when(F.col(name).isNull(), F.lit(name)) for name in names))
    return F.when(missing != "", F.concat(F.lit("it lacks a usable "), missing))


def _lies_ahead(time: str = "time", called: str = "its time") -> Column:
    is_ahead = F.col(time) > F.col("_ingested_at") + F.lit(_FUTURE)
    return F.when(is_ahead, F.lit(f"{called} is more than a day ahead of its arrival"))
