"""Sail in this process: Spark SQL without a JVM, on tables where they lie."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from ctypes import c_int, c_void_p, pythonapi
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from . import private_port
from .arrow import cast_batch, plain_schema
from .errors import about_table
from .folders import Folders

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

# `schema.table`, also with backticks
_NAME = re.compile(r"(?:`([^`]+)`|(\w+))\s*\.\s*(?:`([^`]+)`|(\w+))")
_COMMENTS = re.compile(r"(\s|/\*.*?\*/|--[^\n]*(\n|$))*", re.DOTALL)
# Whose plan is shown with `explain`; `explain analyze` would carry a statement out.
_QUERY = re.compile(r"(explain\s+)?[(\s]*(select|with|values|table)\b", re.IGNORECASE)
# What stands in a URL as it stands in a path.
_PLAIN_PATH = re.compile(r"[\w./'-]*", re.ASCII)
_starting = Lock()
_START_SECONDS = 30
_ADMIT_SECONDS = 0.001


class Cancelled(Exception):
    """A query was ended by `Sail.cancel`."""


class Sail:
    """Queries on the tables of a warehouse, each as it is when its query begins; threads may share a Sail.

    With `at`, a version number or a timestamp (UTC), tables are read as they were. Sail starts with the first
    query.
    """

    def __init__(self, folders: Folders, at: str | None = None) -> None:
        self.folders = folders
        self._at = at
        self._session: SparkSession | None = None
        self._schemas: set[str] = set()
        self._attached: set[tuple[str, str]] = set()
        self._cancelled = 0
        self._links: dict[str, str] = {}
        self._links_folder: TemporaryDirectory[str] | None = None
        self._lock = Lock()

    @property
    def session(self) -> "SparkSession":
        """The session of Spark Connect, in UTC."""
        with self._lock:
            if self._session is None:
                self._session = _connect()
            return self._session

    def query(self, sql: str) -> "DataFrame":
        """The result of a query, which runs when it is asked for rows; tables are written with their schema.

        Raises:
            ValueError: the statement is no query.
            PySparkException: Sail does not understand the query, or a table does not exist.
        """
        if not is_query(sql):
            raise ValueError(
                f"Sail answers queries, which begin with select, with or values. This does not:\n{sql}"
            )
        self.attach({(a or b, c or d) for a, b, c, d in _NAME.findall(sql)})
        return self.session.sql(sql)

    def table(self, name: str) -> "DataFrame":
        """All rows of `schema.table`."""
        return self.query(f"select * from {name}")

    def stream(self, query: "DataFrame | str") -> pa.RecordBatchReader:
        """The rows of a query, a few at a time: text is `string`, times are UTC in microseconds.

        Raises:
            PySparkException: Sail cannot answer, also later, while reading.
            Cancelled: the query was cancelled.
        """
        frame = self.query(query) if isinstance(query, str) else query
        batches = self._whole(_batches(frame))
        # Sail sends one, without rows, also where there are none.
        first = next(batches, None)
        if first is None:
            schema = _kept(frame.toArrow().schema)
            return pa.RecordBatchReader.from_batches(schema, iter(()))
        schema = _kept(first.schema)
        return pa.RecordBatchReader.from_batches(schema, _cast(first, batches, schema))

    def _whole(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of a result; that of a cancelled query just ends early."""
        before = self._cancelled
        try:
            yield from batches
        except Exception:
            if self._cancelled == before:
                raise
        if self._cancelled != before:
            raise Cancelled("The query was cancelled.")

    def attach(self, names: set[tuple[str, str]]) -> None:
        """Make Sail know the tables of these names, pairs of schema and table, that exist."""
        new = {
            (schema, table) for schema, table in names - self._attached if self.folders.exists(schema, table)
        }
        if not new:
            return
        session = self.session
        with self._lock:
            for schema, table in sorted(new - self._attached):
                # Sail minds the case of names, so a name is attached as it is written.
                if schema not in self._schemas:
                    session.sql(f"create schema if not exists `{schema}`")
                    self._schemas.add(schema)
                try:
                    self._attach_table(session, schema, table)
                except Exception as error:
                    raise about_table(f"{schema}.{table}", error) from None
                self._attached.add((schema, table))

    def forget(self, schema: str, table: str) -> None:
        """Detach a table that is gone; one that was only written again is seen as it is."""
        with self._lock:
            for name in [name for name in self._attached if _lower(name) == (schema.lower(), table.lower())]:
                self._attached.discard(name)
                if self._session is not None:
                    self._session.sql(f"drop table if exists `{name[0]}`.`{name[1]}`")

    def create_view(self, name: str, sql: str) -> None:
        """Name a query, without a schema, as long as this Sail lasts."""
        self.query(sql)
        self.session.sql(f"create or replace temporary view `{name}` as {sql}")

    def drop_view(self, name: str) -> None:
        """Forget a named query."""
        self.session.sql(f"drop view if exists `{name}`")

    def cancel(self) -> None:
        """End all queries that run; who reads them gets `Cancelled`."""
        self._cancelled += 1
        if self._session is not None:
            self._session.interruptAll()

    def close(self) -> None:
        """End the session."""
        with self._lock:
            if self._session is not None:
                self._session.stop()
                self._session = None
            if self._links_folder is not None:
                self._links_folder.cleanup()
                self._links_folder = None
            for known in (self._schemas, self._attached, self._links):
                known.clear()

    def _attach_table(self, session: "SparkSession", schema: str, table: str) -> None:
        location = self._reachable(self.folders.location(schema, table)).replace("'", "\\'")
        if self._at is None:
            session.sql(f"create table `{schema}`.`{table}` using delta location '{location}'")
            return
        present = f"`present_{schema}_{table}`"
        moment = f"version as of {self._at}" if self._at.isdigit() else f"timestamp as of '{self._at}'"
        session.sql(f"create table {present} using delta location '{location}'")
        session.sql(f"create view `{schema}`.`{table}` as select * from {present} {moment}")

    def _reachable(self, location: str) -> str:
        """Sail encodes blanks and letters beyond ASCII in a path twice; a link without any leads there."""
        if "://" in location or _PLAIN_PATH.fullmatch(location):
            return location
        place, _, table = location.rpartition("/")
        if self._links_folder is None:
            self._links_folder = TemporaryDirectory(prefix="lakehouse-")
        if place not in self._links:
            link = Path(self._links_folder.name) / str(len(self._links))
            link.symlink_to(place)
            self._links[place] = str(link)
        return f"{self._links[place]}/{table}"


def is_query(sql: str) -> bool:
    """Whether a statement, after comments, is a query."""
    comments = _COMMENTS.match(sql)
    assert comments is not None
    return _QUERY.match(sql, comments.end()) is not None


def _lower(name: tuple[str, str]) -> tuple[str, str]:
    return name[0].lower(), name[1].lower()


def _kept(schema: pa.Schema) -> pa.Schema:
    """The columns of a result; comments of the columns that they come from are not theirs."""
    return pa.schema([field.remove_metadata() for field in plain_schema(schema)])


def _batches(frame: "DataFrame") -> Iterator[pa.RecordBatch]:
    # Spark Connect has no public way to a result of Arrow batches that is not in memory as a whole.
    result: Any = frame
    client = result.sparkSession.client
    for part in client.to_table_as_iterator(result._plan.to_proto(client), {}):
        if isinstance(part, pa.Table):
            yield from part.to_batches() or [pa.RecordBatch.from_pylist([], part.schema)]


def _cast(
    first: pa.RecordBatch, others: Iterator[pa.RecordBatch], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    yield cast_batch(first, schema, "a result")
    for batch in others:
        yield cast_batch(batch, schema, "a result")


def _connect() -> "SparkSession":
    with _starting:
        address = _address()
    return _session(address)


def _session(address: private_port.Address, first: bool = False) -> "SparkSession":
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.channelBuilder(_channel_builder(address, first)).create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    # It is for connections that break; here it takes half of the time of a query.
    session.client.disable_reattachable_execute()
    return session


def _channel_builder(address: private_port.Address, first: bool) -> Any:
    import grpc  # type: ignore[import-untyped]
    from pyspark.sql.connect.client.core import DefaultChannelBuilder

    class Builder(DefaultChannelBuilder):
        def toChannel(self) -> grpc.Channel:
            channel = super().toChannel()
            ready, patience = grpc.channel_ready_future(channel), time.monotonic() + _START_SECONDS
            is_open = False
            while not is_open and time.monotonic() < patience:
                with suppress(grpc.FutureTimeoutError):
                    ready.result(_ADMIT_SECONDS)
                # The server may speak first, so the connection is admitted once more when it is open.
                is_open = ready.done()
                private_port.admit(address, end_others=first)
            return channel

    # A connection that was closed for being idle would be one that nobody admits when it is opened again.
    never = ("grpc.client_idle_timeout_ms", 2**31 - 1)
    return Builder(f"sc://{address[0]}:{address[1]}", channelOptions=[never])


@cache
def _address() -> private_port.Address:
    """Where the server of this process, which ends with it, is reached."""
    # Else it tells every warning of its libraries.
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    on_ctrl_c = pythonapi.PyOS_getsig(signal.SIGINT)
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    address: private_port.Address = server.listening_address
    private_port.close(address)
    _servers.append(server)
    # By the time that it answers it has taken Ctrl-C for its own end. Python takes that back. Who connected
    # in the moment before the port was closed to others is sent away.
    _session(address, first=True).stop()
    pythonapi.PyOS_setsig(signal.SIGINT, on_ctrl_c)
    return address


# What nothing refers to ends.
_servers: list[Any] = []
pythonapi.PyOS_getsig.restype = c_void_p
pythonapi.PyOS_setsig.argtypes = [c_int, c_void_p]
pythonapi.PyOS_setsig.restype = c_void_p
