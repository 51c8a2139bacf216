"""Statements of a connection: queries of tables are answered, and nothing else.

A statement is read by sqlglot, and what was read is what Sail gets, so nothing passes that was not checked.
"""

import re
from threading import Lock
from typing import Any

import pyarrow as pa
import sqlglot
from dbt.adapters.lakehouse.sail import Cancelled
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakehouse.engines.local import sail
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import message
from lakehouse.serving import catalog
from lakehouse.warehouse import Warehouse, did_you_mean

# Where a connection is before it says `use`; it holds no tables.
DEFAULT = "default"
_DIALECT = "spark"
# Functions that make rows of their arguments, without a file.
_ROWS_FROM = ("explode", "explode_outer", "inline", "posexplode", "range", "stack")
_NAME = r"`?(\w+)`?"
_USE = re.compile(rf"use\s+(?:(?:schema|database)\s+)?{_NAME}", re.I)
_SET = re.compile(r"set\b.*", re.I | re.S)
_SHOW_SCHEMAS = re.compile(r"show\s+(?:schemas|databases)(?:\s+like\s+'([^']*)')?", re.I)
_SHOW_TABLES = re.compile(rf"show\s+tables(?:\s+(?:in|from)\s+{_NAME})?(?:\s+(?:like\s+)?'([^']*)')?", re.I)
_DESCRIBE = re.compile(
    rf"desc(?:ribe)?\s+(?:table\s+)?(?:extended\s+|formatted\s+)?(?:{_NAME}\.)?{_NAME}", re.I
)


class Connection:
    """What one client asks, one statement after the other, of tables as they are when it asks."""

    def __init__(self, warehouse: Warehouse, schema: str = DEFAULT) -> None:
        self._warehouse = warehouse
        self._sail = sail(warehouse)
        self._schema = DEFAULT
        self._lock = Lock()
        self.use(schema)

    def use(self, schema: str) -> None:
        """Look for tables without a schema in this one.

        Raises:
            UsageError: there is none of its name.
        """
        schemas = {name.lower(): name for name in (DEFAULT, *catalog.schema_names(self._warehouse))}
        if schema.lower() not in schemas:
            raise UsageError(f"There is no schema {schema}. There are {', '.join(schemas.values())}.")
        self._schema = schemas[schema.lower()]

    def answer(self, statement: str) -> pa.RecordBatchReader:
        """The rows of a statement; none of one that only sets something.

        Raises:
            UsageError: it is no query, or asks for what is no table.
            LakehouseError: it is wrong.
            Cancelled: it was cancelled.
        """
        text = statement.strip().removesuffix(";").rstrip()
        if (told := self._told(text)) is not None:
            return told.to_reader()
        return self._stream(self._checked(text))

    def cancel(self) -> None:
        """End what runs."""
        self._sail.cancel()

    def close(self) -> None:
        """End the connection."""
        self._sail.close()

    def _told(self, text: str) -> pa.Table | None:
        """What is answered without a query."""
        if found := _USE.fullmatch(text):
            self.use(found[1])
            return pa.table({})
        if _SET.fullmatch(text):
            # Tools set what makes Spark faster or slower.
            return pa.table({})
        if found := _SHOW_SCHEMAS.fullmatch(text):
            names = catalog.schemas(self._warehouse, _pattern(found[1]))["TABLE_SCHEM"]
            return pa.table({"namespace": names})
        if found := _SHOW_TABLES.fullmatch(text):
            shown = catalog.tables(self._warehouse, found[1] or self._schema, _pattern(found[2]))
            temporary = pa.array([False] * shown.num_rows, pa.bool_())
            return pa.table(
                {
                    "namespace": shown["TABLE_SCHEM"],
                    "tableName": shown["TABLE_NAME"],
                    "isTemporary": temporary,
                }
            )
        if found := _DESCRIBE.fullmatch(text):
            return self._described(found[1] or self._schema, found[2])
        return None

    def _described(self, schema: str, table: str) -> pa.Table:
        name = self._table(schema, table, self._warehouse.tables())
        columns = catalog.columns(self._warehouse, *name.split("."))
        return pa.table(
            {
                "col_name": columns["COLUMN_NAME"],
                "data_type": columns["TYPE_NAME"],
                "comment": columns["REMARKS"],
            }
        )

    def _checked(self, text: str) -> str:
        """The query as it was understood, with each table by its whole name."""
        try:
            parsed = sqlglot.parse(text, dialect=_DIALECT)
        except SqlglotError as error:
            raise LakehouseError(f"This cannot be read as SQL: {str(error).splitlines()[0]}") from None
        query: Any = parsed[0] if len(parsed) == 1 else None
        if not isinstance(query, exp.Query | exp.Values):
            raise UsageError("Only queries are answered, one at a time: begin with SELECT, WITH or VALUES.")
        if any(query.find_all(exp.Into, exp.DML, exp.DDL, exp.Command)):
            raise UsageError("A query that writes is not answered.")
        tables = self._warehouse.tables()
        named = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
        for table in list(query.find_all(exp.Table)):
            self._check_table(table, named, tables)
        return str(query.sql(_DIALECT, comments=False))

    def _check_table(self, table: Any, named: set[str], tables: dict[str, str]) -> None:
        if not isinstance(table.this, exp.Identifier):
            function = table.this.name.lower() or table.this.sql_name().lower()
            if function not in _ROWS_FROM:
                raise UsageError(f"{function}() is not answered: only tables are read.")
            return
        if not table.db and table.name.lower() in named:
            return
        if table.catalog:
            raise UsageError(f"{table.sql(_DIALECT)}: tables have two names, as gold.fct_sales.")
        schema, name = self._table(table.db or self._schema, table.name, tables).split(".")
        table.set("db", exp.to_identifier(schema, quoted=True))
        table.set("this", exp.to_identifier(name, quoted=True))

    def _table(self, schema: str, table: str, tables: dict[str, str]) -> str:
        wanted = f"{schema}.{table}".lower()
        for name in tables:
            if name.lower() == wanted:
                return name
        near = did_you_mean(f"{schema}.{table}", tables)
        raise LakehouseError(f"There is no table {schema}.{table}.{near}")

    def _stream(self, sql: str) -> pa.RecordBatchReader:
        with self._lock:
            try:
                return self._sail.stream(sql)
            except Cancelled:
                raise
            except KeyError:
                raise LakehouseError(
                    "A column has a type that cannot be read, such as an interval: cast it to string."
                ) from None
            except Exception as error:
                raise LakehouseError(message(error, sql, self._warehouse.tables())) from None


def _pattern(like: str | None) -> str | None:
    """A pattern of Hive's as one of JDBC's."""
    return None if like is None else like.replace("*", "%")
