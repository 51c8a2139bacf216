"""Load and build, with a display while they run and a summary after."""

import contextlib
import itertools
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from pyspark.sql import SparkSession
from rich.console import Console

from ingestion import bronze
from ingestion.audit import FileLoad
from ingestion.contracts import SourceTable
from ingestion.landing import LandingError
from ingestion.schema import overwrite_changed
from lakehouse.display import BuildDisplay, LoadDisplay
from lakehouse.engines import spark_session
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import PROJECT, Settings


@dataclass(frozen=True)
class LoadSummary:
    """Files handled by a load, and whether a table got another schema before."""

    loads: Sequence[FileLoad]
    schema_changed: bool = False

    def raise_for_refused(self) -> None:
        """Raise `LakehouseError` where a file was refused, naming each one."""
        refused = [f"{load.path}: {load.reason}" for load in self.loads if load.status == "refused"]
        if refused:
            raise LakehouseError("\n".join(["Files that could not be loaded (the others were):", *refused]))


def load_bronze(
    settings: Settings,
    tables: Sequence[SourceTable],
    console: Console,
    overwrite_schema: bool = False,
) -> LoadSummary:
    """Load new files of `tables` and show what came of it.

    With `overwrite_schema`, changes of the contracts are taken over first; else they are an error.
    """
    started = time.monotonic()
    spark = quiet_spark()
    changed = overwrite_changed(spark, tables) if overwrite_schema else {}
    for label, changes in changed.items():
        console.print(f"{label}: taken over that {'; '.join(changes)}", highlight=False)
    for table in tables:
        if table.label in changed:
            # All of it is read again; what silver has is merged by key.
            shutil.rmtree(checkpoint_of(settings.home / "checkpoints", table), ignore_errors=True)
    with LoadDisplay(console, tables) as display:
        loads = _load(settings, spark, tables, display.update)
    display.summarize(loads, time.monotonic() - started)
    return LoadSummary(loads, bool(changed))


def _load(
    settings: Settings,
    spark: SparkSession,
    tables: Sequence[SourceTable],
    report: Callable[[bronze.Progress], None] = lambda progress: None,
) -> list[FileLoad]:
    checkpoints = settings.home / "checkpoints"
    try:
        return bronze.load(spark, tables, settings.landing, settings.bronze, checkpoints, report)
    except LandingError as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def build_models(arguments: Sequence[str], console: Console, manifest: Manifest | None = None) -> None:
    """`dbt build` with its own arguments.

    Raises:
        LakehouseError: a model or test failed.
        UsageError: dbt does not understand the arguments or the project.
    """
    if target_of(arguments) == "local":
        quiet_spark()
    with BuildDisplay(console) as display:
        result = _dbt(["build", *arguments], display, manifest)
    display.summarize(result)
    if result.exception is not None:
        raise UsageError(f"dbt: {result.exception}")
    if not result.success:
        raise LakehouseError(
            "Models or tests failed; tables that depend on them were left as they were. "
            "`lakehouse status` shows the failed rows."
        )


def run_all(
    settings: Settings,
    tables: Sequence[SourceTable],
    target: str,
    sources: Sequence[str],
    console: Console,
    overwrite_schema: bool = False,
) -> None:
    """Load `tables`, then build what depends on them; a refused file fails the run at its end."""
    manifest = _start(target)
    summary = load_bronze(settings, tables, console, overwrite_schema)
    Follower(settings, tables).follow_bronze()
    arguments = ["--target", target]
    if summary.schema_changed:
        arguments.append("--full-refresh")
    if sources:
        # What depends on no source, such as the calendar, too; its tests against tables of other sources not.
        arguments += ["--select", "tag:no_source", *(f"source:{source}+" for source in sources)]
        arguments += ["--indirect-selection", "buildable"]
    build_models(arguments, console, manifest)
    summary.raise_for_refused()


class Follower:
    """Takes what arrives for `tables` from the landing zone or Kafka to silver, and from there to gold."""

    def __init__(self, settings: Settings, tables: Sequence[SourceTable]) -> None:
        self._settings = settings
        self._spark = quiet_spark()
        self._over_kafka = [table for table in tables if settings.kafka and table.arrives.topics]
        self._in_files = [table for table in tables if table not in self._over_kafka]
        self._queries = open_queries(
            self._spark, PROJECT / "models", tables, settings.home / "checkpoints"
        )
        self._seen: set[LandedFile] = set()
        # A run that was killed may have left something behind.
        self._grown = {table.bronze for table in tables}

    def load(self) -> None:
        """Load to bronze what arrived since the last call.

        Raises:
            UsageError: the landing zone or Kafka cannot be reached.
            LakehouseError: a table cannot be loaded.
        """
        globs = (FileGlob.of(table, self._settings.landing) for table in self._in_files)
        landed = {file for glob in globs for file in glob.files()}
        if landed != self._seen:
            loads = _load(self._settings, self._spark, self._in_files)
            self._grown |= {f"bronze.{load.source}_{load.table_name}" for load in loads}
            self._seen = landed
        for table in self._over_kafka:
            if _load_topics(self._settings, self._spark, table):
                self._grown.add(table.bronze)

    def follow_bronze(self) -> list[Progress]:
        """Bring silver up to date with bronze where that has grown; what each query did.

        Raises:
            LakehouseError: a stream failed.
        """
        try:
            progress = [query.run() for query in self._queries if query.table.bronze in self._grown]
        except StreamError as error:
            raise LakehouseError(str(error)) from None
        self._grown = set()
        return progress


class Gold:
    """The models that are refreshed while streams run."""

    def __init__(self) -> None:
        self._manifest = _start("local")

    def refresh(self) -> None:
        """Build them from what is new in silver.

        Raises:
            LakehouseError: a model failed.
        """
        result = _dbt(["run", "--select", f"tag:{STREAMING}"], manifest=self._manifest)
        if not result.success:
            raise LakehouseError(f"Gold could not be refreshed: {_failures(result)}")


def _failures(result: dbtRunnerResult) -> str:
    nodes = getattr(result.result, "results", [])
    failed = [f"{node.node.name}: {node.message}" for node in nodes if str(node.status) == "error"]
    return "; ".join(failed) or str(result.exception)


def _load_topics(settings: Settings, spark: SparkSession, table: SourceTable) -> int:
    assert settings.kafka is not None
    try:
        return load_topics(
            spark, table, settings.kafka, settings.home / "checkpoints", location=settings.bronze
        )
    except KafkaUnavailable as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def _start(target: str) -> Manifest:
    """Start Spark, and read the dbt project meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(quiet_spark)
        parsed = _dbt(["parse", "--target", target])
        starting.result()
    if parsed.exception is not None:
        raise UsageError(f"dbt: {parsed.exception}")
    manifest = parsed.result
    assert isinstance(manifest, Manifest)
    return manifest


def target_of(arguments: Sequence[str]) -> str:
    """The dbt target that `arguments` choose."""
    for option, value in itertools.pairwise(arguments):
        if option in ("--target", "-t"):
            return value
    return next((a.split("=", 1)[1] for a in arguments if a.startswith("--target=")), "local")


def quiet_spark(catalog: bool = True) -> SparkSession:
    """The Spark session, its JVM's own chatter sent to `<home>/spark.log`."""
    # Failed statements reach the user as exceptions.
    for name in ("SQLQueryContextLogger", "py4j"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with _stderr_to(f"{os.environ['LAKEHOUSE_HOME']}/spark.log"):
        return spark_session(catalog)


@contextlib.contextmanager
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


def _dbt(
    arguments: Sequence[str],
    display: BuildDisplay | None = None,
    manifest: Manifest | None = None,
) -> dbtRunnerResult:
    runner = dbtRunner(manifest=manifest, callbacks=[display.update] if display else [])
    home = Path(os.environ["LAKEHOUSE_HOME"])
    places = {
        "--project-dir": PROJECT,
        "--profiles-dir": PROJECT,
        # Two lakehouses may be built at once.
        "--target-path": home / "target",
        "--log-path": home / "logs",
    }
    options = [str(part) for option in places.items() for part in option]
    # The display says what dbt would print.
    return runner.invoke(["--log-level", "none", *arguments, *options])
