"""How gold is refreshed beside a stream; what comes of it is in `test_gym`."""

import threading
from datetime import UTC, datetime

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.steps.refresh import GoldProcess, GoldRefresher

FIRST, SECOND, THIRD = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))


class SlowGold(GoldProcess):
    """Models that are refreshed when they are let; a refresh to what is in `broken` fails."""

    def __init__(self, broken: frozenset[datetime] = frozenset()) -> None:
        self.refreshed_to = None
        self.history: list[datetime] = []
        self.let = threading.Event()
        self._broken = broken

    def refresh(self, written_to: datetime) -> None:
        assert self.let.wait(10)
        if written_to in self._broken:
            raise LakehouseError("a model failed")
        self.history.append(written_to)
        self.refreshed_to = written_to

    def close(self) -> None:
        pass


def test_what_is_written_during_a_refresh_is_refreshed_after_it_and_before_the_end() -> None:
    gold, seconds = SlowGold(), list[float]()
    with GoldRefresher(lambda: gold, seconds.append) as refresher:
        refresher.refresh(None)
        refresher.refresh(FIRST)
        refresher.refresh(SECOND)
        refresher.refresh(THIRD)
        gold.let.set()
    assert gold.history[-1] == THIRD
    assert len(seconds) == len(gold.history) <= 3


def test_nothing_is_refreshed_before_something_is_written() -> None:
    gold = SlowGold()
    gold.let.set()
    with GoldRefresher(lambda: gold, lambda _: None) as refresher:
        refresher.refresh(None)
    assert gold.history == []


def test_a_refresh_that_failed_ends_the_stream() -> None:
    gold = SlowGold(broken=frozenset({FIRST}))
    gold.let.set()
    failed = pytest.raises(LakehouseError, match="a model failed")
    with failed, GoldRefresher(lambda: gold, print) as refresher:
        refresher.refresh(FIRST)
    assert gold.history == []


def test_a_project_that_cannot_be_read_ends_the_stream() -> None:
    def start() -> GoldProcess:
        raise LakehouseError("no project")

    with pytest.raises(LakehouseError, match="no project"), GoldRefresher(start, print):
        pass
