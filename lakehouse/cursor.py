"""What dbt only reads on the target `local` is answered by Sail, in a hundredth of the time Spark needs.

Most statements of a build are data tests, unit tests and questions of models about their tables, on a few
thousand rows. Spark builds the tables; what Sail does not understand, or cannot find because it is a
temporary view of Spark's, Spark answers too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any
from unittest import mock

from dbt.adapters.spark import session
from pyspark.errors import PySparkException

from lakehouse.errors import UsageError
from lakehouse.sail import Reader
from lakehouse.warehouse import Warehouse

_COMMENTS = re.compile(r"(\s|/\*.*?\*/|--[^\n]*\n)*", re.DOTALL)


@contextmanager
def sail_reads(warehouse: Warehouse) -> Iterator[None]:
    """As long as the context lasts, dbt's statements that only read go to Sail first."""

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


def only_reads(sql: str) -> bool:
    """Whether a statement, which dbt begins with a comment, is a query or about the view of a unit test."""
    comment = _COMMENTS.match(sql)
    assert comment is not None
    statement = sql[comment.end() :]
    of_unit_test = '"node_id": "unit_test.' in comment[0] and "__dbt_tmp" in statement
    return of_unit_test or re.match(r"(select|with)\b", statement, re.IGNORECASE) is not None


def _reader(warehouse: Warehouse) -> Reader:
    # Threads of dbt ask for the first one at the same time, and Sail must not be started twice.
    with _starting:
        return _started_reader(warehouse)


_starting = Lock()
_started_reader = cache(Reader)
