"""Spark on the same folders, by plain dbt: it builds the same, and what differs is found."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse import delta
from deltalake import DeltaTable

from ingestion.streams.tables import read_tables
from lakehouse.steps.verify import difference
from tests.python import PROJECT

from ..conftest import NO_DATA_TESTS, Lakehouse

_STREAMED = {table.silver for table in read_tables(PROJECT / "models").values()}


@pytest.mark.spark
def test_spark_builds_the_same_tables(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path, NO_DATA_TESTS, scale=0.02)
    for number in (1, 2):
        lakehouse.deliver(number)
    lakehouse.run("run")
    # A row that no model made.
    costs = str(lakehouse.table("gold.dim_product_cost"))
    delta.append(costs, DeltaTable(costs).to_pyarrow_table().slice(0, 1))
    output = lakehouse.run("verify", exit_code=1)
    assert "gold.dim_product_cost: 1 rows only here, 0 only on Spark" in output
    built = [n for n in lakehouse.contents("snapshots", "silver", "gold") if n not in _STREAMED]
    assert f"1 of {len(built)} tables differ" in output


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"id": [2, 1], "price": [None, Decimal("1.50")]}, None),
        ({"id": [1, 2], "price": [Decimal("1.50")] * 2}, "1 rows only here, 1 only on Spark"),
        ({"id": [1, 2, 2], "price": [Decimal("1.50"), None, None]}, "0 rows only here, 1 only on Spark"),
        ({"id": [1, 2]}, "the columns differ: price"),
    ],
)
def test_what_differs_is_said(tmp_path: Path, other: dict[str, list[object]], found: str | None) -> None:
    kinds = {"id": pa.int64(), "price": pa.decimal128(9, 2)}
    rows = {"id": [1, 2], "price": [Decimal("1.50"), None]}
    for name, columns in (("here", rows), ("spark", other)):
        schema = pa.schema([(column, kinds[column]) for column in columns])
        delta.overwrite(str(tmp_path / name), pa.table(columns, schema=schema))
    assert difference(str(tmp_path / "here"), str(tmp_path / "spark")) == found
