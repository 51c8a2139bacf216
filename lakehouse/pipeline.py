"""Load and build, with a display while they run and a summary after."""

import itertools
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from ingestion import bronze, streams
from ingestion.audit import FileLoad
from ingestion.contracts import SourceTable
from ingestion.landing import LandingError
from ingestion.schema import overwrite_changed
from ingestion.streams.stream import Progress, Query, StreamError, checkpoint_of
from lakehouse.cursor import sail_reads
from lakehouse.display import BuildDisplay, LoadDisplay
from lakehouse.engines import spark_session
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.selection import find_growth
from lakehouse.settings import PROJECT, Settings
from lakehouse.warehouse import Warehouse

_starting = Lock()


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
    follow: bool = False,
) -> LoadSummary:
    """Load new files and messages of `tables` and show what came of it.

    With `overwrite_schema`, changes of the contracts are taken over first; else they are an error. With
    `follow`, silver tables of streams are brought up to date too.
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
    in_files = [table for table in tables if not comes_over_kafka(settings, table)]
    # First what streams follow.
    in_files.sort(key=lambda table: table.source not in streams.SOURCES)
    with ThreadPoolExecutor(1) as pool:
        following = _Following(settings, tables if follow else [], pool)
        with LoadDisplay(console, in_files) as display:

            def report(progress: bronze.Progress) -> None:
                display.update(progress)
                if progress.state == "done":
                    following.loaded(progress.table)

            loads = load_files(settings, in_files, report)
        display.summarize(loads, time.monotonic() - started)
        for table in tables:
            if comes_over_kafka(settings, table):
                console.print(f"{table.label}: {load_messages(settings, table):,} messages", highlight=False)
                following.loaded(table)
        following.finish()
    return LoadSummary(loads, bool(changed))


class _Following:
    """Brings silver tables of streams up to date with each bronze table that they follow, once it is loaded.

    It does so in the background, one after the other, while other tables load: batches of streams keep less
    than one core busy.
    """

    def __init__(self, settings: Settings, tables: Sequence[SourceTable], pool: Executor) -> None:
        self._settings = settings
        self._tables = [table for table in tables if table.source in streams.SOURCES]
        self._queries: dict[str, Query] = {}
        self._pool = pool
        self._running: list[Future[None]] = []

    def loaded(self, table: SourceTable) -> None:
        """Take in that a table was loaded."""
        if table in self._tables:
            self._running.append(self._pool.submit(self._follow, table))

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            LakehouseError: a stream failed.
        """
        for future in self._running:
            future.result()

    def _follow(self, table: SourceTable) -> None:
        if not self._queries:
            queries = open_queries(self._settings, self._tables)
            self._queries = {query.table.label: query for query in queries}
        follow_bronze([self._queries[table.label]])


def comes_over_kafka(settings: Settings, table: SourceTable) -> bool:
    """Whether a table is loaded from topics instead of files."""
    return bool(settings.kafka and table.arrives.topics)


def load_files(
    settings: Settings,
    tables: Sequence[SourceTable],
    report: Callable[[bronze.Progress], None] = lambda progress: None,
) -> list[FileLoad]:
    """Load new files of `tables`; what was done with each.

    Raises:
        UsageError: the landing zone cannot be used.
        LakehouseError: a table could not be loaded.
    """
    checkpoints = settings.home / "checkpoints"
    try:
        return bronze.load(quiet_spark(), tables, settings.landing, settings.bronze, checkpoints, report)
    except LandingError as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def load_messages(settings: Settings, table: SourceTable) -> int:
    """Load new messages of a table's topics; how many.

    Raises:
        UsageError: Kafka cannot be reached or lacks a topic.
        LakehouseError: the table could not be loaded.
    """
    from ingestion.kafka import KafkaUnavailable, load_topics

    checkpoints = settings.home / "checkpoints"
    try:
        return load_topics(quiet_spark(), table, settings.kafka or "", checkpoints, location=settings.bronze)
    except KafkaUnavailable as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def open_queries(settings: Settings, tables: Sequence[SourceTable]) -> list[Query]:
    """The queries that follow those of the bronze `tables` that become silver tables by streaming."""
    return streams.open_queries(
        quiet_spark(), PROJECT / "models", tables, settings.home / "checkpoints", settings.watermark
    )


def follow_bronze(queries: Sequence[Query]) -> list[Progress]:
    """Bring the silver tables of streams up to date with bronze; what each query did.

    Raises:
        LakehouseError: a stream failed.
    """
    try:
        return [query.run() for query in queries]
    except StreamError as error:
        raise LakehouseError(str(error)) from None


class Gold:
    """The models that are refreshed while streams run, and up to when; dbt reads the project once."""

    def __init__(self) -> None:
        self._manifest = start("local")
        self.refreshed_to: datetime | None = None

    def refresh(self, written_to: datetime) -> None:
        """Build the models from what is new in silver.

        All that was written until `written_to` is there. More may be written meanwhile; the next refresh
        looks at it again.

        Raises:
            LakehouseError: a model failed; its table is as it was.
        """
        times = {"refreshed_to": self.refreshed_to, "written_to": written_to}
        known = {name: f"{time:%Y-%m-%d %H:%M:%S.%f}" for name, time in times.items() if time}
        # Nobody reads the manifest of a refresh, and writing it takes half a second.
        options = ["--cache-selected-only", "--no-write-json"]
        arguments = ["run", "--select", "tag:streaming", *options, "--vars", json.dumps(known)]
        result = _dbt(arguments, manifest=self._manifest)
        if not result.success:
            nodes = getattr(result.result, "results", [])
            failed = [f"{node.node.name}: {node.message}" for node in nodes if str(node.status) == "error"]
            raise LakehouseError(f"Gold was not refreshed: {'; '.join(failed) or result.exception}")
        self.refreshed_to = written_to


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
    manifest = start(target)
    summary = load_bronze(settings, tables, console, overwrite_schema, follow=True)
    arguments = ["--target", target]
    if summary.schema_changed:
        arguments.append("--full-refresh")
    if sources:
        arguments += of_sources(sources)
    elif (
        target == "local"
        and not summary.schema_changed
        and (growth := find_growth(settings.warehouse, manifest))
    ):
        console.print(str(growth), highlight=False, soft_wrap=True)
        arguments += growth.arguments
    build_models(arguments, console, manifest)
    summary.raise_for_refused()


def of_sources(sources: Sequence[str]) -> list[str]:
    """Arguments for dbt that select what depends on `sources`; none where all are meant."""
    if not sources:
        return []
    # What depends on no source, such as the calendar, too; its tests against tables of other sources not.
    selected = ["--select", "tag:no_source", *(f"source:{source}+" for source in sources)]
    return [*selected, "--indirect-selection", "buildable"]


def start(target: str) -> Manifest:
    """Start Spark, and read the dbt project meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(quiet_spark)
        # A build or test that follows writes the manifest itself.
        parsed = _dbt(["parse", "--no-write-json", "--target", target])
        starting.result()
    if parsed.exception is not None:
        raise UsageError(f"dbt: {parsed.exception}")
    manifest = parsed.result
    assert isinstance(manifest, Manifest)
    return manifest


def validate_source(source: str, console: Console) -> None:
    """Show how many rows each table of a source has, then run every test that concerns it.

    Raises:
        LakehouseError: a test failed; each is shown with its message.
    """
    manifest = start("local")
    counts = Table(title=f"Rows of {source}", title_justify="left")
    counts.add_column("table")
    counts.add_column("rows", justify="right")
    spark = quiet_spark()
    for name in sorted(relations_of(manifest, source)):
        rows = f"{spark.table(name).count():,}" if spark.catalog.tableExists(name) else "missing"
        counts.add_row(name, rows)
    console.print(counts)
    selection = ["--select", f"source:{source}+", "--indirect-selection", "buildable"]
    with BuildDisplay(console) as display:
        result = _dbt(["test", *selection], display, manifest)
    display.summarize(result)
    if not result.success:
        raise LakehouseError(f"{source} is not valid. `lakehouse status` shows the failed rows.")


def relations_of(manifest: Manifest, source: str) -> set[str]:
    """Tables of a source by `schema.name`: its own, and what is built of it and of no other source."""
    tables = {f"{t.schema}.{t.identifier}" for t in manifest.sources.values() if t.source_name == source}
    kinds = ("model", "snapshot", "seed")
    nodes = (node for node in manifest.nodes.values() if node.resource_type in kinds)
    return tables | {f"{n.schema}.{n.alias}" for n in nodes if _sources_of(manifest, n.unique_id) == {source}}


def _sources_of(manifest: Manifest, unique_id: str) -> set[str]:
    """Names of the sources that a node depends on, directly or not."""
    if unique_id in manifest.sources:
        return {manifest.sources[unique_id].source_name}
    parents = manifest.nodes[unique_id].depends_on_nodes
    return {name for parent in parents for name in _sources_of(manifest, parent)}


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
    warehouse = Warehouse(home / "warehouse", os.environ.get("LAKEHOUSE_BRONZE"))
    with sail_reads(warehouse) if target_of(arguments) == "local" else nullcontext():
        return runner.invoke(["--log-level", "none", *arguments, *options])
