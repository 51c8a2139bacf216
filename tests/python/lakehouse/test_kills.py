"""A run that is killed at any moment and started again ends like a run that was left alone."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import NO_DATA_TESTS, Lakehouse


@pytest.mark.parametrize(
    ("sources", "rounds", "kills", "settings"),
    [(("events",), 1, 1, NO_DATA_TESTS), pytest.param(("crm", "erp"), 5, 4, {}, marks=pytest.mark.soak)],
)
def test_killed_runs_end_like_an_undisturbed_one(
    tmp_path: Path, sources: tuple[str, ...], rounds: int, kills: int, settings: dict[str, str]
) -> None:
    chance = random.Random(os.environ.get("SOAK_SEED", rounds))
    lakehouse = Lakehouse(tmp_path, settings, sources=sources)
    empty, first = tmp_path / "empty", tmp_path / "first"
    # As a kill leaves it while the catalog is being made.
    (empty / "home" / "metastore" / "seg0").mkdir(parents=True)
    expected, seconds = {}, {}
    for number in (1, 2)[:rounds]:
        lakehouse.deliver(number)
        started = time.monotonic()
        lakehouse.run(*lakehouse.run_command)
        seconds[number] = time.monotonic() - started
        expected[number] = _everything(lakehouse)
        if number == 1:
            _copy(lakehouse, first)

    for number_of_round in range(rounds):
        # Half of the rounds start from nothing, the others with a second delivery waiting.
        number, before = [(1, empty), (2, first)][number_of_round % 2]
        _begin_from(before, lakehouse, number)
        killed_after: list[int] = []
        while len(killed_after) < kills:
            moment = chance.uniform(1, seconds[number])
            if _kill_after(lakehouse, moment):
                killed_after.append(round(moment))
            else:  # it was faster than the one that was measured
                _begin_from(before, lakehouse, number)
        print(f"delivery {number}: killed after {killed_after} s")
        lakehouse.run(*lakehouse.run_command)
        assert _everything(lakehouse) == expected[number]


def _everything(lakehouse: Lakehouse) -> dict[str, list[tuple[object, ...]]]:
    counts = lakehouse.rows("select source, table_name, status, rows_loaded from ops.loads")
    quarantined = lakehouse.rows("select source, table_name, record from ops.quarantine")
    return lakehouse.contents("bronze", "snapshots", "silver", "gold") | {
        "loads": sorted(counts, key=repr),
        "quarantine": sorted(quarantined, key=repr),
    }


def _kill_after(lakehouse: Lakehouse, seconds: float) -> bool:
    """Start a run and kill it; false when it ended before."""
    process = lakehouse.start(*lakehouse.run_command)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    return False


def _copy(lakehouse: Lakehouse, to: Path) -> None:
    for folder in (lakehouse.home, lakehouse.landing):
        shutil.copytree(folder, to / folder.name)


def _begin_from(saved: Path, lakehouse: Lakehouse, delivery: int) -> None:
    """Bring back files with their times, by which the streams know what they have seen, and deliver."""
    for folder in (lakehouse.home, lakehouse.landing):
        shutil.rmtree(folder, ignore_errors=True)
        if (saved / folder.name).exists():
            shutil.copytree(saved / folder.name, folder)
    lakehouse.deliver(delivery)
