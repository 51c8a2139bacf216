"""A stream of an API on loopback, extracted to a landing zone of its own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ingestion.connectors.extract import Extraction, Request, extract
from ingestion.connectors.pages import landed_pages
from ingestion.connectors.stream import Stream
from ingestion.contracts import SourceTable

from .api import KEY, Api, Row, serve


def declare(name: str = "transactions", **extract: Any) -> SourceTable:
    """A table of transactions with a declaration of its extraction."""
    declared = {
        "connector": "rest",
        "resource": "transactions",
        "cursor": "updated_at",
        "overlap": {"count": 10, "period": "minute"},
    }
    kinds = {"id": "bigint", "amount": "decimal(18,2)", "updated_at": "timestamp", "customer": "string"}
    kinds["created"] = "bigint"
    return SourceTable.model_validate(
        {
            "source": "pay",
            "name": name,
            "identifier": f"pay_{name}",
            "arrives": {
                "path": f"pay/{name}/*.json",
                "format": "json",
                "delivery": "changes",
                "keys": ["id"],
                "extract": declared | extract,
            },
            "columns": [{"name": n, "data_type": kind, "description": ""} for n, kind in kinds.items()],
        }
    )


@dataclass
class Zone:
    """A landing zone, and what is extracted to it from an API."""

    landing: Path
    api: Api

    @property
    def settings(self) -> dict[str, SecretStr]:
        return {"API_URL": SecretStr(self.api.url), "API_KEY": SecretStr(KEY)}

    def extract(self, *tables: SourceTable, **request: Any) -> list[Extraction]:
        """Extract, whatever becomes of it."""
        streams = [Stream(table) for table in tables or [declare()]]
        return extract(streams, self.settings, str(self.landing), Request(**request))

    def done(self, *tables: SourceTable, **request: Any) -> Extraction:
        """Extract, which has to succeed."""
        (extraction,) = self.extract(*tables, **request)
        assert extraction.error is None
        return extraction

    def error(self, *tables: SourceTable, **request: Any) -> str:
        """Extract, which has to fail; with what."""
        (extraction,) = self.extract(*tables, **request)
        assert extraction.error is not None
        return extraction.error

    def files(self, name: str = "transactions") -> list[Path]:
        """Landed pages in their order."""
        return [Path(file.path) for _, file in landed_pages(str(self.landing), Stream(declare(name)))]

    def landed(self, name: str = "transactions") -> list[Row]:
        """Landed records in their order."""
        return [json.loads(line) for file in self.files(name) for line in file.read_text().splitlines()]

    def ids(self) -> list[int]:
        """Ids of the landed records in their order."""
        return [row["id"] for row in self.landed()]


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[Zone]:
    """An empty landing zone and an empty API."""
    with serve(Api()) as api:
        yield Zone(tmp_path / "landing", api)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[float]]:
    """Time that passes at once; returns the seconds that were waited."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return lambda: waited
