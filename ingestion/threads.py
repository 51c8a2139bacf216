"""Threads that end with what they are for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """As many threads, which begin nothing more after an error; Ctrl-C waits for none of them."""
    pool = ThreadPoolExecutor(number)
    waits = True
    try:
        yield pool
    except KeyboardInterrupt:
        # The process ends, and the same command takes up what they leave behind.
        waits = False
        raise
    finally:
        pool.shutdown(waits, cancel_futures=True)
