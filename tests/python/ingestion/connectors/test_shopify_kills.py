"""An extraction of orders that is killed at any moment and run on: nothing is missing, twice or in part."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sampledata.servers import Fault
from sampledata.servers.shopify import CUT_OFF
from tests.python import PROJECT

from .kills import kill_at_moments
from .shopify import Store, open_store


def start(store: Store) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.python.ingestion.connectors.killed_shopify"]
    return subprocess.Popen([*command, str(store.landing), store.server.url], cwd=PROJECT, env=os.environ)


def undisturbed(store: Store, landing: Path) -> list[str]:
    """What lands without kills."""
    other = Store(landing, store.shop, store.server, store.clock)
    other.done()
    return [line for file in other.files() for line in file.read_text().splitlines()]


def test_kills_at_any_moment(tmp_path: Path) -> None:
    with open_store(tmp_path / "landing") as store:
        store.add(60)
        expected = undisturbed(store, tmp_path / "undisturbed")
        needed = store.asked()
        asked = store.asked()
        assert kill_at_moments(lambda: start(store), store.asked, kills=3, requests=needed // 2)
        store.done()
        assert [line for file in store.files() for line in file.read_text().splitlines()] == expected
        # A run after another asks for at most a page again, its scopes, and which size of a page is right.
        assert store.asked() - asked <= needed + 3 * 4


@pytest.mark.soak
def test_ten_thousand_orders_with_throttling_errors_and_twenty_kills(tmp_path: Path) -> None:
    with open_store(tmp_path / "landing", most_cost=1000) as store:
        store.add(9_000, lines=2)
        store.add(990, step=0)
        store.add(10, lines=70)
        faults = [Fault(500), Fault(502), Fault(200, body=b"<html>"), CUT_OFF, Fault(429)]
        store.server.fault = lambda number: faults[number // 50 % 5] if number % 50 == 0 else None
        bucket = store.server.bucket

        def spend(number: int) -> None:
            store.clock.seconds += 1
            if number % 97 == 0:
                bucket._left = 0

        store.server.before = spend
        kill_at_moments(lambda: start(store), store.asked, kills=20, requests=500)
        store.done()
        orders = store.landed()
        assert sorted(store.numbers()) == list(range(1, 10_001))
        whole = {number: order for number, order in zip(store.numbers(), orders, strict=True)}
        for number, order in whole.items():
            lines = 70 if number > 9_990 else 2 if number <= 9_000 else 1
            assert len(order["lineItems"]) == len(order["agreements"][0]["sales"]) == lines
        store.clock.seconds += 3600
        files = store.files()
        assert store.done().records == 0 and store.files() == files
