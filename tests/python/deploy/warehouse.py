"""A SQL warehouse that runs nothing: it keeps what dbt-databricks sends and knows which tables it makes."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = tuple[Any, ...]
Table = tuple[str, ...]
Column = tuple[str, ...]

_NODE = re.compile(r'"node_id": "([^"]+)"')
_NAME = r"`?(\w+)`?\.`?(\w+)`?\.`?(\w+)`?"
_CREATED = re.compile(rf"^create (?:or replace )?table (?:if not exists )?{_NAME}(?: \(([^()]*)\))?")
_DESCRIBED = re.compile(rf"^describe (?:table )?extended {_NAME}")
_IN_TABLE = re.compile(r"table_schema = '(\w+)'(?: and table_name = '(\w+)')?")


class Warehouse:
    """What was sent, and which tables that made.

    Args:
        columns: of each table that is or will be there, by (catalog, schema, table), with name and type.
        tables: that are there from the start.
    """

    def __init__(self, columns: Mapping[Table, Sequence[Column]], tables: Iterable[Table]):
        self.columns = dict(columns)
        self.tables = set(tables)
        self.statements: list[tuple[str, str]] = []

    def connect(self, **_: Any) -> "_Connection":
        """A connection as databricks-sql-connector makes it."""
        return _Connection(self)

    @property
    def sent(self) -> list[str]:
        """What was sent, blanks made single."""
        return [statement for _, statement in self.statements]

    def answer(self, sent: str) -> tuple[Sequence[str], list[Row]]:
        """Keep a statement, and give column names and rows back."""
        node = _NODE.search(sent)
        statement = " ".join(re.sub(r"/\*.*?\*/", "", sent, flags=re.S).split())
        self.statements.append((node[1] if node else "", statement))
        return self._rows(statement.lower())

    def _rows(self, statement: str) -> tuple[Sequence[str], list[Row]]:
        if created := _CREATED.match(statement):
            *name, columns = created.groups()
            self.tables.add(tuple(name))
            if columns:
                self.columns[tuple(name)] = [tuple(column.split()[:2]) for column in columns.split(", ")]
        elif described := _DESCRIBED.match(statement):
            columns = self.columns[described.groups()]
            if statement.endswith("as json"):
                as_json = [{"name": name, "type": {"name": type}} for name, type in columns]
                return ["json_metadata"], [(json.dumps({"columns": as_json, "type": "MANAGED"}),)]
            return ["col_name", "data_type", "comment"], [(name, type, None) for name, type in columns]
        elif "`information_schema`.`tables`" in statement:
            asked = _IN_TABLE.search(statement)
            assert asked, statement
            found = [
                table for _, schema, table in self.tables if schema == asked[1] and asked[2] in (None, table)
            ]
            names = ["table_name", "table_type", "file_format", "table_owner", "databricks_table_type"]
            return names, [(table, "table", "delta", "me", "managed") for table in found]
        elif statement.startswith("show schemas"):
            return ["databaseName"], [(schema,) for schema in {schema for _, schema, _ in self.tables}]
        elif "as failures, " in statement:
            return ["failures", "should_warn", "should_error"], [(0, False, False)]
        elif statement.startswith("select") and "information_schema" not in statement:
            return ["value"], [] if "limit 0" in statement else [(None,)]
        return ["value"], []


class _Connection:
    def __init__(self, warehouse: Warehouse):
        self.warehouse = warehouse

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass

    def get_session_id_hex(self) -> str:
        return "0"

    def cursor(self, **_: Any) -> "_Cursor":
        return _Cursor(self)


class _Cursor:
    query_id = "1"

    def __init__(self, connection: _Connection):
        self.connection = connection
        self.description: list[Row] = []
        self.rows: list[Row] = []

    def execute(self, sent: str, parameters: object = None) -> "_Cursor":
        names, self.rows = self.connection.warehouse.answer(sent)
        self.description = [(name, "string", None, None, None, None, True) for name in names]
        return self

    def fetchall(self) -> list[Row]:
        return self.rows

    def fetchone(self) -> Row | None:
        return self.rows[0] if self.rows else None

    def fetchmany(self, size: int) -> list[Row]:
        return self.rows[:size]

    def close(self) -> None:
        pass

    cancel = close
