"""App events: JSON lines that someone copied out of a notebook, with what it prints in between."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.files import joined, write_text
from sampledata.sampling import FloatArray, IntArray, Streams, mark
from sampledata.timeline import DAYS_PER_DELIVERY, seconds_of_week

_EVENTS_AT_SCALE_1 = 50_000
_EVENTS_AT_LEAST = 500
_HOURS = 24 * DAYS_PER_DELIVERY
_OPEN_SHARE = 0.75
_REPEATED_RATE = 0.01
_WARNING = b"*** WARNING: skipped 15627 bytes of output ***"
_CUT_AT = 17


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write the events of a week to `file-<delivery - 1>.json` and return its path."""
    return [write_text(folder / f"file-{delivery - 1}.json", _text(scale, streams, delivery))]


def _text(scale: float, streams: Streams, delivery: int) -> Iterator[pa.Buffer | bytes]:
    """Yield the lines hour by hour, and what came between them in the middle of the week."""
    events = max(_EVENTS_AT_LEAST, round(_EVENTS_AT_SCALE_1 * scale))
    rng = streams.of("events", delivery)
    marks = mark(streams.of("events.marks", delivery), events, {"repeated": _REPEATED_RATE})
    start = seconds_of_week(delivery).start
    end = 0
    for hour, count in enumerate(rng.multinomial(events, _rhythm()).tolist()):
        begin, end = end, end + count
        if hour == _HOURS // 2:
            yield _interruption(start + hour * 3600)
        yield _lines(rng, start + hour * 3600, count, marks.at("repeated", range(begin, end)))


def _rhythm() -> FloatArray:
    """Return the share of events in each hour of a week: most in the early evening, few at night."""
    hour = np.arange(_HOURS) % 24
    weights = 1.1 + np.cos((hour - 18) * np.pi / 12)
    shares: FloatArray = weights / weights.sum()
    return shares


def _lines(rng: np.random.Generator, start: int, count: int, repeated: IntArray) -> pa.Buffer:
    """Return the events of an hour that begins at `start`, some equal to the one before."""
    times = start + np.sort(rng.integers(0, 3600, count))
    opened = rng.random(count) < _OPEN_SHARE
    repeated = repeated[repeated > 0]
    times[repeated], opened[repeated] = times[repeated - 1], opened[repeated - 1]
    actions = pc.if_else(pa.array(opened), "Open", "Close")
    texts = pa.array(times).cast(pa.string())
    return joined(pc.binary_join_element_wise('{"time":', texts, ',"action":"', actions, '"}\n', ""), "")


def _interruption(time: int) -> bytes:
    """Return an event that breaks off in the middle, and the warning that follows it."""
    record = b'{"time":%d,"action":"Open"}' % time
    return record[:_CUT_AT] + b"\n\n" + _WARNING + b"\n\n"
