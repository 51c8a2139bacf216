"""Spark on the same folders, by plain dbt: it builds the same."""

import shutil
from pathlib import Path

import pytest

from ingestion.streams.tables import read_tables
from lakehouse.settings import PROJECT

from .conftest import NO_DATA_TESTS, Lakehouse, differing

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """Two deliveries, loaded and built at once by the target `local`."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("local"), NO_DATA_TESTS, scale=0.02)
    for number in (1, 2):
        lakehouse.deliver(number)
    lakehouse.run("run")
    return lakehouse


def test_plain_dbt_on_spark_builds_the_same(local: Lakehouse, tmp_path: Path) -> None:
    spark = Lakehouse(tmp_path, local.settings)
    streamed = {table.silver for table in read_tables(PROJECT / "models").values()}
    for name in local.warehouse.tables():
        if name.startswith(("bronze.", "ops.loads", "ops.quarantine")) or name in streamed:
            shutil.copytree(local.table(name), spark.table(name))
    output = spark.run_apart("dbt", "build", "--target", "spark")
    assert "ERROR=0" in output and "PASS=0" not in output
    layers = ("snapshots", "silver", "gold")
    assert differing(spark.contents(*layers), local.contents(*layers)) == []
