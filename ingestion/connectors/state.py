"""How far a stream was extracted: what its landed pages tell, and a file that spares reading them.

The file `<landing>/_state/<source>/<stream>.json` is written at the end of an extraction, now and then, and
after pages of which not all landed. Pages that are newer than it are taken over at the start; without it,
all are.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingestion.connectors.pages import landed_pages, read_page
from ingestion.connectors.stream import TOLERANCE, ExtractError, Position, Record, Stream, Window
from ingestion.landing.writer import write
from ingestion.landing.zone import read_file
from ingestion.times import from_epoch_micros, to_epoch_micros

_VERSION = 1


@dataclass
class State:
    """The newest window of a stream, the number of its last page, whether it is complete, and the position.

    `seen` has records that may come again: those with a cursor by the hash of their line, others by that of
    their key. It has their cursor, else the window's end, in microseconds since 1970, and a hash of the line,
    which is empty where there is a cursor.
    """

    window: Window = field(default_factory=lambda: Window(None))
    number: int = 0
    complete: bool = True
    position: Position | None = None
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)

    def open(self, window: Window) -> None:
        """Begin a window, whose end the server has told, or go on with it."""
        if self.complete:
            if window.until != self.window.until:
                self.number = 0
            self.window, self.complete, self.position = window, False, None

    @property
    def known_until(self) -> datetime | None:
        """Up to when all has landed; null where nothing has, or not even the first window is complete."""
        if self.complete:
            return self.window.until
        return self.position.cursor if self.position and self.position.cursor else self.window.since

    def next_since(self, stream: Stream) -> datetime | None:
        """Where the next window begins; null for the first one."""
        return self.window.until - stream.overlap if self.window.until else None

    def fresh(self, stream: Stream, records: Sequence[Record]) -> list[Record]:
        """The records of the next page that have not landed yet; those that may come again are remembered."""
        if records:
            self.position = records[-1].position
        new = []
        oldest, newest = self._oldest(stream), max((time for time, _ in self.seen.values()), default=-1)
        comes_again, is_known = from_epoch_micros(oldest), from_epoch_micros(newest)
        for record in records:
            time = record.position.cursor or self._until
            # Most are neither, and need no hash.
            if time >= comes_again or time <= is_known:
                name, version = _identity(record)
                known = name in self.seen and self.seen[name][1] == version
                self.seen[name] = (to_epoch_micros(time), version)
                if known:
                    continue
            new.append(record)
        self.forget(stream)
        return new

    def forget(self, stream: Stream) -> None:
        """Forget records that cannot come again."""
        oldest = self._oldest(stream)
        self.seen = {name: known for name, known in self.seen.items() if known[0] >= oldest}

    def _oldest(self, stream: Stream) -> int:
        """Time of the oldest record that may come again, in the rest of this window or in the next one."""
        oldest = self._until - stream.overlap
        if not self.complete:
            cursor = self.position.cursor if self.position else None
            if cursor is None:
                return -1
            oldest = min(oldest, cursor)
        return to_epoch_micros(oldest - TOLERANCE)

    @property
    def _until(self) -> datetime:
        assert self.window.until is not None
        return self.window.until


def load_state(landing: str, stream: Stream, rebuild: bool = False) -> State:
    """The state of a stream; with `rebuild`, from its landed pages alone.

    Raises:
        ExtractError: its file cannot be read, or the stream was declared otherwise then.
    """
    content = None if rebuild else read_file(_address(landing, stream))
    state = State() if content is None else _parse(content, stream, _address(landing, stream))
    _adopt(state, landing, stream)
    return state


def start_over(landing: str, stream: Stream) -> State:
    """The state of a stream of which everything is to land again; only names of pages are not used twice."""
    pages = landed_pages(landing, stream)
    return State(pages[-1][0].window, pages[-1][0].number) if pages else State()


def save_state(landing: str, stream: Stream, state: State) -> None:
    """Write the state of a stream, for its next extraction."""
    position = state.position
    content = {
        "version": _VERSION,
        "declared": _declared(stream),
        "since": _micros(state.window.since),
        "until": _micros(state.window.until),
        "page": state.number,
        "complete": state.complete,
        "position": position and {"cursor": _micros(position.cursor), "key": position.key},
        "seen": state.seen,
    }
    write(_address(landing, stream), json.dumps(content).encode(), overwrite=True)


def _adopt(state: State, landing: str, stream: Stream) -> None:
    """Take over the pages that are newer than the state, as their extraction was killed."""
    last = (state.window.until, state.number)
    pages = [
        (page, file)
        for page, file in landed_pages(landing, stream)
        if last[0] is None or page.order > (last[0], last[1])
    ]
    if not pages:
        return
    newest, _ = pages[-1]
    if state.window != newest.window:
        state.position = None
    state.window, state.number, state.complete = newest.window, newest.number, False
    for page, file in pages:
        # Of what has a cursor, nothing that lies before the overlap can come again.
        if (
            stream.cursor is None
            or page.window == newest.window
            or page.until >= newest.until - stream.overlap
        ):
            state.fresh(stream, list(read_page(stream, page, file)))


def _identity(record: Record) -> tuple[str, str]:
    """What a record is known by, and its version: a cursor makes each version another record."""
    if record.position.cursor:
        return _digest(record.line), ""
    return _digest(json.dumps(record.position.key)), _digest(record.line)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _parse(content: bytes, stream: Stream, address: str) -> State:
    try:
        stored = json.loads(content)
        if stored["version"] != _VERSION:
            raise ExtractError(f"{address} is of another version: extract with --rebuild-state")
        if stored["declared"] != _declared(stream):
            raise ExtractError(
                f"the stream was declared as {stored['declared']} when it was extracted last, and is now "
                f"{_declared(stream)}: extract it again with --full, or correct the contract"
            )
        position = stored["position"]
        return State(
            Window(_time(stored["since"]), _time(stored["until"])),
            stored["page"],
            stored["complete"],
            position and Position(_time(position["cursor"]), tuple(position["key"])),
            {name: (time, version) for name, (time, version) in stored["seen"].items()},
        )
    except (ValueError, KeyError, TypeError):
        raise ExtractError(f"{address} cannot be read: extract with --rebuild-state") from None


def _declared(stream: Stream) -> dict[str, Any]:
    """What the landed pages were asked by."""
    return stream.declared.model_dump(include={"connector", "resource", "cursor", "options"})


def _address(landing: str, stream: Stream) -> str:
    return f"{landing.rstrip('/')}/_state/{stream.table.source}/{stream.table.name}.json"


def _micros(time: datetime | None) -> int | None:
    return None if time is None else to_epoch_micros(time)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else from_epoch_micros(micros)
