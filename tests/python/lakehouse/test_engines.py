"""Sessions of Spark in one process."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse.engines import spark_session


def test_a_catalog_that_this_process_is_making_is_left_alone(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path))
    spark_session()
    half_made = tmp_path / "metastore" / "seg0"
    half_made.mkdir(parents=True)
    spark_session()
    assert half_made.exists()
