"""Types: which texts they take, and that all others are kept in `_rescued_data`."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from ingestion.conform import conform
from ingestion.contracts import SourceTable

RESCUED = object()


class Case(NamedTuple):
    type: str
    text: str | None
    value: Any  # as Spark writes it

    def __str__(self) -> str:
        return f"{self.type}: {self.text!r}"


CASES = [
    Case("string", "", ""),
    Case("string", " blanks stay ", " blanks stay "),
    Case("string", "J\ufffdrg", RESCUED),
    Case("int", " 12 ", "12"),
    Case("int", "-7", "-7"),
    Case("int", "2147483648", RESCUED),
    Case("int", "1.5", RESCUED),
    Case("int", "1,000", RESCUED),
    Case("int", "twelve", RESCUED),
    Case("int", "  ", None),
    Case("int", None, None),
    Case("smallint", "32768", RESCUED),
    Case("bigint", "9223372036854775807", "9223372036854775807"),
    Case("bigint", "9223372036854775808", RESCUED),
    Case("decimal(10,2)", " 12.5 ", "12.50"),
    Case("decimal(10,2)", "12345678.90", "12345678.90"),
    Case("decimal(10,2)", "123456789.00", RESCUED),
    Case("decimal(10,2)", "1,5", RESCUED),
    Case("double", "1.5e3", "1500.0"),
    Case("double", "much", RESCUED),
    Case("boolean", "true", "true"),
    Case("boolean", "N", "false"),
    Case("boolean", "0", "false"),
    Case("boolean", "maybe", RESCUED),
    Case("date", " 2024-02-29 ", "2024-02-29"),
    Case("date", "2023-02-29", RESCUED),
    Case("date", "2024-02-31", RESCUED),
    Case("date", "2024", RESCUED),
    Case("date", "2024-02", RESCUED),
    Case("date", "20240229", RESCUED),
    Case("date", "29.02.2024", RESCUED),
    Case("timestamp", "2024-02-29", "2024-02-29 00:00:00"),
    Case("timestamp", "2024-02-29T10:00:00Z", "2024-02-29 10:00:00"),
    Case("timestamp", "2024-02-29 10:00:00.123456+02:00", "2024-02-29 08:00:00.123456"),
    Case("timestamp", "2024-02-31 10:00:00", RESCUED),
    Case("timestamp", "2024", RESCUED),
    Case("timestamp", "12:30:00", RESCUED),
    Case("array<int>", "[1, 2]", "[1, 2]"),
    Case("array<int>", '[1, "two"]', RESCUED),
    Case("array<int>", "[1", RESCUED),
    Case("array<int>", "{}", RESCUED),
    Case("struct<x:int,y:string>", '{"x": 1, "y": "b"}', "{1, b}"),
    Case("struct<x:int,y:string>", '{"x": "one", "y": "b"}', RESCUED),
    Case("map<string,int>", '{"x": 1}', "{x -> 1}"),
]


@pytest.fixture(scope="module")
def conformed(spark: SparkSession, contract: Callable[..., SourceTable]) -> dict[str, Any]:
    """One record with a column for each case."""
    table = contract(columns={f"c{n}": case.type for n, case in enumerate(CASES)}, keys=[])
    schema = ", ".join(f"c{n} string" for n in range(len(CASES)))
    texts = spark.createDataFrame([tuple(case.text for case in CASES)], schema)
    records = texts.withColumn("_extra", F.lit(None).cast("map<string,string>")).withColumn(
        "_uri", F.lit("u")
    )
    (row,) = conform(records, table).select("*").collect()
    typed = conform(records, table)
    (row,) = typed.select(*(F.col(name).cast("string") for name in typed.columns)).collect()
    return row.asDict()


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: str(CASES[number]))
def test_a_text_becomes_a_value_or_is_rescued(conformed: dict[str, Any], number: int) -> None:
    rescued = json.loads(conformed["_rescued_data"])
    case, name = CASES[number], f"c{number}"
    assert conformed[name] == (None if case.value is RESCUED else case.value)
    assert rescued.get(name) == (case.text if case.value is RESCUED else None)


def test_undeclared_values_are_rescued_too_and_other_columns_pass(
    spark: SparkSession, contract: Callable[..., SourceTable]
) -> None:
    records = spark.sql("""
        select * from values
            ('1', 'Ann', null, 'a'), ('x', 'Bob', null, 'b'), ('x', 'Cid', map('tier', 'gold'), 'c')
        as r(id, name, _extra, _uri)
    """)
    rows = conform(records, contract()).orderBy("_uri").collect()
    assert list(map(tuple, rows)) == [
        (1, "Ann", None, "a"),
        (None, "Bob", '{"id":"x"}', "b"),
        (None, "Cid", '{"id":"x","tier":"gold"}', "c"),
    ]
