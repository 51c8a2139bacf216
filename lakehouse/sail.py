"""Sail in this process: Spark SQL without a JVM, on tables where they lie."""

import re
from functools import cache
from threading import Lock

from pysail.spark import SparkConnectServer
from pyspark.sql import DataFrame
from pyspark.sql.connect.session import SparkSession

from lakehouse.warehouse import Warehouse

# `schema.table`, also with backticks
_NAME = re.compile(r"(\w+)`?\.`?(\w+)")
_COMMENTS = re.compile(r"(\s|/\*.*?\*/|--[^\n]*(\n|$))*", re.DOTALL)
# Sail knows no `with ... insert`.
_QUERY = re.compile(r"[(\s]*(select|with|values|table)\b", re.IGNORECASE)


class Reader:
    """Queries on the tables of a warehouse, each as it is when a query begins; threads may share a reader.

    With `at`, a version number or a timestamp (UTC), tables are read as they were.
    """

    def __init__(self, warehouse: Warehouse, at: str | None = None) -> None:
        self._warehouse = warehouse
        self._at = at
        address, port = _server().listening_address
        self._session = connect(f"sc://{address}:{port}")
        self._schemas: set[str] = set()
        self._attached: set[str] = set()
        self._lock = Lock()

    def query(self, sql: str) -> DataFrame:
        """The result of a query; tables are written with their schema.

        Raises:
            UsageError: there are no tables yet.
            PySparkException: Sail does not understand the query, or a table does not exist.
        """
        with self._lock:
            self._attach({f"{schema}.{table}" for schema, table in _NAME.findall(sql)} - self._attached)
        return self._session.sql(sql)

    def close(self) -> None:
        """End the session."""
        self._session.stop()

    def _attach(self, names: set[str]) -> None:
        schemas = self._warehouse.schemas
        if not any(name.split(".")[0].lower() in schemas for name in names):
            return
        folders = self._warehouse.tables()
        # Sail minds the case of names; here it does not matter.
        for name in (name for name in names if name.lower() in folders):
            schema = name.split(".")[0]
            if schema not in self._schemas:
                self._session.sql(f"create schema {schema}")
                self._schemas.add(schema)
            self._attach_table(name, folders[name.lower()])
            self._attached.add(name)

    def _attach_table(self, name: str, folder: str) -> None:
        if self._at is None:
            self._session.sql(f"create table {name} using delta location '{folder}'")
            return
        present = f"present_{name.replace('.', '_')}"
        moment = f"version as of {self._at}" if self._at.isdigit() else f"timestamp as of '{self._at}'"
        self._session.sql(f"create table {present} using delta location '{folder}'")
        self._session.sql(f"create view {name} as select * from {present} {moment}")


def only_reads(sql: str) -> bool:
    """Whether a statement, after comments, is a query."""
    comments = _COMMENTS.match(sql)
    assert comments is not None
    return _QUERY.match(sql, comments.end()) is not None


def connect(address: str) -> SparkSession:
    """A session of a server of Sail's in this process."""
    session = SparkSession.builder.remote(address).create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    # It is for connections that break; here it takes half of the time of a query.
    session.client.disable_reattachable_execute()
    return session


@cache
def _server() -> SparkConnectServer:
    """The server of this process, which ends with it."""
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    return server
