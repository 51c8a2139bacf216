"""A replaced sleep reaches the threads of its own test only."""

import threading
import time

import pytest

from tests.python.sleep import replace_sleep


def test_a_thread_of_an_earlier_test_keeps_the_real_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    go, waited = threading.Event(), list[float]()
    earlier = threading.Thread(target=lambda: (go.wait(), time.sleep(0.01)))
    earlier.start()
    replace_sleep(monkeypatch, waited.append)
    go.set()
    own = threading.Thread(target=time.sleep, args=(3600,))
    own.start()
    time.sleep(60)
    for thread in (earlier, own):
        thread.join()
    assert sorted(waited) == [60, 3600]
