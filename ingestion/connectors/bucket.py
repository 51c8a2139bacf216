"""A rate that requests keep to."""

import time
from collections.abc import Callable


class Bucket:
    """Lets `rate` requests a second through, and as many at once after a pause.

    `clock` tells seconds, `sleep` waits for some.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds),
    ) -> None:
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._tokens, self._at = rate, clock()

    def take(self) -> float:
        """Wait until a request may be sent; how long, in seconds."""
        now = self._clock()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        # What is borrowed is paid by waiting now, and comes back with the time that passes meanwhile.
        wait = max(0.0, (1 - self._tokens) / self._rate)
        self._tokens -= 1
        if wait:
            self._sleep(wait)
        return wait
