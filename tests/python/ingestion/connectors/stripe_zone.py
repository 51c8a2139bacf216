"""Streams of an account at Stripe on loopback, extracted to a landing zone of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ingestion.connectors import extract as extractor
from ingestion.connectors.stream import Stream
from ingestion.contracts import read_contracts
from sampledata.servers import serve
from sampledata.servers.stripe import Account
from sampledata.servers.stripe_objects import charge
from tests.python import PROJECT

from .killed import die
from .landed import Landed

KEY = "rk_live_canary5f1d"
NOON = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())
CURRENCIES = ["usd", "eur", "gbp", "jpy", "krw", "vnd", "kwd", "bhd", "ugx", "isk"]


@cache
def stream(name: str) -> Stream:
    """A stream as the project declares it."""
    tables = read_contracts(PROJECT / "models" / "silver" / "stripe")
    return Stream(next(table for table in tables if table.name == name))


@dataclass
class StripeZone(Landed):
    """A landing zone, and what is extracted to it from an account, whose clock stands still."""

    landing: Path
    url: str
    account: Account
    clock: list[int] = field(default_factory=lambda: [NOON])
    key: str = KEY

    @property
    def settings(self) -> dict[str, SecretStr]:
        return {"STRIPE_API_URL": SecretStr(self.url), "STRIPE_API_KEY": SecretStr(self.key)}

    def wait(self, seconds: int) -> None:
        self.clock[0] += seconds

    def stream(self, given: str | None = None) -> Stream:
        """The stream of a name."""
        return stream(given or "charges")

    def ids(self, name: str = "charges") -> list[str]:
        return [made["id"] for made in self.landed(name)]

    def paths(self) -> list[str]:
        """What was asked for, without the version in front."""
        return [call.path.removeprefix("/v1/") for call in self.account.asked]


@contextmanager
def stripe_zone(folder: Path) -> Iterator[StripeZone]:
    """An empty landing zone and an empty account."""
    clock = [NOON]
    account = Account(KEY, now=lambda: clock[0])
    with serve(account) as url:
        yield StripeZone(folder / "landing", url, account, clock)


def add_charges(account: Account, count: int, end: int = NOON - 3600, step: int = 7) -> list[str]:
    """Charges in ten currencies, the last of them at `end`, several in one second; their ids."""
    ids = []
    for number in range(count):
        created = end - (count - 1 - number) // 3 * step
        made = charge(f"ch_{number:08}", created, 100 + number, CURRENCIES[number % len(CURRENCIES)])
        account.put("charges", made, "charge.succeeded", created)
        ids.append(made["id"])
    return ids


def change(account: Account, id: str, told: str = "charge.refunded", **values: Any) -> None:
    """Change a charge now, which an event tells."""
    made = next(made for made in account.objects("charges") if made["id"] == id)
    account.put("charges", made | values, told)


def main(landing: str, url: str, where: str, number: str) -> None:
    """Extract charges, and die on the way."""
    die(where, number)
    settings = {"STRIPE_API_URL": SecretStr(url), "STRIPE_API_KEY": SecretStr(KEY)}
    extractor.extract([stream("charges")], settings, landing)


if __name__ == "__main__":
    main(*sys.argv[1:])
