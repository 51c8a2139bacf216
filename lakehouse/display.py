"""What a user sees while something runs, and after it."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ingestion import bronze
from ingestion.bronze import FileLoad
from ingestion.connectors.stream import Stream, Window
from ingestion.contracts import SourceTable
from ingestion.streams import QueryProgress
from lakehouse.terminal import narrow_table, plain, say

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

    from ingestion.connectors.extract import Extraction
    from ingestion.connectors.plan import Plan

# More files of a table are shown as one.
_MOST_FILES = 4
_GOOD = {"success", "pass", "no-op"}
_BAD = {"error", "fail", "runtime error"}


def _spinner(console: Console) -> SpinnerColumn:
    if console.encoding.startswith("utf"):
        return SpinnerColumn(finished_text="✓")
    return SpinnerColumn("line", finished_text="*")


class ExtractDisplay:
    """A line per stream while it is extracted, a table of counts after."""

    def __init__(self, console: Console, streams: Sequence[Stream]) -> None:
        self._console = console
        self._labels = ", ".join(stream.label for stream in streams)
        self._progress = _lines(console)
        self._lines = {
            stream.label: self._progress.add_task(stream.label, total=1, start=False, state="waiting")
            for stream in streams
        }

    def __enter__(self) -> Self:
        if not self._console.is_terminal:
            say(self._console, f"Extracting {self._labels}")
        self._progress.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._progress.stop()

    def update(self, extraction: "Extraction") -> None:
        """Take in what the extractor reports."""
        line = self._lines[extraction.stream.label]
        if extraction.state == "extracting":
            self._progress.start_task(line)
        state = extraction.state
        if extraction.pages:
            rate = extraction.records / max(extraction.seconds, 0.001)
            waited = extraction.traffic.seconds_waited
            waits = f", waited {waited:.0f} s" if waited >= 1 else ""
            state = f"{extraction.records:,} rows, {extraction.pages:,} pages, {rate:,.0f} rows/s{waits}"
        self._progress.update(line, state=state, completed=int(extraction.state == "done"))

    def summarize(self, extractions: "Sequence[Extraction]", seconds: float) -> None:
        """Print a row per stream."""
        table = narrow_table(f"Extracted in {seconds:.1f} s")
        for heading in ("table", "from (UTC)", "until (UTC)", "status"):
            table.add_column(heading, no_wrap=True)
        for heading in ("rows", "pages", "retries", "waited s"):
            table.add_column(heading, justify="right", no_wrap=True)
        for extraction in extractions:
            table.add_row(
                plain(extraction.stream.label),
                *_window(extraction.window),
                extraction.state,
                f"{extraction.records:,}",
                f"{extraction.pages:,}",
                f"{extraction.traffic.retries:,}",
                f"{extraction.traffic.seconds_waited:,.1f}",
            )
        self._console.print(table)
        for extraction in extractions:
            for note in extraction.notes:
                say(self._console, f"note {extraction.stream.label}: {note}", colour="yellow")
            if extraction.error:
                say(self._console, f"failed {extraction.error}", colour="red")


def print_plans(console: Console, plans: "Sequence[Plan]") -> None:
    """Print a row per stream: the window that would be asked for, and what it would cost."""
    table = narrow_table("Would extract")
    for heading in ("table", "from (UTC)", "until (UTC)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("besides", overflow="fold")
    for plan in plans:
        besides = ", ".join(filter(None, ("goes on where it stopped" if plan.goes_on else "", plan.estimate)))
        table.add_row(plain(plan.stream.label), *_window(plan.window), plain(besides))
    console.print(table)
    console.print("Nothing was done.")


def _window(window: Window) -> tuple[str, str]:
    since = f"{window.since:%Y-%m-%d %H:%M:%S}" if window.since else "the beginning"
    return since, f"{window.until:%Y-%m-%d %H:%M:%S}" if window.until else "now"


def _lines(console: Console) -> Progress:
    """A line with a state for each of several things, gone when they are done."""
    return Progress(
        _spinner(console),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[state]}", style="dim", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class LoadDisplay:
    """A line per table while it loads, a table of counts after."""

    def __init__(self, console: Console, tables: Sequence[SourceTable]) -> None:
        self._console = console
        self._sources = ", ".join(dict.fromkeys(table.source for table in tables))
        self._progress = _lines(console)
        self._lines = {
            table.label: self._progress.add_task(table.label, total=1, start=False, state="waiting")
            for table in tables
        }

    def __enter__(self) -> Self:
        if self._sources and not self._console.is_terminal:
            say(self._console, f"Loading {self._sources}")
        self._progress.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._progress.stop()

    def update(self, progress: bronze.TableProgress) -> None:
        """Take in what the loader reports."""
        line = self._lines[progress.table.label]
        if progress.state == "loading":
            self._progress.start_task(line)
        rows = sum(load.rows_loaded for load in progress.loads)
        state = f"{rows:,} rows" if progress.loads else progress.state
        self._progress.update(line, state=state, completed=int(progress.state == "done"))

    def summarize(self, loads: Sequence[FileLoad], seconds: float) -> None:
        """Print a row per file; one for all of a table and status that are too many."""
        if not loads:
            self._console.print(f"Nothing new in the landing zone ({seconds:.1f} s).")
            return
        table = narrow_table(f"Loaded in {seconds:.1f} s")
        table.add_column("table", no_wrap=True)
        table.add_column("file", overflow="fold")
        table.add_column("status", no_wrap=True)
        for heading in ("rows", "rescued", "quarantined"):
            table.add_column(heading, justify="right", no_wrap=True)
        alike: dict[tuple[str, str], list[FileLoad]] = {}
        for load in loads:
            alike.setdefault((f"{load.source}.{load.table_name}", load.status), []).append(load)
        for (name, status), group in alike.items():
            for files in [group] if len(group) > _MOST_FILES else [[load] for load in group]:
                file = f"{len(files):,} files" if len(files) > 1 else files[0].path.rsplit("/", 1)[-1]
                counts = ("rows_loaded", "rows_rescued", "rows_quarantined")
                sums = (f"{sum(getattr(load, count) for load in files):,}" for count in counts)
                table.add_row(plain(name), plain(file), status, *sums)
        self._console.print(table)
        self._console.print()


class BuildDisplay:
    """A bar over the nodes that dbt runs, and what failed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            _spinner(console),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            # At the end, as its width changes.
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("dbt build", total=None)
        self._said: list[str] = []

    def __enter__(self) -> Self:
        if not self._console.is_terminal:
            self._console.print("Building")
        self._progress.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._progress.stop()

    def update(self, event: Any) -> None:
        """Take in an event of dbt's log."""
        match event.info.name:
            case "LogStartLine":
                name = event.data.node_info.node_name
                self._progress.update(self._bar, description=name, total=event.data.total)
            case "NodeFinished":
                self._progress.advance(self._bar)
            # What the macro `failure_message` says of a failed test.
            case "JinjaLogInfo":
                self._said.append(event.data.msg)

    def summarize(self, result: "dbtRunnerResult") -> None:
        """Print counts and seconds, and every failure with its message."""
        nodes = getattr(result.result, "results", [])
        if not nodes:
            self._console.print("Nothing to build: no table has new rows, and no model was changed.")
            return
        statuses = [str(node.status) for node in nodes]
        good = sum(status in _GOOD for status in statuses)
        for node, status in zip(nodes, statuses, strict=True):
            if status in _BAD or status == "warn":
                colour = "yellow" if status == "warn" else "red"
                say(self._console, f"{status} {self._message(node)}", several_lines=True, colour=colour)
        bad = sum(status in _BAD for status in statuses)
        rest = len(statuses) - good - bad - statuses.count("warn")
        built = any(node.node.resource_type in ("model", "snapshot", "seed") for node in nodes)
        done = "Built and tested" if built else "Tested"
        self._console.print(
            f"{done} in {getattr(result.result, 'elapsed_time', 0.0):.1f} s: "
            f"{good} ok, {statuses.count('warn')} warned, {bad} failed, {rest} skipped"
        )

    def _message(self, node: Any) -> str:
        """What went wrong with a node: in words of ours where there are any, else in dbt's."""
        for said in self._said:
            if said.endswith(f"({node.node.name})"):
                return said
        return f"{node.node.name}: {str(node.message or '').strip()}"


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
        self._console.print("Following the streams; Ctrl-C stops.")
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
            say(self._console, f"refused: {path}: {reason}")
        self._refused = reasons

    def tell(self, text: str) -> None:
        """Say something that a user should know."""
        say(self._console, text)

    def refreshed(self, seconds: float) -> None:
        """Show how long gold took."""
        self._gold_seconds = seconds
        self._show(f"gold in {seconds:.1f} s")

    def _show(self, line: str) -> None:
        if self._console.is_terminal:
            self._live.update(self._table(), refresh=True)
        else:
            say(self._console, line)

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
