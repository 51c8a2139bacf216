"""Reading tables from their folders, without a running engine or a JVM."""

import csv
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, StrictUndefined
from pyspark.sql.connect.session import SparkSession
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.warehouse import Warehouse

FORMATS = ("table", "csv", "json")


@dataclass(frozen=True)
class Rows:
    """Column names, and rows as tuples in their order."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def read(warehouse: Warehouse, sql: str, at: str | None = None) -> Rows:
    """Run a query; `at` is a version number or a timestamp (UTC), null the present.

    Tables may be written as in dbt, `{{ ref('fct_sales') }}`, or with their schema.

    Raises:
        UsageError: there is no warehouse yet.
        LakehouseError: the query is wrong or a table has no such version.
    """
    tables = warehouse.tables()
    try:
        return _run(tables, _with_names(sql, tables), at)
    except Exception as error:
        raise LakehouseError(f"{_message(error)}\nTables: {', '.join(tables)}") from None


def _run(tables: dict[str, str], sql: str, at: str | None) -> Rows:
    with _sail() as spark:
        for name in {name.split(".")[0] for name in tables}:
            spark.sql(f"create schema if not exists {name}")
        for name, folder in tables.items():
            if re.search(rf"\b{re.escape(name.split('.')[1])}\b", sql):
                _attach(spark, name, folder, at)
        frame = spark.sql(sql)
        return Rows(list(frame.columns), [tuple(row) for row in frame.collect()])


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
        table = Table(*map(escape, result.columns))
        for row in result.rows:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        console.print(table)
    else:
        raise UsageError(f"Unknown format '{output}'; use one of {', '.join(FORMATS)}.")


@contextmanager
def _sail() -> Iterator[SparkSession]:
    """A session of Sail, which speaks Spark SQL and needs no JVM."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    address, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://{address}:{port}").create()
    try:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        yield spark
    finally:
        spark.stop()
        server.stop()


def _with_names(sql: str, tables: dict[str, str]) -> str:
    def ref(model: str) -> str:
        for name in tables:
            if name.split(".")[1] == model:
                return name
        raise LookupError(f"There is no table {model}; was it built?")

    return Environment(undefined=StrictUndefined).from_string(sql).render(ref=ref)


def _attach(spark: SparkSession, name: str, folder: str, at: str | None) -> None:
    if at is None:
        spark.sql(f"create table {name} using delta location '{folder}'")
        return
    present = f"present_{name.replace('.', '_')}"
    moment = f"version as of {at}" if at.isdigit() else f"timestamp as of '{at}'"
    spark.sql(f"create table {present} using delta location '{folder}'")
    spark.sql(f"create view {name} as select * from {present} {moment}")


def _message(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
