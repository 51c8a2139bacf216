"""Sail beside Spark: tables as they are now, and what dbt only reads on the target `local`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from dbt.adapters.spark import session
from pyspark.sql import SparkSession

from lakehouse.cursor import sail_reads
from lakehouse.sail import Reader, only_reads
from lakehouse.warehouse import Warehouse

_NUMBERS = count(1)


@pytest.fixture
def warehouse(spark: SparkSession) -> Warehouse:
    return Warehouse(Path(spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:")))


@pytest.fixture
def reader(warehouse: Warehouse) -> Iterator[Reader]:
    reader = Reader(warehouse)
    yield reader
    reader.close()


@pytest.fixture
def table(spark: SparkSession) -> str:
    """A table with one row."""
    name = f"silver.sail_{next(_NUMBERS)}"
    spark.sql("create schema if not exists silver")
    spark.sql(f"create table {name} using delta as select 1 as id, 'first' as name")
    return name


def test_each_query_reads_the_table_as_it_is_then(spark: SparkSession, reader: Reader, table: str) -> None:
    sql = f"select * from {table} order by 1"
    assert reader.query(sql).collect() == [(1, "first")]
    spark.sql(f"insert into {table} values (2, 'second')")
    assert reader.query(sql).collect() == [(1, "first"), (2, "second")]
    spark.sql(f"create or replace table {table} using delta as select 'other' as column_name")
    assert reader.query(sql).collect() == [("other",)]
    spark.sql(f"drop table {table}")
    spark.sql(f"create table {table} using delta as select 1.5 as number")
    assert [float(number) for (number,) in reader.query(sql).collect()] == [1.5]


def test_tables_that_are_made_later_are_found(spark: SparkSession, reader: Reader, table: str) -> None:
    assert reader.query(f"select count(*) from {table}").collect() == [(1,)]
    spark.sql(f"create table {table}_later using delta as select 7 as id")
    assert reader.query(f"select id from `silver`.`{table.split('.')[1]}_later`").collect() == [(7,)]


def test_threads_share_a_reader(reader: Reader, table: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: reader.query(f"select count(*) from {table}").collect(), range(40))
    assert list(found) == [[(1,)]] * 40


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", True),
        ('/* {"app": "dbt", "node_id": "test.lakehouse.x"} */\n\n  -- why\n  SELECT 1', True),
        ("with a as (select 1) select * from a", True),
        ("insert into t select 1", False),
        ("selection", False),
        ("create temporary view x__dbt_tmp as select 1", False),
        ('/* {"node_id": "model.lakehouse.m"} */ merge into t using x__dbt_tmp on true', False),
    ],
)
def test_statements_that_only_read(sql: str, expected: bool) -> None:
    assert only_reads(sql) is expected


def _rows(sql: str) -> list[tuple[object, ...]]:
    cursor = session.Connection(server_side_parameters={}).cursor()
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall() or []]


def test_spark_writes_and_both_read(spark: SparkSession, warehouse: Warehouse, table: str) -> None:
    with sail_reads(warehouse):
        assert _rows(f"select name from {table}") == [("first",)]
        _rows(f"insert into {table} values (2, 'second')")
        assert _rows(f"select count(*) from {table}") == [(2,)]
        # Sail does not know this clause, and not the view.
        newest = f"select id from {table} qualify row_number() over (order by id desc) = 1"
        assert _rows(newest) == [(2,)]
        spark.sql(f"create or replace temporary view only_in_spark as select 3 as id from {table} limit 1")
        assert _rows("select id from only_in_spark") == [(3,)]
    assert _rows(f"select count(*) from {table}") == [(2,)]


def test_wrong_sql_is_an_error_of_spark(spark: SparkSession, warehouse: Warehouse, table: str) -> None:
    with sail_reads(warehouse), pytest.raises(Exception, match=r"UNRESOLVED_COLUMN.*no_such_column"):
        _rows(f"select no_such_column from {table}")


def test_spark_answers_where_there_are_no_tables_yet(spark: SparkSession, tmp_path: Path) -> None:
    with sail_reads(Warehouse(tmp_path)):
        assert _rows("select bronze.id from (select 1 as id) as bronze") == [(1,)]
