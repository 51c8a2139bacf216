"""Streams that run until they are stopped, in cycles: load, silver, and gold beside the next cycle.

A cycle does what `lakehouse run` does, with what arrived since the one before. So both ways give the same
tables, and a cycle that was killed is taken up again.
"""

import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from ingestion.bronze import LOADS, QUARANTINE, FileLoad
from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable, read_contracts
from ingestion.landing.discovery import Listing, on_databricks
from ingestion.landing.zone import FileGlob, LandedFile
from ingestion.streams import Query, QueryProgress
from lakehouse.display import StreamDisplay
from lakehouse.engines.dbt import check_target
from lakehouse.errors import UsageError, raise_for
from lakehouse.settings import Settings
from lakehouse.steps.compact import compact_tables
from lakehouse.steps.follow import follow_bronze, open_queries
from lakehouse.steps.load import (
    KafkaAway,
    LoadSummary,
    load_files,
    load_messages,
    those_over_kafka,
    topic_loader,
)
from lakehouse.steps.refresh import GoldProcess, GoldRefresher, Written

_UNITS = {"second": 1.0, "seconds": 1.0, "minute": 60.0, "minutes": 60.0}
_TRIGGER = re.compile(r"(\d+(?:\.\d+)?) (seconds?|minutes?)")


def sources_followed(settings: Settings, names: Sequence[str]) -> list[str]:
    """The sources that are followed, those `names` or all: a table of theirs has topics.

    Raises:
        UsageError: a name is not among them.
    """
    known = {table.source for table in read_contracts(settings.models) if table.arrives.topics}
    if unknown := sorted(set(names) - known):
        raise UsageError(
            f"{', '.join(unknown)} cannot be followed, only {', '.join(sorted(known))}: "
            "a table has to have `topics` in its contract."
        )
    return sorted(set(names) or known)


def follow(
    settings: Settings,
    tables: Sequence[SourceTable],
    console: Console,
    trigger: str,
    seconds: float | None,
    engine: str = "local",
) -> None:
    """Follow what arrives for `tables` until SIGTERM, Ctrl-C, or for so many seconds.

    `engine` is local or spark. `trigger` is how often a cycle begins, such as "5 seconds". What was loaded
    reaches gold before the end.

    Raises:
        UsageError: the trigger is no length of time; or, on Databricks, settings of dbt are missing.
        LakehouseError: a cycle failed, or files were refused.
        KeyboardInterrupt: it was ended by Ctrl-C.
    """
    interval = trigger_seconds(trigger)
    sources = {table.source for table in tables}
    if on_databricks():
        check_target("databricks", settings)
    with (
        _stopped_by_signals() as stopped,
        StreamDisplay(console) as display,
        GoldRefresher(lambda: GoldProcess(settings, sources), display.refreshed) as gold,
    ):
        follower = Follower(settings, tables, engine, display.tell)
        ends_at = time.monotonic() + (seconds or float("inf"))
        while not stopped.is_set() and time.monotonic() < ends_at:
            started = time.monotonic()
            display.update(follower.cycle())
            display.update_refused(follower.refused)
            gold.refresh(follower.written)
            stopped.wait(max(0.0, min(started + interval, ends_at) - time.monotonic()))
        console.print("Stopping when gold has what was loaded; Ctrl-C stops at once")
    raise_for(LoadSummary(follower.refused).problem)


class Follower:
    """Takes what arrives for `tables` from the landing zone or Kafka to bronze and streamed silver."""

    def __init__(
        self, settings: Settings, tables: Sequence[SourceTable], engine: str, tell: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._tell = tell
        self._topics: dict[str, TopicLoader] = {}
        self._away: set[str] = set()
        self._over_kafka = those_over_kafka(settings, tables, tell)
        self._in_files = [table for table in tables if table not in self._over_kafka]
        self._landed: dict[FileGlob, list[LandedFile]] = {}
        # Tables are made by their first load, and a run that was killed may have left rows behind.
        self._grown = {table.bronze for table in tables}
        self._growths = 0
        self._queries: list[Query] = []
        self._tables = tables
        self._refused: dict[str, FileLoad] = {}

    @property
    def refused(self) -> list[FileLoad]:
        """Files that could not be loaded and still lie there as they were."""
        return list(self._refused.values())

    @property
    def written(self) -> Written:
        """How far bronze and streamed silver are."""
        return Written(self._growths, self._queries[0].written_to if self._queries else None)

    def cycle(self) -> list[QueryProgress]:
        """Everything that arrived since the last cycle, to silver; what each query did.

        Tables that no query follows are among them: models read them from bronze.

        Raises:
            LakehouseError: something failed; the next cycle takes it up again.
        """
        started = time.monotonic()
        loaded, seconds = self._load(), time.monotonic() - started
        self._queries = self._queries or open_queries(self._settings, self._tables, self._engine)
        queries = follow_bronze([query for query in self._queries if query.table.bronze in self._grown])
        compact_tables(self._settings.warehouse, [*sorted(self._grown), LOADS, QUARANTINE])
        self._growths += bool(self._grown)
        self._grown = set()
        followed = {query.table.label for query in self._queries}
        others = [(label, rows) for label, rows in loaded.items() if label not in followed]
        return queries + [QueryProgress(label, rows, seconds) for label, rows in others]

    def _load(self) -> Counter[str]:
        """Load what arrived; rows by table."""
        rows: Counter[str] = Counter()
        globs = [FileGlob.of(table, self._settings.landing) for table in self._in_files]
        listing = Listing(globs)
        if listing.files != self._landed or not self._queries:
            loads = load_files(self._settings, self._in_files, listing=listing)
            self._refused |= {load.path: load for load in loads}
            self._refused = {p: load for p, load in self._refused.items() if load.status == "refused"}
            for load in loads:
                rows[f"{load.source}.{load.table_name}"] += load.rows_loaded
            self._grown |= {table.bronze for table in self._in_files if table.label in rows}
            self._landed = listing.files
        for table in self._over_kafka:
            rows[table.label] += self._load_messages(table)
        return rows

    def _load_messages(self, table: SourceTable) -> int:
        """Load what is new in topics; servers that answered once may be away for a while."""
        if table.label not in self._topics:
            self._topics[table.label] = topic_loader(self._settings, table, self._tell)
        try:
            loaded = load_messages(self._topics[table.label])
        except KafkaAway as error:
            if table.label not in self._away:
                self._tell(f"{table.label}: {error} The stream goes on when it is back.")
            self._away.add(table.label)
            return 0
        if table.label in self._away:
            self._tell(f"{table.label}: Kafka is back.")
            self._away.remove(table.label)
        if loaded:
            self._grown.add(table.bronze)
        return loaded


def trigger_seconds(trigger: str) -> float:
    """Seconds of a length of time such as "5 seconds" or "1 minute".

    Raises:
        UsageError: it is none.
    """
    match = _TRIGGER.fullmatch(trigger.strip())
    if match is None:
        raise UsageError(f'--trigger {trigger!r} is no length of time; give one such as "5 seconds".')
    return float(match[1]) * _UNITS[match[2]]


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, as long as the context lasts.

    Raises:
        KeyboardInterrupt: it was Ctrl-C, at the end.
    """
    stopped = threading.Event()
    numbers: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        numbers.append(number)
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in numbers:
        raise KeyboardInterrupt
