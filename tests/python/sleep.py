"""Replace `time.sleep` in a test, and leave the threads of earlier tests alone."""

import threading
import time
from collections.abc import Callable

import pytest


def replace_sleep(monkeypatch: pytest.MonkeyPatch, sleep: Callable[[float], None]) -> None:
    """Let this thread and every thread it starts call `sleep` (seconds) in place of `time.sleep`."""
    original = time.sleep
    # A thread that an earlier test left running would otherwise move the clock of this test.
    others = set(threading.enumerate()) - {threading.current_thread()}

    def sleep_here(seconds: float) -> None:
        (original if threading.current_thread() in others else sleep)(seconds)

    monkeypatch.setattr("time.sleep", sleep_here)
