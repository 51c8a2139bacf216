"""Answers to queries from the folders, kept until a table that they read changes."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from dbt.adapters.lakehouse.delta import open_table

from lakehouse.engines.local import sail
from lakehouse.reading.query import read, with_names
from lakehouse.reading.rows import Rows
from lakehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from dbt.adapters.lakehouse.sail import Sail

MOST_KEPT = 500

Read = Callable[[str], Rows]

_NAME = re.compile(r"\b\w+\.\w+\b")


class Answers(Protocol):
    """What answers the queries of pages; threads may share it."""

    def open(self) -> AbstractContextManager[Read]:
        """What answers the queries of one page."""
        ...


class LocalAnswers:
    """Answers of a warehouse, read from the folders; a run may write meanwhile."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._kept: OrderedDict[tuple[str, tuple[object, ...]], Rows] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def open(self) -> Iterator[Read]:
        """What answers the queries of a page; its engine starts with the first one whose answer is not kept.

        Raises:
            UsageError: there is no warehouse yet.
        """
        tables = self._warehouse.tables()
        engine = sail(self._warehouse)
        try:
            yield partial(self._read, tables, engine)
        finally:
            engine.close()

    def _read(self, tables: dict[str, str], engine: "Sail", sql: str) -> Rows:
        statement = with_names(sql, tables)
        # Looked up before they are read: what is written meanwhile makes a new answer next time.
        read_from = sorted(tables.keys() & set(_NAME.findall(statement)))
        key = (statement, tuple(_version(tables[name]) for name in read_from))
        # One at a time: Sail uses all cores for one, and who asks the same waits for the answer.
        with self._lock:
            if key not in self._kept:
                self._kept[key] = read(self._warehouse, statement, engine=engine)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def _version(location: str) -> object:
    """What changes with each commit to a table, and when it is made anew."""
    if location.startswith("s3://"):
        return open_table(location).version()
    log = Path(location, "_delta_log")
    return log.stat().st_ino, max(file.name for file in log.iterdir())
