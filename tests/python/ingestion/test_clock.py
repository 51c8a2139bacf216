"""Times of batches."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from ingestion.clock import clock_of
from ingestion.times import EPOCH


def test_each_time_is_later_than_those_before(tmp_path: Path) -> None:
    clock = clock_of(tmp_path, "silver")
    first, ahead = clock.tick(EPOCH), EPOCH + timedelta(days=100_000)
    assert first < clock.tick(EPOCH)
    assert clock.tick(ahead) > ahead
    assert clock.last is not None
    assert clock.tick(EPOCH, count=3) < clock.last


def test_threads_get_times_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        times = list(pool.map(lambda _: clock_of(tmp_path, "silver").tick(EPOCH), range(200)))
    assert len(set(times)) == 200
