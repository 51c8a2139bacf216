"""A landing zone, and what connectors extract to it."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ingestion.connectors.extract import Extraction, Request, extract
from ingestion.connectors.pages import landed_pages
from ingestion.connectors.stream import Stream


class Landed(ABC):
    """Streams are given by name or by table; without any, it is the one that most tests are about."""

    landing: Path

    @property
    @abstractmethod
    def settings(self) -> dict[str, SecretStr]:
        """With which the server is reached."""

    @abstractmethod
    def stream(self, given: Any = None) -> Stream:
        """The stream that is meant."""

    def extract(self, *given: Any, **request: Any) -> list[Extraction]:
        """Extract, whatever becomes of it."""
        streams = [self.stream(stream) for stream in given or [None]]
        return extract(streams, self.settings, str(self.landing), Request(**request))

    def done(self, *given: Any, **request: Any) -> Extraction:
        """Extract, which has to succeed."""
        (extraction,) = self.extract(*given, **request)
        assert extraction.error is None
        return extraction

    def error(self, *given: Any, **request: Any) -> str:
        """Extract, which has to fail; with what."""
        (extraction,) = self.extract(*given, **request)
        assert extraction.error is not None
        return extraction.error

    def files(self, given: Any = None) -> list[Path]:
        """Landed pages in their order."""
        return [Path(file.path) for _, file in landed_pages(str(self.landing), self.stream(given))]

    def landed(self, given: Any = None) -> list[dict[str, Any]]:
        """Landed records in their order."""
        return [json.loads(line) for file in self.files(given) for line in file.read_text().splitlines()]
