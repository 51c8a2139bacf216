"""Spark: inside a Databricks cluster, or with Structured Streaming on one machine."""

import os
import re
import subprocess
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

_MINIMUM_JAVA = 17
_JARS = ("delta-spark", "delta-storage", "delta-kernel-api", "delta-kernel-defaults")


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
    """Make sure that Spark, its jars and a Java that starts are there.

    Raises:
        UsageError: they are not; the message says what is missing and what to do.
    """
    import pyspark

    jars = settings.project / settings.jars
    missing = [kind for kind in _JARS if not any(jars.glob(f"{kind}*.jar"))]
    if not (Path(pyspark.__file__).parent / "jars").is_dir() or len(missing) == len(_JARS):
        raise UsageError("Spark is not installed: run `make spark`. It needs Java 17 and 600 MB of disk.")
    if missing:
        raise UsageError(f"{jars} (LAKEHOUSE_JARS) has no {', '.join(missing)}: run `make spark`.")
    _check_java(settings.driver_memory)


def _check_java(memory: str) -> None:
    """Start the Java that Spark would start, with the same memory: Spark does not tell what Java said."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else "java"
    tried = (
        f"Java does not start ({java}, JAVA_HOME {home or 'is not set'}, LAKEHOUSE_DRIVER_MEMORY {memory})"
    )
    try:
        answer = subprocess.run(
            [java, f"-Xmx{memory}", "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        raise UsageError(f"{tried}: {error.strerror}. Set JAVA_HOME to Java 17 or newer.") from None
    said = "; ".join(answer.stdout.strip().splitlines())
    if answer.returncode != 0:
        raise UsageError(f"{tried}. It says: {said}")
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version and int(version[1]) < _MINIMUM_JAVA:
        raise UsageError(
            f"Spark needs Java {_MINIMUM_JAVA} or newer, and {java} is {version[1]}: set JAVA_HOME."
        )
