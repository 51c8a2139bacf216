"""Times of writes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from ingestion.streams.clock import Clock


def test_each_time_is_later_than_those_before() -> None:
    ahead = datetime.now(UTC) + timedelta(days=1000)
    clock = Clock(ahead)
    first = clock.tick()
    assert ahead < first < clock.tick()
    assert clock.last is not None and clock.last > first


def test_a_new_clock_tells_the_time() -> None:
    clock = Clock()
    assert clock.last is None
    before = datetime.now(UTC)
    assert before <= clock.tick() <= datetime.now(UTC)


def test_threads_get_times_of_their_own() -> None:
    clock = Clock()
    with ThreadPoolExecutor(8) as pool:
        times = list(pool.map(lambda _: clock.tick(), range(200)))
    assert len(set(times)) == 200
