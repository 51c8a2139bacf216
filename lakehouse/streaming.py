"""Streams that run until they are stopped, in cycles: load, silver, and gold beside the next cycle.

A cycle does what `lakehouse run` does, with what arrived since the one before. So both ways give the same
tables, and a cycle that was killed is taken up again.
"""

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ingestion.bronze import LOADS, QUARANTINE, FileLoad
from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable
from ingestion.landing import FileGlob, LandedFile
from ingestion.streams import Query, QueryProgress
from lakehouse.building import compact_tables
from lakehouse.errors import UsageError
from lakehouse.following import follow_bronze, open_queries
from lakehouse.gold import Gold
from lakehouse.loading import LoadSummary, comes_over_kafka, load_files, load_messages, topic_loader
from lakehouse.settings import Settings

_UNITS = {"second": 1.0, "seconds": 1.0, "minute": 60.0, "minutes": 60.0}
_TRIGGER = re.compile(r"(\d+(?:\.\d+)?) (seconds?|minutes?)")


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
        UsageError: the trigger is no length of time.
        LakehouseError: a cycle failed, or files were refused.
    """
    interval = trigger_seconds(trigger)
    with (
        _stopped_by_signals() as stopped,
        StreamDisplay(console) as display,
        GoldRefresher(lambda: Gold(settings.warehouse), display.refreshed) as gold,
    ):
        follower = Follower(settings, tables, engine)
        ends_at = time.monotonic() + (seconds or float("inf"))
        while not stopped.is_set() and time.monotonic() < ends_at:
            started = time.monotonic()
            display.update(follower.cycle())
            display.update_refused(follower.refused)
            gold.refresh(follower.written_to)
            stopped.wait(max(0.0, min(started + interval, ends_at) - time.monotonic()))
    LoadSummary(follower.refused).raise_for_refused()


class Follower:
    """Takes what arrives for `tables` from the landing zone or Kafka to bronze and silver."""

    def __init__(self, settings: Settings, tables: Sequence[SourceTable], engine: str = "local") -> None:
        self._settings = settings
        self._engine = engine
        self._topics: dict[str, TopicLoader] = {}
        self._over_kafka = [table for table in tables if comes_over_kafka(settings, table)]
        self._in_files = [table for table in tables if table not in self._over_kafka]
        self._landed: set[LandedFile] = set()
        # Tables are made by their first load, and a run that was killed may have left rows behind.
        self._grown = {table.bronze for table in tables}
        self._queries: list[Query] = []
        self._tables = tables
        self._refused: dict[str, FileLoad] = {}

    @property
    def refused(self) -> list[FileLoad]:
        """Files that could not be loaded and still lie there as they were."""
        return list(self._refused.values())

    @property
    def written_to(self) -> datetime | None:
        """When silver was last written; null when it never was."""
        return self._queries[0].written_to if self._queries else None

    def cycle(self) -> list[QueryProgress]:
        """Everything that arrived since the last cycle, to silver; what each query did.

        Raises:
            LakehouseError: something failed; the next cycle takes it up again.
        """
        self._load()
        self._queries = self._queries or open_queries(self._settings, self._tables, self._engine)
        queries = follow_bronze([query for query in self._queries if query.table.bronze in self._grown])
        compact_tables(self._settings.warehouse, [*sorted(self._grown), LOADS, QUARANTINE])
        self._grown = set()
        return queries

    def _load(self) -> None:
        globs = [FileGlob.of(table, self._settings.landing) for table in self._in_files]
        landed = {file for glob in globs for file in glob.files()}
        if landed != self._landed or not self._queries:
            loads = load_files(self._settings, self._in_files)
            self._refused |= {load.path: load for load in loads}
            self._refused = {p: load for p, load in self._refused.items() if load.status == "refused"}
            labels = {f"{load.source}.{load.table_name}" for load in loads}
            self._grown |= {table.bronze for table in self._in_files if table.label in labels}
            self._landed = landed
        for table in self._over_kafka:
            if table.label not in self._topics:
                self._topics[table.label] = topic_loader(self._settings, table)
            if load_messages(self._topics[table.label]):
                self._grown.add(table.bronze)


class GoldRefresher:
    """Refreshes gold in the background, while silver takes the next rows; at its end gold has them all.

    `start` reads the models, and `report` is called with the seconds of each refresh.
    """

    def __init__(self, start: Callable[[], Gold], report: Callable[[float], None]) -> None:
        self._report = report
        self._written_to: datetime | None = None
        self._pool = ThreadPoolExecutor(1)
        self._gold = self._pool.submit(start)
        self._running = self._pool.submit(self._refresh)

    def __enter__(self) -> "GoldRefresher":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown()
        try:
            if error is None:
                self._running.result()
                self._refresh()
        finally:
            if self._gold.exception() is None:
                self._gold.result().close()

    def refresh(self, written_to: datetime | None) -> None:
        """Begin to refresh gold, or have it follow what is being done, when silver was written.

        Raises:
            LakehouseError: the refresh before failed.
        """
        self._written_to = written_to
        if self._running.done():
            self._running.result()
            self._running = self._pool.submit(self._refresh)

    def _refresh(self) -> None:
        gold = self._gold.result()
        while self._written_to and self._written_to != gold.refreshed_to:
            started = time.monotonic()
            gold.refresh(self._written_to)
            self._report(time.monotonic() - started)


def trigger_seconds(trigger: str) -> float:
    """Seconds of a length of time such as "5 seconds" or "1 minute".

    Raises:
        UsageError: it is none.
    """
    match = _TRIGGER.fullmatch(trigger.strip())
    if match is None:
        raise UsageError(f'--trigger {trigger!r} is no length of time; give one such as "5 seconds".')
    return float(match[1]) * _UNITS[match[2]]


class StreamDisplay:
    """A line per query on a terminal, kept up to date; elsewhere a line whenever silver or gold has grown."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._rows = 0
        self._started = time.monotonic()
        self._newest: dict[str, QueryProgress] = {}
        self._gold_seconds = 0.0
        self._refused: dict[str, str | None] = {}

    def __enter__(self) -> "StreamDisplay":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        minutes = (time.monotonic() - self._started) / 60
        self._console.print(f"Stopped after {minutes:.1f} minutes and {self._rows:,} rows.")

    def update(self, queries: Sequence[QueryProgress]) -> None:
        """Show what queries did."""
        grown = [query for query in queries if query.rows]
        self._rows += sum(query.rows for query in grown)
        self._newest |= {query.source: query for query in grown}
        if grown:
            self._show("; ".join(map(_line, grown)))

    def update_refused(self, refused: Sequence[FileLoad]) -> None:
        """Name files that could not be loaded, each once as long as it is refused for the same reason."""
        reasons = {load.path: load.reason for load in refused}
        for path, reason in reasons.items() - self._refused.items():
            self._console.print(f"refused: {path}: {reason}", highlight=False, soft_wrap=True, markup=False)
        self._refused = reasons

    def refreshed(self, seconds: float) -> None:
        """Show how long gold took."""
        self._gold_seconds = seconds
        self._show(f"gold in {seconds:.1f} s")

    def _show(self, line: str) -> None:
        if self._console.is_terminal:
            self._live.update(self._table(), refresh=True)
        else:
            self._console.print(line, highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(title=f"Gold in {self._gold_seconds:.1f} s; Ctrl-C stops", title_justify="left")
        table.add_column("query")
        for heading in ("rows", "rows/s", "batch s", "lag s", "state rows", "state MB"):
            table.add_column(heading, justify="right")
        for query in self._newest.values():
            table.add_row(query.source, *_figures(query))
        return table


def _figures(query: QueryProgress) -> tuple[str, ...]:
    return (
        f"{query.rows:,}",
        f"{query.rows / query.seconds:,.0f}",
        f"{query.seconds:.1f}",
        f"{query.lag_seconds:.1f}",
        f"{query.state_rows:,}",
        f"{query.state_bytes / 1e6:.1f}",
    )


def _line(query: QueryProgress) -> str:
    return (
        f"{query.source} {query.rows:,} rows in {query.seconds:.1f} s, lag {query.lag_seconds:.1f} s, "
        f"state {query.state_rows:,} rows"
    )


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, as long as the context lasts."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
