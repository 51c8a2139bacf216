"""What an extraction would ask for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from ingestion.connectors import open_connector, redacted, settings_of
from ingestion.connectors.extract import Request, begin
from ingestion.connectors.stream import ExtractError, Stream, Window


@dataclass(frozen=True)
class Plan:
    """The window of a stream, whether it goes on with one that was stopped, and what it would cost."""

    stream: Stream
    window: Window
    goes_on: bool
    estimate: str


def plan(
    streams: Sequence[Stream], settings: Mapping[str, SecretStr], landing: str, request: Request
) -> Iterator[Plan]:
    """Windows of the streams; nothing lands, and the server is only asked for what an estimate needs.

    Raises:
        ExtractError: a stream could not be extracted so.
    """
    for stream in streams:
        own: dict[str, SecretStr] = {}
        try:
            own = settings_of(stream.declared, settings)
            _, window, position = begin(stream, landing, request)
            connector = open_connector(stream.declared.connector, own)
            try:
                estimate = connector.estimate(stream, window)
            finally:
                connector.close()
        except ExtractError as error:
            raise ExtractError(redacted(f"{stream.label}: {error}", stream.declared, own)) from None
        yield Plan(stream, window, position is not None, estimate)
