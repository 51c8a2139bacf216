"""From connectors to the landing zone: what changed, a file a page, however often it is stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pydantic import SecretStr

from ingestion.connectors import open_connector, redacted, settings_of
from ingestion.connectors.order import Order
from ingestion.connectors.pages import PageId, land
from ingestion.connectors.state import State, load_state, save_state, start_over
from ingestion.connectors.stream import (
    Connector,
    ExtractError,
    Page,
    Position,
    Stream,
    Traffic,
    Window,
)
from ingestion.errors import root_cause
from ingestion.threads import threads


@dataclass(frozen=True)
class Request:
    """What is asked for: what changed, or what did `since` a time, or `full`y everything.

    With `rebuild`, landed pages alone tell how far a stream came.
    """

    since: datetime | None = None
    full: bool = False
    rebuild: bool = False


@dataclass
class Extraction:
    """What became of a stream: `state` is waiting, extracting, done or failed.

    `pages` were asked for, and hold `records` that are new; `error` says why it failed, `notes` what else the
    user should know.
    """

    stream: Stream
    state: str = "waiting"
    window: Window = field(default_factory=lambda: Window(None))
    pages: int = 0
    records: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    error: str | None = None
    notes: Sequence[str] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or datetime.now(UTC)) - self.started_at).total_seconds()


Report = Callable[[Extraction], None]

# Pages that land one after the other until the state is written, which spares reading them after a kill.
_PAGES_PER_STATE = 20


def extract(
    streams: Sequence[Stream],
    settings: Mapping[str, SecretStr],
    landing: str,
    request: Request = Request(),
    report: Report = lambda extraction: None,
) -> list[Extraction]:
    """Land what changed in the streams; what became of each, in their order.

    Those of one connector and its settings follow each other, different ones run side by side. A stream that
    fails stops only itself. `settings` has those of all connectors by name. `report` is called from several
    threads.
    """
    groups: dict[tuple[object, ...], list[Extraction]] = {}
    extractions = [Extraction(stream) for stream in streams]
    for extraction in extractions:
        declared = extraction.stream.declared
        groups.setdefault((declared.connector, *sorted(declared.settings.items())), []).append(extraction)
    with threads(max(len(groups), 1)) as pool:
        for _ in pool.map(
            lambda group: _extract_group(group, settings, landing, request, report), groups.values()
        ):
            pass
    return extractions


def _extract_group(
    extractions: Sequence[Extraction],
    settings: Mapping[str, SecretStr],
    landing: str,
    request: Request,
    report: Report,
) -> None:
    """Extract streams that share a connector, one after the other."""
    connector = None
    own: dict[str, SecretStr] = {}
    for extraction in extractions:
        declared = extraction.stream.declared
        extraction.state, extraction.started_at = "extracting", datetime.now(UTC)
        report(extraction)
        try:
            own = own or settings_of(declared, settings)
            connector = connector or open_connector(declared.connector, own)
            _Run(extraction, connector, landing, request, report).run()
            extraction.state = "done"
        except Exception as error:
            extraction.state = "failed"
            extraction.error = redacted(_explained(error, extraction), declared, own)
        extraction.finished_at = datetime.now(UTC)
        report(extraction)
    if connector:
        connector.close()


def _explained(error: Exception, extraction: Extraction) -> str:
    cause = str(error) if isinstance(error, ExtractError) else f"{type(error).__name__}: {root_cause(error)}"
    return f"{extraction.stream.label}, page {extraction.pages + 1}: {cause}"


class _Run:
    """One extraction of a stream."""

    def __init__(
        self, extraction: Extraction, connector: Connector, landing: str, request: Request, report: Report
    ) -> None:
        self._extraction = extraction
        self._stream = extraction.stream
        self._connector = connector
        self._landing = landing
        self._report = report
        self._request = request

    def run(self) -> None:
        """Land what is new of the window, page by page; only at its end the next one begins later."""
        before = replace(self._connector.traffic)
        state, window, position = begin(self._stream, self._landing, self._request)
        self._extraction.window = window
        order = Order(position.cursor if position else window.since)
        try:
            for page in self._connector.pages(self._stream, window, position):
                order.check(page)
                # The server's clock may have been set back.
                until = max(filter(None, (page.until, state.window.until)))
                state.open(Window(window.since, until))
                self._take(state, page)
                self._extraction.traffic = self._connector.traffic - before
                self._report(self._extraction)
        finally:
            self._extraction.traffic = self._connector.traffic - before
            self._extraction.notes = tuple(self._connector.notes)
            self._connector.notes.clear()
        if state.complete:
            raise ExtractError("the connector gave no page, not even an empty one")
        state.complete = True
        state.forget(self._stream)
        save_state(self._landing, self._stream, state)

    def _take(self, state: State, page: Page) -> None:
        """Land what is new of a page, and only then remember where it ended.

        A page that lands as a whole tells all of that itself.
        """
        fresh = state.fresh(self._stream, page.records)
        if fresh:
            state.number += 1
            land(self._landing, self._stream, PageId.of(state.window, state.number), fresh)
        if not fresh or len(fresh) < len(page.records) or state.number % _PAGES_PER_STATE == 0:
            save_state(self._landing, self._stream, state)
        self._extraction.window = state.window
        self._extraction.pages += 1
        self._extraction.records += len(fresh)


def begin(stream: Stream, landing: str, request: Request) -> tuple[State, Window, Position | None]:
    """The state of a stream, the window to ask for, and where in it to go on.

    Raises:
        ExtractError: records between the last window and the time that is asked for would be missed.
    """
    if request.full:
        return start_over(landing, stream), Window(None), None
    state = load_state(landing, stream, request.rebuild)
    if not state.complete and not request.since:
        return state, state.window, state.position
    if request.since and (known := state.known_until) and request.since > known:
        raise ExtractError(
            f"what changed between {known} and {request.since} would be missed: "
            "give an earlier --since, or none"
        )
    state.complete = True
    return state, Window(request.since or state.next_since(stream)), None
