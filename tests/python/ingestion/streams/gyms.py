"""Gyms that send whatever arrives: early, late, twice or broken."""

import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.folders import Folders
from dbt.adapters.lakehouse.sail import Sail
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from ingestion.bronze.load_log import QUARANTINE
from ingestion.bronze.values import arrow_type
from ingestion.contracts import METADATA_COLUMNS, SourceTable, read_contracts
from ingestion.streams import Engine, Query, QueryProgress, on_spark, open_queries
from ingestion.streams.on_sail import SailEngine
from ingestion.streams.tables import UPDATED_AT, read_tables
from ingestion.tables.local import LocalTables
from tests.python import PROJECT

MODELS = PROJECT / "models"
SILVER = read_tables(MODELS)
BRONZE = {table.name: table for table in read_contracts(MODELS) if table.source == "gym"}
EIGHT = 1_678_521_600  # 2023-03-11 08:00:00 UTC
MINUTE, HOUR, YEAR = 60, 3600, 365 * 24 * 3600
# With which programs in Go, Java and C# often say that they have no time.
YEAR_ONE = -62_135_596_800

Row = tuple[Any, ...]
_FILES = itertools.count(1)


class Gym:
    """A warehouse of gyms: what is sent, and what the silver tables make of it.

    Streams run on Sail or, with `spark`, on Spark.
    """

    def __init__(
        self, folder: Path, spark: SparkSession | None = None, watermark: str = "30 seconds"
    ) -> None:
        self.folders = Folders(folder / "warehouse")
        self.checkpoints = folder / "checkpoints"
        self.tables = LocalTables(self.folders)
        self.sail = Sail(self.folders)
        self.spark, self.watermark = spark, watermark
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def registered(self, user: int, device: int, mac: str = "aa:01", at: int = EIGHT) -> None:
        row = {"user_id": user, "device_id": device, "mac_address": mac, "registration_timestamp": at}
        self._add("registered_users", row)

    def visited(self, mac: str, gym: int, login: int, logout: int | None) -> None:
        self._add("gym_logins", {"mac_address": mac, "gym": gym, "login": login, "logout": logout})

    def profile(self, user: int, change: str, at: float, offset: int = 0, **fields: Any) -> None:
        value = {"user_id": user, "update_type": change, "timestamp": at, **fields}
        self.message("user_info", value, offset=offset)

    def action(self, user: int, action: str, at: float, workout: int = 1, session: int = 1) -> None:
        value = {"user_id": user, "workout_id": workout, "timestamp": at}
        self.message("workout", value | {"action": action, "session_id": session})

    def beats(self, device: int, at: float, heartrate: float | None = 80.0, offset: int = 0) -> None:
        self.message("bpm", {"device_id": device, "time": at, "heartrate": heartrate}, offset=offset)

    def message(self, topic: str, value: Any, offset: int | None = 0) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        row = {"key": "1", "value": text, "topic": topic, "partition": 0, "offset": offset}
        self._add("kafka_multiplex", row | {"timestamp": EIGHT})

    def deliver(self) -> None:
        """Append what was sent since to bronze, as a file per table."""
        for name, rows in self._rows.items():
            loaded = {"_source_file": f"/landing/{next(_FILES)}", "_ingested_at": datetime.now(UTC)}
            schema = _bronze_schema(BRONZE[name])
            delta.append(
                self.folders.location("bronze", BRONZE[name].identifier),
                pa.Table.from_pylist([row | loaded for row in rows], schema=schema),
            )
        self._rows = {}

    def follow(self, queries_at_once: int = 1) -> dict[str, QueryProgress]:
        """Deliver what was sent since, and bring silver up to date."""
        self.deliver()
        with _columns_for(self.spark), ThreadPoolExecutor(queries_at_once) as pool:
            return dict(pool.map(lambda query: (query.table.name, query.run()), self.queries()))

    def queries(self) -> list[Query]:
        """Queries as a new process opens them."""
        engine: Engine = SailEngine(self.sail)
        if self.spark:
            engine = on_spark.SparkEngine(
                self.spark, self.tables, self.checkpoints, self.watermark, self.folders
            )
        return open_queries(engine, MODELS, list(BRONZE.values()))

    def rows(self, table: str, columns: str) -> list[Any]:
        """Rows of a silver table, sorted; times as seconds since 1970."""
        rows = self._read(f"silver.{table}").select(columns.split(", "))
        values = [[seconds(value) for value in row.values()] for row in rows.to_pylist()]
        return sorted((row[0] if len(row) == 1 else tuple(row) for row in values), key=repr)

    def all_rows(self) -> dict[str, Counter[str]]:
        """What every silver table and the quarantine say, but not when they were written."""
        silver = {name: self._read(table.silver).drop_columns(UPDATED_AT) for name, table in SILVER.items()}
        rejected = {"quarantine": self._read(QUARANTINE).select(["table_name", "reason", "record"])}
        return {name: Counter(map(repr, rows.to_pylist())) for name, rows in (silver | rejected).items()}

    def versions(self) -> dict[str, int]:
        """How often each table was written."""
        return {name: DeltaTable(place).version() for name, place in self.folders.tables().items()}

    def delta_table(self, table: str) -> DeltaTable:
        """A silver table."""
        return DeltaTable(self.folders.location("silver", table))

    def rejected(self) -> dict[str, str]:
        """Records in the quarantine by reason."""
        rows = self._read(QUARANTINE).to_pylist()
        assert len({row["reason"] for row in rows}) == len(rows)
        return {row["reason"]: row["record"] for row in rows}

    def _read(self, name: str) -> pa.Table:
        return self.tables.select(name, "select * from {t}")

    def _add(self, name: str, row: dict[str, Any]) -> None:
        self._rows.setdefault(name, []).append(row)


def _bronze_schema(table: SourceTable) -> pa.Schema:
    types = {column.name: column.data_type for column in table.columns} | METADATA_COLUMNS
    return pa.schema([(name, arrow_type(data_type)) for name, data_type in types.items()])


def seconds(value: Any) -> Any:
    """A time as seconds since 1970, anything else as it is."""
    if not isinstance(value, datetime):
        return value
    since_1970 = (value - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    return int(since_1970) if since_1970.is_integer() else since_1970


def _columns_for(spark: SparkSession | None) -> Any:
    """The functions of PySpark make columns for Sail only while this is set."""
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_CONNECT_MODE_ENABLED"}
    return mock.patch.dict(
        os.environ, environment if spark else {"SPARK_CONNECT_MODE_ENABLED": "1"}, clear=bool(spark)
    )


def send_what_is_odd(gym: Gym) -> None:
    gym.registered(1, 11)
    gym.action(1, "start", EIGHT)
    gym.action(1, "start", EIGHT + 10 * MINUTE)
    gym.action(1, "stop", EIGHT + HOUR)
    gym.action(1, "stop", EIGHT + 2 * HOUR)
    gym.action(2, "stop", EIGHT)
    gym.action(3, "start", EIGHT)
    gym.action(3, "stop", EIGHT + 3 * HOUR + 1)
    gym.action(4, "start", EIGHT)
    gym.action(4, "stop", EIGHT + 3 * HOUR)
    for at, rate in ((EIGHT, 60.0), (EIGHT + 1, 61.0), (EIGHT + HOUR, 62.0), (EIGHT + HOUR + 1, 63.0)):
        gym.beats(11, at, rate)
    gym.beats(11, EIGHT + 2, 0.0)
    gym.beats(11, EIGHT + 3, 70.0, offset=1)
    gym.beats(11, EIGHT + 3, 71.0, offset=2)
    gym.beats(11, EIGHT + YEAR, 64.0)
    gym.beats(11, EIGHT + 100 * YEAR, 65.0)
    gym.beats(12, EIGHT, 66.0)
    gym.beats(11, EIGHT + 4, None)
    gym.message("bpm", '{"device_id": 11, "time": 16785')
    gym.message("bpm_test", {"device_id": 11, "time": EIGHT, "heartrate": 1.0})
    gym.message(
        "workout", {"user_id": 1, "workout_id": 1, "session_id": 1, "timestamp": EIGHT, "action": "x"}
    )
    gym.message("bpm", {"device_id": 11, "time": EIGHT + 5.0, "heartrate": 67})
    gym.profile(1, "new", EIGHT, dob="07/25/1939", address={"city": "Los Angeles", "zip": 90018})
    gym.profile(1, "new", EIGHT + 1, dob="02/30/1939")
    gym.visited("aa:01", 5, EIGHT, EIGHT - 1)
    gym.visited("aa:02", 5, EIGHT, None)
    gym.visited("aa:02", 5, EIGHT, EIGHT + HOUR)
    gym.visited("aa:02", 5, EIGHT, EIGHT + MINUTE)
    gym.visited("aa:03", 5, EIGHT, 1000 * EIGHT)
    gym.visited("aa:04", 5, EIGHT, 10 * EIGHT)
    gym.message("user_info", {"user_id": 9, "update_type": "new", "timestamp": EIGHT}, offset=None)


def send_events(gym: Gym, numbers: Iterable[int]) -> None:
    """Some of 200 events, always the same by number, of three people who train, visit and register."""
    for number in numbers:
        chance = random.Random(number)
        user, at = chance.randint(1, 3), EIGHT + chance.randint(0, 40) * 10 * MINUTE
        kind = chance.choice("rvppaaaaabbbbbbbbbxx")
        if kind == "r":
            gym.registered(user, 10 + user, f"aa:0{user}", at)
        elif kind == "v":
            gym.visited(f"aa:0{user}", 1, at, chance.choice([None, at + HOUR, at - 1]))
        elif kind == "p":
            gym.profile(user, chance.choice(["new", "update", "delete"]), at, number, last_name=str(number))
        elif kind == "a":
            gym.action(user, chance.choice(["start", "stop"]), at, session=chance.randint(1, 2))
        elif kind == "b":
            gym.beats(10 + user, at + chance.choice([0, 1, 1.5]), chance.choice([0, 80, 90.25]), number)
        else:
            gym.message(chance.choice(["bpm", "workout", "other"]), f"broken {number}", offset=number)
