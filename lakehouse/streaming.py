"""Streams that run until they are stopped: land, load, silver, gold, in cycles.

A cycle does what `lakehouse run` does, with what arrived since the one before. So both ways give the same
tables, and a cycle that was killed is taken up again.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ingestion.clock import clock_of
from ingestion.contracts import SourceTable
from ingestion.landing import FileGlob, LandedFile
from ingestion.streams.stream import Progress, Query
from lakehouse.errors import UsageError
from lakehouse.pipeline import Gold, comes_over_kafka, follow_bronze, load_files, load_messages, open_queries
from lakehouse.settings import Settings

_UNITS = {"second": 1.0, "seconds": 1.0, "minute": 60.0, "minutes": 60.0}
_TRIGGER = re.compile(r"(\d+(?:\.\d+)?) (seconds?|minutes?)")


@dataclass(frozen=True)
class Cycle:
    """What a cycle did: progress by query, and seconds in all and for gold."""

    queries: Sequence[Progress]
    seconds: float
    gold_seconds: float


def follow(
    settings: Settings,
    tables: Sequence[SourceTable],
    console: Console,
    trigger: str,
    seconds: float | None,
) -> None:
    """Follow what arrives for `tables` until SIGTERM, Ctrl-C, or for so many seconds.

    `trigger` is how often a cycle begins, such as "5 seconds". A cycle that has begun is ended first.

    Raises:
        UsageError: the trigger is no length of time.
        LakehouseError: a cycle failed.
    """
    interval = trigger_seconds(trigger)
    os.environ["LAKEHOUSE_STREAMING"] = "1"
    with _stopped_by_signals() as stopped, StreamDisplay(console) as display:
        follower = Follower(settings, tables)
        ends_at = time.monotonic() + (seconds or float("inf"))
        while not stopped.is_set() and time.monotonic() < ends_at:
            started = time.monotonic()
            display.update(follower.cycle())
            stopped.wait(max(0.0, min(started + interval, ends_at) - time.monotonic()))


class Follower:
    """Takes what arrives for `tables` from the landing zone or Kafka to bronze, silver and gold."""

    def __init__(self, settings: Settings, tables: Sequence[SourceTable]) -> None:
        self._settings = settings
        self._gold = Gold()
        self._over_kafka = [table for table in tables if comes_over_kafka(settings, table)]
        self._in_files = [table for table in tables if table not in self._over_kafka]
        self._landed: set[LandedFile] = set()
        # Tables are made by their first load, and a run that was killed may have left rows behind.
        self._grown = {table.bronze for table in tables}
        self._queries: list[Query] = []
        self._tables = tables

    def cycle(self) -> Cycle:
        """Everything that arrived since the last cycle, to gold.

        Raises:
            LakehouseError: something failed; the next cycle takes it up again.
        """
        started = time.monotonic()
        self._load()
        self._queries = self._queries or open_queries(self._settings, self._tables)
        queries = follow_bronze([query for query in self._queries if query.table.bronze in self._grown])
        self._grown = set()
        silver_done = time.monotonic()
        if any(query.rows for query in queries):
            self._gold.refresh(clock_of(self._settings.home / "checkpoints", "silver").last)
        ended = time.monotonic()
        return Cycle(queries, ended - started, ended - silver_done)

    def _load(self) -> None:
        globs = [FileGlob.of(table, self._settings.landing) for table in self._in_files]
        landed = {file for glob in globs for file in glob.files()}
        if landed != self._landed or not self._queries:
            loads = load_files(self._settings, self._in_files)
            labels = {f"{load.source}.{load.table_name}" for load in loads}
            self._grown |= {table.bronze for table in self._in_files if table.label in labels}
            self._landed = landed
        self._grown |= {table.bronze for table in self._over_kafka if load_messages(self._settings, table)}


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
    """A line per query on a terminal, kept up to date; a line per cycle with rows elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._rows = 0
        self._started = time.monotonic()
        self._newest: dict[str, Progress] = {}

    def __enter__(self) -> "StreamDisplay":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        minutes = (time.monotonic() - self._started) / 60
        self._console.print(f"Stopped after {minutes:.1f} minutes and {self._rows:,} rows.")

    def update(self, cycle: Cycle) -> None:
        """Take in a cycle."""
        self._rows += sum(query.rows for query in cycle.queries)
        self._newest |= {query.source: query for query in cycle.queries if query.rows}
        if self._console.is_terminal:
            self._live.update(self._table(cycle), refresh=True)
        elif any(query.rows for query in cycle.queries):
            self._console.print(_line(cycle), highlight=False, soft_wrap=True)

    def _table(self, cycle: Cycle) -> Table:
        table = Table(
            title=f"Cycle of {cycle.seconds:.1f} s, gold {cycle.gold_seconds:.1f} s; Ctrl-C stops",
            title_justify="left",
        )
        table.add_column("query")
        for heading in ("rows", "rows/s", "batch s", "lag s", "state rows", "state MB"):
            table.add_column(heading, justify="right")
        for query in self._newest.values():
            table.add_row(query.source, *_figures(query))
        return table


def _figures(query: Progress) -> tuple[str, ...]:
    return (
        f"{query.rows:,}",
        f"{query.rows / query.seconds:,.0f}",
        f"{query.seconds:.1f}",
        f"{query.lag_seconds:.1f}",
        f"{query.state_rows:,}",
        f"{query.state_bytes / 1e6:.1f}",
    )


def _line(cycle: Cycle) -> str:
    parts = [
        f"{query.source} {query.rows:,} rows in {query.seconds:.1f} s, lag {query.lag_seconds:.1f} s, "
        f"state {query.state_rows:,} rows"
        for query in cycle.queries
        if query.rows
    ]
    return "; ".join([*parts, f"gold {cycle.gold_seconds:.1f} s"])


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
