"""How dbt's statements reach the engines, in less time than by dbt-spark's own cursor.

Most statements of a build are data tests, unit tests and questions of models about their tables, on a few
thousand rows. On the target `local` Sail answers them, in a hundredth of the time Spark needs. Spark builds
the tables; what Sail does not understand, or cannot find because it is a temporary view of Spark's, Spark
answers too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any
from unittest import mock

from dbt.adapters.spark import session
from dbt_common.exceptions import DbtRuntimeError
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from lakehouse.errors import UsageError
from lakehouse.sail import Reader, connect, only_reads
from lakehouse.warehouse import Warehouse


@contextmanager
def sail_reads(warehouse: Warehouse) -> Iterator[None]:
    """As long as the context lasts, dbt's statements on `local` that only read go to Sail first."""

    class Cursor(session.Cursor):
        def __init__(self, **_: Any) -> None:
            # The session has its settings. Each statement would set them again, by forty calls of the JVM.
            super().__init__()

        def execute(self, sql: str, *parameters: Any) -> None:
            if parameters or not only_reads(sql):
                return super().execute(sql, *parameters)
            try:
                self._df = _reader(warehouse).query(sql)
                self._rows = self._df.collect()
            except (PySparkException, UsageError):
                self._rows = None
                super().execute(sql)

    # dbt-spark has no setting for it.
    with mock.patch.object(session, "Cursor", Cursor):
        yield


@contextmanager
def one_sail_session() -> Iterator[None]:
    """As long as the context lasts, dbt's statements on `sail` share a session and do not set it up again."""

    class Cursor(session.Cursor):
        def execute(self, sql: str, *parameters: Any) -> None:
            sail = _session(self.server_side_parameters["spark.remote"])
            try:
                self._df = sail.sql(sql % parameters if parameters else sql)
            except PySparkException as error:
                raise DbtRuntimeError(str(error)) from error

    with mock.patch.object(session, "Cursor", Cursor):
        yield


# Threads of dbt ask for the first one at the same time, and it must not be started twice.
_starting = Lock()
_started_reader = cache(Reader)
_started_session = cache(connect)


def _reader(warehouse: Warehouse) -> Reader:
    with _starting:
        return _started_reader(warehouse)


def _session(address: str) -> SparkSession:
    with _starting:
        return _started_session(address)
