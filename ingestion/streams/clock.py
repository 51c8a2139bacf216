"""Times of writes: each later than those before it, whatever the machine's clock does."""

from datetime import datetime
from threading import Lock

from ingestion.times import later_than


class Clock:
    """Gives out times; `last` is the newest that was ever given out, null when none was."""

    def __init__(self, last: datetime | None = None) -> None:
        self._last = last
        self._lock = Lock()

    @property
    def last(self) -> datetime | None:
        """The newest time given out; null when none was."""
        return self._last

    def tick(self) -> datetime:
        """A time later than all that were given out before."""
        with self._lock:
            self._last = later_than(self._last)
            return self._last
