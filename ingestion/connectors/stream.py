"""What connectors and the extractor agree on: streams, windows, pages, records and positions."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from ingestion.contracts import Extract, SourceTable
from ingestion.errors import shape_of

# Some servers tell times in seconds, or round them: records from so long before a cursor may come with it.
TOLERANCE = timedelta(seconds=1)


class ExtractError(Exception):
    """A stream cannot go on; the message says why and what to do. The extractor adds stream and page."""


@dataclass(frozen=True)
class Window:
    """Times after `since`, null for all, up to `until`, null until the server has told its time (UTC)."""

    since: datetime | None
    until: datetime | None = None


class Position(NamedTuple):
    """Where a window goes on: behind the record with this cursor and key.

    The cursor is null where the stream has none, or the record.
    """

    cursor: datetime | None
    key: tuple[str, ...]


class Record(NamedTuple):
    """A record as it lands, one line of JSON, with its position.

    Of those with a cursor, the key of a page's last one is needed; others may be empty.
    """

    line: str
    position: Position

    def in_order(self, since: datetime | None) -> "Record":
        """Without a cursor where that lies before a window: what changed later than its cursor says."""
        cursor, key = self.position
        # Some cursors have whole seconds.
        if cursor and since and cursor < since.replace(microsecond=0):
            return Record(self.line, Position(None, key))
        return self


@dataclass(frozen=True)
class Page:
    """Records that land together, those with a cursor in its order; `until` as the server has told."""

    records: Sequence[Record]
    until: datetime


@dataclass
class Traffic:
    """What a connector did so far: requests or queries, those repeated among them, seconds it waited."""

    requests: int = 0
    retries: int = 0
    seconds_waited: float = 0.0

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        return Traffic(
            self.requests - earlier.requests,
            self.retries - earlier.retries,
            self.seconds_waited - earlier.seconds_waited,
        )


class Connector(ABC):
    """An API or a database, opened with its settings.

    `traffic` counts what is asked of it, `notes` say what the user should know.
    """

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.notes: list[str] = []

    @abstractmethod
    def pages(self, stream: "Stream", window: Window, position: Position | None) -> Iterator[Page]:
        """Records of the window in pages, from the position on; there is at least one page.

        Where `window.until` is null, the connector takes the server's time, less what is not settled there,
        and gives it with each page. Records behind `until` may be among the last page. At the position,
        records may come again: the extractor knows them.

        Raises:
            ExtractError: the stream cannot go on.
        """

    def estimate(self, stream: "Stream", window: Window) -> str:
        """What the window would cost, in words; empty where it is not known."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """Give back what is open."""


@dataclass(frozen=True)
class Stream:
    """A table of a source with its declaration `extract`."""

    table: SourceTable

    @property
    def label(self) -> str:
        """The name a user knows it by."""
        return self.table.label

    @property
    def declared(self) -> Extract:
        """What the contract says of the extraction."""
        assert self.table.arrives.extract is not None
        return self.table.arrives.extract

    @property
    def overlap(self) -> timedelta:
        """How long before the last window's end the next one begins."""
        overlap = self.declared.overlap
        return overlap.duration if overlap else timedelta(0)

    @cached_property
    def cursor(self) -> str | None:
        """Name of the cursor in the records."""
        return self._header(self.declared.cursor) if self.declared.cursor else None

    @cached_property
    def keys(self) -> list[str]:
        """Names of the key in the records."""
        return [self._header(key) for key in self.table.arrives.keys]

    @property
    def cursor_is_number(self) -> bool:
        """Whether the cursor counts seconds since 1970."""
        kinds = {column.name: column.data_type for column in self.table.columns}
        return kinds.get(self.declared.cursor or "") == "bigint"

    def _header(self, column: str) -> str:
        return next(c.header for c in self.table.columns if c.name == column)

    def record(self, line: str, fields: Mapping[str, Any] | None = None, null_cursor: bool = False) -> Record:
        """A line of JSON with its position; `fields` are its values where they were read already.

        Raises:
            ExtractError: the cursor or the key is missing, or the cursor is no time, or null where it must
                not be.
        """
        fields = json.loads(line) if fields is None else fields
        key = tuple(str(self._value(fields, name)) for name in self.keys)
        if self.cursor is None:
            return Record(line, Position(None, key))
        if null_cursor and fields.get(self.cursor) is None:
            return Record(line, Position(None, key))
        value = self._value(fields, self.cursor)
        try:
            return Record(line, Position(as_time(value), key))
        except ValueError as error:
            raise ExtractError(f"record {', '.join(key)}: its cursor {self.cursor} {error}") from None

    def _value(self, fields: Mapping[str, Any], name: str) -> Any:
        if name not in fields:
            raise ExtractError(
                f"a record has no '{name}', but {sorted(fields)}: was it renamed? Correct the contract"
            )
        return fields[name]


def as_time(value: Any) -> datetime:
    """The time of a cursor: a text in ISO 8601, UTC where it has no zone, or seconds since 1970.

    Raises:
        ValueError: it is none; the message goes on after the cursor's name.
    """
    if value is None:
        raise ValueError("is null: records without one would be missed; choose another cursor")
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(
        f"is {shape_of(str(value))!r}, no time: it has to be ISO 8601 or seconds since 1970; choose another"
    )
