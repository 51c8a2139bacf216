"""What Unity Catalog keeps beside the tables: keys, and columns without nulls."""

import re
import threading
from collections import defaultdict
from typing import Any

from pyspark.sql.types import DataType, DecimalType, StructType

_KEY = re.compile(
    r"add constraint (\w+) ((?:primary|foreign) key) ?\(([^)]*)\)(?: references ([^( ]+) ?\(([^)]*)\))?"
)


class Unity:
    """Constraints by the name of a table, such as `` `lakehouse`.`gold`.`fct_sales` ``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._not_null: dict[str, set[str]] = defaultdict(set)
        self._keys: dict[str, dict[str, str]] = defaultdict(dict)

    def forget(self, table: str) -> None:
        """Drop what belongs to a table that is made anew."""
        with self._lock:
            self._not_null.pop(table, None)
            self._keys.pop(table, None)

    def set_not_null(self, table: str, column: str) -> None:
        """Keep that a column has no null."""
        with self._lock:
            self._not_null[table].add(column)

    def add_key(self, table: str, clause: str) -> None:
        """Keep a primary or foreign key.

        Raises:
            ValueError: the table has one of its name, there is no key to refer to, or it is no key.
        """
        key = _KEY.match(clause.lower())
        if key is None:
            raise ValueError(f"[PARSE_SYNTAX_ERROR] {clause}")
        name, kind, columns, other, others = key.groups()
        with self._lock:
            if name in self._keys[table]:
                raise ValueError(f"[CONSTRAINT_ALREADY_EXISTS_IN_TABLE] {name}")
            body = f"{kind.upper()} ({_quoted(columns)})"
            if other:
                if not any(known.startswith("PRIMARY") for known in self._keys[other].values()):
                    raise ValueError(f"[FOREIGN_KEY_MISMATCH] {other} has no primary key")
                body += f" REFERENCES {other} ({_quoted(others)})"
            self._keys[table][name] = body

    def describe(self, table: str, schema: StructType) -> dict[str, Any]:
        """What `describe table extended ... as json` answers of a table with these columns."""
        with self._lock:
            keys = ", ".join(f"({name},{body})" for name, body in self._keys[table].items())
            columns = [
                {
                    "name": field.name,
                    "type": _type(field.dataType),
                    "nullable": field.name not in self._not_null[table],
                }
                for field in schema
            ]
        return {"columns": columns, "type": "MANAGED", "table_constraints": f"[{keys}]" if keys else ""}


def _quoted(columns: str) -> str:
    return ", ".join(f"`{column.strip('` ')}`" for column in columns.split(","))


def _type(kind: DataType) -> dict[str, Any]:
    if isinstance(kind, DecimalType):
        return {"name": "decimal", "precision": kind.precision, "scale": kind.scale}
    return {"name": kind.simpleString()}
