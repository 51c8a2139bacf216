"""Loading bronze, and the silver tables that follow it as streams, with a display and a summary."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from ingestion import bronze
from ingestion.bronze import FileLoad
from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable
from ingestion.kafka import KafkaDenied, KafkaUnavailable
from ingestion.landing.discovery import Listing
from ingestion.landing.zone import LandingError
from lakehouse.display import LoadDisplay
from lakehouse.engines.local import tables_and_discovery
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings
from lakehouse.steps.follow import follow_bronze, open_queries
from lakehouse.terminal import plain


class KafkaAway(UsageError):
    """Kafka does not answer; it may come back."""


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
    changed = _overwrite_changed(settings, tables, console) if overwrite_schema else []
    in_files = [table for table in tables if not comes_over_kafka(settings, table)]
    with LoadDisplay(console, in_files) as display:
        loads = load_files(settings, in_files, display.update)
    display.summarize(loads, time.monotonic() - started)
    for table in tables:
        if comes_over_kafka(settings, table):
            loaded = load_messages(topic_loader(settings, table, lambda text: console.print(plain(text))))
            console.print(f"{table.label}: {loaded:,} messages")
    follow_bronze(open_queries(settings, tables))
    return LoadSummary(loads, bool(changed))


def _overwrite_changed(
    settings: Settings, tables: Sequence[SourceTable], console: Console
) -> list[SourceTable]:
    storage, _ = tables_and_discovery(settings)
    changed = bronze.overwrite_changed(storage, tables)
    for label, changes in changed.items():
        console.print(f"{label}: taken over that {'; '.join(changes)}")
    overwritten = [table for table in tables if table.label in changed]
    # All of it is read again; what silver has is merged by key.
    for query in open_queries(settings, overwritten):
        query.start_over()
    return overwritten


def comes_over_kafka(settings: Settings, table: SourceTable) -> bool:
    """Whether a table is loaded from topics instead of files."""
    return bool(settings.kafka and table.arrives.topics)


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
        return bronze.load(storage, tables, settings.landing, report, listing or discovery)
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
        return TopicLoader(storage, table, settings.kafka_access, tell=tell)
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
