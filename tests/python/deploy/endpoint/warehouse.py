"""Statements of a connection: Spark answers them, and `Unity` those that only Databricks has."""

import json
import re
import threading
from pathlib import Path

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions
from pyspark.sql.types import ArrayType, MapType, StructType

from .unity import Unity

CATALOG = "spark_catalog"

_NAME = r"(`\w+`\.`\w+`\.`\w+`)"
_MADE_ANEW = re.compile(rf"(?:create or replace|drop) table (?:if exists )?{_NAME}", re.I)
_DESCRIBED = re.compile(r"describe table extended (\S+) as json$", re.I)
_NOT_NULL = re.compile(rf"alter table {_NAME} (?:change|alter) column `(\w+)` set not null$", re.I)
_KEY = re.compile(rf"alter table {_NAME} (add constraint .* (?:primary|foreign) key.*)$", re.I)
_COMMENT = re.compile(rf"comment on column {_NAME}\.`(\w+)` is ", re.I)
# Of the information schema, the adapter asks which tables there are and who may see which rows.
_TABLES = re.compile(
    r" from `system`\.`information_schema`\.`tables` .* table_schema = '(\w+)'"
    r"(?: and table_name = '(\w+)')?$",
    re.I,
)
_ROW_FILTERS = re.compile(r" from `\w+`\.`information_schema`\.`row_filters` ", re.I)
_OF_TABLES = pa.schema(
    [
        (name, pa.string())
        for name in ("table_name", "table_type", "file_format", "table_owner", "databricks_table_type")
    ]
)
_REMARKS = re.compile(r"/\*.*?\*/|^\s*--[^\n]*$", re.S | re.M)


class Warehouse:
    """Tables of one Spark, and what Unity Catalog knows of them.

    Args:
        spark: a session whose catalog is Delta's.
        log: a file of JSON lines, one for each statement, with who answered it and an error.
    """

    def __init__(self, spark: SparkSession, log: Path) -> None:
        self.spark = spark
        self.unity = Unity()
        self._log = log
        self._lock = threading.Lock()

    def connect(self) -> "Connection":
        """A session of its own, with its temporary views."""
        return Connection(self)

    def note(self, statement: str, by: str, error: str | None) -> None:
        """Add a statement to the log."""
        line = json.dumps({"statement": statement, "by": by, "error": error})
        with self._lock, self._log.open("a") as log:
            log.write(line + "\n")


class Connection:
    """What one connection of the connector sends, one statement after the other."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._spark = warehouse.spark.newSession()
        self._unity = warehouse.unity
        self._note = warehouse.note

    def answer(self, statement: str) -> pa.Table:
        """Rows of a statement.

        Raises:
            ValueError: it cannot be run; the text is an error class and a message.
        """
        asked = " ".join(_REMARKS.sub(" ", statement).split())
        by, error = "spark", None
        try:
            answered = self._emulated(asked)
            if answered is None:
                return self._run(statement, asked)
            by = "unity"
            return answered
        except (PySparkException, ValueError) as problem:
            error = str(problem)
            raise ValueError(error) from None
        finally:
            self._note(asked, by, error)

    def _run(self, statement: str, asked: str) -> pa.Table:
        if made := _MADE_ANEW.match(asked):
            self._unity.forget(made[1])
        answer = self._spark.sql(statement)
        # As a warehouse sends them to clients without Arrow's types for them.
        columns = [
            functions.to_json(answer[field.name]).alias(field.name)
            if isinstance(field.dataType, StructType | ArrayType | MapType)
            else answer[field.name]
            for field in answer.schema
        ]
        return answer.select(*columns).toArrow()

    def _emulated(self, asked: str) -> pa.Table | None:
        """What Spark has not, or has not for Delta."""
        if tables := _TABLES.search(asked):
            return self._tables(*tables.groups())
        if _ROW_FILTERS.search(asked):
            return pa.table({"filter_name": pa.array([], pa.string())})
        if described := _DESCRIBED.match(asked):
            description = self._unity.describe(described[1], self._spark.table(described[1]).schema)
            return pa.table({"json_metadata": [json.dumps(description)]})
        if column := _NOT_NULL.match(asked):
            self._set_not_null(column[1], column[2])
        elif key := _KEY.match(asked):
            self._unity.add_key(key[1], key[2])
        elif comment := _COMMENT.match(asked):
            self._require_column(comment[1], comment[2])
        else:
            return None
        return pa.table({})

    def _tables(self, schema: str, table: str | None) -> pa.Table:
        shown = self._spark.sql(f"show tables in {CATALOG}.{schema}").collect()
        names = [row.tableName for row in shown if not row.isTemporary and table in (None, row.tableName)]
        alike = {"table_type": "table", "file_format": "delta", "table_owner": "me"}
        return pa.Table.from_pylist(
            [{"table_name": name, **alike, "databricks_table_type": "managed"} for name in names], _OF_TABLES
        )

    def _set_not_null(self, name: str, column: str) -> None:
        if self._spark.sql(f"select 1 from {name} where `{column}` is null limit 1").collect():
            raise ValueError(f"[DELTA_NOT_NULL_CONSTRAINT_VIOLATED] {name} has a null in {column}")
        self._unity.set_not_null(name, column)

    def _require_column(self, name: str, column: str) -> None:
        if column not in self._spark.table(name).columns:
            raise ValueError(f"[UNRESOLVED_COLUMN] {name} has no {column}")
