"""Reading tables from their folders, without a running engine or a JVM."""

import csv
import json
import re
import sys
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, StrictUndefined
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lakehouse.engines.local import sail
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.warehouse import Warehouse

FORMATS = ("table", "csv", "json")

_COMMENTS = re.compile(r"(\s|/\*.*?\*/|--[^\n]*(\n|$))*", re.DOTALL)
_QUERY = re.compile(r"[(\s]*(select|with|values|table)\b", re.IGNORECASE)
_NO_TABLE = re.compile("table not found|no table", re.IGNORECASE)


@dataclass(frozen=True)
class Rows:
    """Column names, and rows as tuples in their order."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def read(warehouse: Warehouse, sql: str, at: str | None = None) -> Rows:
    """Run a query; `at` is a version number or a timestamp (UTC), null the present.

    Tables may be written as in dbt, `{{ ref('fct_sales') }}`, or with their schema.

    Raises:
        UsageError: there is no warehouse yet, or the statement is no query.
        LakehouseError: the query is wrong or a table has no such version.
    """
    tables = warehouse.tables()
    engine = sail(warehouse, at)
    try:
        statement = _with_names(sql, tables)
        if not _is_query(statement):
            raise UsageError("Only queries can be run: begin with SELECT, WITH, VALUES or TABLE.")
        frame = engine.query(statement)
        return Rows(list(frame.columns), [tuple(row) for row in frame.collect()])
    except UsageError:
        raise
    except Exception as error:
        hint = f"\nTables: {', '.join(tables)}" if _NO_TABLE.search(str(error)) else ""
        raise LakehouseError(f"{_message(error)}{hint}") from None
    finally:
        engine.close()


def columns(warehouse: Warehouse, table: str) -> list[str]:
    """Names of the columns of `schema.table`."""
    return read(warehouse, f"select * from {table} limit 0").columns


def print_rows(result: Rows, output: str, console: Console) -> None:
    """Print `result` as table, csv or json (a list of objects) to standard output."""
    if output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(result.columns)
        writer.writerows(result.rows)
    elif output == "json":
        objects = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        print(json.dumps(objects, default=_as_json, ensure_ascii=False, indent=1))
    elif output == "table":
        table = Table()
        for column in result.columns:
            table.add_column(escape(column), overflow="fold")
        for row in result.rows:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        console.print(table)
    else:
        raise UsageError(f"Unknown format '{output}'; use one of {', '.join(FORMATS)}.")


def _is_query(sql: str) -> bool:
    comments = _COMMENTS.match(sql)
    assert comments is not None
    # Sail knows no `with ... insert`.
    return _QUERY.match(sql, comments.end()) is not None


def _with_names(sql: str, tables: dict[str, str]) -> str:
    def ref(model: str) -> str:
        for name in tables:
            if name.split(".")[1] == model:
                return name
        raise LookupError(f"There is no table {model}; was it built?")

    return Environment(undefined=StrictUndefined).from_string(sql).render(ref=ref)


def _message(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
