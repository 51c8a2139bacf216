"""An extraction from Stripe that is killed goes on where it was, among what is new and among what changed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampledata.servers import Fault
from sampledata.servers.stripe import DAY
from tests.python import PROJECT

from .kills import kill_at_moments
from .stripe_zone import CURRENCIES, NOON, StripeZone, add_charges, change, stripe_zone


@pytest.fixture
def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeZone]:
    monkeypatch.setattr("ingestion.connectors.stripe_client.RATE", 10_000)
    with stripe_zone(tmp_path) as opened:
        yield opened


def start(zone: StripeZone, where: str, number: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.python.ingestion.connectors.stripe_zone"]
    return subprocess.Popen(
        [*command, str(zone.landing), zone.url, where, str(number)], cwd=PROJECT, env=os.environ
    )


def kill(zone: StripeZone, where: str, number: int) -> None:
    assert start(zone, where, number).wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("where", ["before_land", "after_land", "before_save_state", "after_save_state"])
def test_a_kill_while_the_list_is_walked(zone: StripeZone, where: str) -> None:
    ids = add_charges(zone.account, 450)
    zone.done()
    undisturbed = len(zone.account.asked)
    for file in zone.landing.rglob("*.json"):
        file.unlink()
    zone.account.asked.clear()
    kill(zone, where, 2)
    zone.done()
    assert zone.ids() == ids
    # One page was asked for twice; the oldest page is known once there is one.
    assert len(zone.account.asked) <= undisturbed + 1
    zone.wait(DAY)
    assert zone.done().records == 0


@pytest.mark.parametrize("where", ["before_land", "after_land", "after_save_state"])
def test_a_kill_while_changes_are_read(zone: StripeZone, where: str) -> None:
    ids = add_charges(zone.account, 250, end=NOON - DAY)
    zone.done()
    zone.wait(DAY)
    changed = ids[::-1]
    for id in changed:
        change(zone.account, id, amount_refunded=1)
    zone.wait(120)
    # The list of the window has nothing; then come three pages of changes.
    kill(zone, where, 2)
    zone.account.asked.clear()
    zone.done()
    assert zone.ids() == [*ids, *changed]
    landed_before = {"before_land": 100, "after_land": 200, "after_save_state": 200}[where]
    assert len(zone.account.asked) - 250 + landed_before <= 5
    zone.wait(DAY)
    assert zone.done().records == 0


def kill_at_random(zone: StripeZone, kills: int, requests: int) -> int:
    return kill_at_moments(
        lambda: start(zone, "after_save_state", 1_000_000), lambda: len(zone.account.asked), kills, requests
    )


def test_kills_at_any_moment(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 450)
    zone.account.before = lambda number: time.sleep(0.01)
    assert kill_at_random(zone, kills=3, requests=5)
    zone.done()
    assert zone.ids() == ids


@pytest.mark.soak
def test_ten_thousand_charges_with_faults_and_kills(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 10_000)
    faults = [Fault(429), Fault(500), Fault(200, body=b"<html>"), Fault(200, body=b'{"data": [1]}', cut=True)]
    zone.account.faults = {number: faults[number // 50 % 4] for number in range(50, 5000, 50)}
    zone.account.before = lambda number: time.sleep(0.02)
    assert kill_at_random(zone, kills=20, requests=20) > 10
    zone.done()
    assert zone.ids() == ids
    assert {made["currency"] for made in zone.landed()} == set(CURRENCIES)
    # A page more for a kill; finding the oldest one, and faults, cost some.
    assert len(zone.account.asked) <= 100 + 20 + 35 * 3 + len(zone.account.faults)
    zone.wait(DAY)
    for id in ids[5:10_000:500]:
        change(zone.account, id, amount_refunded=1)
    zone.wait(120)
    assert zone.done().records == 20
    zone.wait(DAY)
    assert zone.done().records == 0
