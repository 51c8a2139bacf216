"""A stream of an API on loopback, extracted to a landing zone of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ingestion.connectors.stream import Stream
from ingestion.contracts import SourceTable
from tests.python.sleep import replace_sleep

from .api import KEY, Api, serve
from .landed import Landed


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
class Zone(Landed):
    """A landing zone, and what is extracted to it from an API."""

    landing: Path
    api: Api

    @property
    def settings(self) -> dict[str, SecretStr]:
        return {"API_URL": SecretStr(self.api.url), "API_KEY": SecretStr(KEY)}

    def stream(self, given: str | SourceTable | None = None) -> Stream:
        """A table, or the one of a name."""
        return Stream(given if isinstance(given, SourceTable) else declare(given or "transactions"))

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
    replace_sleep(monkeypatch, waited.append)
    return lambda: waited
