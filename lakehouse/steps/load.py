"""Loading bronze, and the silver tables that follow it as streams, with a display and a summary."""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from ingestion import bronze
from ingestion.bronze import FileLoad
from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable
from ingestion.kafka import KafkaDenied, KafkaUnavailable
from ingestion.landing.discovery import Listing, on_databricks
from ingestion.landing.zone import LandingError
from lakehouse.display import LoadDisplay
from lakehouse.engines.local import tables_and_discovery
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings
from lakehouse.steps.follow import follow_bronze, open_queries
from lakehouse.steps.last_build import full_refresh_mark
from lakehouse.terminal import say


class KafkaAway(UsageError):
    """Kafka does not answer; it may come back."""


@dataclass(frozen=True)
class LoadSummary:
    """Files handled by a load."""

    loads: Sequence[FileLoad]

    @property
    def problem(self) -> str:
        """What to say where files were refused, with each one, else nothing."""
        refused = [f"{load.path}: {load.reason}" for load in self.loads if load.status == "refused"]
        return "\n".join(["Files that could not be loaded (the others were):", *refused]) if refused else ""


def load(
    settings: Settings,
    tables: Sequence[SourceTable],
    console: Console,
    overwrite_schema: bool = False,
) -> LoadSummary:
    """Load new files and messages of `tables`, bring the silver tables of streams up to date, show what came.

    With `overwrite_schema`, changes of the contracts are taken over first; else they are an error.
    """
    started = time.monotonic()
    if overwrite_schema:
        _overwrite_changed(settings, tables, console)
    tell = functools.partial(say, console)
    over_kafka = those_over_kafka(settings, tables, tell)
    in_files = [table for table in tables if table not in over_kafka]
    with LoadDisplay(console, in_files) as display:
        loads = load_files(settings, in_files, display.update)
    display.summarize(loads, time.monotonic() - started)
    for table in over_kafka:
        loaded = load_messages(topic_loader(settings, table, tell))
        console.print(f"{table.label}: {loaded:,} messages")
    follow_bronze(open_queries(settings, tables))
    return LoadSummary(loads)


def _overwrite_changed(settings: Settings, tables: Sequence[SourceTable], console: Console) -> None:
    storage, _ = tables_and_discovery(settings)
    changed = [table for table in tables if bronze.has_changed(storage, table)]
    if not changed:
        return
    # What has to follow is noted first: where this is killed, nobody else would know of it.
    mark = full_refresh_mark(settings)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    # All of it is read again; what silver has is merged by key.
    for query in open_queries(settings, changed):
        query.start_over()
    for label, changes in bronze.overwrite_changed(storage, changed).items():
        console.print(f"{label}: taken over that {'; '.join(changes)}")


def those_over_kafka(
    settings: Settings, tables: Sequence[SourceTable], tell: Callable[[str], None]
) -> list[SourceTable]:
    """Those of `tables` that are loaded from topics instead of files, as Kafka has one of their topics.

    `tell` is called for each table that has topics in its contract alone.

    Raises:
        UsageError: Kafka cannot be reached.
    """
    declared = [table for table in tables if settings.kafka and table.arrives.topics]
    if not declared:
        return []
    try:
        known = settings.kafka_access.topics()
    except KafkaUnavailable as error:
        raise UsageError(str(error)) from None
    for table in declared:
        if known.isdisjoint(table.arrives.topics):
            topics = ", ".join(table.arrives.topics)
            tell(
                f"{table.label}: its files are loaded, as Kafka at {settings.kafka} has no topic {topics}; "
                "create it, or correct `topics` in the contract, and start again to have its messages."
            )
    return [table for table in declared if not known.isdisjoint(table.arrives.topics)]


def load_files(
    settings: Settings,
    tables: Sequence[SourceTable],
    report: Callable[[bronze.TableProgress], None] = lambda progress: None,
    listing: Listing | None = None,
) -> list[FileLoad]:
    """Load new files of `tables`, those in a `listing` where it was made already; what was done with each.

    Raises:
        UsageError: the landing zone cannot be used.
        LakehouseError: a table could not be loaded.
    """
    storage, discovery = tables_and_discovery(settings)
    try:
        # On Databricks, executors read, and end alone.
        note = None if on_databricks() else settings.home / "state" / "reading"
        found = listing or discovery
        return bronze.load(storage, tables, settings.landing, report, found, settings.limits, note)
    except LandingError as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def topic_loader(settings: Settings, table: SourceTable, tell: Callable[[str], None]) -> TopicLoader:
    """What loads the topics of a table, again and again, and calls `tell` with what a user should know.

    Raises:
        UsageError: Kafka cannot be reached or lacks a topic.
        LakehouseError: the contract does not fit.
    """
    storage, _ = tables_and_discovery(settings)
    try:
        return TopicLoader(storage, table, settings.kafka_access, tell=tell, limits=settings.limits)
    except KafkaUnavailable as error:
        raise UsageError(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None


def load_messages(loader: TopicLoader) -> int:
    """Load new messages of a table's topics; how many.

    Raises:
        KafkaAway: Kafka cannot be reached.
        UsageError: Kafka does not let us in.
        LakehouseError: the table could not be loaded.
    """
    try:
        return loader.load()
    except KafkaDenied as error:
        raise UsageError(str(error)) from None
    except KafkaUnavailable as error:
        raise KafkaAway(str(error)) from None
    except bronze.LoadError as error:
        raise LakehouseError(f"Load failed: {error}") from None
