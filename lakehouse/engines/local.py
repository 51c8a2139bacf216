"""What loads and streams run on: Sail and delta-rs in this process, or Spark."""

import os
from typing import TYPE_CHECKING

from ingestion.landing.discovery import Discovery, on_databricks
from ingestion.tables import Tables
from ingestion.tables.local import LocalTables
from lakehouse.settings import Settings
from lakehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from dbt.adapters.lakehouse.sail import Sail

    from ingestion.streams import Engine


def tables_and_discovery(settings: Settings) -> tuple[Tables, Discovery | None]:
    """What a load writes to, and how it finds files inside a Databricks cluster; here it lists them."""
    if on_databricks():
        from ingestion.landing.auto_loader import auto_loader
        from ingestion.tables.spark import SparkTables
        from lakehouse.engines.spark import spark_session

        spark = spark_session(settings)
        return SparkTables(spark, settings.bronze_setting), auto_loader(spark, settings.checkpoints)
    return LocalTables(settings.warehouse.folders), None


def stream_engine(settings: Settings, name: str) -> "Engine":
    """What streams run on: `name` is local or spark; on Databricks it is always Spark."""
    if name == "spark" or on_databricks():
        from ingestion.streams.on_spark import SparkEngine
        from lakehouse.engines.spark import spark_session

        storage, _ = tables_and_discovery(settings)
        folders = None if on_databricks() else settings.warehouse.folders
        spark = spark_session(settings)
        return SparkEngine(spark, storage, settings.checkpoints, settings.watermark, folders)

    # Where Spark itself is installed, its functions are else those of a JVM.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    from ingestion.streams.on_sail import SailEngine

    return SailEngine(sail(settings.warehouse))


def sail(warehouse: Warehouse, at: str | None = None) -> "Sail":
    """Sail over the tables of a warehouse, as they were `at` a version or timestamp, null the present."""
    from dbt.adapters.lakehouse.sail import Sail

    return Sail(warehouse.folders, at)
