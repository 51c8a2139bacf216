"""An API on loopback whose records and clock tests set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sampledata import servers
from sampledata.servers import Fault as Fault
from sampledata.servers import rest

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = "canary-5f1d"


@dataclass
class Api(rest.Api):
    """Transactions; `now` is the API's clock."""

    key: str = KEY
    now: datetime = NOON
    url: str = ""

    def time(self) -> datetime:
        """The time of its clock."""
        return self.now

    def add(self, count: int, at: datetime | None = None, step: float = 1) -> None:
        """Add rows whose times end at `at`, or a while ago, `step` seconds apart."""
        at = at or self.now - timedelta(hours=1)
        for number in range(count):
            self.put(len(self.rows) + 1, at - timedelta(seconds=step * (count - 1 - number)))

    def put(self, identity: int, at: datetime, **values: Any) -> None:
        """Add or change a row."""
        self.rows = [row for row in self.rows if row["id"] != identity]
        self.rows.append(
            {"id": identity, "amount": 10.10, "updated_at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"} | values
        )


@contextmanager
def serve(api: Api) -> Iterator[Api]:
    """Answer on a free port; `api.url` says where."""
    with servers.serve(api) as api.url:
        yield api
