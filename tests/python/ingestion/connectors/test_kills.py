"""An extraction that is killed goes on where it was: nothing is missing or twice, one page is asked again."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from tests.python import PROJECT

from .api import NOON
from .conftest import Zone
from .kills import kill_at_moments

ROWS, PAGES = 450, 5


def start(zone: Zone, where: str, number: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.python.ingestion.connectors.killed"]
    return subprocess.Popen(
        [*command, str(zone.landing), zone.api.url, where, str(number)], cwd=PROJECT, env=os.environ
    )


def check_complete(zone: Zone) -> None:
    """Run on: all that the API had lands once, and at most one page was asked for twice."""
    zone.done()
    assert zone.ids() == list(range(1, ROWS + 1))
    assert len(zone.api.asked) <= PAGES + 1
    zone.api.now += timedelta(hours=1)
    assert zone.done().records == 0


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("what", "number"), [("land", 1), ("land", 3), ("land", 5), ("save_state", 1), ("save_state", 3)]
)
def test_a_kill_between_two_writes(zone: Zone, moment: str, what: str, number: int) -> None:
    zone.api.add(ROWS)
    assert start(zone, f"{moment}_{what}", number).wait(60) == -signal.SIGKILL
    check_complete(zone)


def test_kills_at_any_moment(zone: Zone) -> None:
    zone.api.add(ROWS)
    zone.api.before = lambda number: time.sleep(0.02)
    killed = kill_at_moments(
        lambda: start(zone, "after_save_state", 10_000), lambda: len(zone.api.asked), kills=4, requests=3
    )
    zone.done()
    assert zone.ids() == list(range(1, ROWS + 1))
    # One page more for each kill, and one for each run that found all done.
    assert killed and len(zone.api.asked) <= PAGES + 4


def test_what_changes_after_a_kill_arrives(zone: Zone) -> None:
    zone.api.add(ROWS)
    assert start(zone, "after_land", 2).wait(60) == -signal.SIGKILL
    zone.api.now += timedelta(minutes=30)
    zone.api.put(7, NOON + timedelta(minutes=20))
    zone.api.put(300, NOON + timedelta(minutes=20))
    zone.done()
    zone.done()
    assert sorted(zone.ids()) == sorted([*range(1, ROWS + 1), 7])
