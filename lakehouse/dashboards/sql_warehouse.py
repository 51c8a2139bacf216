"""Answers to queries from a SQL warehouse of Databricks, kept for a minute."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from lakehouse.dashboards.answers import MOST_KEPT, Read
from lakehouse.engines.databricks import require_sdk
from lakehouse.engines.dbt import check_answers, require_settings
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import Names
from lakehouse.reading.rows import Rows
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# What a table's newest version is would cost a query of its own.
SECONDS_KEPT = 60
# The connector would try for a quarter of an hour.
_PATIENCE_SECONDS = 60


class WarehouseAnswers:
    """Answers of the warehouse that the settings `DATABRICKS_...` name; threads may share it.

    Raises:
        UsageError: the settings do not name one, or there is no such host.
    """

    def __init__(self, settings: Settings, manifest: "Manifest") -> None:
        require_settings(settings, "--target databricks", "databricks_host", "databricks_http_path")
        check_answers(settings.databricks_host or "")
        self._settings = settings
        self._names = Names(manifest)
        self._kept: dict[str, tuple[float, Rows]] = {}
        self._lock = Lock()

    @contextmanager
    def open(self) -> Iterator[Read]:
        """What answers the queries of a page; it signs in with the first one whose answer is not kept.

        Raises:
            UsageError: the warehouse lets nobody in.
        """
        connections: list[Any] = []

        def read(sql: str) -> Rows:
            statement = self._names.sql(sql)
            # One at a time: who asks the same waits for the answer.
            with self._lock:
                written, rows = self._kept.get(statement, (0.0, None))
                if rows is None or monotonic() - written > SECONDS_KEPT:
                    connections[:] = connections or [connect(self._settings)]
                    rows = _answer(connections[0], statement)
                    self._keep(statement, rows)
                return rows

        try:
            yield read
        finally:
            for connection in connections:
                connection.close()

    def _keep(self, statement: str, rows: Rows) -> None:
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[statement] = (monotonic(), rows)


def connect(settings: Settings) -> Any:
    """A connection with the token of the settings, or as the service principal of the environment.

    Raises:
        UsageError: the connector is not installed, or the warehouse lets nobody in.
    """
    require_sdk()
    from databricks import sql
    from databricks.sdk.core import Config

    host = settings.databricks_host or ""
    try:
        sign_in = Config(host=host, token=settings.databricks_token).authenticate
        return sql.connect(
            server_hostname=host,
            http_path=settings.databricks_http_path,
            credentials_provider=lambda: sign_in,
            catalog=settings.databricks_catalog,
            session_configuration={"timezone": "UTC"},
            user_agent_entry="lakehouse",
            _retry_stop_after_attempts_duration=_PATIENCE_SECONDS,
        )
    # The connector and what is below it raise errors of many kinds.
    except Exception as error:
        raise UsageError(f"The SQL warehouse at {host} does not let us in: {_first_line(error)}") from None


def _answer(connection: Any, statement: str) -> Rows:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return Rows.of(cursor.fetchall_arrow())
    except Exception as error:
        raise LakehouseError(_first_line(error)) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
