"""A shop on loopback whose clock is the test's, and what is extracted of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ingestion.connectors.stream import Stream
from ingestion.contracts import SourceTable, read_contracts
from sampledata.servers.shopify import SCOPES, Answers, Server, Shop, serve
from sampledata.servers.shopify.cost import Bucket
from sampledata.servers.shopify.objects import Line, Object, Order
from tests.python import PROJECT

from .landed import Landed

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
TOKEN = "shpat_canary_7c1e"
CLIENT = ("canary-id-2b", "canary-secret-9f")
TABLES = {table.name: table for table in read_contracts(PROJECT / "models") if table.source == "shopify"}


@dataclass
class Clock:
    """Time that passes when it is told to; `waited` has the seconds that were slept."""

    seconds: float = 0
    waited: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.waited.append(seconds)

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=int(self.seconds))


@dataclass
class Store(Landed):
    """A landing zone, and the shop that is extracted to it."""

    landing: Path
    shop: Shop
    server: Server
    clock: Clock
    fixed: bool = True

    @property
    def settings(self) -> dict[str, SecretStr]:
        client = dict(zip(("SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET"), CLIENT, strict=True))
        given = {"SHOPIFY_ACCESS_TOKEN": TOKEN} if self.fixed else client
        return {name: SecretStr(value) for name, value in ({"SHOPIFY_SHOP": self.server.url} | given).items()}

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def add(self, count: int, at: datetime | None = None, step: float = 1, lines: int = 1) -> None:
        """Add orders whose times end at `at`, or a while ago, `step` seconds apart."""
        at, known = at or self.now - timedelta(hours=1), len(self.shop.since("orders", ("", 0)))
        for number in range(known + 1, known + count + 1):
            self.put(number, at - timedelta(seconds=step * (known + count - number)), lines=lines)

    def put(self, number: int, at: datetime, lines: int = 1, **changes: Any) -> Object:
        """Add or change an order; what it had before is gone."""
        line = Line(Decimal("10.00"), sku="KB-1")
        placed = Order(number, at, [line] * lines, changes=changes).object()
        self.shop.put("orders", placed)
        return placed

    def stream(self, given: str | SourceTable | None = None) -> Stream:
        """A table, or the one of a name."""
        return Stream(given if isinstance(given, SourceTable) else TABLES[given or "orders"])

    def numbers(self, name: str = "orders") -> list[int]:
        """Numbers of the landed records in their order."""
        return [int(record["id"].rsplit("/", 1)[1]) for record in self.landed(name)]

    def asked(self) -> int:
        """How many queries the server got so far."""
        return len(self.server.asked)


@contextmanager
def open_store(landing: Path, **settings: Any) -> Iterator[Store]:
    """An empty shop. A page has five orders, as a query may cost little."""
    shop, clock = Shop(), Clock()
    server = Server(
        Answers(shop, set(SCOPES)), token=TOKEN, client=CLIENT, most_cost=300,
        bucket=Bucket(most=20_000, rate=1000, clock=clock), now=clock.now,
    )  # fmt: skip
    for name, value in settings.items():
        setattr(server, name, value)
    with serve(server):
        yield Store(landing, shop, server, clock)
