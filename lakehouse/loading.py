"""Loading bronze, and the silver tables of streams that follow it, with a display and a summary."""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console

from ingestion import bronze, streams
from ingestion.audit import FileLoad
from ingestion.contracts import SourceTable
from ingestion.landing import LandingError
from ingestion.schema import overwrite_changed
from ingestion.streams.stream import Query, QueryProgress, StreamError, checkpoint_of
from lakehouse.display import LoadDisplay
from lakehouse.engines import quiet_spark
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
    """Load new files and messages of `tables`, bring the silver tables of streams up to date, show what came.

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
            shutil.rmtree(checkpoint_of(settings.checkpoints, table), ignore_errors=True)
    in_files = [table for table in tables if not comes_over_kafka(settings, table)]
    # First what streams follow.
    in_files.sort(key=lambda table: table.source not in streams.SOURCES)
    with ThreadPoolExecutor() as pool:
        following = _Following(settings, tables, pool)
        with LoadDisplay(console, in_files) as display:

            def report(progress: bronze.TableProgress) -> None:
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

    It does so in the background, while other tables load: batches of streams keep less than one core busy.
    """

    def __init__(self, settings: Settings, tables: Sequence[SourceTable], pool: Executor) -> None:
        self._tables = [table for table in tables if table.source in streams.SOURCES]
        self._pool = pool
        self._opening = pool.submit(open_queries, settings, self._tables)
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
        follow_bronze([query for query in self._opening.result() if query.table == table])


def comes_over_kafka(settings: Settings, table: SourceTable) -> bool:
    """Whether a table is loaded from topics instead of files."""
    return bool(settings.kafka and table.arrives.topics)


def load_files(
    settings: Settings,
    tables: Sequence[SourceTable],
    report: Callable[[bronze.TableProgress], None] = lambda progress: None,
) -> list[FileLoad]:
    """Load new files of `tables`; what was done with each.

    Raises:
        UsageError: the landing zone cannot be used.
        LakehouseError: a table could not be loaded.
    """
    try:
        return bronze.load(
            quiet_spark(), tables, settings.landing, settings.bronze, settings.checkpoints, report
        )
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

    try:
        spark, servers = quiet_spark(), settings.kafka or ""
        return load_topics(spark, table, servers, settings.checkpoints, location=settings.bronze)
    except KafkaUnavailable as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def open_queries(settings: Settings, tables: Sequence[SourceTable]) -> list[Query]:
    """The queries that follow those of the bronze `tables` that become silver tables by streaming."""
    return streams.open_queries(
        quiet_spark(), PROJECT / "models", tables, settings.checkpoints, settings.watermark
    )


def follow_bronze(queries: Sequence[Query]) -> list[QueryProgress]:
    """Bring the silver tables of streams up to date with bronze; what each query did.

    Raises:
        LakehouseError: a stream failed.
    """
    try:
        return [query.run() for query in queries]
    except StreamError as error:
        raise LakehouseError(str(error)) from None
