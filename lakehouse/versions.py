"""Versions of a table: what happened to it, and going back."""

from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.engines import quiet_spark
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.query import Rows

# Restored, these would contradict the loader's books.
_APPEND_ONLY = ("bronze", "ops")


def history(folder: str) -> Rows:
    """Versions of the table in `folder`, newest first: version, timestamp (UTC), operation, rows_written."""
    spark = quiet_spark(catalog=False)
    rows = spark.sql(f"describe history delta.`{folder}`").select(
        "version",
        F.date_format("timestamp", "yyyy-MM-dd HH:mm:ss").alias("timestamp"),
        "operation",
        F.col("operationMetrics")["numOutputRows"].cast("bigint").alias("rows_written"),
    )
    return Rows(rows.columns, [tuple(row) for row in rows.collect()])


def restore(name: str, folder: str, version: int) -> None:
    """Make an earlier version of the table `name` (`schema.table`) its present one.

    Raises:
        UsageError: the table is append-only.
        LakehouseError: there is no such version.
    """
    if name.split(".")[0] in _APPEND_ONLY:
        raise UsageError(f"{name} only ever grows, it cannot be restored; restore a table made from it.")
    spark = quiet_spark(catalog=False)
    versions = [version for version, *_ in history(folder).rows]
    if version not in versions:
        raise LakehouseError(f"{name} has the versions {min(versions)} to {max(versions)}, not {version}.")
    _uncheck(spark, Path(folder).parents[1])
    spark.sql(f"restore table delta.`{folder}` to version as of {version}")


def _uncheck(spark: SparkSession, warehouse: Path) -> None:
    """Let the next build test all rows, see `macros/last_check.sql`."""
    builds = warehouse / "ops.db" / "builds"
    if (builds / "_delta_log").exists():
        spark.sql(f"update delta.`{builds}` set checked_project = null where checked_project is not null")
