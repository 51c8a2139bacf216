"""When batches were ingested: each later than those before it, whatever the machine's clock does."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock

from ingestion.durable import write_durably
from ingestion.times import from_epoch_micros, to_epoch_micros

_MICROSECOND = timedelta(microseconds=1)


class BatchClock:
    """Gives out times for batches; the last one is kept in `file`.

    Who is followed by the same reader shares a file: loaders of one table from files and from Kafka, and
    the streams of all silver tables.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()

    @property
    def last(self) -> datetime | None:
        """The last time given out; null when none was, or the file is lost."""
        try:
            return from_epoch_micros(int(self._file.read_text()))
        except (FileNotFoundError, ValueError):
            return None

    def tick(self, floor: datetime, count: int = 1) -> datetime:
        """The first of `count` times, a microsecond apart, later than `floor` and all given out before."""
        with self._lock:
            first = max(datetime.now(UTC), max(floor, self.last or floor) + _MICROSECOND)
            # On disk before a batch that bears it.
            write_durably(self._file, str(to_epoch_micros(first + (count - 1) * _MICROSECOND)))
        return first


# Threads that share a file have to share its clock.
@cache
def clock_of(checkpoints: Path, identifier: str) -> BatchClock:
    """The clock of a bronze table or of `silver`; `checkpoints` is the folder of the streams' checkpoints."""
    return BatchClock(checkpoints / "clocks" / identifier)
