"""Spark sessions, configured by the dbt profile so that dbt and ingestion share one engine."""

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined
from pyspark.sql import SparkSession

from ingestion.discovery import on_databricks
from lakehouse.errors import UsageError
from lakehouse.settings import PROJECT, Settings

_starting = Lock()


def spark_conf() -> dict[str, str]:
    """Spark settings of the target `local` in `profiles.yml`, by name."""
    conf: dict[str, Any] = _targets()["local"]["server_side_parameters"]
    return {name: str(value) for name, value in conf.items()}


def check_target(target: str, settings: Settings) -> None:
    """Whether a target can be built, asked before anything is loaded for it.

    Raises:
        UsageError: `profiles.yml` does not have it, or it needs settings that are missing.
    """
    if target not in (targets := _targets()):
        raise UsageError(f"There is no target '{target}'; use one of {', '.join(targets)}.")
    needed = ("databricks_host", "databricks_http_path", "databricks_token")
    missing = [name.upper() for name in needed if not getattr(settings, name)]
    if target == "databricks" and missing:
        raise UsageError(f"The target databricks needs {', '.join(missing)}. See .env.example.")


def _targets() -> dict[str, Any]:
    environment = Environment(undefined=StrictUndefined)
    # dbt's own, which keeps its rendering from making a number of a text
    environment.filters["as_text"] = str
    template = environment.from_string((PROJECT / "profiles.yml").read_text())
    targets: dict[str, Any] = yaml.safe_load(template.render(env_var=os.environ.get))["lakehouse"]["outputs"]
    return targets


def spark_session(catalog: bool = True) -> SparkSession:
    """The Spark session of this process, started on the first call.

    dbt's session method asks for the same one, so a run starts the JVM once. Without the catalog, tables
    are known by their folder only, and another process may be using the warehouse.
    """
    if on_databricks():
        return SparkSession.builder.getOrCreate()
    # A Java that `make setup` brought lies beside the Python interpreter.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # Java takes from it how names of files are written; in the locale `C` it finds none with an umlaut.
    os.environ["LC_ALL"] = "C.UTF-8"
    # Else a JVM with many threads keeps a heap of C's for each of several, which all grow.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    builder = SparkSession.builder
    if catalog:
        _remove_half_made_metastore(Path(os.environ.get("LAKEHOUSE_HOME", ".lakehouse")) / "metastore")
        builder = builder.enableHiveSupport()
    for name, value in spark_conf().items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def quiet_spark(catalog: bool = True) -> SparkSession:
    """The Spark session, its JVM's own chatter sent to `<home>/spark.log`."""
    # Failed statements reach the user as exceptions.
    for name in ("SQLQueryContextLogger", "py4j"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Standard error is one for all threads.
    with _starting, _stderr_to(f"{os.environ['LAKEHOUSE_HOME']}/spark.log"):
        return spark_session(catalog)


@contextmanager
def _stderr_to(path: str) -> Iterator[None]:
    """A JVM started meanwhile writes its standard error to `path` for as long as it lives."""
    saved = os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.dup2(log, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(log)


# Once: later it may be this process that is making it.
@cache
def _remove_half_made_metastore(metastore: Path) -> None:
    """Derby refuses a database whose making was interrupted; it writes `service.properties` last."""
    if metastore.exists() and not (metastore / "service.properties").exists():
        shutil.rmtree(metastore)
