"""Where dbt's statements go: queries to Sail, others to delta-rs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

import pyarrow as pa
from dbt.adapters.contracts.connection import (
    AdapterRequiredConfig,
    AdapterResponse,
    Connection,
    ConnectionState,
    Credentials,
)
from dbt.adapters.sql import SQLConnectionManager
from dbt_common.exceptions import DbtBaseException, DbtDatabaseError, DbtRuntimeError

from .arrow import spark_type
from .engine import Engine
from .errors import message_of
from .folders import Folders
from .statements import execute


@dataclass
class LakehouseCredentials(Credentials):
    """A target in profiles.yml.

    Attributes:
        root: folder of the tables, `<root>/<schema>.db/<table>`; relative to the project.
        bronze: folder or `s3://...` in which the tables of schema `bronze` are, where that is elsewhere.
    """

    database: str | None = None  # type: ignore[assignment]
    schema: str = "gold"
    root: str = ".lakehouse/warehouse"
    bronze: str = ""

    def __post_init__(self) -> None:
        if self.database:
            raise DbtRuntimeError("A target of type lakehouse has schemas alone: take `database` out of it.")

    @property
    def type(self) -> str:
        """The adapter's name in profiles.yml."""
        return "lakehouse"

    @property
    def unique_field(self) -> str:
        """What tells one warehouse from another."""
        return self.root

    def _connection_keys(self) -> tuple[str, ...]:
        return "root", "bronze", "schema"

    def folders(self, project: Path) -> Folders:
        """The warehouse of a project in this folder."""
        bronze = self.bronze if "://" in self.bronze else self.bronze and str(project / self.bronze)
        try:
            return Folders(project / self.root, {"bronze": bronze} if bronze else {})
        except ValueError as error:
            raise DbtRuntimeError(str(error)) from None


class Cursor:
    """Statements and their results, as dbt takes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._result = pa.table({})

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        """Name and type of each column of the result."""
        fields = self._result.schema
        return [(f.name, spark_type(f.type), None, None, None, None, True) for f in fields] or None

    def execute(self, sql: str, bindings: Sequence[Any] | None = None) -> None:
        """Carry out a statement to its end."""
        if bindings:
            raise DbtRuntimeError("Statements take no bindings here: write the values into the statement.")
        self._result = execute(self._engine, sql)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows; times are in UTC, without saying so."""
        columns = [_without_zone(column).to_pylist() for column in self._result.columns]
        return list(zip(*columns, strict=True))

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """The first rows."""
        self._result = self._result.slice(0, size)
        return self.fetchall()

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row."""
        return next(iter(self.fetchmany(1)), None)

    def close(self) -> None:
        """Let go of the result."""
        self._result = pa.table({})


class Handle:
    """A connection of one of dbt's threads; all share one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cursor(self) -> Cursor:
        """For a statement."""
        return Cursor(self._engine)

    def cancel(self) -> None:
        """End the queries of all threads."""
        self._engine.sail.cancel()

    def close(self) -> None:
        """Nothing is open."""


class LakehouseConnectionManager(SQLConnectionManager):
    """Connections without a server; every statement is a transaction of its own."""

    TYPE = "lakehouse"

    def __init__(self, config: AdapterRequiredConfig, mp_context: SpawnContext) -> None:
        super().__init__(config, mp_context)
        # `dbt debug` has a profile and no project.
        project = Path(getattr(config, "project_root", "."))
        self.engine = Engine(config.credentials.folders(project))  # type: ignore[attr-defined]

    def open(self, connection: Connection) -> Connection:  # type: ignore[override]
        """Give a connection what it needs; nothing starts yet."""
        connection.handle = Handle(self.engine)
        connection.state = ConnectionState.OPEN
        return connection

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """Say what is wrong in a paragraph."""
        try:
            yield
        except DbtBaseException:
            raise
        except Exception as error:
            raise DbtDatabaseError(message_of(error)) from None

    def cancel_open(self) -> list[str]:
        """End the queries of all threads; those of materializations belong to no connection."""
        self.engine.sail.cancel()
        return list(super().cancel_open())

    def cancel(self, connection: Connection) -> None:
        """End what runs."""
        connection.handle.cancel()

    @classmethod
    def get_response(cls, cursor: Any) -> AdapterResponse:
        """Nothing more than that it went well."""
        return AdapterResponse("OK")

    @classmethod
    def data_type_code_to_name(cls, type_code: int | str) -> str:
        """Types are named already."""
        return str(type_code)

    def add_begin_query(self) -> None:
        """There are no transactions over several statements."""

    def add_commit_query(self) -> None:
        """There are no transactions over several statements."""

    @classmethod
    def _rollback_handle(cls, connection: Connection) -> None:
        """There are no transactions over several statements."""


def _without_zone(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column
