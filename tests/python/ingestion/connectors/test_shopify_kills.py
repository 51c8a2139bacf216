"""An extraction of orders that is killed at any moment and run on: nothing is missing, twice or in part."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sampledata.servers import Fault
from sampledata.servers.shopify import CUT_OFF
from tests.python import PROJECT

from .shopify import Store, open_store


def kill_at_moments(store: Store, moments: random.Random, kills: int, longest: float) -> int:
    """Extract in processes that are killed; how many were before they ended."""
    command = [sys.executable, "-m", "tests.python.ingestion.connectors.killed_shopify"]
    killed = 0
    for _ in range(kills):
        asked = store.asked()
        victim = subprocess.Popen(
            [*command, str(store.landing), store.server.url], cwd=PROJECT, env=os.environ
        )
        while store.asked() == asked and victim.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, longest))
        victim.kill()
        killed += victim.wait(60) < 0
    return killed


def undisturbed(store: Store, landing: Path) -> list[str]:
    """What lands without kills."""
    other = Store(landing, store.shop, store.server, store.clock)
    other.done()
    return [line for file in other.files() for line in file.read_text().splitlines()]


def test_kills_at_any_moment(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    with open_store(tmp_path / "landing") as store:
        store.add(60)
        expected = undisturbed(store, tmp_path / "undisturbed")
        needed = store.asked()
        asked = store.asked()
        killed = kill_at_moments(store, random.Random(seed), kills=3, longest=0.5)
        store.done()
        assert killed
        assert [line for file in store.files() for line in file.read_text().splitlines()] == expected
        # A kill costs a page, and what each run asks first: its scopes, and which size of a page is right.
        assert store.asked() - asked <= needed + killed * 4


@pytest.mark.soak
def test_ten_thousand_orders_with_throttling_errors_and_twenty_kills(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
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
        kill_at_moments(store, random.Random(seed), kills=20, longest=15)
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
