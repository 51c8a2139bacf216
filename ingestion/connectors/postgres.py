"""Tables and views of a PostgreSQL database, by a column that says when a row changed.

`resource` is a table or `schema.table` at the setting DATABASE_URL. The columns of the contract land.
A row has the time at which its transaction began, and is seen when that ends: so a window ends where the
oldest open transaction began, and what is later lands, too, and is read again. Other users' transactions are
shown to members of `pg_read_all_stats`; for others the window ends 15 minutes ago.
Rows without a time of change are read again every time, and land when they changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.sql import SQL, Composable, Composed, Identifier
from pydantic import SecretStr

from ingestion.connectors.postgres_table import PAGE, Table
from ingestion.connectors.stream import (
    Connector,
    ExtractError,
    Page,
    Position,
    Record,
    Stream,
    Window,
)

# Times are compared and written in UTC; nothing is waited for without end.
_SESSION = "-c timezone=UTC -c datestyle=ISO -c statement_timeout=30min -c lock_timeout=1min"

# A transaction shows when it began a moment after it did.
_UNTIL = """
select
    pg_has_role(current_user, 'pg_read_all_stats', 'usage'),
    least(
        now() - interval '5 seconds',
        (select min(xact_start) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid())
    ),
    now() - interval '15 minutes'
"""

_COLUMNS = """
select attname, format_type(atttypid, atttypmod), attnotnull
from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
order by attnum
"""


class Postgres(Connector):
    """The database at DATABASE_URL."""

    def __init__(self, settings: Mapping[str, SecretStr]) -> None:
        super().__init__()
        url = settings["DATABASE_URL"].get_secret_value()
        with _explained("check DATABASE_URL, and whether the database can be reached"):
            self._connection = psycopg.connect(
                url,
                autocommit=True,
                options=_SESSION,
                connect_timeout=10,
                keepalives_idle=30,
                tcp_user_timeout=120_000,
            )
        self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True

    def pages(self, stream: Stream, window: Window, position: Position | None) -> Iterator[Page]:
        """Rows by time of change and key, as they were at one moment, then those without a time."""
        with _explained("repeat the command, which goes on where this stopped"):
            table = self._describe(stream)
            # Before the snapshot is taken: what ends in between is read again.
            until = window.until or self._settled_until(stream)
            with self._connection.transaction():
                self._check_keys(table)
                if table.cursor is None or position is None or position.cursor is not None:
                    yield from self._read(stream, table, table.since(window.since), position, until)
                if table.cursor:
                    behind = position if position and position.cursor is None else None
                    yield from self._read_without_time(stream, table, behind, until)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _describe(self, stream: Stream) -> Table:
        """The table of a stream, which has what the contract declares.

        Raises:
            ExtractError: it does not; the message lists its columns.
        """
        resource = stream.declared.resource
        name = Identifier(*resource.split("."))
        found = self._ask(_COLUMNS, (name.as_string(self._connection),))
        if not found:
            raise ExtractError(
                f"there is no table '{resource}' that the database's user may see: correct resource"
            )
        types = {column: kind for column, kind, _ in found}
        declared = [column.header for column in stream.table.columns]
        if missing := [column for column in declared if column not in types]:
            raise ExtractError(
                f"{resource} has no column {', '.join(missing)}, but {', '.join(types)}: correct the contract"
            )
        if stream.cursor and not types[stream.cursor].startswith("timestamp"):
            raise ExtractError(
                f"{resource}.{stream.cursor} is no timestamp but {types[stream.cursor]}: choose another"
            )
        nullable = [column for column, _, not_null in found if column in stream.keys and not not_null]
        keys = {key: types[key] for key in stream.keys}
        return Table(name, declared, stream.cursor, keys, nullable)

    def _settled_until(self, stream: Stream) -> datetime:
        """Up to when nothing can change any more."""
        ((sees_all, oldest, guessed),) = self._ask(_UNTIL)
        if sees_all:
            return _utc(oldest)
        self.notes.append(
            "the database's user does not see when transactions began: the last 15 minutes are read again, "
            "and what a longer one changed is missed. Grant it pg_read_all_stats"
        )
        return _utc(guessed)

    def _check_keys(self, table: Table) -> None:
        """Refuse rows without a key, of which pages would skip some."""
        for column in table.nullable:
            query = SQL("select count(*) from {} where {} is null").format(table.name, Identifier(column))
            ((rows,),) = self._ask(query)
            if rows:
                raise ExtractError(
                    f"{rows:,} rows have no {column}, which is a key: correct them, or the keys"
                )

    def _read(
        self, stream: Stream, table: Table, where: Composable, position: Position | None, until: datetime
    ) -> Iterator[Page]:
        """Pages of the rows for which a condition holds, from a position on; the last one is not full."""
        while True:
            records = self._copy(stream, table.select(where, position))
            yield Page(records, until)
            if len(records) < PAGE:
                return
            position = records[-1].position

    def _read_without_time(
        self, stream: Stream, table: Table, position: Position | None, until: datetime
    ) -> Iterator[Page]:
        where = SQL("{} is null").format(Identifier(table.cursor or ""))
        ((rows,),) = self._ask(SQL("select count(*) from {} where {}").format(table.name, where))
        if rows:
            self.notes.append(f"{rows:,} rows have no {table.cursor}: they are read again each time")
            yield from self._read(stream, replace(table, cursor=None), where, position, until)

    def _copy(self, stream: Stream, query: Composable) -> list[Record]:
        """The records of a query that gives the time of the cursor, and the row as JSON."""
        self.traffic.requests += 1
        statement = SQL("copy ({}) to stdout (format csv, delimiter E'\\x02', quote E'\\x01')").format(query)
        records = []
        with self._connection.cursor().copy(statement) as rows:
            for row in rows:
                time, line = str(row, "utf-8")[:-1].split("\x02", 1)
                if "\n" in line or "\r" in line:
                    # Only values of the type json keep their line ends, between their parts.
                    line = line.replace("\x01", "").replace("\n", " ").replace("\r", " ")
                if not time:
                    records.append(stream.record(line, null_cursor=True))
                    continue
                records.append(Record(line, Position(datetime.fromisoformat(time), ())))
        if records:
            # Only the last one's key is asked for.
            records[-1] = stream.record(records[-1].line, null_cursor=True)
        return records

    def _ask(self, query: str | Composed, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self.traffic.requests += 1
        return self._connection.execute(query, parameters or None).fetchall()


@contextmanager
def _explained(advice: str) -> Iterator[None]:
    """Turn errors of the database into words, and say what to do."""
    try:
        yield
    except psycopg.Error as error:
        raise ExtractError(f"{str(error).strip()}: {advice}") from None


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
