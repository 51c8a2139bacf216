"""Threads and what ends them."""

import threading

import pytest

from ingestion.threads import threads


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_more_begins_and_ctrl_c_waits_for_nothing(error: type[BaseException]) -> None:
    began, may_end = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(10)

    with pytest.raises(error), threads(1) as pool:
        running, waiting = pool.submit(work), pool.submit(work)
        began.wait(10)
        if error is ValueError:
            # Not before the second one was given up.
            threading.Timer(0.5, may_end.set).start()
        raise error
    assert waiting.cancelled()
    assert running.done() == (error is ValueError)
    may_end.set()
