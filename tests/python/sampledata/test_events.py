"""The sample events: JSON lines in time order, with what a notebook printed in between."""

import itertools
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sampledata import generate

WARNING = "*** WARNING: skipped 15627 bytes of output ***"
DAY = 24 * 60 * 60


def lines_of(folder: Path, scale: float, seed: int = 0, deliveries: int = 1) -> list[list[str]]:
    """Generate events and return the lines of each file."""
    paths = generate(folder, scale, seed, ["events"], deliveries)
    assert [path.name for path in paths] == [f"file-{n}.json" for n in range(deliveries)]
    return [path.read_text("utf-8").split("\n") for path in paths]


def events_of(lines: list[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def times_of(lines: list[str]) -> list[int]:
    return [int(str(event["time"])) for event in events_of(lines)]


def test_the_same_seed_gives_the_same_lines(tmp_path: Path) -> None:
    once, again = (lines_of(tmp_path / name, 0.05, seed=3, deliveries=2) for name in ("once", "again"))
    assert once == again
    assert lines_of(tmp_path / "other", 0.05, seed=4, deliveries=2) != once
    assert lines_of(tmp_path / "one", 0.05, seed=3) == once[:1]


def test_scale_1_is_50_000_events_a_week(tmp_path: Path) -> None:
    (lines,) = lines_of(tmp_path, scale=1)
    events = events_of(lines)
    assert len(events) == 50_000
    actions = Counter(event["action"] for event in events)
    assert set(actions) == {"Open", "Close"}
    assert actions["Open"] / len(events) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("scale", [1e-9, 0.05, 1])
def test_events_are_in_time_order_and_some_are_equal(tmp_path: Path, scale: float, seed: int) -> None:
    for lines in lines_of(tmp_path, scale, seed, deliveries=2):
        times = times_of(lines)
        assert times == sorted(times)
        equal = sum(one == next_one != "" for one, next_one in itertools.pairwise(lines))
        assert 0 < equal < 0.1 * len(lines)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("scale", [1e-9, 0.05])
def test_a_line_is_cut_off_in_the_middle_before_a_warning(tmp_path: Path, scale: float, seed: int) -> None:
    for lines in lines_of(tmp_path, scale, seed, deliveries=2):
        place = lines.index(WARNING)
        assert place == pytest.approx(len(lines) / 2, rel=0.2)
        cut, *around = lines[place - 2 : place + 2]
        assert around == ["", WARNING, ""]
        assert cut.startswith('{"time":17') and not cut.endswith("}")
        others = [*lines[: place - 2], *lines[place + 2 : -1]]
        assert lines[-1] == ""
        assert all(line == json.dumps(json.loads(line), separators=(",", ":")) for line in others)


def test_each_delivery_covers_its_own_week(tmp_path: Path) -> None:
    begin = int(datetime(2024, 12, 25, tzinfo=UTC).timestamp())
    for delivery, lines in enumerate(lines_of(tmp_path, scale=0.2, deliveries=3)):
        start = begin + delivery * 7 * DAY
        days = Counter((time - start) // DAY for time in times_of(lines))
        assert sorted(days) == list(range(7))


def test_days_have_a_rhythm(tmp_path: Path) -> None:
    (lines,) = lines_of(tmp_path, scale=1)
    hours = Counter(time // 3600 % 24 for time in times_of(lines))
    assert hours[18] > 10 * hours[6] > 0
