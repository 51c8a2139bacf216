"""Spark: inside a Databricks cluster, or with Structured Streaming on one machine."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.landing.discovery import on_databricks
from lakehouse.engines.dbt import profile_outputs
from lakehouse.engines.environment import export
from lakehouse.errors import UsageError
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def spark_session(settings: Settings) -> "SparkSession":
    """The Spark session of this process, with the settings of the target `spark` in `profiles.yml`.

    Raises:
        UsageError: Spark is not installed.
    """
    from pyspark.sql import SparkSession

    if on_databricks():
        session: SparkSession = SparkSession.builder.getOrCreate()
        session.catalog.setCurrentCatalog(settings.databricks_catalog)
        return session
    require_spark(settings)
    export(settings)
    # Relative paths in the profile are below the project.
    os.chdir(settings.project)
    # Else Spark's Python processes are whichever `python3` comes first.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder
    for name, value in profile_outputs(settings)["spark"]["server_side_parameters"].items():
        builder = builder.config(name, str(value))
    session = builder.getOrCreate()
    # Failed statements reach the user as exceptions.
    session.sparkContext.setLogLevel("OFF")
    return session


def require_spark(settings: Settings) -> None:
    """Make sure that Spark and its jars are there.

    Raises:
        UsageError: they are not; the message says how to install them.
    """
    import pyspark

    jars = settings.project / os.environ.get("LAKEHOUSE_JARS", ".cache/jars")
    if not (Path(pyspark.__file__).parent / "jars").is_dir() or not any(jars.glob("delta-spark*.jar")):
        raise UsageError("Spark is not installed: run `make spark`. It needs Java 17 and 600 MB of disk.")
