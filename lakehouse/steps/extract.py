"""Extracting what changed in APIs and databases to the landing zone, with a display and a summary."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from rich.console import Console

from ingestion.connectors import missing_settings, settings_read
from ingestion.connectors.extract import Extraction, Request
from ingestion.connectors.extract import extract as extract_streams
from ingestion.connectors.plan import plan
from ingestion.connectors.stream import ExtractError, Stream
from ingestion.contracts import SourceTable
from ingestion.tables import commented_schema
from lakehouse.display import ExtractDisplay, print_plans
from lakehouse.engines.local import tables_and_discovery
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings

EXTRACTS = "ops.extracts"

_TIME = pa.timestamp("us", tz="UTC")
EXTRACTS_SCHEMA = commented_schema(
    ("source", pa.string(), "Source system"),
    ("table_name", pa.string(), "Table of the source"),
    ("window_from", _TIME, "What changed from here on was asked for; null for everything"),
    ("window_until", _TIME, "Up to here; null where the server told no time"),
    ("pages", pa.int64(), "Pages that were taken"),
    ("records", pa.int64(), "Records that landed"),
    ("requests", pa.int64(), "Requests or queries"),
    ("retries", pa.int64(), "Requests that were repeated"),
    ("seconds_waited", pa.float64(), "Seconds waited because the server wanted it"),
    ("error", pa.string(), "Why the stream stopped; null where it came to its end"),
    ("started_at", _TIME, "When extracting began"),
    ("finished_at", _TIME, "When extracting ended"),
)


@dataclass(frozen=True)
class ExtractSummary:
    """What became of the streams."""

    extractions: Sequence[Extraction] = ()

    @property
    def problem(self) -> str:
        """What to say where streams failed, with each one, else nothing."""
        failed = [extraction.stream.label for extraction in self.extractions if extraction.error]
        if not failed:
            return ""
        return (
            f"Streams that could not be extracted, see above: {', '.join(failed)}. "
            "What landed of them stays; the same command goes on where they stopped."
        )


def streams_named(settings: Settings, tables: Sequence[SourceTable], names: Sequence[str]) -> list[Stream]:
    """The streams of sources or tables (`source.table`), without any all whose connector has its settings.

    Raises:
        UsageError: a name is no stream, or lacks settings, or none is configured.
    """
    streams = [Stream(table) for table in tables if table.arrives.extract]
    if not names:
        if chosen := streams_configured(settings, tables):
            return chosen
        listed = ", ".join(sorted(settings_read(stream.declared for stream in streams)))
        raise UsageError(f"No connector is configured. Set what it needs, see .env.example: {listed}.")
    known = {name for stream in streams for name in (stream.label, stream.table.source)}
    if unknown := sorted(set(names) - known):
        raise UsageError(
            f"{', '.join(unknown)} is not extracted; sources and tables that are: {', '.join(sorted(known))}."
        )
    chosen = [stream for stream in streams if {stream.label, stream.table.source} & set(names)]
    given = settings.named(settings_read(stream.declared for stream in chosen))
    for stream in chosen:
        if missing := missing_settings(stream.declared, given):
            raise UsageError(f"{stream.label} cannot be extracted without {missing}. See .env.example.")
    return chosen


def streams_configured(settings: Settings, tables: Sequence[SourceTable]) -> list[Stream]:
    """The streams among the tables whose connector has its settings."""
    streams = [Stream(table) for table in tables if table.arrives.extract]
    given = settings.named(settings_read(stream.declared for stream in streams))
    return [stream for stream in streams if not missing_settings(stream.declared, given)]


def extract(
    settings: Settings, streams: Sequence[Stream], console: Console, request: Request
) -> ExtractSummary:
    """Land what changed in the streams, show it, and record it in `ops.extracts`."""
    started = time.monotonic()
    given = settings.named(settings_read(stream.declared for stream in streams))
    with ExtractDisplay(console, streams) as display:
        extractions = extract_streams(streams, given, settings.landing, request, display.update)
    display.summarize(extractions, time.monotonic() - started)
    _record(settings, extractions)
    return ExtractSummary(extractions)


def show_plan(settings: Settings, streams: Sequence[Stream], console: Console, request: Request) -> None:
    """Print what would be asked for, and what it would cost where that can be told.

    Raises:
        LakehouseError: a stream could not be extracted so.
    """
    given = settings.named(settings_read(stream.declared for stream in streams))
    try:
        print_plans(console, list(plan(streams, given, settings.landing, request)))
    except ExtractError as error:
        raise LakehouseError(str(error)) from None


def _record(settings: Settings, extractions: Sequence[Extraction]) -> None:
    storage, _ = tables_and_discovery(settings)
    storage.create(EXTRACTS, EXTRACTS_SCHEMA)
    rows = [
        {
            "source": extraction.stream.table.source,
            "table_name": extraction.stream.table.name,
            "window_from": extraction.window.since,
            "window_until": extraction.window.until,
            "pages": extraction.pages,
            "records": extraction.records,
            "requests": extraction.traffic.requests,
            "retries": extraction.traffic.retries,
            "seconds_waited": extraction.traffic.seconds_waited,
            "error": extraction.error,
            "started_at": extraction.started_at,
            "finished_at": extraction.finished_at,
        }
        for extraction in extractions
    ]
    storage.append(EXTRACTS, pa.Table.from_pylist(rows, schema=EXTRACTS_SCHEMA))
