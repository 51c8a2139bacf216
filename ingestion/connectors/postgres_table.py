"""Queries for pages of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.sql import SQL, Composable, Identifier, Literal

from ingestion.connectors.stream import Position

# Rows of a page.
PAGE = 50_000


@dataclass(frozen=True)
class Table:
    """A table with the columns that are read, its cursor, and its keys with their types."""

    name: Composable
    columns: Sequence[str]
    cursor: str | None
    keys: Mapping[str, str]
    nullable: Sequence[str]

    def since(self, time: datetime | None) -> Composable:
        """The condition for what changed since a time; all that has a time where it is null."""
        if self.cursor is None:
            return SQL("true")
        if time is None:
            return SQL("{} is not null").format(Identifier(self.cursor))
        return SQL("{} >= {}").format(Identifier(self.cursor), Literal(time))

    def select(self, where: Composable, position: Position | None) -> Composable:
        """The query for a page: rows for which the condition holds, behind the position."""
        order = [Identifier(name) for name in (*filter(None, [self.cursor]), *self.keys)]
        if position:
            values: list[Composable] = [Literal(position.cursor)] if self.cursor else []
            for value, kind in zip(position.key, self.keys.values(), strict=True):
                values.append(SQL("cast({} as {})").format(Literal(value), SQL(kind)))
            behind = SQL("({}) > ({})").format(SQL(", ").join(order), SQL(", ").join(values))
            where = SQL("{} and {}").format(where, behind)
        # Of the session's time zone, UTC, where the column has none.
        time: Composable = SQL("null")
        if self.cursor:
            time = SQL("cast({} as timestamptz)").format(Identifier(self.cursor))
        return SQL(
            "select {time}, row_to_json(page) from "
            "(select {columns} from {table} where {where} order by {order} limit {size}) as page"
        ).format(
            time=time,
            columns=SQL(", ").join(map(Identifier, self.columns)),
            table=self.name,
            where=where,
            order=SQL(", ").join(order),
            size=Literal(PAGE),
        )
