"""A command that is killed at any moment and run again ends like one that was left alone."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ..conftest import NO_DATA_TESTS, Contents, Lakehouse, differing

# Commands that are killed, by what they find: nothing, or a first delivery and a second one waiting.
_FROM_NOTHING = (["run"], ["load"], ["build"])
_FROM_FIRST = (["run"], ["stream", "--trigger", "1 second"], ["clean", "gym", "--yes"], ["load"], ["build"])
_PATIENCE_SECONDS = 300


class Campaign:
    """A lakehouse whose commands are killed, as it is before the first and after each delivery."""

    def __init__(self, folder: Path, sources: tuple[str, ...], seed: int) -> None:
        self.chance = random.Random(os.environ.get("SOAK_SEED", seed))
        self.lakehouse = Lakehouse(folder, NO_DATA_TESTS, sources=sources, scale=0.02)
        self._expected: dict[int, Contents] = {}
        self._seconds = 0.0
        for number in (1, 2):
            self.lakehouse.deliver(number)
            started = time.monotonic()
            self.lakehouse.run(*self.lakehouse.run_arguments)
            self._seconds = max(self._seconds, time.monotonic() - started)
            self._expected[number] = self.lakehouse.everything()
            if number == 1:
                self.lakehouse.save()

    def check(self, command: list[str], from_nothing: bool) -> None:
        """Kill a command once, run on, and compare all tables with those of undisturbed runs."""
        number, after = 1 if from_nothing else 2, 0.0
        killed = False
        while not killed:
            if from_nothing:
                self.lakehouse.clear()
            else:
                self.lakehouse.go_back()
            self.lakehouse.deliver(number)
            if command == ["build"]:
                self.lakehouse.run("load", *self.lakehouse.run_arguments[1:])
            # One that ends before its time is killed sooner.
            after = self.chance.uniform(0, after or self._seconds)
            killed = self._kill(command, after)
        if command[0] == "clean":
            self.lakehouse.run(*command)
        self.lakehouse.run(*self.lakehouse.run_arguments)
        assert differing(self.lakehouse.everything(), self._expected[number]) == [], (command, after)

    def _kill(self, command: list[str], seconds: float) -> bool:
        """Kill a command so many seconds after it began to write; false when it had ended."""
        takes_sources = command[0] in ("run", "load", "build")
        sources = self.lakehouse.run_arguments[1:] if takes_sources else []
        process = self.lakehouse.start("lakehouse", *command, *sources)
        try:
            self._wait_for_lock(process)
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        return False

    def _wait_for_lock(self, process: "subprocess.Popen[str]") -> None:
        ends_at = time.monotonic() + _PATIENCE_SECONDS
        lock = self.lakehouse.home / ".lock"
        while process.poll() is None and lock.read_text() != str(process.pid):
            assert time.monotonic() < ends_at
            time.sleep(0.02)


def test_killed_commands_end_like_undisturbed_ones(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, ("events", "gym"), seed=1)
    campaign.check(["run"], from_nothing=True)
    for command in _FROM_FIRST[:3]:
        campaign.check(command, from_nothing=False)


@pytest.mark.soak
def test_a_hundred_kills(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, (), seed=100)
    for number in range(100):
        commands = _FROM_FIRST if number % 2 else _FROM_NOTHING
        command = commands[number // 2 % len(commands)]
        print(number, *command)
        campaign.check(command, from_nothing=number % 2 == 0)
